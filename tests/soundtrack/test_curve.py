"""Curves of tempo and energy: their values between points, and how they are written."""

import numpy as np
import pytest

from recsys.errors import InputError
from recsys.soundtrack.curve import ACTIVITIES, Curve, activity


def test_a_curve_is_read_from_text() -> None:
    """Minutes become shares of the last one."""
    curve, minutes = Curve.parse("0 110 .4, 10 150 .8,30 120 1")

    assert minutes == 30
    assert curve == Curve((0, 1 / 3, 1), (110, 150, 120), (0.4, 0.8, 1))


def test_tempo_is_straight_in_octaves_and_energy_in_itself() -> None:
    """Half way from 60 to 240 is 120; before the first and after the last point the curve is level."""
    curve = Curve.of((0.2, 60, 0.2), (0.6, 240, 0.6))

    tempo, energy = curve.values(np.array([0.0, 0.2, 0.4, 0.6, 1.0]))

    assert tempo.tolist() == pytest.approx([60, 60, 120, 240, 240])
    assert energy.tolist() == pytest.approx([0.2, 0.2, 0.4, 0.6, 0.6])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "Expected points of minute"),
        ("0 110", "Expected points of minute"),
        ("0 110 .4;5 120 .5", "Expected points of minute"),
        ("0 110 -1", "Expected points of minute"),
        ("0 nan .4", "Expected points of minute"),
        ("0 110 .4, 0 120 .5", "minutes do not ascend"),
        ("5 110 .4, 1 120 .5", "minutes do not ascend"),
        ("0 5 .4, 1 120 .5", "beats per minute out of range, expected 30 to 300"),
        ("0 110 .4, 1 120 1.5", "energy out of range, expected 0 to 1"),
        ("0 110 .4", "ends at minute 0"),
    ],
)
def test_a_wrong_curve_is_refused(text: str, message: str) -> None:
    """The message shows the form."""
    with pytest.raises(InputError, match=message) as refused:
        Curve.parse(text)

    assert "such as '0 110 .4, 10 150 .8, 30 120 .5'" in str(refused.value)


def test_an_unknown_activity_is_refused() -> None:
    """The message lists the known ones."""
    assert all(activity(name) is curve for name, curve in ACTIVITIES.items())
    with pytest.raises(InputError, match=r"'studying'; known: run, study, wind-down\. Did you mean"):
        activity("studying")
