"""Uses of synthetic recordings in mixes of known composition; unknown music has none."""

import numpy as np
import pytest

from recsys.audio.fingerprint.fingerprinter import FIRST_VECTOR_S, INDEX_STEP, RATE_HZ, Fingerprinter
from recsys.matching.alignment import Alignment, Calibration
from recsys.matching.uses import OpenMatch, RoughUse, TimeAlignment, Use, WindowMatch, find_uses
from recsys.synth.arrange import Style, arrange
from recsys.synth.render import render
from recsys.synth.tune import compose

from .conftest import index_of, piece, walk

Tracks = dict[str, np.ndarray]


def spans(found: list[Use]) -> list[tuple[str, int, int]]:
    """Return recording, start and end of each use, in whole seconds."""
    return [(use.audio_id, round(use.starts_s - FIRST_VECTOR_S), round(use.ends_s - FIRST_VECTOR_S)) for use in found]


def test_a_mix_becomes_a_cue_sheet(tracks: Tracks, calibration: Calibration) -> None:
    """Each use has its time, its tempo and its place in the recording; music that is not indexed gives no use."""
    mix = [
        piece(tracks["t3"], 5, 20),
        walk(1_000, 15),
        piece(tracks["t8"], 30, 25, ratio=1.05),
        piece(tracks["t1"], 0, 18, ratio=0.93),
    ]

    found = find_uses(index_of(tracks), np.concatenate(mix), calibration)

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


def test_a_query_that_is_a_whole_recording_is_one_use(tracks: Tracks, calibration: Calibration) -> None:
    """The use of a whole recording lasts from its first second to its last."""
    found = find_uses(index_of(tracks), tracks["t5"], calibration)

    assert [(use.audio_id, use.starts_s) for use in found] == [("t5", 0.0)]
    assert found[0].reference_starts_s == pytest.approx(0, abs=0.1)
    assert found[0].ends_s == pytest.approx(60.6, abs=0.5)


def test_two_recordings_that_share_a_sample_are_both_found(tracks: Tracks, calibration: Calibration) -> None:
    """A query with a sample that two recordings contain uses both, each at the position of the sample."""
    sample = walk(500, 14)
    shared = tracks | {
        "a": np.concatenate([walk(501, 20), sample, walk(502, 20)]),
        "b": np.concatenate([walk(503, 8), sample, walk(504, 30)]),
    }

    found = find_uses(index_of(shared), piece(np.concatenate([sample, walk(505, 1)]), 0, 14), calibration)

    assert sorted(use.audio_id for use in found) == ["a", "b"]
    assert sorted(use.reference_starts_s - use.starts_s for use in found) == pytest.approx([8, 20], abs=0.3)


def test_two_recordings_at_once_are_both_found(tracks: Tracks, calibration: Calibration) -> None:
    """Both recordings are found if one is mixed over the other."""
    both = piece(tracks["t2"], 10, 30, noise=0) + piece(tracks["t4"], 20, 30, noise=0)

    found = find_uses(index_of(tracks), np.asarray(both / np.sqrt(2), np.float32), calibration)

    assert sorted(spans(found)) == [("t2", 0, 30), ("t4", 0, 30)]


def test_a_loop_is_reported_at_its_earliest_place(tracks: Tracks, calibration: Calibration) -> None:
    """For the last of five repetitions, the first is reported, with the number of repetitions."""
    bar = walk(700, 8.192)
    looped = tracks | {"loop": np.concatenate([walk(701, 12.288), *[bar] * 5])}

    found = find_uses(index_of(looped), piece(looped["loop"], 12.288 + 4 * 8.192, 8), calibration)

    assert [(use.audio_id, use.n_places) for use in found] == [("loop", 5)]
    assert found[0].reference_starts_s == pytest.approx(12.3, abs=0.3)


def test_a_long_use_of_a_loop_is_one_use(tracks: Tracks, calibration: Calibration) -> None:
    """A recording that repeats a loop gives one use, however often the loop repeats."""
    looped = tracks | {"loop": np.concatenate([walk(710, 8.192)] * 7)}

    found = find_uses(index_of(looped), piece(looped["loop"], 0, 50), calibration)

    assert [use.audio_id for use in found] == ["loop"]
    assert (found[0].starts_s, found[0].ends_s) == pytest.approx((0, 50), abs=1)


@pytest.mark.parametrize("seconds", [3.072, 4.096, 8.192])
def test_each_repetition_of_a_looped_excerpt_is_a_use(tracks: Tracks, calibration: Calibration, seconds: float) -> None:
    """Music that repeats an excerpt of a recording four times uses it four times, one after the other."""
    excerpt = piece(tracks["t5"], 10, seconds, noise=0.3)
    query = np.concatenate([walk(720, 16.384), *[excerpt] * 4, walk(721, 16.384)])

    found = find_uses(index_of(tracks), query, calibration)

    assert [use.audio_id for use in found] == ["t5"] * 4
    starts = [16.384 + number * seconds for number in range(4)]
    assert [use.starts_s for use in found] == pytest.approx(starts, abs=0.6)
    assert [use.reference_starts_s for use in found] == pytest.approx([10] * 4, abs=0.8)


def test_six_repetitions_of_a_loop_in_noise_are_six_uses(tracks: Tracks, calibration: Calibration) -> None:
    """A repetition whose windows are a little too weak alone counts, since its passage is certainly used elsewhere."""
    excerpt = piece(tracks["t6"], 10, 4.096, noise=0.9)
    query = np.concatenate([walk(726, 16.384), *[excerpt] * 6, walk(721, 16.384)])

    found = find_uses(index_of(tracks), query, calibration)

    assert [use.audio_id for use in found] == ["t6"] * 6
    assert [use.starts_s - FIRST_VECTOR_S for use in found] == pytest.approx(
        [16.384 + number * 4.096 for number in range(6)], abs=0.6
    )


def test_weak_windows_that_exceed_a_use_do_not_tell_its_alignment() -> None:
    """Three seconds that match well tell tempo and place, not the ten seconds around them that match a little."""
    well = [WindowMatch(first, 10, Alignment("a", 0.256 * first, 1.0, 0.6, 0.5, 10), 0.99, 6.0) for first in (4, 9)]
    weak = WindowMatch(0, 36, Alignment("a", 1.0, 0.93, 0.3, 0.2, 36), 0.6, 2.4)

    match = OpenMatch([weak, *well])

    assert match.time_alignment.ratio == 1
    assert match.time_alignment.offset_s == pytest.approx(0)
    assert match.passage_s == pytest.approx((4 * 0.256, 19 * 0.256))


def test_copies_in_the_catalogue_are_both_found(tracks: Tracks, calibration: Calibration) -> None:
    """A copy of a recording does not lower the probability of the recording."""
    twice = tracks | {"again": piece(tracks["t6"], 0, 59, noise=0.3)}

    found = find_uses(index_of(twice), piece(tracks["t6"], 12, 20), calibration)

    assert sorted(use.audio_id for use in found) == ["again", "t6"]


def test_unknown_music_and_silence_have_no_uses(tracks: Tracks, calibration: Calibration) -> None:
    """Unknown music, silence, an empty query and an empty index give no uses."""
    index = index_of(tracks)

    assert find_uses(index, walk(2_000, 120), calibration) == []
    assert find_uses(index, np.zeros((200, 128), np.float32), calibration) == []
    assert find_uses(index, np.empty((0, 128), np.float32), calibration) == []
    assert find_uses(index_of({}), walk(2_001, 30), calibration) == []


def test_a_use_between_silences_ends_with_its_sound(tracks: Tracks, calibration: Calibration) -> None:
    """Ten seconds of silence before and after a use are not part of it."""
    silence = np.zeros((39, 128), np.float32)

    found = find_uses(index_of(tracks), np.concatenate([silence, piece(tracks["t9"], 20, 16), silence]), calibration)

    assert spans(found) == [("t9", 10, 26)]


@pytest.mark.parametrize("seconds", [3.0, 5.0, 10.0])
def test_a_short_query_is_found(tracks: Tracks, calibration: Calibration, seconds: float) -> None:
    """A query of one window must exceed only the threshold of 1 % false positives."""
    found = find_uses(index_of(tracks), piece(tracks["t7"], 11, seconds, noise=0.4), calibration)

    assert [use.audio_id for use in found] == ["t7"]
    assert found[0].reference_starts_s == pytest.approx(11, abs=0.2)


def test_a_use_moves_with_the_sound(tracks: Tracks, calibration: Calibration) -> None:
    """Other music before a use moves it in the query, not in the recording."""
    index, part = index_of(tracks), piece(tracks["t0"], 15, 20)
    plain = find_uses(index, part, calibration)[0]

    for n in (4, 17, 60):
        moved = find_uses(index, np.concatenate([walk(3_000 + n, 1 + n * INDEX_STEP * 0.128), part]), calibration)[-1]
        assert moved.reference_starts_s - plain.reference_starts_s == pytest.approx(0, abs=1.0)
        assert moved.ends_s - plain.ends_s == pytest.approx(1 + n * INDEX_STEP * 0.128, abs=1.0)


def test_pure_tones_match_no_recording(network: Fingerprinter, calibration: Calibration) -> None:
    """A sustained tone resembles notes of many recordings, but is not reported as a use."""
    songs = {}
    for seed in range(4):
        rng = np.random.default_rng(seed)
        played = arrange(compose(str(seed), rng), Style.random(rng), rng, longest_s=12)
        songs[str(seed)] = network.vectors(render(played, rate_hz=RATE_HZ, longest_s=12).mean(axis=0), RATE_HZ)
    index = index_of(songs)
    time_s = np.arange(10 * RATE_HZ) / RATE_HZ

    for hz in (220, 440, 1_000, 3_000):
        tone = np.sin(2 * np.pi * hz * time_s).astype(np.float32)
        assert find_uses(index, network.vectors(tone, RATE_HZ), calibration) == []


@pytest.mark.parametrize("seconds", [5.0, 6.0, 8.0])
def test_a_short_use_in_long_music_is_found(tracks: Tracks, calibration: Calibration, seconds: float) -> None:
    """A use much shorter than a window of ten seconds is found between a minute of other music, with its times."""
    query = np.concatenate([walk(4_000, 31), piece(tracks["t4"], 22, seconds), walk(4_001, 30)])

    found = find_uses(index_of(tracks), query, calibration)

    assert [use.audio_id for use in found] == ["t4"]
    assert found[0].starts_s == pytest.approx(31 + FIRST_VECTOR_S, abs=0.75)
    assert found[0].ends_s == pytest.approx(31 + seconds + FIRST_VECTOR_S, abs=0.75)
    assert found[0].reference_starts_s - found[0].starts_s == pytest.approx(22 - 31, abs=0.3)


def test_windows_count_together_only_if_they_do_not_overlap() -> None:
    """The significance of a use is the best sum over windows that share no vector."""
    alignment = Alignment("a", 0.0, 1.0, 0.5, 0.5, 10)
    spans = [(0, 10, 2.0), (5, 10, 3.5), (10, 10, 2.2), (20, 18, 2.1), (0, 36, 2.5)]

    match = OpenMatch([WindowMatch(first, n, alignment, 0.9, significance) for first, n, significance in spans])

    assert match.significance == pytest.approx(2.0 + 2.2 + 2.1)
    assert match.is_strict
    assert not OpenMatch(match.windows[:2]).is_strict
    assert OpenMatch(match.windows[:1] + match.windows[2:3]).is_strict


def test_edges_stay_between_other_uses_of_the_same_recording() -> None:
    """A use is not extended over its neighbours, whatever its fades."""
    match = OpenMatch([WindowMatch(0, 10, Alignment("a", 0.0, 1.0, 0.5, 0.5, 10), 0.9, 4.0)])
    rough = RoughUse(match, 100, 140, TimeAlignment(0.0, 1.0), 1, 0.5, np.ones((2, 1, 1)), after=95, before=140)

    use = rough.placed(-8.0, -8.0, 1_000)

    assert use.starts_s == pytest.approx(94.5 * 0.256 + FIRST_VECTOR_S)
    assert use.ends_s == pytest.approx(139.5 * 0.256 + FIRST_VECTOR_S)


@pytest.mark.parametrize("n", [1, 4, 40])
def test_a_use_never_ends_before_it_starts(n: int) -> None:
    """Edges that are moved further than the use is long meet in its middle."""
    alignment = Alignment("a", 0.0, 1.0, 0.5, 0.5, 10)
    match = OpenMatch([WindowMatch(0, 10, alignment, 0.9, 4.0)])
    rough = RoughUse(match, 100, 100 + n, TimeAlignment(0.0, 1.0), 1, 0.5, np.ones((2, 1, 1)))

    use = rough.placed(8.0, 8.0, 1_000)

    assert use.starts_s == pytest.approx(use.ends_s)
    assert use.starts_s == pytest.approx((100 + n / 2 - 0.5) * 0.256 + FIRST_VECTOR_S)


@pytest.mark.parametrize("ratio", [0.9, 0.97, 1.0, 1.06])
def test_the_tempo_of_a_short_use_is_that_of_all_its_vectors(
    tracks: Tracks, calibration: Calibration, ratio: float
) -> None:
    """Windows of three and five seconds hardly tell a tempo; twelve seconds tell it to .5 %, and the offset to .1 s."""
    query = np.concatenate([walk(5_000, 20), piece(tracks["t6"], 18, 12, ratio=ratio, noise=0.9), walk(5_001, 20)])

    (found,) = find_uses(index_of(tracks), query, calibration)

    assert found.tempo_ratio == pytest.approx(ratio, abs=0.005 + 1e-9)  # two steps of the fitted ratios
    assert found.reference_starts_s == pytest.approx(18 + ratio * (found.starts_s - 20), abs=0.15)
