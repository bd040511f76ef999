"""Commands on the quarantine: list and show refused rows, replay them after a fix, drop them."""

from pathlib import Path
from typing import Any

import click

from recsys.cli.options import opened, output_options, recipe_of, recipe_option, today_of
from recsys.home import Home

_reason_option = click.option("--reason", help="Only rows that were refused for this reason.")


@click.group()
def quarantine() -> None:
    """See why rows were refused, and let them enter after a fix."""


@quarantine.command("list")
@output_options
@click.pass_obj
def list_(home: Home, form: str, out: Path | None) -> None:
    """Count the refused rows by file, reason and column."""
    from recsys.cli.show import quarantine as show
    from recsys.ingest.quarantine import count_refused
    from recsys.lake.store import Lake

    show.counts(count_refused(Lake(home)), form, out)


@quarantine.command()
@click.argument("batch")
@_reason_option
@click.option("--limit", type=click.IntRange(min=1), default=20, show_default=True, help="Number of rows.")
@output_options
@click.pass_obj
def show(home: Home, /, batch: str, reason: str | None, limit: int, **output: Any) -> None:
    """Show refused rows of BATCH: line, reason, column and value; accounts are pseudonyms."""
    from recsys.cli.show import tables
    from recsys.ingest.quarantine import show_refused
    from recsys.lake.store import Lake

    tables.answer(show_refused(Lake(home), batch, reason=reason).head(limit), output["form"], output["out"])


@quarantine.command()
@click.argument("batch", required=False)
@click.option("--file", type=click.Path(path_type=Path, dir_okay=False), help="Read the rows from their file again.")
@recipe_option
@click.pass_obj
def replay(home: Home, batch: str | None, file: Path | None, recipe: Path | None) -> None:
    """Check refused rows again, of BATCH or all; those that satisfy the contract now enter the lake."""
    from recsys.cli.show import quarantine as show
    from recsys.ingest.replay import replay as replay_rows

    settings = recipe_of(home, recipe).ingest
    with opened(home):
        show.replayed(replay_rows(home, today=today_of(home), settings=settings, batch_id=batch, file=file))


@quarantine.command()
@click.argument("batch")
@_reason_option
@click.pass_obj
def drop(home: Home, batch: str, reason: str | None) -> None:
    """Delete refused rows of BATCH from the quarantine, for good."""
    from recsys.ingest.quarantine import drop_refused
    from recsys.lake.store import Lake

    with opened(home):
        n_dropped = drop_refused(Lake(home), batch, reason=reason)
    click.echo(f"{n_dropped:,} rows were deleted from the quarantine")
