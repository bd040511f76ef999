"""Cue sheets on vectors of which the truth is known: what is in a mix, from when to when, and what is not."""

import numpy as np
import pytest

from recsys.audio.fingerprint.fingerprinter import FIRST_S, INDEX_STEP, RATE_HZ, Fingerprinter
from recsys.matching.alignment import Calibration
from recsys.matching.uses import Use, uses
from recsys.synth.arrange import Style, arrange
from recsys.synth.render import render
from recsys.synth.tune import compose

from .conftest import index_of, piece, walk

Tracks = dict[str, np.ndarray]


def told(found: list[Use]) -> list[tuple[str, int, int]]:
    """Whose, from when to when, to the second."""
    return [(use.audio_id, round(use.starts_s - FIRST_S), round(use.ends_s - FIRST_S)) for use in found]


def test_a_mix_becomes_a_cue_sheet(tracks: Tracks, judges: Calibration) -> None:
    """Each use from when to when, how fast, and where in the recording; strangers are left out."""
    mix = [
        piece(tracks["t3"], 5, 20),
        walk(1_000, 15),
        piece(tracks["t8"], 30, 25, ratio=1.05),
        piece(tracks["t1"], 0, 18, ratio=0.93),
    ]

    found = uses(index_of(tracks), np.concatenate(mix), judges)

    assert [use.audio_id for use in found] == ["t3", "t8", "t1"]
    for use, (start, end, reference, ratio) in zip(
        found, [(0, 20, 5, 1.0), (35, 60, 30, 1.05), (60, 78, 0, 0.93)], strict=True
    ):
        assert use.starts_s == pytest.approx(start, abs=1.2)
        assert use.ends_s == pytest.approx(end, abs=1.2)
        assert use.reference_starts_s == pytest.approx(reference + ratio * (use.starts_s - start), abs=0.3)
        assert use.tempo_ratio == pytest.approx(ratio, abs=0.01)
        assert use.is_strict
        assert use.n_places == 1


def test_a_query_that_is_a_whole_recording_is_one_use(tracks: Tracks, judges: Calibration) -> None:
    """From its first second to its last."""
    found = uses(index_of(tracks), tracks["t5"], judges)

    assert [(use.audio_id, use.starts_s) for use in found] == [("t5", 0.0)]
    assert found[0].reference_starts_s == pytest.approx(0, abs=0.1)
    assert found[0].ends_s == pytest.approx(60.6, abs=0.5)


def test_two_recordings_that_share_a_sample_are_both_found(tracks: Tracks, judges: Calibration) -> None:
    """A query of the sample has two owners, each with its own place."""
    sample = walk(500, 14)
    shared = tracks | {
        "a": np.concatenate([walk(501, 20), sample, walk(502, 20)]),
        "b": np.concatenate([walk(503, 8), sample, walk(504, 30)]),
    }

    found = uses(index_of(shared), piece(np.concatenate([sample, walk(505, 1)]), 0, 14), judges)

    assert sorted(use.audio_id for use in found) == ["a", "b"]
    assert sorted(use.reference_starts_s - use.starts_s for use in found) == pytest.approx([8, 20], abs=0.3)


def test_two_recordings_at_once_are_both_found(tracks: Tracks, judges: Calibration) -> None:
    """One mixed over the other."""
    both = piece(tracks["t2"], 10, 30, noise=0) + piece(tracks["t4"], 20, 30, noise=0)

    found = uses(index_of(tracks), np.asarray(both / np.sqrt(2), np.float32), judges)

    assert sorted(told(found)) == [("t2", 0, 30), ("t4", 0, 30)]


def test_a_loop_is_told_at_its_earliest_place(tracks: Tracks, judges: Calibration) -> None:
    """And that it repeats: eight seconds that come five times, of which the last eight are asked for."""
    bar = walk(700, 8.192)
    looped = tracks | {"loop": np.concatenate([walk(701, 12.288), *[bar] * 5])}

    found = uses(index_of(looped), piece(looped["loop"], 12.288 + 4 * 8.192, 8), judges)

    assert [(use.audio_id, use.n_places) for use in found] == [("loop", 5)]
    assert found[0].reference_starts_s == pytest.approx(12.3, abs=0.3)


def test_a_long_use_of_a_loop_is_one_use(tracks: Tracks, judges: Calibration) -> None:
    """However often it repeats itself meanwhile."""
    looped = tracks | {"loop": np.concatenate([walk(710, 8.192)] * 7)}

    found = uses(index_of(looped), piece(looped["loop"], 0, 50), judges)

    assert told(found) == [("loop", 0, 49)]


def test_copies_in_the_catalogue_do_not_speak_against_each_other(tracks: Tracks, judges: Calibration) -> None:
    """A recording that is in the index twice is found twice."""
    twice = tracks | {"again": piece(tracks["t6"], 0, 59, noise=0.3)}

    found = uses(index_of(twice), piece(tracks["t6"], 12, 20), judges)

    assert sorted(use.audio_id for use in found) == ["again", "t6"]


def test_strangers_and_silence_are_told_to_use_nothing(tracks: Tracks, judges: Calibration) -> None:
    """Nor do a query of nothing and an index of nothing fail."""
    prints = index_of(tracks)

    assert uses(prints, walk(2_000, 120), judges) == []
    assert uses(prints, np.zeros((200, 128), np.float32), judges) == []
    assert uses(prints, np.empty((0, 128), np.float32), judges) == []
    assert uses(index_of({}), walk(2_001, 30), judges) == []


def test_a_use_between_silences_ends_with_its_sound(tracks: Tracks, judges: Calibration) -> None:
    """Ten seconds of silence before and after it are no part of it."""
    silence = np.zeros((39, 128), np.float32)

    found = uses(index_of(tracks), np.concatenate([silence, piece(tracks["t9"], 20, 16), silence]), judges)

    assert told(found) == [("t9", 10, 26)]


@pytest.mark.parametrize("seconds", [3.0, 5.0, 10.0])
def test_a_short_query_is_judged_by_its_length(tracks: Tracks, judges: Calibration, seconds: float) -> None:
    """One window, held against the cut of 1 %."""
    found = uses(index_of(tracks), piece(tracks["t7"], 11, seconds, noise=0.4), judges)

    assert [use.audio_id for use in found] == ["t7"]
    assert found[0].reference_starts_s == pytest.approx(11, abs=0.2)


def test_the_place_moves_with_the_sound(tracks: Tracks, judges: Calibration) -> None:
    """Whatever stands before a use moves its beginning and nothing else."""
    prints, part = index_of(tracks), piece(tracks["t0"], 15, 20)
    plain = uses(prints, part, judges)[0]

    for n in (4, 17, 60):
        moved = uses(prints, np.concatenate([walk(3_000 + n, 1 + n * INDEX_STEP * 0.128), part]), judges)[-1]
        assert moved.reference_starts_s - plain.reference_starts_s == pytest.approx(0, abs=1.0)
        assert moved.ends_s - plain.ends_s == pytest.approx(1 + n * INDEX_STEP * 0.128, abs=1.0)


def test_pure_tones_are_nobodys(network: Fingerprinter, judges: Calibration) -> None:
    """Against an index of made-up music: a held tone is like many held notes and like no recording."""
    songs = {}
    for seed in range(8):
        rng = np.random.default_rng(seed)
        played = arrange(compose(str(seed), rng), Style.drawn(rng), rng, longest_s=12)
        songs[str(seed)] = network.vectors(render(played, rate_hz=RATE_HZ, longest_s=12).mean(axis=0), RATE_HZ)
    prints = index_of(songs)
    time_s = np.arange(10 * RATE_HZ) / RATE_HZ

    for hz in (220, 440, 1_000, 3_000):
        tone = np.sin(2 * np.pi * hz * time_s).astype(np.float32)
        assert uses(prints, network.vectors(tone, RATE_HZ), judges) == []
