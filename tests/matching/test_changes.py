"""The name of a change: the simplest that explains the measured tempo and pitch within their errors."""

import numpy as np
import pytest

from recsys.matching.changes import change_of

NAN = float("nan")


@pytest.mark.parametrize(
    ("ratio", "semitones", "length_s", "name"),
    [
        (1.0, 0.0, 10, "none"),
        (1.004, -0.3, 10, "none"),
        (1.05, 0.84, 30, "speed +5.0%"),
        (1.05, 1.2, 30, "speed"),  # the pitch is a third of a semitone off
        (0.99, -0.47, 10, "speed"),  # 2 % slower: in ten seconds, the tempo is known to a per cent only
        (0.945, -0.6, 10, "speed"),
        (1.06, 0.1, 20, "tempo +6.0%"),
        (0.9, -0.2, 10, "tempo -10.0%"),
        (1.0, -3.0, 10, "pitch -3.0 semitones"),
        (0.995, 2.1, 10, "pitch +2.1 semitones"),
        (1.1, 1.5, 10, "speed"),
        (1.1, -2.0, 30, "tempo +10.0%, pitch -2.0 semitones"),
        (1.05, NAN, 30, "tempo +5.0%"),
        (1.0, NAN, 30, "none"),
        (1.02, 0.0, 120, "tempo +2.0%"),
        (1.05, 0.84, 0.0, "speed"),
    ],
)
def test_the_simplest_change_is_named(ratio: float, semitones: float, length_s: float, name: str) -> None:
    """Speed changes tempo and pitch together; a change of one alone is named alone; small errors are no change."""
    named = str(change_of(ratio, semitones, length_s))

    assert named == name if "%" in name or "semitones" in name or name == "none" else named.startswith(name)


def test_plain_speed_changes_are_named_so_in_spite_of_errors() -> None:
    """Of a thousand changes of speed by 3 to 14 %, measured with errors, 95 % are named, with the right value."""
    rng = np.random.default_rng(0)
    speeds = 1 + rng.uniform(0.03, 0.14, 1_000) * rng.choice([-1, 1], 1_000)
    ratios = speeds + rng.normal(0, 0.005, 1_000)
    pitches = 12 * np.log2(speeds) + rng.normal(0, 0.2, 1_000)

    changes = [change_of(ratio, pitch, 10.0) for ratio, pitch in zip(ratios, pitches, strict=True)]

    assert np.mean([change.speed != 1 and change.tempo == 1 for change in changes]) >= 0.95
    errors = [change.speed - speed for change, speed in zip(changes, speeds, strict=True) if change.speed != 1]
    assert np.std(errors) < 0.006
