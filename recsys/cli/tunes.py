"""The command for tunes, in notes and in sound: same-tune."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from recsys.cli.options import recipe_of, recipe_option
from recsys.home import Home
from recsys.installation.extras import require

if TYPE_CHECKING:
    from recsys.library.settings import AudioSettings
    from recsys.matching.tunes.same import Others, SameTune

CATALOGUE = "catalogue"
NOTHING = (
    "The catalogue has no other tune that can be compared. Put notes into {folder}, or scan recordings: recsys audio "
    "scan FOLDER, then recsys nightly; or compare with a folder: --against DIR."
)


@click.command("same-tune")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@click.option(
    "--against",
    metavar="catalogue|DIR",
    default=CATALOGUE,
    show_default=True,
    help="Compare with the notes and recordings of this folder; the catalogue has notes in <home>/tunes.",
)
@click.option("-n", type=click.IntRange(1, 100), default=5, show_default=True, help="Similar tunes to show.")
@click.option("--json", "is_json", is_flag=True, help="Print everything as JSON: notes, recordings and reasons.")
@click.option("--report", type=click.Path(path_type=Path), help="Write an HTML report (.html), or everything as JSON.")
@recipe_option
@click.pass_obj
def same_tune(
    home: Home, /, file: Path, against: str, n: int, is_json: bool, report: Path | None, recipe: Path | None
) -> None:
    """
    Find tunes that are similar to those of a file, in any key and tempo.

    The file is ABC, MIDI or MusicXML, or a recording. It is compared with notes and with recordings, as far as there
    are any; a recording with notes if it is of one voice: sung, hummed, whistled or played.

    Says where and how they agree in melody, rhythm and harmony, and how common the shared phrase is. It measures
    similarity, and judges no right.
    """
    _compare(home, file, against, n, recipe_of(home, recipe).audio, report, is_json=is_json)


def _compare(
    home: Home, file: Path, against: str, n: int, settings: "AudioSettings", report: Path | None, *, is_json: bool
) -> None:
    from recsys.cli.show import tunes as show
    from recsys.matching.tunes.same import as_json, is_in_notes, same_tune

    require(*_needed(file, is_notes=is_in_notes(file)))
    others = _others(home, file, against, settings)
    found = same_tune(file, others, n, settings)
    if is_json:
        click.echo(as_json(found), nl=False)
    else:
        show.same_tune(found)
    if report is not None:
        _write(found, report, file, others, settings)
        click.echo(report, err=is_json)


def _needed(file: Path, *, is_notes: bool) -> tuple[str, ...]:
    """Return the optional modules without which nothing of a file can be compared."""
    if is_notes:
        return ("pretty_midi",) if file.suffix.lower().startswith(".mid") else ()
    return ("av", "soundfile")


def _others(home: Home, file: Path, against: str, settings: "AudioSettings") -> "Others":
    """Return what a file is compared with; raises InputError if there is no such file or folder."""
    from recsys.errors import InputError
    from recsys.files import printable, sha256_of
    from recsys.matching.tunes.same import folder_of_others
    from recsys.published.tunes import catalogue_tunes

    if not file.is_file():
        raise InputError(f"{printable(str(file))} does not exist. Give a file of ABC, MIDI or MusicXML, or a recording")
    if against == CATALOGUE:
        others = catalogue_tunes(home, without=file).without_copies(sha256_of(file))
        if not others.tunes.melodies and not others.recordings.chromagrams:
            reasons = "; ".join(filter(None, (others.tunes.reasons, others.recordings.reasons)))
            raise InputError(f"{NOTHING.format(folder=printable(str(home.tunes)))} {reasons}".rstrip())
        return others
    return folder_of_others(Path(against), settings, without=file)


def _write(found: "SameTune", report: Path, file: Path, others: "Others", settings: "AudioSettings") -> None:
    """Write a report: a page if its name ends with .html, JSON otherwise."""
    from recsys.matching.tunes.same import is_in_notes, write_json

    if report.suffix.lower() != ".html":
        write_json(found, report)
        return
    from recsys.reports.tunes.page import write_page

    if found.recordings is None:
        write_page(found, report)
        return
    from recsys.reports.tunes.recordings import sections_of

    query = None if is_in_notes(file) else file
    write_page(found, report, sections_of(found.recordings, query, others.recordings.file, settings))
