"""Ideas for a request of `recsys compose melody`, `continue`, `vary`, `chords` and `band`."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from recsys.compose.controls import MOODS, Controls, Knobs
from recsys.compose.harmony import chords_for
from recsys.compose.likes import OPTIONS, Preferences, combined
from recsys.compose.model import SHIPPED, MelodyModel
from recsys.compose.originality import KnownTunes
from recsys.compose.suggest import continuation, new_melody, suggestions, variation
from recsys.compose.write import LIST, Idea, style_of
from recsys.errors import InputError
from recsys.files import read_json, reading
from recsys.home import Home
from recsys.matching.tunes.reading import read_tunes
from recsys.synth.tune import Chord, Tune

PATTERNS = ("block", "arpeggio", "off-beat")  # of chords, by the number of a band


@dataclass(frozen=True, kw_only=True)
class Request:
    """
    What a writer asks for; None is left to the writer's melody or to the mood.

    Attributes:
        n: Number of suggestions.
        seed: Seed of everything that is drawn.
        mood: A key of `MOODS`.
        key: Pitch class of the tonic, and mode.
        metre: Upper and lower number of the time signature.
        n_bars: Length [bars].
        span: Lowest and highest pitch (MIDI).
        chords: One per bar, in turn.
        form: A letter per section, such as AABA; empty for none.
        tempo_bpm: Beats per minute [1/min].
    """

    n: int = 4
    seed: int = 1
    mood: str = "happy"
    key: tuple[int, str] | None = None
    metre: tuple[int, int] | None = None
    n_bars: int = 8
    span: tuple[int, int] | None = None
    chords: tuple[Chord, ...] = ()
    form: str = ""
    tempo_bpm: float | None = None

    def controls(self, like: Controls) -> Controls:
        """Return the controls: those that are asked for, and the others of `like`."""
        tonic, mode = self.key or (like.tonic, like.mode)
        lowest, highest = self.span or (like.lowest, like.highest)
        kept = like.chords if (tonic, mode) == (like.tonic, like.mode) else ()
        return Controls(
            tonic=tonic,
            mode=mode,
            metre=self.metre or like.metre,
            n_bars=self.n_bars,
            lowest=lowest,
            highest=highest,
            chords=self.chords or kept,
            form=self.form,
        )


@dataclass(frozen=True)
class Workshop:
    """
    What suggestions are made with.

    Attributes:
        model: The melody model.
        known: Tunes that must not be copied.
        preferences: What the writer likes.
    """

    model: MelodyModel
    known: KnownTunes
    preferences: Preferences = field(default_factory=Preferences.none)

    @classmethod
    def of(cls, home: Home, tunes: Path | None = None) -> "Workshop":
        """
        Return the workshop of a home: its own model if it has one, or else the shipped one.

        Args:
            home: The home.
            tunes: Folder of tunes that must not be copied; None for the catalogue's.
        """
        own = home.compose / "model"
        model = MelodyModel.read(own if own.exists() else SHIPPED)
        folder = tunes or home.tunes
        catalogue = read_tunes(folder).melodies if tunes or folder.exists() else []
        return cls(model, KnownTunes((*model.learnt, *catalogue)), Preferences.read(home.compose / "likes.npz"))

    def melodies(self, request: Request) -> list[Idea]:
        """Suggest new melodies."""
        like = Controls(mode=MOODS[request.mood].modes[0])
        controls = request.controls(like)
        return self._ideas(
            request, lambda knobs, _, rng: new_melody(self.model, replace(controls, knobs=knobs), rng), None
        )

    def continuations(self, own: Tune, request: Request) -> list[Idea]:
        """Suggest how one's own melody goes on; it goes on in its own metre."""
        if request.metre not in {None, own.metre}:
            raise InputError(
                f"the melody is in {own.metre[0]}/{own.metre[1]}; a continuation keeps it. Leave out --metre"
            )
        controls = request.controls(Controls.of(own, request.n_bars))
        return self._ideas(
            request, lambda knobs, _, rng: continuation(self.model, own, replace(controls, knobs=knobs), rng), own
        )

    def variations(self, own: Tune, request: Request) -> list[Idea]:
        """Suggest variations of one's own melody: by turns with its rhythm and with another."""
        return self._ideas(
            request,
            lambda knobs, number, rng: variation(self.model, own, knobs, rng, keeps_rhythm=number % 2 == 0),
            own,
        )

    def _ideas(
        self, request: Request, draw: Callable[[Knobs, int, np.random.Generator], Tune], own: Tune | None
    ) -> list[Idea]:
        rng = np.random.default_rng(request.seed)
        mood = MOODS[request.mood].knobs
        leaning = self.preferences.draw(request.n, rng)
        found = suggestions(
            lambda number, rng: draw(combined(mood, leaning[number]), number, rng), self.known, request.n, rng, own
        )
        style = style_of(request.mood, request.tempo_bpm)
        return [
            Idea(with_chords(it.tune, rng), style, it.nearest, knobs) for it, knobs in zip(found, leaning, strict=True)
        ]


def with_chords(tune: Tune, rng: np.random.Generator) -> Tune:
    """Return a tune with chords: its own, or else the likeliest."""
    return replace(tune, chords=tune.chords or chords_for(tune, 1, rng)[0])


def harmonisations(own: Tune, request: Request) -> list[Idea]:
    """Suggest chords for one's own melody, the likeliest first."""
    sequences = chords_for(own, request.n, np.random.default_rng(request.seed))
    style = style_of(request.mood, request.tempo_bpm)
    return [
        Idea(replace(own, name=f"suggestion {number}", chords=chords), style)
        for number, chords in enumerate(sequences, start=1)
    ]


def bands(own: Tune, request: Request) -> list[Idea]:
    """Suggest accompaniments of one's own melody, by bass, drums and chords: by turns in another pattern."""
    rng = np.random.default_rng(request.seed)
    tune, style = with_chords(own, rng), style_of(request.mood, request.tempo_bpm, has_band=True)
    return [
        Idea(
            replace(tune, name=f"suggestion {number + 1}"),
            replace(style, chords=PATTERNS[number % len(PATTERNS)], has_drums=number // len(PATTERNS) % 2 == 0),
        )
        for number in range(request.n)
    ]


def answer(home: Home, suggestion: Path, *, is_liked: bool) -> int:
    """
    Keep whether a suggestion is liked; return the number of answers so far.

    Raises:
        InputError: It is no suggestion of `recsys compose`, or one whose melody was the writer's own.
        SetupError: The list of suggestions is damaged.
    """
    knobs = _knobs_of(suggestion)
    if knobs not in OPTIONS:
        raise InputError(
            f"{suggestion} is no suggested melody: {LIST} beside it does not list it with the way it was drawn. Give a "
            "file that recsys compose melody, continue or vary wrote"
        )
    preferences = Preferences.read(home.compose / "likes.npz").after(knobs, is_liked=is_liked)
    preferences.write(home.compose / "likes.npz")
    return preferences.n_answers


def _knobs_of(suggestion: Path) -> Knobs | None:
    """Return the knobs that the list beside a suggestion states; None if it states none."""
    path = suggestion.with_name(LIST)
    if not path.exists():
        return None
    with reading(path, "Make suggestions again"):
        described = dict(read_json(path)).get(suggestion.with_suffix(".abc").name) or {}
        stated = dict(described).get("knobs")
        return Knobs(**stated) if stated else None
