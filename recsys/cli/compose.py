"""Commands for writers: melodies, continuations, variations, chords, bands, and a model trained on one's own music."""

import re
from collections.abc import Callable
from functools import wraps
from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from recsys.cli.options import opened_when_free, today_of
from recsys.errors import InputError
from recsys.home import Home
from recsys.installation.extras import require

if TYPE_CHECKING:
    from recsys.compose.write import Idea

MOODS = ("happy", "calm", "sad", "tense", "energetic")
FEET = ("iamb", "trochee", "anapaest", "dactyl")
SEED = click.option(
    "--seed", type=click.IntRange(min=0), default=1, show_default=True, help="Seed: another one, other suggestions."
)
TRIAD = re.compile(r"[A-G][#b]?(m|min)?(7|maj7)?")  # a seventh is not used
PITCH = re.compile(r"([A-G])([#b]?)(-?\d)")
FILE = click.Path(path_type=Path, dir_okay=False)


@click.group()
def compose() -> None:
    """
    Suggest melodies, chords, bands, lines of lyrics and textures for one's own songs.

    Several each time, as ABC, MIDI and WAV. No suggested melody has a run of more than 11 notes, by interval and
    rhythm, of a tune that the model learnt from or of the catalogue; the most similar tune is named beside each.
    """


def _key(_ctx: click.Context, _option: click.Parameter, text: str | None) -> tuple[int, str] | None:
    from recsys.synth.abc import read_key

    return read_key(text, "--key") if text else None


def _metre(_ctx: click.Context, _option: click.Parameter, text: str | None) -> tuple[int, int] | None:
    found = re.fullmatch(r"(\d{1,2})/(\d{1,2})", text) if text else None
    if text and not found:
        raise InputError(f"--metre: found {text!r}, expected one such as 6/8")
    return (int(found[1]), int(found[2])) if found else None


def _span(_ctx: click.Context, _option: click.Parameter, text: str | None) -> tuple[int, int] | None:
    from recsys.synth.abc import NATURAL

    if text is None:
        return None
    found = re.fullmatch(rf"{PITCH.pattern}-{PITCH.pattern}", text)
    if not found:
        raise InputError(f"--range: found {text!r}, expected two notes such as C4-C6")
    pitches = [
        12 * (int(found[first + 2]) + 1) + NATURAL[found[first]] + {"": 0, "#": 1, "b": -1}[found[first + 1]]
        for first in (1, 4)
    ]
    return pitches[0], pitches[1]


def _chords(_ctx: click.Context, _option: click.Parameter, text: str | None) -> Any:
    from recsys.synth.abc import read_chord

    symbols = text.split() if text else []
    for symbol in symbols:
        if not TRIAD.fullmatch(symbol):
            raise InputError(f"--chords: found {symbol!r}, expected major or minor chords such as C, F#m or Bb7")
    return tuple(read_chord(symbol, "--chords") for symbol in symbols)


def _finite(_ctx: click.Context, option: click.Parameter, value: float | None) -> float | None:
    if value is not None and not isfinite(value):
        raise InputError(f"--{option.opts[0].lstrip('-')}: found {value}, expected a number")
    return value


TEMPO = click.option(
    "--tempo",
    "tempo_bpm",
    type=click.FloatRange(30, 300),
    callback=_finite,
    help="Beats per minute. [default: the mood's]",
)


def request_options(command: Callable[..., None]) -> Callable[..., None]:
    """Add the options of every suggestion to a command: `out`, `mood`, `tempo_bpm`, `n`, `seed`."""
    for option in (
        SEED,
        click.option("-n", type=click.IntRange(1, 20), default=4, show_default=True, help="Suggestions."),
        TEMPO,
        click.option("--mood", type=click.Choice(MOODS), default="happy", show_default=True, help="Mood."),
        click.option(
            "--out",
            type=click.Path(path_type=Path),
            default="suggestions",
            show_default=True,
            help="Folder to write to.",
        ),
    ):
        command = option(command)

    @wraps(command)
    def checked(*args: Any, **options: Any) -> None:
        require("midirenderer", "pretty_midi", "soundfile")
        command(*args, **options)

    return checked


def melody_options(command: Callable[..., None]) -> Callable[..., None]:
    """Add the options on what a melody must be to a command: `key`, `n_bars`, `span`, `chords`, `form`, `against`."""
    for option in (
        click.option(
            "--against", type=click.Path(path_type=Path, exists=True), help="Tunes not to copy. [default: <home>/tunes]"
        ),
        click.option(
            "--form", default="", help="A letter per section, such as AABA; a section returns with another last bar."
        ),
        click.option("--chords", callback=_chords, help="One chord per bar, in turn, such as 'C Am F G'."),
        click.option("--range", "span", callback=_span, help="Lowest and highest note, such as C4-C6."),
        click.option(
            "--bars", "n_bars", type=click.IntRange(1, 64), default=8, show_default=True, help="Bars to write."
        ),
        click.option("--key", callback=_key, help="Key, such as D, Bm or Ador."),
    ):
        command = option(command)
    return command


@compose.command()
@melody_options
@click.option("--metre", callback=_metre, help="Time signature, such as 6/8. [default: 4/4]")
@request_options
@click.pass_obj
def melody(home: Home, /, against: Path | None, out: Path, **options: Any) -> None:
    """Suggest new melodies."""
    from recsys.compose.ideas import Request, Workshop

    request = Request(**options)
    _finish(Workshop.of(home, against).melodies(request), out, request.seed)


@compose.command("continue")
@click.argument("file", type=FILE)
@melody_options
@request_options
@click.pass_obj
def continue_melody(home: Home, /, file: Path, against: Path | None, out: Path, **options: Any) -> None:
    """
    Suggest how the melody of FILE goes on.

    FILE is ABC, MIDI or MusicXML. What is written keeps its metre and, unless others are asked for, its key, range and
    chords.
    """
    from recsys.compose.ideas import Request, Workshop
    from recsys.compose.sketch import read_sketch

    request = Request(**options)
    _finish(Workshop.of(home, against).continuations(read_sketch(file), request), out, request.seed)


@compose.command()
@click.argument("file", type=FILE)
@click.option(
    "--against", type=click.Path(path_type=Path, exists=True), help="Tunes not to copy. [default: <home>/tunes]"
)
@request_options
@click.pass_obj
def vary(home: Home, /, file: Path, against: Path | None, out: Path, **options: Any) -> None:
    """Suggest variations of the melody of FILE: every second bar anew, by turns with its rhythm and with another."""
    from recsys.compose.ideas import Request, Workshop
    from recsys.compose.sketch import read_sketch

    request = Request(**options)
    _finish(Workshop.of(home, against).variations(read_sketch(file), request), out, request.seed)


@compose.command()
@click.argument("file", type=FILE)
@request_options
def chords(file: Path, out: Path, **options: Any) -> None:
    """Suggest chords for the melody of FILE, the likeliest first."""
    from recsys.compose.ideas import Request, harmonisations
    from recsys.compose.sketch import read_sketch

    request = Request(**options)
    _finish(harmonisations(read_sketch(file), request), out, request.seed)


@compose.command()
@click.argument("file", type=FILE)
@request_options
def band(file: Path, out: Path, **options: Any) -> None:
    """Suggest bass, drums and chords for the melody of FILE, with its own chords where it has some."""
    from recsys.compose.ideas import Request, bands
    from recsys.compose.sketch import read_sketch

    request = Request(**options)
    _finish(bands(read_sketch(file), request), out, request.seed)


@compose.command()
@click.argument("suggestion", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--not", "is_disliked", is_flag=True, help="Say that you do not like it.")
@click.pass_obj
def like(home: Home, /, suggestion: Path, is_disliked: bool) -> None:
    """Say that you like a suggestion, such as suggestions/2.abc: later ones are more like it."""
    from recsys.compose.ideas import answer

    n_answers = answer(home, suggestion, is_liked=not is_disliked)
    click.echo(f"Noted: {n_answers} answers so far, in {home.compose / 'likes.npz'}")


@compose.command()
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--mine", is_flag=True, help="I wrote this music, or its writers consent to the training.")
@click.pass_obj
def train(home: Home, /, folder: Path, mine: bool) -> None:
    """
    Train the melody model further on the tunes of FOLDER (ABC, MIDI, MusicXML), for this home alone.

    Which tunes it learnt from is recorded in <home>/trainings. Remove <home>/compose/model to go back to the shipped
    model.
    """
    if not mine:
        raise InputError("Training needs the consent of who wrote the music. If it is yours, or they consent: --mine")
    require("pretty_midi")
    from recsys.cli.show import compose as show
    from recsys.compose.train import learn_from_folder
    from recsys.rights.trainings import record_melody_model

    model, names = learn_from_folder(folder)
    with opened_when_free(home):
        model.write(home.compose / "model")
        record_melody_model(home, names, today=today_of(home))
    show.card(model.card, home.compose / "model")


@compose.command()
@click.argument("words", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--theme", help="Also use our wordings of a theme, such as love or loss.")
@click.option("--rhyme", "scheme", default="AABB", show_default=True, help="Which lines rhyme: a letter per line.")
@click.option("--foot", type=click.Choice(FEET), default="iamb", show_default=True, help="Metre.")
@click.option("--feet", "n_feet", type=click.IntRange(2, 8), default=4, show_default=True, help="Feet per line.")
@click.option("-n", type=click.IntRange(1, 20), default=3, show_default=True, help="Stanzas.")
@SEED
def lines(words: Path, theme: str | None, n: int, seed: int, **form: Any) -> None:
    """
    Suggest lines of lyrics from the words of a text file WORDS: notes, phrases, lines of one's own (English).

    No language model: pairs of words from the text, put together so that they scan and rhyme. Raw material.
    """
    from recsys.cli.show import compose as show
    from recsys.compose.lines import Form, Source, stanzas

    source = Source(words.read_text(encoding="utf-8", errors="replace"), theme)
    show.stanzas(stanzas(source, Form(**form), n, seed))


@compose.command()
@click.option("--kind", type=click.Choice(["pad", "rhythm"]), default="pad", show_default=True, help="What to make.")
@click.option("--mood", type=click.Choice(MOODS), default="calm", show_default=True, help="Mood.")
@click.option("--key", callback=_key, help="Key; the mood decides between major and minor. [default: C]")
@TEMPO
@click.option("--bars", "n_bars", type=click.IntRange(1, 16), default=4, show_default=True, help="Bars of four beats.")
@click.option(
    "--loudness",
    "loudness_lufs",
    type=click.FloatRange(-60, 0),
    callback=_finite,
    default=-20.0,
    show_default=True,
    help="Loudness [LUFS].",
)
@click.option("--out", type=click.Path(path_type=Path), default="texture.wav", show_default=True, help="File to write.")
def texture(key: tuple[int, str] | None, mood: str, tempo_bpm: float | None, out: Path, **options: Any) -> None:
    """Make a short pad or rhythm that loops without a click, by our own synthesiser."""
    require("midirenderer", "pretty_midi", "soundfile")
    from recsys.compose.controls import MOODS as PACES
    from recsys.compose.texture import Texture, write_texture

    tempo = tempo_bpm or PACES[mood].tempo_bpm
    request = Texture(mood=mood, tonic=key[0] if key else 0, tempo_bpm=tempo, **options)
    write_texture(request, out)
    click.echo(
        f"{out}: {request.length_s:.2f} s at {tempo:g} beats per minute, {request.loudness_lufs:g} LUFS; it loops"
    )


def _finish(ideas: "list[Idea]", out: Path, seed: int) -> None:
    from recsys.cli.show import compose as show
    from recsys.compose.write import write_ideas

    show.ideas(ideas, write_ideas(ideas, out, seed))
