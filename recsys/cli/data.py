"""Commands for data: ingest, audio, build, contracts, takedown."""

from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from recsys.cli.options import (
    date_option,
    dialect_options,
    opened,
    opened_when_free,
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

if TYPE_CHECKING:
    from recsys.ingest.mapping import Mapping
    from recsys.ingest.run import IngestReport


@click.command()
@click.argument("paths", nargs=-1, type=click.Path(path_type=Path))
@click.option("--as", "table", help="Raw table, if the columns do not identify it (listens, events, tracks ...).")
@click.option("--format", "format_name", default="auto", show_default=True, help="Format by name; auto: by content.")
@click.option("--user", help="Account that personal exports belong to, unless they name it.")
@click.option("--map", "pairs", help="Own columns, as user_id=account,listened_at='Played At'; or a saved mapping.")
@click.option("--map-name", help="Name to save the mapping under. [default: its table]")
@click.option("--time-format", help="How times are written in files with --map, such as '%d.%m.%Y %H:%M'.")
@dialect_options
@click.option("--licence", help="Licence of lyrics in files that state none, such as CC0-1.0.")
@click.option("--accept-schema", is_flag=True, help="Accept files that lack columns of earlier deliveries.")
@time_zone_option
@click.option("--undo", metavar="BATCH", help="Take back the file that brought this batch, instead of ingesting files.")
@click.pass_obj
def ingest(home: Home, /, paths: tuple[Path, ...], time_zone: str | None, undo: str | None, **options: Any) -> None:
    """Ingest files into the lake; invalid rows go to the quarantine."""
    if bool(paths) == bool(undo):
        raise click.UsageError("Give files and folders to ingest, or --undo BATCH.")
    if undo:
        _take_back(home, undo)
    else:
        _ingest(home, paths, time_zone, options)


def _ingest(home: Home, paths: tuple[Path, ...], time_zone: str | None, options: dict[str, Any]) -> None:
    from recsys.cli.show import events, runs
    from recsys.ingest import run as ingesting

    found, settings = ingesting.source_files(paths, options["format_name"]), recipe_of(home, None).ingest
    with opened(home), events.ingest_progress(sum(path.stat().st_size for path in found)) as progress:
        set_time_zone(home, time_zone)
        chosen = _ingest_options(home, **options)
        report = ingesting.ingest(home, paths, today=today_of(home), settings=settings, progress=progress, **chosen)
        if chosen["mapping"]:
            _keep_mapping(home, chosen["mapping"], report)
    runs.ingested(report)
    if problem := report.problem(len(found)):
        raise InputError(problem)


def _keep_mapping(home: Home, mapping: "Mapping", report: "IngestReport") -> None:
    """Save a mapping by which a file was read; warn about one that read no file."""
    from recsys.ingest.mapping import save

    if report.batches:
        save(home, mapping)
    elif not report.unreadable:
        report.warnings.append(
            "The mapping was not saved: it read no file. To read a file again, take it back: recsys ingest --undo BATCH"
        )


def _take_back(home: Home, batch: str) -> None:
    from recsys.cli.show import runs
    from recsys.ingest.undo import undo
    from recsys.pipeline.publication import settle_ledger

    with opened(home):
        settle_ledger(home)
        runs.taken_back(undo(home, batch, today=today_of(home)))


def _ingest_options(
    home: Home, *, pairs: str | None, map_name: str | None, time_format: str | None, **options: Any
) -> dict[str, Any]:
    """Return the options of `ingest` with the mapping that was given or named."""
    from recsys.ingest.mapping import mapping_of

    if pairs is None and (map_name or time_format):
        raise InputError("--map-name and --time-format describe a mapping. Give its columns with --map")
    table = options["table"]
    if not pairs:
        return options | {"mapping": None}
    mapping = mapping_of(home, pairs, name=map_name, table=table, time_format=time_format)
    return options | {"mapping": mapping, "format_name": "mapped"}


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
    from recsys.rights.trainings import record_encoder

    if options["start"] == "pretrained":
        extras.require("av")
    with warehouse_of(home) as warehouse:
        tracks = training_tracks(warehouse, folder)
    card = train(tracks, TrainSettings(**options), encoder, progress=events.epoch)
    with opened_when_free(home):
        record_encoder(home, card, tracks, today=today_of(home))
    models.trained(card, encoder)


@click.command()
@date_option
@recipe_option
@click.option("--backfill", metavar="A..B", help="Recompute these days even without new data (YYYY-MM-DD..YYYY-MM-DD).")
@click.option("--engine", type=click.Choice(["duckdb", "spark"]), help="What computes the tables.")
@click.option("--master", metavar="ADDRESS", help="Where Spark runs, such as local[4] or spark://HOST:7077.")
@click.pass_obj
def build(
    home: Home, /, as_of: datetime | None, recipe: Path | None, backfill: str | None, **warehouse: str | None
) -> None:
    """Build the tables, check each against its contract, and publish them."""
    from recsys.pipeline.nightly import build_and_publish, enforce_retention

    run, period = run_of(home, as_of, recipe, warehouse=warehouse), _period(backfill)
    with opened(home):
        enforce_retention(run, today_of(home))
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
@click.option(
    "--format",
    "form",
    type=click.Choice(["odcs", "dbt"]),
    default="odcs",
    show_default=True,
    help="Open Data Contract Standard, or sources.yml of dbt.",
)
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), help="Write to this file, not to the screen.")
@click.pass_obj
def contracts(home: Home, form: str, out: Path | None) -> None:
    """Print the contracts of the raw tables as YAML for other tools."""
    from recsys.files import write_text
    from recsys.warehouse.contract_export import ContractFormat, exported

    text = exported(ContractFormat(form), home)
    if out:
        write_text(out, text)
    else:
        click.echo(text, nl=False)


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
