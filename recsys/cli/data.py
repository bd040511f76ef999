"""Commands that bring data in and out: ingest, audio, build, takedown."""

from datetime import date, datetime
from pathlib import Path
from typing import Any

import click

from recsys.cli.options import (
    date_option,
    keep_clock,
    recipe_of,
    recipe_option,
    run_of,
    time_zone_option,
    today_of,
    warehouse_of,
)
from recsys.errors import InputError
from recsys.home import Home, locked


@click.command()
@click.argument("paths", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--as", "table", help="Raw table, where the columns do not tell (listens, events, tracks ...).")
@click.option(
    "--format", "format_name", default="auto", show_default=True, help="csv, jsonl, parquet, lastfm, billboard or auto."
)
@time_zone_option
@click.pass_obj
def ingest(home: Home, paths: tuple[Path, ...], table: str | None, format_name: str, time_zone: str | None) -> None:
    """Take files into the lake, bad rows to the quarantine."""
    from recsys.cli.show import events, runs
    from recsys.ingest import run as ingesting

    found = ingesting.source_files(paths)
    with locked(home), events.ingest_progress(sum(path.stat().st_size for path in found)) as progress:
        keep_clock(home, time_zone)
        today = today_of(home)
        report = ingesting.ingest(home, found, today=today, table=table, format_name=format_name, progress=progress)
    runs.ingested(report)
    if report.unreadable:
        raise InputError(f"{len(report.unreadable)} of {len(found)} files could not be read; the others were ingested")


@click.group()
def audio() -> None:
    """Hear the catalogue: scan a folder of music, train an encoder on it."""


@audio.command()
@click.argument("folder", type=click.Path(path_type=Path))
@recipe_option
@click.pass_obj
def scan(home: Home, folder: Path, recipe: Path | None) -> None:
    """Analyse what is new in a folder of music; a scan that was stopped goes on."""
    from recsys.cli.show import events, music
    from recsys.library import files, scan

    settings, n_bytes = recipe_of(home, recipe).audio, sum(path.stat().st_size for path in files.audio_files(folder))
    with locked(home), events.ingest_progress(n_bytes) as progress:
        report = scan.scan(home, folder, today=today_of(home), settings=settings, progress=progress)
    music.scanned(report)


@audio.command("train")
@click.argument("folder", type=click.Path(path_type=Path))
@click.argument("encoder", type=click.Path(path_type=Path))
@click.option("--start", type=click.Choice(["pretrained", "random"]), default="pretrained", show_default=True)
@click.option(
    "--epochs", type=click.IntRange(min=1), default=10, show_default=True, help="Passes over the training music."
)
@click.option("--with-unknown", is_flag=True, help="Learn also from music of whose consent nothing is known.")
@click.pass_obj
def train_encoder(home: Home, /, folder: Path, encoder: Path, **asked: Any) -> None:
    """Train an encoder on the music in FOLDER whose holders allow it; training that was stopped goes on."""
    from recsys.audio.training.train import TrainSettings, train
    from recsys.cli.show import events, models
    from recsys.installation import extras
    from recsys.library.consent import training_tracks

    if asked["start"] == "pretrained":
        extras.require("av", "musicnn")
    with warehouse_of(home) as warehouse:
        tracks = training_tracks(warehouse, folder)
    models.trained(train(tracks, TrainSettings(**asked), encoder, progress=events.epoch), encoder)


@click.command()
@date_option
@recipe_option
@click.option("--backfill", metavar="A..B", help="Compute these days again even if untouched (YYYY-MM-DD..YYYY-MM-DD).")
@click.pass_obj
def build(home: Home, as_of: datetime | None, recipe: Path | None, backfill: str | None) -> None:
    """Build the tables, hold each to its contract, publish them."""
    from recsys.pipeline.nightly import build_and_publish

    run, period = run_of(home, as_of, recipe), _period(backfill)
    with locked(home):
        click.echo(build_and_publish(run, period))


def _period(text: str | None) -> tuple[date, date] | None:
    if text is None:
        return None
    try:
        first, last = (date.fromisoformat(day) for day in text.split(".."))
    except ValueError as wrong:
        raise InputError(f"--backfill is {text!r}; expected two days, such as 2026-01-01..2026-01-31") from wrong
    if first > last:
        raise InputError(f"--backfill is {text!r}, which ends before it begins; expected the earlier day first")
    return first, last


@click.command()
@click.argument("tracks", nargs=-1, required=True)
@click.option("--grounds", default="", help="Why; kept beside it.")
@click.pass_obj
def takedown(home: Home, tracks: tuple[str, ...], grounds: str) -> None:
    """Take recordings out of every index at once, and out of all lists from the next night on."""
    from recsys.cli.show import music
    from recsys.releases.takedown import take_down

    with locked(home):
        music.taken_down(take_down(home, tracks, grounds, today=today_of(home)))
