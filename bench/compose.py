"""
Suggestions for writers: bits per note, copies, histograms, controls, chords, likes, lines of lyrics, textures, time.

    python -m bench.compose

The melody model is trained here on folk tunes (`symbolic_melodies`, RECSYS_DATA) as development weights that are never
shipped. Tunes with a common title, or a common run of twelve notes, are one family, and a family is in one part alone:
a tenth of them is the test. The order-2 Markov model reads the same tokens and is interpolated with orders 1 and 0
(Witten-Bell). Chords are compared with those of Nottingham tunes whose title's hash is odd; settings were chosen on the
others. Controls, copies, likes and time are measured with the shipped weights, too.
"""

import re
import shutil
import subprocess
from collections import Counter, defaultdict
from dataclasses import replace
from functools import cache
from time import process_time
from typing import TYPE_CHECKING
from zlib import crc32

import numpy as np

from bench.options import benchmark, data_folder, size
from recsys.synth.tune import Chord, Tune

if TYPE_CHECKING:
    from recsys.compose.model import MelodyModel
    from recsys.compose.originality import KnownTunes
    from recsys.compose.suggest import Suggestion
    from recsys.compose.tokens import Encoded
    from recsys.matching.tunes.melody import Melody

SEED, TEST_SHARE, LEAST_NOTES, EPOCHS = 33, 10, 16, 4
KEYS = ((0, "major"), (9, "minor"), (2, "dorian"), (7, "mixolydian"), (5, "lydian"), (4, "phrygian"))
ASKED_METRES = ((4, 4), (3, 4), (6, 8), (2, 4), (9, 8), (5, 4))
FORMS = ("", "AABA", "ABAB")
N_TIMED, GRID = 8, 0.5  # crotchets between two places at which chords are compared
SIMULATED, N_ANSWERS = 12, 40  # listeners, and answers of each


def folk_tunes(n: int) -> list[tuple[str, Tune]]:
    """Read n folk tunes that are long enough, drawn at random, with their titles."""
    import polars as pl

    from recsys.errors import InputError
    from recsys.synth.abc import read_abc_tolerantly

    table = pl.read_parquet(data_folder() / "symbolic_melodies" / "music21_folk_abc.parquet")
    rows = table.select("file", "x", "title", "abc").rows()
    found: list[tuple[str, Tune]] = []
    for place in np.random.default_rng(SEED).permutation(len(rows)):
        file, number, title, abc = rows[place]
        try:
            tune = read_abc_tolerantly(abc, f"{file}/{number}")
        except InputError:
            continue
        if len(tune.notes) >= LEAST_NOTES:
            found.append((title or "", tune))
        if len(found) == n:
            break
    return found


def families(titled: list[tuple[str, Tune]]) -> list[int]:
    """Return a number for the family of each tune: that of its first relative by title or by a run of notes."""
    from recsys.compose.originality import runs
    from recsys.matching.tunes.melody import melody_of

    parents = list(range(len(titled)))

    def root(place: int) -> int:
        while parents[place] != place:
            parents[place] = parents[parents[place]]
            place = parents[place]
        return place

    first: dict[object, int] = {}
    for place, (title, tune) in enumerate(titled):
        name = re.sub(r"\W+", "", title.casefold())
        for sign in [*([name] if name else []), *runs(melody_of(tune)).tolist()]:
            parents[root(place)] = root(first.setdefault(sign, place))
    return [root(place) for place in range(len(titled))]


def divided(titled: list[tuple[str, Tune]]) -> tuple[list[Tune], list[Tune]]:
    """Divide tunes into training and test, family by family."""
    of_family = families(titled)
    is_test = [crc32(str(family).encode()) % TEST_SHARE == 0 for family in of_family]
    tunes = [tune for _, tune in titled]
    return (
        [tune for tune, is_so in zip(tunes, is_test, strict=True) if not is_so],
        [tune for tune, is_so in zip(tunes, is_test, strict=True) if is_so] or tunes[:1],
    )


class Markov:
    """Probabilities of a note given the two before it, interpolated with lower orders (Witten-Bell)."""

    def __init__(self, melodies: "list[Encoded]") -> None:
        self._after = [defaultdict[tuple[object, ...], Counter[object]](Counter) for _ in range(3)]
        for melody in melodies:
            notes = _with_start(melody)
            for place in range(2, len(notes)):
                for order, after in enumerate(self._after):
                    after[tuple(notes[place - order : place])][notes[place]] += 1

    def bits_per_note(self, melodies: "list[Encoded]") -> float:
        """Return the mean of -log2 of the probability of a note."""
        return float(np.mean([bits for melody in melodies for bits in self._bits(_with_start(melody))]))

    def _bits(self, notes: list[object]) -> list[float]:
        from recsys.compose.tokens import N_INTERVALS, N_LENGTHS

        bits = []
        for place in range(2, len(notes)):
            probability = 1 / (N_INTERVALS * N_LENGTHS)
            for order, after in enumerate(self._after):
                seen = after.get(tuple(notes[place - order : place]))
                if seen:
                    n = seen.total()
                    probability = (seen[notes[place]] + len(seen) * probability) / (n + len(seen))
            bits.append(-float(np.log2(probability)))
        return bits


def _with_start(melody: "Encoded") -> list[object]:
    return ["start", "start", *map(tuple, melody.tokens.tolist())]


def measure_model(train: list[Tune], test: list[Tune], epochs: int) -> "MelodyModel":
    """Train the development weights; print bits per note beside those of the Markov model."""
    from recsys.compose.tokens import encoded
    from recsys.compose.train import learn

    model = learn(train, test, epochs=epochs, licence="never shipped", source="folk tunes")
    markov = Markov([encoded(tune) for tune in train]).bits_per_note([encoded(tune) for tune in test])
    own = model.card["bits_per_note"]
    print(f"bits per note: {own:.3f}, order-2 Markov {markov:.3f}, ratio {own / markov:.3f}", flush=True)
    print(
        f"development weights: {len(train):,} tunes, {len(test):,} held out; {model.card['memorisation']}", flush=True
    )
    return model


def histograms(tunes: list[Tune]) -> dict[str, Counter[float]]:
    """Return counts of pitch classes above the tonic, of intervals and of lengths."""
    from recsys.compose.tokens import LENGTHS, length_token, lengths_of

    return {
        "pitch class": Counter((note.pitch - tune.tonic) % 12 for tune in tunes for note in tune.notes),
        "interval": Counter(
            int(step) for tune in tunes for step in np.diff([note.pitch for note in tune.notes]).tolist()
        ),
        "rhythm": Counter(LENGTHS[length_token(length)] for tune in tunes for length in lengths_of(tune)),
    }


def overlapping_area(one: Counter[float], other: Counter[float]) -> float:
    """Return the area under both histograms, 0..1."""
    return sum(min(one[value] / one.total(), other[value] / other.total()) for value in one)


def measure_histograms(model: "MelodyModel", known: "KnownTunes", test: list[Tune], n: int) -> None:
    """Draw melodies in the key, metre and range of held-out tunes; print histograms and copies."""
    from recsys.compose.controls import UNITS, Controls
    from recsys.compose.suggest import new_melody, suggestions

    usable = [tune for tune in test if tune.metre[1] in UNITS and tune.bar <= 6 and _in_mode(tune)]
    rng = np.random.default_rng(SEED)
    found: list[Suggestion] = []
    drawn_for = [usable[place] for place in rng.permutation(len(usable))[:n]]
    for tune in drawn_for:
        controls = replace(Controls.of(tune, 8), chords=())
        found += suggestions(lambda _, rng: new_melody(model, controls, rng), known, 1, rng)  # noqa: B023
    ours, others = histograms([it.tune for it in found]), histograms(test)
    areas = ", ".join(f"{name} {overlapping_area(ours[name], others[name]):.3f}" for name in ours)
    print(f"overlapping area with held-out music ({len(found)} melodies): {areas}", flush=True)
    _print_copies("development weights", found, known)


def _in_mode(tune: Tune) -> bool:
    from recsys.synth.tune import SCALES

    scale = {(tune.tonic + step) % 12 for step in SCALES[tune.mode]}
    return bool(np.mean([note.pitch % 12 in scale for note in tune.notes]) > 0.9)


def plain_runs(melody: "Melody") -> set[tuple[object, ...]]:
    """Return the runs of twelve notes of a melody: intervals, and ratios of lengths; without the gate's hashes."""
    steps, lengths = np.diff(melody.pitch).tolist(), np.diff(melody.onset).tolist()
    return {
        (*steps[first : first + 11], *(round(length / lengths[first], 2) for length in lengths[first : first + 11]))
        for first in range(len(steps) - 10)
    }


def _print_copies(name: str, found: "list[Suggestion]", known: "KnownTunes") -> None:
    from recsys.matching.tunes.melody import melody_of

    of_known = {run for melody in known.melodies for run in plain_runs(melody)}
    copies = sum(not of_known.isdisjoint(plain_runs(melody_of(it.tune))) for it in found)
    refused = sum(it.n_refused for it in found)
    longest = max((it.nearest.longest_run for it in found if it.nearest), default=0)
    print(
        f"copies after the gate, {name}: {copies} of {len(found)} (refused before: {refused}; "
        f"longest run shared with the nearest tune: {longest} notes)",
        flush=True,
    )


def measure_controls(n: int) -> None:
    """Ask the shipped weights for many keys, metres, lengths, ranges, chords and moods; print what was obeyed."""
    from recsys.compose.controls import MOODS, Controls, obeyed
    from recsys.compose.model import SHIPPED, MelodyModel
    from recsys.compose.originality import KnownTunes
    from recsys.compose.suggest import new_melody, suggestions

    model = MelodyModel.read(SHIPPED)
    known, rng = KnownTunes(model.learnt), np.random.default_rng(SEED)
    shares, found = [], []
    for number in range(n):
        tonic, mode = KEYS[number % len(KEYS)]
        lowest = int(rng.integers(48, 67))
        controls = Controls(
            tonic=tonic,
            mode=mode,
            metre=ASKED_METRES[rng.integers(len(ASKED_METRES))],
            n_bars=int(rng.choice([8, 12, 16])),
            lowest=lowest,
            highest=lowest + int(rng.integers(12, 25)),
            chords=_asked_chords(tonic, rng) if rng.random() < 0.5 else (),
            form=FORMS[number % len(FORMS)],
            knobs=list(MOODS.values())[number % len(MOODS)].knobs,
        )
        drawn = suggestions(lambda _, rng: new_melody(model, controls, rng), known, 1, rng)  # noqa: B023
        found += drawn
        shares += [obeyed(it.tune, controls) for it in drawn]
    names = ("key", "metre", "length", "range", "chords", "form")
    said = ", ".join(f"{name} {np.mean([getattr(share, name) for share in shares]):.4f}" for name in names)
    print(f"controls obeyed ({n} melodies): {said}", flush=True)
    _print_copies("shipped weights", found, known)


def _asked_chords(tonic: int, rng: np.random.Generator) -> tuple[Chord, ...]:
    return tuple(Chord(0.0, (tonic + int(step)) % 12, bool(rng.random() < 0.5)) for step in rng.choice([0, 5, 7, 9], 4))


def nottingham(n: int) -> list[Tune]:
    """Read n Nottingham tunes with chords whose title's hash is odd: the others chose the settings."""
    import polars as pl

    from recsys.synth.abc import read_abc_tolerantly

    rows = pl.read_parquet(data_folder() / "symbolic_melodies" / "nottingham_abc.parquet").select("title", "abc").rows()
    tunes = (read_abc_tolerantly(abc, title) for title, abc in rows if crc32(title.encode()) % 2)
    return [tune for tune in tunes if len(tune.chords) >= 4 and tune.has_regular_bars][:n]


def measure_chords(n: int) -> None:
    """Print how often the likeliest chords agree with the written ones, and how often the most common chord does."""
    from recsys.compose.harmony import chords_for

    shares = []
    for tune in nottingham(n):
        written = _at_places(tune.chords, tune.length)
        ours = _at_places(chords_for(tune, 1, np.random.default_rng(SEED))[0], tune.length)
        tonic = (tune.tonic, tune.is_minor)
        pairs = [(own == here, here == tonic) for own, here in zip(ours, written, strict=True) if here]
        shares.append(np.mean(pairs, axis=0))
    own, common = np.mean(shares, axis=0)
    print(
        f"chords: agreement {own:.3f}, most common chord {common:.3f}, {100 * (own - common):+.1f} points "
        f"({len(shares)} tunes)",
        flush=True,
    )


def _at_places(chords: tuple[Chord, ...], length: float) -> list[tuple[int, bool] | None]:
    """Return the chord in force at each place of a grid; None before the first."""
    onsets = [chord.onset for chord in chords]
    places = np.searchsorted(onsets, np.arange(0, length - 1e-6, GRID) + 1e-3) - 1
    return [(chords[place].root, chords[place].is_minor) if place >= 0 else None for place in places]


def measure_likes(n_listeners: int) -> None:
    """Print how often simulated listeners like a suggestion before and after their answers moved the sampler."""
    from recsys.compose.likes import OPTIONS, Preferences, features

    first, last = [], []
    for listener in range(n_listeners):
        rng = np.random.default_rng([SEED, listener])
        weights = rng.normal(0, 1.5, len(features(OPTIONS[0])))
        preferences, answers = Preferences.none(), []
        for _ in range(N_ANSWERS):
            (knobs,) = preferences.draw(1, rng)
            likelihood = 1 / (1 + np.exp(-float(features(knobs) @ weights)))
            answers.append(likelihood)
            preferences = preferences.after(knobs, is_liked=bool(rng.random() < likelihood))
        even = np.mean([1 / (1 + np.exp(-float(features(option) @ weights))) for option in OPTIONS])
        first.append(even)
        last.append(np.mean(answers[N_ANSWERS // 2 :]))
    print(
        f"liked: {np.mean(last):.3f} in the second half of {N_ANSWERS} answers, {np.mean(first):.3f} at random",
        flush=True,
    )


def measure_time() -> None:
    """Print the CPU time of one suggestion of 16 bars by the shipped weights, with gate and nearest tune."""
    from recsys.compose.controls import Controls
    from recsys.compose.model import SHIPPED, MelodyModel
    from recsys.compose.originality import KnownTunes
    from recsys.compose.suggest import new_melody, suggestions

    model = MelodyModel.read(SHIPPED)
    known, controls, times = KnownTunes(model.learnt), Controls(n_bars=16), []

    def draw(_number: int, rng: np.random.Generator) -> Tune:
        return new_melody(model, controls, rng)

    suggestions(draw, known, 1, np.random.default_rng(0))  # arranges the index
    for seed in range(N_TIMED):
        start = process_time()
        suggestions(draw, known, 1, np.random.default_rng(seed))
        times.append(process_time() - start)
    print(f"16 bars: median {np.median(times):.2f} s CPU, longest {max(times):.2f} s", flush=True)


def measure_textures(n_moods: int) -> None:
    """Print whether textures are as long and as loud as asked, and whether their ends meet."""
    from recsys.compose.controls import MOODS
    from recsys.compose.texture import KINDS, RATE_HZ, Texture, make_texture, measured_lufs, seam

    off_s, off_lu, seams, beats = [], [], [], []
    for number, (kind, mood) in enumerate((kind, mood) for mood in list(MOODS)[:n_moods] for kind in KINDS):
        tempo_bpm = MOODS[mood].tempo_bpm + 3.5 * (number % 3)
        request = Texture(
            kind=kind, mood=mood, tonic=number, tempo_bpm=tempo_bpm, n_bars=2, loudness_lufs=-20.0 - number % 4
        )
        loop = make_texture(request)
        off_s.append(abs(loop.shape[1] / RATE_HZ - 2 * 4 * 60 / tempo_bpm))
        off_lu.append(abs((measured_lufs(loop) or 0.0) - request.loudness_lufs))
        seams.append(seam(loop))
        if kind == "rhythm":
            beats.append(_heard_tempo(np.tile(loop, 3).mean(axis=0), RATE_HZ, tempo_bpm) / tempo_bpm)
    print(
        f"textures ({len(seams)}): off by at most {max(off_s):.5f} s and {max(off_lu):.2f} LU; largest step at the "
        f"seam {max(seams):.2f} of the largest within; heard tempo {min(beats):.3f} to {max(beats):.3f} of that asked",
        flush=True,
    )


def _heard_tempo(mono: np.ndarray, rate_hz: int, near_bpm: float) -> float:
    """Return the tempo at which the onsets of a sound repeat best, within a fifth of a tempo [beats/min]."""
    hop = rate_hz // 200
    power = np.square(mono[: len(mono) // hop * hop]).reshape(-1, hop).sum(axis=1)
    onsets = np.maximum(np.diff(np.log(power + 1e-4)), 0)
    bar_s = 4 * 60 / near_bpm
    lags = np.arange(int(bar_s / 1.2 * rate_hz / hop), int(bar_s * 1.2 * rate_hz / hop) + 1)
    best = lags[np.argmax([np.dot(onsets[lag:], onsets[:-lag]) for lag in lags])]
    return float(4 * 60 / (best * hop / rate_hz))


NUCLEUS = re.compile(
    "([\u02c8\u02cc]?)(?:a\u026a|a\u028a|e\u026a|o\u028a|\u0254\u026a|[aeiou\u0251\u0250\u0252\u00e6\u0254\u0259\u025a\u025b\u025c\u026a\u028a\u028c\u1d7b]\u02d0?|[nlm]\u0329)"
)


def measure_lines(n: int) -> None:
    """Print how many lines scan, and how many rhymes rhyme, by espeak-ng; nothing where it is not installed."""
    from recsys.compose.lines import FEET, Form, Source, stanzas
    from recsys.lyrics.themes import THEMES

    if shutil.which("espeak-ng") is None:
        print("lines of lyrics: not measured, espeak-ng is not installed", flush=True)
        return
    source = Source("\n".join(wording for wordings in THEMES.values() for wording in wordings))
    scans, rhymes = [], []
    for number in range(n):
        form = Form(scheme=("AABB", "ABAB")[number % 2], foot=list(FEET)[number % len(FEET)], n_feet=3 + number % 3)
        (stanza,) = stanzas(source, form, 1, number)
        scans += [_scans([spoken(word) for word in line.words], form.pattern) for line in stanza]
        ends = defaultdict[str, list[str]](list)
        for letter, line in zip(form.scheme, stanza, strict=True):
            ends[letter].append(_ending(spoken(line.words[-1])))
        rhymes += [one == other for one, other in ends.values()]
    print(
        f"lines of lyrics by espeak-ng: metre {np.mean(scans):.3f} of {len(scans)} lines, rhyme {np.mean(rhymes):.3f} "
        f"of {len(rhymes)} pairs",
        flush=True,
    )


@cache
def spoken(word: str) -> str:
    """Return how espeak-ng says a word, in IPA."""
    command = ["espeak-ng", "-q", "--ipa", "-v", "en-us", word]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


def _scans(words: list[str], pattern: str) -> bool:
    """Return whether words have as many syllables as a pattern, and their primary stresses on its beats."""
    place = 0
    for word in words:
        marks = [found[1] for found in NUCLEUS.finditer(word)]
        beats = pattern[place : place + len(marks)]
        if len(marks) > 1 and any(mark == "\u02c8" and beat == "0" for mark, beat in zip(marks, beats, strict=False)):
            return False
        place += len(marks)
    return place == len(pattern)


def _ending(word: str) -> str:
    """Return what a word is said like from its last stressed vowel on."""
    return re.split("[\u02c8\u02cc]", word)[-1]


@benchmark(headline=r"ratio ([\d.]+)")
@size("--tunes", "n_tunes", default=4_000, smallest=60, help="Folk tunes.")
@size("--epochs", default=EPOCHS, smallest=1, help="Passes over them.")
@size("--melodies", "n_melodies", default=60, smallest=2, help="Melodies to draw for each figure.")
@size("--chorded", "n_chorded", default=400, smallest=4, help="Tunes with chords.")
@size("--stanzas", "n_stanzas", default=40, smallest=2, help="Stanzas to write.")
@size("--moods", "n_moods", default=5, smallest=1, help="Moods of textures.")
@size("--listeners", "n_listeners", default=SIMULATED, smallest=2, help="Simulated listeners.")
def main(
    n_tunes: int, epochs: int, n_melodies: int, n_chorded: int, n_stanzas: int, n_moods: int, n_listeners: int
) -> None:
    """Measure and print."""
    from recsys.compose.originality import KnownTunes

    train, test = divided(folk_tunes(n_tunes))
    model = measure_model(train, test, epochs)
    measure_histograms(model, KnownTunes(model.learnt), test, n_melodies)
    measure_controls(n_melodies)
    measure_chords(n_chorded)
    measure_likes(n_listeners)
    measure_lines(n_stanzas)
    measure_textures(n_moods)
    measure_time()


if __name__ == "__main__":
    main()
