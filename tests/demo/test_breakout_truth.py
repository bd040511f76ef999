"""Weekly listeners and the definition of a breakout, compared with counts by hand."""

import numpy as np

from recsys.demo.breakout_truth import breakout_days, peaks, weekly_listeners


def test_weekly_listeners_equal_a_plain_count_of_sets() -> None:
    """The difference-array count equals the size of sets of listeners on every day."""
    rng = np.random.default_rng(3)
    track, listener, day = rng.integers(0, 4, 300), rng.integers(0, 12, 300), rng.integers(0, 25, 300)
    expected = [
        [
            len({int(u) for t, u, d in zip(track, listener, day, strict=True) if t == row and end - 7 < d <= end})
            for end in range(25)
        ]
        for row in range(4)
    ]

    weekly = weekly_listeners(track, listener, day, n_tracks=4, n_days=25)

    assert weekly.tolist() == expected


def test_a_threefold_rise_from_the_floor_is_a_breakout() -> None:
    """Ten weekly listeners that become thirty break out, and not when the floor is eleven."""
    weekly = np.array([[10] * 10 + [15, 20, 30] + [30] * 10])

    assert breakout_days(weekly, floor=10)[0, 10]
    assert not breakout_days(weekly, floor=11).any()


def test_a_rise_that_takes_longer_than_two_weeks_is_no_breakout() -> None:
    """Only growth within 14 days counts."""
    weekly = np.array([[10 + day for day in range(40)]])

    assert not breakout_days(weekly, floor=10).any()


def test_peaks_look_ahead_fourteen_days() -> None:
    """The greatest number within 14 days covers the day itself and the 13 days after it."""
    weekly = np.zeros((1, 30), dtype=np.int32)
    weekly[0, 20] = 5

    assert np.flatnonzero(peaks(weekly)[0]).tolist() == list(range(7, 21))
