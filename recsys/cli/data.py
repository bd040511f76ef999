"""Commands for data: ingest, audio, build, takedown."""

from datetime import date, datetime
from pathlib import Path
from typing import Any

import click

from recsys.cli.options import (
    date_option,
    opened,
    recipe_of,
    recipe_option,
    run_of,
    set_time_zone,
    time_zone_option,
    today_of,
    warehouse_of,
)
from recsys.errors import InputError
from recsys.home import Home


@click.command()
@click.argument("paths", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--as", "table", help="Raw table, if the columns do not identify it (listens, events, tracks ...).")
@click.option(
    "--format",
    "format_name",
    default="auto",
    show_default=True,
    help="Format: csv, jsonl, parquet, lastfm, billboard or auto.",
)
@time_zone_option
@click.pass_obj
def ingest(home: Home, paths: tuple[Path, ...], table: str | None, format_name: str, time_zone: str | None) -> None:
    """Ingest files into the lake; invalid rows go to the quarantine."""
    from recsys.cli.show import events, runs
    from recsys.ingest import run as ingesting

    found = ingesting.source_files(paths)
    with opened(home), events.ingest_progress(sum(path.stat().st_size for path in found)) as progress:
        set_time_zone(home, time_zone)
        today = today_of(home)
        report = ingesting.ingest(home, found, today=today, table=table, format_name=format_name, progress=progress)
    runs.ingested(report)
    if report.unreadable:
        raise InputError(f"{len(report.unreadable)} of {len(found)} files could not be read; the others were ingested")


@click.group()
def audio() -> None:
    """Analyse music: scan a folder, train an encoder."""


@audio.command()
@click.argument("folder", type=click.Path(path_type=Path))
@recipe_option
@click.pass_obj
def scan(home: Home, folder: Path, recipe: Path | None) -> None:
    """Analyse the new files in a folder of music; an interrupted scan is resumed."""
    from recsys.cli.show import events, music
    from recsys.library import files, scan

    settings, n_bytes = recipe_of(home, recipe).audio, sum(path.stat().st_size for path in files.audio_files(folder))
    with opened(home), events.ingest_progress(n_bytes) as progress:
        report = scan.scan(home, folder, today=today_of(home), settings=settings, progress=progress)
    music.scanned(report)


@audio.command("train")
@click.argument("folder", type=click.Path(path_type=Path))
@click.argument("encoder", type=click.Path(path_type=Path))
@click.option(
    "--start",
    type=click.Choice(["pretrained", "random"]),
    default="pretrained",
    show_default=True,
    help="Start from pretrained musicnn weights or from random weights.",
)
@click.option(
    "--epochs", type=click.IntRange(min=1), default=10, show_default=True, help="Passes over the training music."
)
@click.option("--with-unknown", is_flag=True, help="Also train on music whose consent is unknown.")
@click.pass_obj
def train_encoder(home: Home, /, folder: Path, encoder: Path, **options: Any) -> None:
    """
    Train an encoder on the music in FOLDER, and write it to ENCODER.

    Only recordings whose rights holders consent to training are used. An interrupted training is resumed. ENCODER is
    the folder to write the encoder to.
    """
    from recsys.audio.training.train import TrainSettings, train
    from recsys.cli.show import events, models
    from recsys.installation import extras
    from recsys.library.consent import training_tracks

    if options["start"] == "pretrained":
        extras.require("av")
    with warehouse_of(home) as warehouse:
        tracks = training_tracks(warehouse, folder)
    models.trained(train(tracks, TrainSettings(**options), encoder, progress=events.epoch), encoder)


@click.command()
@date_option
@recipe_option
@click.option("--backfill", metavar="A..B", help="Recompute these days even without new data (YYYY-MM-DD..YYYY-MM-DD).")
@click.pass_obj
def build(home: Home, as_of: datetime | None, recipe: Path | None, backfill: str | None) -> None:
    """Build the tables, check each against its contract, and publish them."""
    from recsys.pipeline.nightly import build_and_publish

    run, period = run_of(home, as_of, recipe), _period(backfill)
    with opened(home):
        click.echo(build_and_publish(run, period))


def _period(text: str | None) -> tuple[date, date] | None:
    if text is None:
        return None
    try:
        first, last = (date.fromisoformat(day) for day in text.split(".."))
    except ValueError as error:
        raise InputError(f"--backfill is {text!r}; expected two days, such as 2026-01-01..2026-01-31") from error
    if first > last:
        raise InputError(f"--backfill is {text!r}; expected the earlier day first")
    return first, last


@click.command()
@click.argument("tracks", nargs=-1, required=True)
@click.option("--reason", default="", help="Reason, stored with the takedown.")
@click.pass_obj
def takedown(home: Home, tracks: tuple[str, ...], reason: str) -> None:
    """Remove recordings from all indexes now, and from all lists starting with the next nightly run."""
    from recsys.cli.show import music
    from recsys.releases.takedown import take_down

    with opened(home):
        music.taken_down(take_down(home, tracks, reason, today=today_of(home)))
