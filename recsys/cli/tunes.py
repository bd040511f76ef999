"""The command for tunes, in notes and in sound: same-tune."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from recsys.cli.options import recipe_of, recipe_option
from recsys.home import Home
from recsys.installation.extras import require

if TYPE_CHECKING:
    from recsys.library.settings import AudioSettings
    from recsys.matching.tunes.find import SimilarTunes

NOTES = (".abc", ".mid", ".midi", ".musicxml", ".mxl", ".xml")


@click.command("same-tune")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@click.option(
    "--against",
    metavar="catalogue|DIR",
    default="catalogue",
    show_default=True,
    help="Compare with the notes, or without any the recordings, of this folder; the catalogue's are in <home>/tunes.",
)
@click.option("-n", type=click.IntRange(1, 100), default=5, show_default=True, help="Similar tunes to show.")
@click.option("--report", type=click.Path(path_type=Path), help="Write an HTML report (.html), or everything as JSON.")
@recipe_option
@click.pass_obj
def same_tune(home: Home, /, file: Path, against: str, n: int, report: Path | None, recipe: Path | None) -> None:
    """
    Find tunes that are similar to those of a file, in any key and tempo.

    The file is ABC, MIDI or MusicXML, or a recording of one voice: sung, hummed, whistled or played. In a folder
    without files of notes, recordings are compared, of any number of voices.

    Says where and how they agree in melody, rhythm and harmony, and how common the shared phrase is. It measures
    similarity, and judges no right.
    """
    folder = home.tunes if against == "catalogue" else Path(against)
    compare = _among_recordings if _is_of_recordings(file, folder) else _among_notes
    compare(file, folder, n, recipe_of(home, recipe).audio, report)


def _is_of_recordings(file: Path, folder: Path) -> bool:
    """Return whether a folder has no notes, with which a file of notes or of sound could be compared."""
    from recsys.library.files import COMPANION_SUFFIXES
    from recsys.matching.tunes.reading import tune_files

    may_be_tune = file.suffix.lower() in NOTES or file.suffix.lower() not in COMPANION_SUFFIXES
    return may_be_tune and folder.is_dir() and not any(tune_files(folder))


def _among_notes(file: Path, folder: Path, n: int, settings: "AudioSettings", report: Path | None) -> None:
    require(*_needed(file.suffix.lower()))
    from recsys.cli.show import tunes as show
    from recsys.matching.tunes.find import similar_tunes

    found = similar_tunes(file, folder, n, settings)
    show.similar(found)
    if report is not None:
        _write(found, report)


def _among_recordings(file: Path, folder: Path, n: int, settings: "AudioSettings", report: Path | None) -> None:
    require("av", "soundfile", "pretty_midi")
    from recsys.cli.show import tunes as show
    from recsys.matching.tunes.recordings import similar_recordings, write_json
    from recsys.reports.tunes.recordings import write_page

    found = similar_recordings(file, folder, n, settings)
    show.recordings(found)
    if report is not None and report.suffix.lower() == ".html":
        write_page(found, report, file, folder, settings)
    elif report is not None:
        write_json(found, report)
    if report is not None:
        click.echo(report)


def _needed(suffix: str) -> tuple[str, ...]:
    """Return the optional modules that reading a file needs."""
    if suffix in NOTES:
        return ("pretty_midi",) if suffix.startswith(".mid") else ()
    return ("av", "soundfile", "swift_f0")


def _write(found: "SimilarTunes", report: Path) -> None:
    """Write a report: a page if its name ends with .html, JSON otherwise."""
    from recsys.matching.tunes.find import write_json
    from recsys.reports.tunes.page import write_page

    (write_page if report.suffix.lower() == ".html" else write_json)(found, report)
    click.echo(report)
