"""Logistic models of a share or a yes in [0, 1], as several scripts fit them."""

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

Row = NDArray[np.float64]


def logistic(scores: Row) -> Row:
    """Evaluate ``1 / (1 + exp(-scores))``."""
    return np.asarray(1 / (1 + np.exp(-np.clip(scores, -30, 30))))


def logistic_weights(inputs: Row, truth: Row, *, penalty: float, shares: Row | None = None) -> Row:
    """Minimise the logistic loss.

    Parameters
    ----------
    inputs : (n, k) array
        The first column is the constant 1.
    truth : (n,) array in [0, 1]
    penalty : float
        On the squares of the weights of standardised inputs; that of the constant is free.
    shares : (n,) array, optional
        How much each sample counts, in relation to the others; all alike by default.

    Returns
    -------
    (k,) array
        Weights of the inputs as they are.
    """
    shares = np.full(len(truth), 1 / len(truth)) if shares is None else shares / shares.sum()
    centre, scale = inputs.mean(axis=0), inputs.std(axis=0) + 1e-9
    centre[0], scale[0] = 0.0, 1.0
    standard = (inputs - centre) / scale

    def loss(weights: Row) -> tuple[float, Row]:
        scores = standard @ weights
        penalised = np.append(0.0, weights[1:])
        value = shares @ (np.logaddexp(0, scores) - truth * scores) + penalty * penalised @ penalised
        return value, standard.T @ (shares * (logistic(scores) - truth)) + 2 * penalty * penalised

    weights = minimize(loss, np.zeros(inputs.shape[1]), jac=True, method="L-BFGS-B", tol=1e-12).x / scale
    weights[0] -= weights[1:] @ centre[1:]
    return np.asarray(weights)
