"""Commands for takes and stems: tune-vocal and mix."""

from pathlib import Path
from typing import Any

import click

from recsys.cli.options import recipe_of, recipe_option
from recsys.home import Home
from recsys.installation.extras import require

FILE = click.Path(path_type=Path)


@click.command("tune-vocal")
@click.argument("stem", type=FILE)
@click.option("--score", type=FILE, help="Score of the melody, ABC or MIDI.")
@click.option("--key", help="Key whose nearest notes are the targets, such as D, Bm or Ador.")
@click.option("--amount", type=click.FloatRange(0, 1), default=1.0, show_default=True, help="Share to correct.")
@click.option(
    "--speed",
    type=click.FloatRange(0, 1_000),
    default=40.0,
    show_default=True,
    help="Time from the beginning of a note until it is corrected [ms].",
)
@click.option("--out", type=FILE, help="File to write, .wav or .flac. [default: NAME.tuned.wav beside the stem]")
@click.option("--difference", type=FILE, help="Write the result minus the stem to this file.")
@click.option("--report", type=FILE, help="Write the notes and their cents to this JSON file.")
@recipe_option
@click.pass_obj
def tune_vocal(home: Home, /, stem: Path, recipe: Path | None, amount: float, speed: float, **options: Any) -> None:
    """
    Correct the pitch of one voice towards a score or a key.

    Vibrato, glides and unvoiced sound stay as they are, formants where they are. Several voices and noise are refused.
    """
    require("av", "soundfile", "swift_f0")
    from recsys.cli.show import mixing as show
    from recsys.studio import tune_vocal as studio
    from recsys.studio.voice.tune import Limits

    limits = Limits(amount, speed)
    show.tuned(*studio.tune_vocal(stem, recipe_of(home, recipe).audio, limits=limits, **options))


@click.command()
@click.argument("stems", type=FILE)
@click.option("--reference", type=FILE, help="Folder of stems with the same names, or a mix, to compare with.")
@click.option("--report", type=FILE, help="Write all facts and advice to this JSON file.")
@recipe_option
@click.pass_obj
def mix(home: Home, /, stems: Path, reference: Path | None, report: Path | None, recipe: Path | None) -> None:
    """
    Measure the stems in a folder, and say what to try.

    Faults first, then the differences from a reference, those that explain most of it first. Nothing is advised
    because of what is usual.
    """
    require("av", "soundfile")
    from recsys.cli.show import mixing as show
    from recsys.studio import mix_stems as studio

    show.mixed(studio.mix(stems, recipe_of(home, recipe).audio, reference, report))
