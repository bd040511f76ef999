"""The command for one file of music: master."""

from pathlib import Path
from typing import Any

import click

from recsys.cli.options import recipe_of, recipe_option
from recsys.errors import InputError
from recsys.home import Home
from recsys.installation.extras import require

PLATFORM_NAMES = ("spotify", "apple", "youtube", "broadcast")


def _check_drawable(_ctx: click.Context, _option: click.Parameter, report: Path | None) -> Path | None:
    """Raise SetupError for a report without matplotlib before the file is measured."""
    if report is not None:
        require("matplotlib")
    return report


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option(
    "--reference",
    metavar="FILE|ARTIST|artist|catalogue",
    help="Compare the tonal balance with a file, an artist (id or name), the artist of FILE, or the whole catalogue.",
)
@click.option("--target", type=click.Choice(PLATFORM_NAMES), help="Platform whose loudness and true peak count.")
@click.option(
    "--apply",
    "is_applied",
    is_flag=True,
    help="Write a copy at the loudness of the target, with the balance of a file.",
)
@click.option(
    "--out", type=click.Path(path_type=Path), help="The copy, .wav or .flac. [default: <file>.mastered.<suffix>]"
)
@click.option("--bits", "n_bits", type=click.Choice(["16", "24"]), help="Bits of the copy. [default: as the file]")
@click.option("--report", type=click.Path(path_type=Path), callback=_check_drawable, help="Write an HTML report here.")
@recipe_option
@click.pass_obj
def master(home: Home, /, file: Path, recipe: Path | None, report: Path | None, **options: Any) -> None:
    """
    Measure a file as a mastering engineer does, and say what platforms will do with it.

    Level, peaks, stereo, delivery and tonal balance; docs/studio.md explains each figure. Advice on tone is given
    only against a reference.
    """
    from recsys.cli.show import mastering as show

    mastered = _mastered(home, file, recipe_of(home, recipe).audio, report=report, **options)
    show.mastered(mastered)
    if report is not None:
        from recsys.reports.mastering import write_page

        write_page(mastered, report, recipe_of(home, recipe).audio)
        click.echo(report)


def _mastered(
    home: Home, file: Path, settings: Any, *, is_applied: bool, out: Path | None, n_bits: str | None, **named: Any
) -> Any:
    from recsys.published import mastering

    if out is not None and not is_applied:
        raise InputError("--out is the name of the copy, which only --apply writes. Add --apply")
    report = named.pop("report")
    wishes = mastering.Wishes(n_bits=int(n_bits) if n_bits else None, **named)
    copy = (out or mastering.name_of_copy(file, wishes)) if is_applied else None
    mastering.check_files(file, copy, report, wishes)
    seen = mastering.examine(home.published_warehouse, file, settings, wishes)
    return seen if copy is None else mastering.write_mastered(seen, copy, settings, wishes)
