"""The score, and the least score for a number of false alarms."""

import math
from itertools import pairwise

import pytest

from pointmask.errors import PointmaskError
from pointmask.proposals.evidence import EVIDENCE
from pointmask.proposals.ranking import FALSE_ALARMS, WEIGHTS, least_score, score_of


def test_there_is_a_weight_for_every_measurement():
    assert len(WEIGHTS) == 1 + len(EVIDENCE)
    assert score_of([0.0] * len(EVIDENCE)) == pytest.approx(1 / (1 + math.exp(-WEIGHTS[0])))
    with pytest.raises(ValueError, match="shorter"):
        score_of([0.0] * (len(EVIDENCE) - 1))


def test_more_confidence_contrast_and_prominence_make_a_better_proposal():
    middle = [1.0] * len(EVIDENCE)
    for name in ("confidence", "contrast", "to_first"):
        better = [2.0 if each == name else 1.0 for each in EVIDENCE]
        assert score_of(better) > score_of(middle)


@pytest.mark.parametrize("extreme", [1e300, -1e300])
def test_scores_stay_between_0_and_1(extreme):
    assert 0 < score_of([extreme, *[0.0] * (len(EVIDENCE) - 1)]) < 1


def test_measured_rates_give_their_scores_and_others_lie_between():
    for rate, score in FALSE_ALARMS:
        assert least_score(rate) == pytest.approx(score)
    for (low, high_score), (high, low_score) in pairwise(FALSE_ALARMS):
        assert low < high
        assert high_score > low_score
        between = [least_score(low + share * (high - low)) for share in (0.0, 0.2, 0.5, 0.9, 1.0)]
        assert between == sorted(between, reverse=True)
    assert least_score(FALSE_ALARMS[-1][0] * 2) == 0.0


@pytest.mark.parametrize("rate", [0.0, -1.0, 0.001, float("nan")])
def test_fewer_than_were_measured_cannot_be_promised(rate):
    with pytest.raises(PointmaskError, match=r"smallest rate that was measured; give a larger number"):
        least_score(rate)
