"""What is looked for: uses of a rendered tune over the stated range of speed, tempo and pitch, and their names."""

from collections.abc import Callable

import numpy as np
import pytest

from recsys.audio.fingerprint.fingerprinter import INDEX_STEP, RATE_HZ, Fingerprinter
from recsys.audio.training.distort import with_pitch, with_speed, with_tempo
from recsys.matching.alignment import Calibration
from recsys.matching.audio_tasks import SHIFTS_SEMITONES
from recsys.matching.changes import change_of
from recsys.matching.fingerprint_index import FingerprintIndex
from recsys.matching.pitch import excerpt_of, pitch_of
from recsys.matching.uses import Use, find_uses

Find = Callable[[np.ndarray], list[Use]]

CHANGES = {  # tempo ratio by kind and amount of the change
    **{("speed", ratio): ratio for ratio in (0.85, 0.87, 0.93, 1.07, 1.15)},
    **{("tempo", ratio): ratio for ratio in (0.8, 0.9, 1.1, 1.2)},
    **{("pitch", semitones): 1.0 for semitones in (-3.0, -2.0, -1.0, 1.0, 2.0, 3.0)},
}


def changed(song: np.ndarray, kind: str, amount: float) -> np.ndarray:
    """Return up to ten seconds of the song with one change."""
    if kind == "speed":
        sound = with_speed(song, amount)
    else:
        sound = with_tempo(song, RATE_HZ, amount) if kind == "tempo" else with_pitch(song, RATE_HZ, amount)
    return sound[: 10 * RATE_HZ]


@pytest.fixture(scope="module")
def index(song: np.ndarray, tracks: dict[str, np.ndarray], network: Fingerprinter) -> FingerprintIndex:
    """An index of the song and thirty other recordings."""
    recordings = [network.vectors(song, RATE_HZ), *tracks.values()]
    return FingerprintIndex.build(["song", *tracks], [vectors[::INDEX_STEP] for vectors in recordings], version="v1")


@pytest.fixture(scope="module")
def find(index: FingerprintIndex, network: Fingerprinter, calibration: Calibration) -> Find:
    """Find uses in a sound and its shifts, as the command does."""

    def found(sound: np.ndarray) -> list[Use]:
        plain, *shifted = np.concatenate(list(network.stream_shifted([sound], (0.0, *SHIFTS_SEMITONES))), axis=1)
        return find_uses(index, plain, calibration, shifted)

    return found


@pytest.mark.parametrize(("change", "ratio"), CHANGES.items())
def test_changes_in_the_stated_range_are_found(
    find: Find, song: np.ndarray, change: tuple[str, float], ratio: float
) -> None:
    """Ten seconds are one use, whose tempo is known to 2 %."""
    (use,) = find(changed(song, *change))

    assert use.audio_id == "song"
    assert use.tempo_ratio == pytest.approx(ratio, abs=0.02)


@pytest.mark.parametrize(
    "change",
    [pytest.param(change, marks=() if change == ("speed", 0.87) else pytest.mark.slow) for change in CHANGES],
)
def test_changes_have_their_name(
    find: Find, index: FingerprintIndex, network: Fingerprinter, song: np.ndarray, change: tuple[str, float]
) -> None:
    """Speed, tempo and pitch keep their names, and their amount is right within 1.5 % or .4 semitones."""
    kind, amount = change
    sound = changed(song, kind, amount)
    (use,) = find(sound)
    starts_s, ends_s = excerpt_of(use)

    semitones = pitch_of(index, use, sound[round(starts_s * RATE_HZ) : round(ends_s * RATE_HZ)], network)
    named = change_of(use.tempo_ratio, semitones, use.ends_s - use.starts_s)

    expected = {"speed": (amount, 1, 0), "tempo": (1, amount, 0), "pitch": (1, 1, amount)}[kind]
    assert (named.speed, named.tempo) == pytest.approx(expected[:2], abs=0.015)
    assert named.semitones == pytest.approx(expected[2], abs=0.4)
    assert [named.speed != 1, named.tempo != 1, named.semitones != 0] == [
        kind == one for one in ("speed", "tempo", "pitch")
    ]


@pytest.mark.parametrize("ratio", [0.72, 1.3])
def test_a_tempo_outside_the_range_is_not_named_as_one_inside(find: Find, song: np.ndarray, ratio: float) -> None:
    """Changes beyond what is looked for give no use, instead of one at the edge of the range."""
    assert find(changed(song, "tempo", ratio)) == []


def test_shifts_bring_the_pitch_of_a_query_back(song: np.ndarray, network: Fingerprinter) -> None:
    """The vectors of a song that is 2.5 semitones higher resemble those of the song after the shift downwards."""
    higher, original = with_pitch(song, RATE_HZ, 2.5), network.vectors(song, RATE_HZ)

    looks = np.concatenate(list(network.stream_shifted([higher], (0.0, *SHIFTS_SEMITONES))), axis=1)

    plain, down, up = (float((look * original[: len(look)]).sum(axis=1).mean()) for look in looks)
    assert down > plain + 0.1 > up
