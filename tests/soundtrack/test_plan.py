"""The order of recordings: the best of all orders of a few, its times, and what it never does."""

from itertools import pairwise, permutations

import numpy as np
import polars as pl
import pytest

from recsys.soundtrack.adapt import adjustment
from recsys.soundtrack.curve import Curve
from recsys.soundtrack.plan import Recordings, plan, tempo_distance

CURVE = Curve.of((0, 100, 0.2), (1, 140, 0.8))


def recordings(n: int, seed: int = 7, *, length_s: float = 200.0) -> Recordings:
    """Return random recordings; every third artist has three."""
    rng = np.random.default_rng(seed)
    return Recordings.of(
        pl.DataFrame(
            {
                "track_id": [f"t{row}" for row in range(n)],
                "duration_ms": (rng.uniform(0.8, 1.2, n) * length_s * 1000).astype(int),
                "tempo_bpm": rng.uniform(80, 170, n),
                "energy": rng.uniform(0, 1, n),
                "key": [("C", "F#", "A", None)[place] for place in rng.integers(4, size=n)],
                "mode": [("major", "minor")[place] for place in rng.integers(2, size=n)],
                "artist_id": [f"a{row // 3}" for row in range(n)],
                "genre": [("rock", "jazz", None)[place] for place in rng.integers(3, size=n)],
                "liked": rng.uniform(0, 1, n),
            },
            schema_overrides=dict.fromkeys(("track_id", "key", "mode", "artist_id", "genre"), pl.String),
        )
    )


def cost_per_second(tracks: Recordings, order: tuple[int, ...], length_s: float) -> float | None:
    """Return the cost of an order that is just as long as the activity, written out; None for another length."""
    time_s, cost = 0.0, 0.0
    for place, row in enumerate(order):
        if time_s >= length_s:
            return None
        length, octaves = tracks.length_s[row], tracks.octaves[row]
        squared = 0.0
        for moment in (time_s, time_s + length / 2, time_s + length):
            share = min(moment / length_s, 1)
            apart = abs(octaves - np.log2(100) - share * (np.log2(140) - np.log2(100)))
            squared += (min(apart, abs(apart - 1) + 0.1) / 0.1) ** 2 / 3
            squared += ((tracks.energy[row] - 0.2 - share * 0.6) / 0.1) ** 2 / 3
        cost += length / 180 * (squared - tracks.liked[row])
        if place:
            before = order[place - 1]
            change = abs(octaves - tracks.octaves[before])
            steps = abs(tracks.fifths[row] - tracks.fifths[before])
            both = tracks.fifths[row] >= 0 and tracks.fifths[before] >= 0
            cost += 0.25 * (min(change, abs(change - 1) + 0.1) / 0.1) ** 2
            cost += 0.3 * bool(both and min(steps, 12 - steps) > 1)
            cost += 3 * any(tracks.artist[row] == tracks.artist[other] for other in order[max(0, place - 3) : place])
        time_s += length - min(16 * 60 / 2**octaves, 12, length / 4)
    return cost / time_s if time_s >= length_s else None


@pytest.mark.parametrize("seed", range(8))
def test_it_finds_the_best_order_of_a_few(seed: int) -> None:
    """Among all orders of six recordings that fill ten minutes."""
    tracks = recordings(6, seed)
    every = [order for n in range(1, 7) for order in permutations(range(6), n)]
    costs = {order: cost for order in every if (cost := cost_per_second(tracks, order, 600.0)) is not None}

    found = tuple(step.row for step in plan(tracks, CURVE, 600.0))

    assert costs[found] == pytest.approx(min(costs.values()))


def test_times_leave_room_for_crossfades() -> None:
    """A recording starts where the one before begins to fade: 16 beats before its end, at most 12 s."""
    tracks = recordings(100)

    steps = plan(tracks, CURVE, 3_600.0)

    assert steps[0].start_s == 0
    for step, following in pairwise(steps):
        assert step.fade_s == pytest.approx(min(16 * 60 / 2 ** tracks.octaves[step.row], 12))
        assert following.start_s == pytest.approx(step.start_s + tracks.length_s[step.row] - step.fade_s)
        assert following.start_s < 3_600
    last = steps[-1]
    assert last.start_s + tracks.length_s[last.row] - last.fade_s >= 3_600
    assert len({step.row for step in steps}) == len(steps)


def test_it_follows_the_curve() -> None:
    """Far closer than recordings at random, in a large catalogue too."""
    tracks = recordings(5_000)

    steps = plan(tracks, CURVE, 2_400.0)

    rows = [step.row for step in steps]
    off = tempo_distance(tracks.octaves[rows], np.log2([step.tempo_bpm for step in steps]))
    assert np.sqrt(np.mean(off**2)) < 0.04
    assert np.abs(tracks.energy[rows] - [step.energy for step in steps]).mean() < 0.04
    assert [step.energy for step in steps] == sorted(step.energy for step in steps)


def test_what_was_heard_does_not_come_again() -> None:
    """And the rest is planned from the time that has passed."""
    tracks = recordings(40)
    first = plan(tracks, CURVE, 1_800.0)
    heard = [step.row for step in first[:3]]

    rest = plan(tracks, CURVE, 1_800.0, start_s=500.0, heard=heard)

    assert rest[0].start_s == 500
    assert not {step.row for step in rest} & set(heard)


@pytest.mark.parametrize(
    ("n", "length_s", "start_s"), [(0, 600.0, 0.0), (3, 36_000.0, 0.0), (3, 600.0, 600.0), (3, 600.0, 900.0)]
)
def test_too_few_recordings_are_all_listed(n: int, length_s: float, start_s: float) -> None:
    """None gives none, as does a time that is over."""
    found = plan(recordings(n), CURVE, length_s, start_s=start_s)

    assert len(found) == (0 if start_s >= length_s else n)


def test_a_long_recording_is_no_soundtrack() -> None:
    """Beyond ten minutes and a third of the activity, however well it fits in its middle."""
    tracks = recordings(30)
    tracks.length_s[4], tracks.octaves[4], tracks.energy[4] = 700.0, np.log2(120), 0.5

    hour, half_hour = (plan(tracks, CURVE, length_s) for length_s in (3_600.0, 1_800.0))

    assert 4 in {step.row for step in hour}
    assert 4 not in {step.row for step in half_hour}


def test_tracks_without_tempo_energy_or_length_are_left_out() -> None:
    """An unknown key, artist or genre leaves a track in."""
    columns = ("track_id", "duration_ms", "tempo_bpm", "energy", "key", "mode", "artist_id", "genre", "liked")
    rows = [
        ("whole", 200_000, 120.0, 0.5, "A", "minor", "a", "rock", 0.0),
        ("bare", 200_000, 120.0, 0.5, None, None, None, None, 0.0),
        ("no tempo", 200_000, None, 0.5, "A", "minor", "a", "rock", 0.0),
        ("no energy", 200_000, 120.0, None, "A", "minor", "a", "rock", 0.0),
        ("no length", None, 120.0, 0.5, "A", "minor", "a", "rock", 0.0),
        ("empty", 0, 120.0, 0.5, "A", "minor", "a", "rock", 0.0),
    ]

    found = Recordings.of(pl.DataFrame(rows, columns, orient="row"))

    assert found.ids.to_list() == ["whole", "bare"]
    assert found.fifths.tolist() == [0, -1]  # A minor has the notes of C major


def test_a_skip_lowers_what_resembles_it() -> None:
    """By the kernel of tempo, energy, genre and artist; a whole play raises it half as much."""
    tracks = recordings(30)

    skipped, played = (adjustment(tracks, [(4, is_skipped)]) for is_skipped in (True, False))

    apart = abs(tracks.octaves[9] - tracks.octaves[4])
    squared = (min(apart, abs(apart - 1) + 0.1) / 0.15) ** 2
    squared += ((tracks.energy[9] - tracks.energy[4]) / 0.15) ** 2
    squared += (tracks.genre[9] != tracks.genre[4]) + 0.5 * (tracks.artist[9] != tracks.artist[4])
    assert skipped[4] == -2
    assert skipped[9] == pytest.approx(-2 * np.exp(-squared / 2))
    assert played == pytest.approx(-skipped / 2)
    assert adjustment(tracks, []).tolist() == [0] * 30
