"""What the networks look at: maps in which it is known what sounds, sounds, and traits; and the shipped weights."""

import json

import numpy as np
import pytest

from recsys.arrays import F32
from recsys.audio.pitch import RATE_HZ, track_pitch
from recsys.practice.around import OWN_ROWS, SEMITONES, SHAPE, TIMES_S
from recsys.practice.evidence import Views, evidence_of, views
from recsys.practice.follow import Followed, follow
from recsys.practice.heard import heard_notes, novelty
from recsys.practice.judge import judge
from recsys.practice.network import CARD, LATE_S, WEIGHTS, Networks

from .conftest import LATE, MISSING, PITCHES, WRONG, melody, sung

MIDDLE = len(SEMITONES) // 2
STRENGTH, TRACKED, WRITTEN, GROWTH, BEGINS, OWN = 0, 2, 3, 4, 5, 6


@pytest.fixture(scope="module")
def seen() -> Views:
    """What the networks get of the take in conftest."""
    mono = sung()
    track = track_pitch(mono)
    heard = heard_notes(track, novelty(mono))
    return views(mono, track, melody(), heard, follow(melody(), heard))


def during(around: F32, channel: int, note: int) -> F32:
    """Return a channel's rows about a written note, on average over the middle of its half second."""
    inside = (TIMES_S > 0.1) & (TIMES_S < 0.3)
    return np.asarray(around[note, channel][:, inside].mean(axis=1))


def test_a_note_is_in_the_middle_where_it_sounds_and_elsewhere_where_it_is_wrong(seen: Views) -> None:
    """Rows are in the key of the score: the take is a tone higher, and the wrong note three semitones above it."""
    around = seen.notes[0]

    assert around.shape == (len(PITCHES), *SHAPE)
    for note in set(range(len(PITCHES))) - {MISSING, WRONG}:
        assert during(around, TRACKED, note).argmax() == pytest.approx(MIDDLE, abs=1), note
        assert during(around, STRENGTH, note).argmax() == pytest.approx(MIDDLE, abs=1), note
    assert SEMITONES[during(around, TRACKED, WRONG).argmax()] == 3
    assert during(around, TRACKED, MISSING).max() == 0


def test_what_is_written_and_what_begins_is_on_the_maps(seen: Views) -> None:
    """The own note from its beginning to the next, a step up after half a second; the sound grows where it begins."""
    around = seen.notes[0]
    own = around[1, OWN].max(axis=0)

    assert set(np.flatnonzero(around[1, OWN].max(axis=1)).tolist()) == {*range(*OWN_ROWS.indices(len(SEMITONES)))}
    assert TIMES_S[own == 1][[0, -1]] == pytest.approx([0, 0.5], abs=0.03)
    later = int(np.argmin(np.abs(TIMES_S - 0.55)))
    assert SEMITONES[around[1, WRITTEN, :, later].argmax()] == PITCHES[2] - PITCHES[1]
    begins = TIMES_S[around[LATE, BEGINS, 0] == 1]
    assert np.abs(begins).min() < 0.02
    near = np.flatnonzero((TIMES_S > -0.1) & (TIMES_S < 0.35))
    onset_s = TIMES_S[near[around[LATE, GROWTH, 0, near].argmax()]]
    assert onset_s == pytest.approx(0.17, abs=0.04)


def test_traits_are_finite_and_say_what_was_found(seen: Views) -> None:
    """The first is whether a heard note belongs to the written one, the third how far off its pitch is."""
    traits = seen.notes[1]

    assert np.isfinite(traits).all()
    assert np.isfinite(seen.sounds[1]).all()
    assert np.flatnonzero(traits[:, 0] == 0).tolist() == [MISSING]
    assert traits[WRONG, 2] == pytest.approx(3, abs=0.2)


def test_the_shipped_networks_are_sure_of_a_clear_take(seen: Views) -> None:
    """Probabilities add up to 1; of each planted error, and of the notes beside it, they are right."""
    evidence = evidence_of(seen, Networks.shipped())
    verdicts = evidence.verdicts.argmax(axis=1)

    assert evidence.verdicts.sum(axis=1) == pytest.approx(np.ones(len(PITCHES)))
    assert evidence.late.sum(axis=1) == pytest.approx(np.ones(len(PITCHES)))
    assert {place: int(verdicts[place]) for place in np.flatnonzero(verdicts)} == {WRONG: 1, MISSING: 2}
    assert evidence.late[LATE] @ LATE_S == pytest.approx(0.17, abs=0.04)
    assert evidence.extra.max() < 0.5
    assert len(evidence.heard) == len(evidence.extra)


def test_a_soft_or_loud_copy_has_the_same_maps() -> None:
    """What sounds is measured against the loudest of the take."""
    mono, written = sung(), melody()
    found = []
    for gain in (0.1, 1.0):
        sound = np.asarray(gain * mono, np.float32)
        track = track_pitch(sound)
        heard = heard_notes(track, novelty(sound))
        found.append(views(sound, track, written, heard, follow(written, heard)).notes[0][:, STRENGTH])

    assert np.abs(found[0] - found[1]).mean() < 0.01


def test_the_card_says_what_was_learnt_from() -> None:
    """Made-up tunes alone, with a count and what is right of takes that were held out."""
    card = json.loads((WEIGHTS / CARD).read_text())

    assert card["learnt_from"] == "made-up tunes with planted errors"
    assert card["n_takes"] > 500
    assert min(card[name]["right_of_held_out"] for name in ("notes.npz", "sounds.npz")) > 0.9


def test_sounds_within_a_heard_note_are_looked_at_too() -> None:
    """A tone on which a second one sets in, of the same pitch, is two sounds; the later belongs to no written note."""
    mono, written = sung(), melody()
    start, length = round(2.1 * RATE_HZ), round(0.2 * RATE_HZ)
    click = np.random.default_rng(1).standard_normal(length) * np.exp(-np.arange(length) / 200)
    mono[start : start + length] += np.asarray(0.05 * click, np.float32)
    track = track_pitch(mono)
    heard = heard_notes(track, novelty(mono))

    seen = views(mono, track, written, heard, follow(written, heard))

    assert any(abs(note.start_s - 2.1) < 0.03 for note in seen.heard)
    assert [note.start_s for note in seen.heard] == sorted(note.start_s for note in seen.heard)


def test_a_take_of_which_nothing_was_found_is_looked_at_all_the_same() -> None:
    """The alignment may leave every note out; maps and traits stay finite, and each note has a verdict or none."""
    mono, written = sung(), melody()
    track = track_pitch(mono)
    heard = heard_notes(track, novelty(mono))
    n = len(written)
    nothing = Followed(np.full(n, -1), np.ones(n), np.ones(len(heard)), np.linspace(0, 0.5 * (n - 1), n), 0.0)

    seen = views(mono, track, written, heard, nothing)
    judged = judge(written, track, heard, nothing, evidence_of(seen, Networks.shipped()))

    assert all(np.isfinite(part).all() for part in (*seen.notes, *seen.sounds))
    assert [note.heard for note in judged.notes] == [None] * n
    assert judged.spread_s == 0
