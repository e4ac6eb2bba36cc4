"""What the page gets to see of targets and frames, as JSON; coordinates are whole 0-based pixels row, col."""

from base64 import b64encode
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pointmask.click.base.proposals import Proposals
from pointmask.click.contract.targets import Answer, ClickFrame, ClickTarget
from pointmask.click.frames.reader import Frame
from pointmask.click.frames.samples import code_for
from pointmask.click.frames.statistics import AUTO, ROBUST, Statistics

Number = Callable[[str], int | None]
"""Gives the number of an image by its name."""


def target_shape(target: ClickTarget, shape: tuple[int, int]) -> dict[str, Any]:
    """
    Return one target.

    Parameters
    ----------
    target : ClickTarget
    shape : (H, W)
        Of its frame.

    Returns
    -------
    dict
        ``mask`` is a crop: ``bits`` is the base64 of its rows' bits, most significant first, without gaps
        between rows.
    """
    return {
        "target": target.target,
        "point": target.point,
        "centre": target.centre,
        "label": target.label,
        "made": target.made,
        "level": target.level,
        "ring": target.ring,
        "polarity": target.polarity,
        "box": target.box,
        "area": target.area,
        "confidence": target.confidence,
        "flags": target.flags,
        "verdict": target.verdict,
        "who": target.who,
        "theta": target.basis.theta,
        "mask": mask_shape(target.crop(shape)),
    }


def mask_shape(crop: tuple[int, int, NDArray[np.bool_]]) -> dict[str, Any]:
    """Return a crop of a mask: top, left and pixels."""
    top, left, pixels = crop
    bits = b64encode(np.packbits(pixels, axis=None).tobytes()).decode()
    return {"top": top, "left": left, "height": pixels.shape[0], "width": pixels.shape[1], "bits": bits}


def proposal_shapes(proposals: Proposals, standing: ClickFrame, decoded: Frame) -> list[dict[str, Any]]:
    """Return the proposals of a frame that nobody has judged."""
    size = decoded.pixels.shape[0], decoded.pixels.shape[1]
    told = []
    for one in proposals.of(standing):
        if one.point[0] < size[0] and one.point[1] < size[1]:
            crop = proposals.mask(decoded.image, decoded.frame, decoded.frames, size, one.point)
            told.append(
                {
                    "proposal": one.number,
                    "point": one.point,
                    "score": one.score,
                    "label": one.label,
                    "mask": None if crop is None else mask_shape(crop),
                }
            )
    return told


def frame_shape(frame: ClickFrame, targets: Sequence[ClickTarget] | None = None) -> dict[str, Any]:
    """Return how a frame stands: revision, state and targets, all or those given."""
    shown = frame.targets if targets is None else targets
    return {
        "revision": frame.revision,
        "state": frame.state,
        "targets": [target_shape(target, frame.shape) for target in shown],
    }


def answer_shape(answer: Answer, number: Number) -> dict[str, Any]:
    """Return what an edit, an undo or a redo did."""
    frames = [
        {
            "image": number(change.frame.image),
            "frame": change.frame.frame,
            "name": change.frame.image,
            **frame_shape(change.frame, change.changed),
            "removed": change.removed,
        }
        for change in answer.frames
    ]
    return {"seq": answer.seq, "durable": answer.durable, "frames": frames, "words": answer.words}


def code_shape(frame: Frame, known: Statistics) -> dict[str, Any]:
    """Return how samples of a frame stand for values: ``value = sample * scale + offset``."""
    code = code_for(frame.pixels, known)
    return {
        "type": code.type,
        "scale": code.scale,
        "offset": code.offset,
        "exact": code.exact,
        "missing": 0 if code.nonfinite else None,
    }


def picture_shape(frame: Frame, known: Statistics) -> dict[str, Any]:
    """Return what is needed to draw a frame: its size, the code of its samples, and their distribution."""
    shares = dict(zip((*AUTO, *ROBUST), (*known.auto, *known.robust), strict=True))
    shares |= {0.0: known.low, 0.5: known.median, 1.0: known.high}
    dtype = frame.pixels.dtype
    info = np.iinfo(dtype) if dtype.kind in "ui" else None
    return {
        "shape": frame.pixels.shape,
        "type": str(dtype),
        "type_range": None if info is None else [int(info.min), int(info.max)],
        "code": code_shape(frame, known),
        "content": frame.content,
        "histogram": {"low": known.low, "high": known.high, "counts": known.histogram},
        "quantiles": {f"{100 * share:g}": shares[share] for share in sorted(shares)},  # in per cent
        "background": {"median": known.median, "sigma": known.sigma},
        "frames": frame.frames if frame.frames > 1 else None,
        "luminance": frame.is_luminance,
    }
