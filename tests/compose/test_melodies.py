"""Tests of melodies: tokens, network, controls, the gate against copies, suggestions."""

from collections import Counter
from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from recsys.compose.controls import Controls, Knobs, obeyed
from recsys.compose.model import SHIPPED, MelodyModel
from recsys.compose.network import Training, bits_per_note, train
from recsys.compose.originality import KnownTunes, longest_common_run, runs
from recsys.compose.sample import FIRST_LENGTHS, Writer, begin
from recsys.compose.sketch import tune_of
from recsys.compose.suggest import continuation, new_melody, suggestions, variation
from recsys.compose.tokens import CONTEXTS, LENGTHS, N_INTERVALS, N_LENGTHS, SIZES, WIDEST, TokenLine, encoded
from recsys.errors import InputError, Refused
from recsys.matching.tunes.melody import melody_of
from recsys.synth.tune import Chord, Note, Tune, compose

SCALE = (60, 62, 64, 65, 67, 69, 71, 72)


def tune_with(pitches: tuple[int, ...], length: float = 1.0, **values: object) -> Tune:
    """A tune in 4/4 and C major, or as `values` say, of notes of one length."""
    notes = tuple(Note(place * length, length, pitch) for place, pitch in enumerate(pitches))
    return replace(Tune("tune", notes, (4, 4), 0, "major"), **values)  # type: ignore[arg-type]


@cache
def shipped() -> MelodyModel:
    """The shipped model."""
    return MelodyModel.read(SHIPPED)


def test_a_note_is_told_what_followed_the_last_time() -> None:
    """After C E G C E, the longest run that was before is C E with its interval, and G followed it."""
    found = encoded(tune_with((60, 64, 67, 60, 64, 67)))

    n = [*found.features[-1][-3:].tolist()]
    assert found.tokens.shape == (5, 2)
    assert found.features.shape == (5, len(SIZES))
    assert n == [WIDEST + 3, LENGTHS.index(24), CONTEXTS.index(1) + 1]
    assert found.features[0][-3:].tolist() == [N_INTERVALS, N_LENGTHS, 0]
    assert found.features[3][:5].tolist() == [WIDEST - 7, LENGTHS.index(24), 0, 0, 1]  # bar 2 begins on its degree 0


def test_training_lowers_the_bits_per_note() -> None:
    """Of the tunes that it learns from; at first every note costs about what an even guess does."""
    tunes = [encoded(compose("tune", np.random.default_rng(seed))) for seed in range(6)]

    before, after = (train(tunes, Training(epochs=epochs, learning_rate=0.01)) for epochs in (1, 12))

    even = np.log2(N_INTERVALS * N_LENGTHS)
    assert bits_per_note(after, tunes) < 0.7 * bits_per_note(before, tunes) < even


def test_a_run_of_twelve_notes_is_a_copy_in_any_key_and_at_any_tempo() -> None:
    """Eleven notes are none, and neither are the same pitches in another rhythm."""
    pitches = (*SCALE, *SCALE[::-1])
    known = KnownTunes((melody_of(tune_with(pitches)),))

    other = tune_with(tuple(pitch + 5 for pitch in pitches[:12]), 0.5)
    swung = replace(
        other, notes=tuple(note._replace(onset=note.onset + place % 2 / 8) for place, note in enumerate(other.notes))
    )

    assert len(runs(melody_of(tune_with(pitches)))) == 5
    assert known.copies(other) == 1
    assert known.copies(replace(other, notes=other.notes[:11])) == 0
    assert known.copies(swung) == 0
    assert known.copies(other, [other]) == 0


def test_the_longest_common_run_is_counted_in_notes() -> None:
    """Five notes of the scale, a third higher, after another beginning."""
    one, other = melody_of(tune_with(SCALE)), melody_of(tune_with((50, 77, *[pitch + 4 for pitch in SCALE[:5]], 50)))

    assert longest_common_run(one, other) == 5


ASKED = {
    "waltz": Controls(tonic=9, mode="minor", metre=(3, 4), n_bars=6, lowest=60, highest=72),
    "jig with chords": Controls(
        metre=(6, 8), n_bars=4, chords=(Chord(0, 0, False), Chord(0, 9, True), Chord(0, 5, False), Chord(0, 7, False))
    ),
    "one bar of five": Controls(tonic=2, mode="dorian", metre=(5, 4), n_bars=1, knobs=Knobs(1, 1, 1)),
    "in sections": Controls(
        metre=(3, 4), n_bars=12, form="AABA", chords=(Chord(0, 0, False), Chord(0, 7, False), Chord(0, 5, False))
    ),
    "slow": Controls(metre=(9, 8), n_bars=3, lowest=40, highest=52, knobs=Knobs(-1, -1, -1)),
}


@pytest.mark.parametrize("name", ASKED)
def test_a_melody_is_as_asked(name: str) -> None:
    """Key, metre, length, range and chords, counted from its notes."""
    controls = ASKED[name]

    for seed in range(2):
        found = obeyed(new_melody(shipped(), controls, np.random.default_rng(seed)), controls)
        assert (found.key, found.metre, found.length, found.range, found.chords, found.form) == (1, 1, 1, 1, 1, 1)


def test_what_is_not_as_asked_is_counted() -> None:
    """A scale up from C: half of it is below the range, its last note is beyond two bars of three, F# is foreign."""
    controls = Controls(metre=(3, 4), n_bars=2, lowest=66, highest=80)

    found = obeyed(tune_with((60, 62, 66, 65, 67, 69, 71, 72), metre=(3, 4)), controls)

    assert (found.key, found.range, found.length, found.metre) == (7 / 8, 5 / 8, 0, 1)


def test_sections_of_a_letter_are_equal_but_for_their_last_bar() -> None:
    """AABA of 8 bars: bars 3 and 7 have the notes of bar 1, bar 5 its own; the same holds for added bars."""
    controls = Controls(form="AABA")
    own = tune_with(SCALE)

    found = new_melody(shipped(), controls, np.random.default_rng(0))
    added = continuation(shipped(), own, controls, np.random.default_rng(0))

    for tune, first in ((found, 0), (added, 2)):
        bars = [
            [(note.onset % 4, *note[1:]) for note in tune.notes if note.onset // 4 == first + bar] for bar in range(8)
        ]
        assert bars[0] == bars[2] == bars[6] != bars[4]
        assert len({*map(tuple, bars)}) >= 5
    assert obeyed(replace(found, notes=found.notes[1:]), controls).form < 1


def test_melodies_begin_at_different_paces() -> None:
    """With a beat, half or a quarter of it about as often as stated; more often with short ones at a high density."""

    def lengths(density: float) -> Counter[float]:
        controls = Controls(n_bars=1, knobs=Knobs(density=density))
        return Counter(
            begin(
                Writer(shipped().network, TokenLine((4, 4), 0, "major"), np.random.default_rng(seed), controls.knobs),
                controls,
            ).duration
            for seed in range(200)
        )

    even, dense = lengths(0), lengths(1)
    assert [even[length] / 200 for length in (1.0, 0.5, 0.25)] == pytest.approx(FIRST_LENGTHS, abs=0.08)
    assert dense[0.25] > 1.5 * even[0.25]
    assert dense[1.0] < 0.7 * even[1.0]


@pytest.mark.parametrize(
    "values",
    [
        {"metre": (4, 3)}, {"n_bars": 0}, {"lowest": 60, "highest": 70}, {"form": "AABA", "n_bars": 6}, {"form": "A1"},
        {"form": "AB", "n_bars": 2},
    ],
)  # fmt: skip
def test_impossible_controls_are_refused(values: dict[str, int]) -> None:
    """With what was expected."""
    with pytest.raises(InputError, match="expected"):
        Controls(**values)  # type: ignore[arg-type]


def test_a_continuation_begins_with_ones_own_melody_and_a_variation_keeps_every_second_bar() -> None:
    """Bars 1 and 3 of four are the same; where the rhythm is kept, bars 2 and 4 differ in pitch alone."""
    own = tune_with((*SCALE, *SCALE[::-1]))
    rng = np.random.default_rng(3)

    longer = continuation(shipped(), own, Controls.of(own, 2), rng)
    varied = variation(shipped(), own, Knobs(), rng, keeps_rhythm=True)
    freely = variation(shipped(), own, Knobs(), rng, keeps_rhythm=False)

    assert longer.notes[:16] == own.notes
    assert longer.length == 24
    for other in (varied, freely):
        kept = [[note for note in tune.notes if note.onset // 4 % 2 == 0] for tune in (own, other)]
        assert kept[0] == kept[1]
        assert other.length == 16
        assert other.notes != own.notes
    assert [note.onset for note in varied.notes] == [note.onset for note in own.notes]


def test_suggestions_differ_and_copy_nothing() -> None:
    """What the model learnt from is known, and the most similar tune is named."""
    known = KnownTunes(shipped().learnt)

    found = suggestions(lambda _, rng: new_melody(shipped(), Controls(), rng), known, 3, np.random.default_rng(1))

    assert len({it.tune.notes for it in found}) == 3
    assert [known.copies(it.tune) for it in found] == [0, 0, 0]
    assert all(it.nearest and it.nearest.name.startswith("made up") and it.nearest.longest_run <= 11 for it in found)


def test_a_long_melody_is_continued_and_one_at_the_edge_of_the_range_too() -> None:
    """Longer than what is compared, so without a nearest tune; a range of an octave at least within 0..127."""
    pitches = np.random.default_rng(1).choice(SCALE, 1_100)
    own = tune_with(tuple(pitches.tolist()))

    (found,) = suggestions(
        lambda _, rng: continuation(shipped(), own, Controls.of(own, 1), rng),
        KnownTunes(()), 1, np.random.default_rng(1), own,
    )  # fmt: skip

    assert (found.n_refused, found.nearest) == (0, None)
    for ends, expected in (((0, 2), (0, 12)), ((127, 124), (115, 127)), ((60, 64), (56, 68)), ((40, 80), (40, 80))):
        edge = Controls.of(tune_with(ends), 1)
        assert (edge.lowest, edge.highest) == expected


def test_a_melody_of_one_bar_has_no_variation() -> None:
    """What would be written anew is its second one."""
    with pytest.raises(InputError, match="no complete second bar"):
        variation(shipped(), tune_with(SCALE[:4]), Knobs(), np.random.default_rng(1), keeps_rhythm=True)


def test_a_copy_is_never_suggested() -> None:
    """A model that only repeats what is known gets an error."""
    copied = compose("known", np.random.default_rng(2))
    known = KnownTunes((melody_of(copied),))

    with pytest.raises(Refused, match="none of 30 melodies differed"):
        suggestions(lambda *_: copied, known, 1, np.random.default_rng(1))


@pytest.mark.parametrize("seed", range(4))
def test_key_and_metre_of_bare_notes_are_found(seed: int) -> None:
    """Of tunes that were made up in a key and end on its tonic."""
    own = compose("tune", np.random.default_rng(seed), mode="major" if seed % 2 else "minor")

    found = tune_of(melody_of(own))

    assert (found.tonic, found.mode) == (own.tonic, own.mode)
    assert found.bar == own.bar
