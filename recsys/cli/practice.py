"""The command for learners: practise."""

from pathlib import Path

import click

from recsys.cli.options import recipe_of, recipe_option, today_of
from recsys.home import Home
from recsys.installation.extras import require

FILE = click.Path(path_type=Path)


@click.command()
@click.argument("take", type=FILE)
@click.option("--score", type=FILE, help="What is written: ABC, MIDI or MusicXML, one melody.")
@click.option("--reference", type=FILE, help="Or a recording of how it should sound, one voice.")
@click.option("--learner", metavar="NAME", help="Keep this take's scores under this name, and show those before.")
@click.option("--report", type=FILE, help="Write an HTML report (.html), or everything as JSON.")
@recipe_option
@click.pass_obj
def practise(
    home: Home, /, take: Path, learner: str | None, report: Path | None, recipe: Path | None, **given: Path
) -> None:
    """
    Compare a take of one voice, sung or played, with its score, note by note.

    Says which notes are wrong, missing, extra, late, early, sharp or flat, and the three bars to practise. Another
    key, octave or tuning is no error. Where the sound leaves doubt, nothing is said.
    """
    require("av", "soundfile", "swift_f0", "pretty_midi")
    from recsys.cli.show import practice as show
    from recsys.practice.practise import practise as compare
    from recsys.state.takes import keep_take

    found = compare(take, recipe_of(home, recipe).audio, score=given["score"], reference=given["reference"])
    past = keep_take(home, learner, found.melody.name, today_of(home), found.summary.shares) if learner else []
    show.practised(found, past)
    if report:
        show.written(found, past, report)
