"""Options shared by several commands, and helpers that apply them to a home."""

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from functools import partial, wraps
from pathlib import Path
from time import sleep
from typing import TYPE_CHECKING, Any

import click

from recsys.errors import HomeIsBusy, InputError
from recsys.home import Home
from recsys.migration import opened as migration

if TYPE_CHECKING:
    from recsys.pipeline.run import Run

BUSY_S = 5  # time between two attempts to open a home that another run holds [s]
DATE = click.DateTime(["%Y-%m-%d"])
date_option = click.option("--date", "as_of", type=DATE, help="Last day of listening to use. [default: yesterday]")
time_zone_option = click.option(
    "--time-zone",
    help="Market time zone, in which days begin and end; it cannot change after the first ingest. [default: UTC]",
)
recipe_option = click.option(
    "--recipe",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Recipe: what is trained, evaluated and exported. [default: <home>/recipe.toml]",
)


def output_options(command: Any) -> Any:
    """Add the output options to a command: `form` (table, wide, csv, json or parquet) and `out`."""
    command = click.option("--out", type=click.Path(path_type=Path), help="Write to this file, not to the screen.")(
        command
    )
    for form, name in (("parquet", "Parquet"), ("json", "JSON Lines"), ("csv", "CSV")):
        command = click.option(f"--{form}", "form", flag_value=form, help=f"Write the rows as {name}.")(command)
    command = click.option("--wide", "form", flag_value="wide", help="Print all columns, however wide.")(command)
    help_text = "Print the columns that fit on the screen. [default]"
    return click.option("--table", "form", flag_value="table", default="table", help=help_text)(command)


def dialect_options(command: Any) -> Any:
    """Add the options on how to read texts to a command: `dialect`, made of encoding, dates, decimal comma and day."""

    @wraps(command)
    def with_dialect(
        *args: Any, encoding: str | None, dates: str | None, decimal_comma: bool, day: datetime | None, **options: Any
    ) -> Any:
        from recsys.ingest.dialect import Dialect
        from recsys.ingest.instants import DateOrder

        order = DateOrder(dates) if dates else None
        stated = Dialect(encoding, order, has_decimal_comma=decimal_comma, day=day.date() if day else None)
        return command(*args, dialect=stated, **options)

    encoding = click.option(
        "--encoding", metavar="NAME", help="Encoding of texts without a byte order mark. [default: utf-8]"
    )
    dates = click.option(
        "--dates",
        type=click.Choice(["day-first", "month-first"]),
        help="Order of day and month in dates like 01/05/2026.",
    )
    comma = click.option("--decimal-comma", is_flag=True, help="Numbers have a decimal comma (in CSV with ; they may).")
    day = click.option("--day", type=DATE, help="Day of files that date nothing, such as Spotify's saved tracks.")
    return encoding(dates(comma(day(with_dialect))))


def named_values(option: str, given: tuple[str, ...]) -> dict[str, str]:
    """Return the values of a repeated option NAME=VALUE, by name; raises InputError if one has no name."""
    for text in given:
        if "=" not in text:
            raise InputError(f"{option} is {text!r}; expected NAME=VALUE, such as n=10")
    return {name: value for name, _, value in (text.partition("=") for text in given)}


def today_of(home: Home) -> date:
    """Return today's date in the home's market time zone."""
    from recsys.lake.store import Lake

    return datetime.now(Lake(home).zone).date()


def now() -> datetime:
    """Return the current instant, in UTC."""
    return datetime.now(UTC)


def day_of(home: Home, as_of: datetime | None) -> date:
    """Return the day given by `date_option`; without one, yesterday in the home's market time zone."""
    return as_of.date() if as_of else today_of(home) - timedelta(days=1)


def set_time_zone(home: Home, time_zone: str | None) -> None:
    """Set the home's market time zone, if one is given; raises InputError if the home has data in another one."""
    from recsys.lake.store import Lake

    if time_zone is not None:
        Lake(home).set_zone(time_zone)


def recipe_of(home: Home, path: Path | None) -> Any:
    """Read the recipe given by `recipe_option`; without one, the home's recipe, or else the default recipe."""
    from recsys import recipe

    return recipe.recipe_of(home, path)


def run_of(
    home: Home, as_of: datetime | None, recipe: Path | None, *, warehouse: Mapping[str, str | None] | None = None
) -> "Run":
    """Return the run for a day and a recipe; it prints its events. Given values of [warehouse] replace the recipe's."""
    from recsys.cli.show import events
    from recsys.pipeline.run import Run

    settings = recipe_of(home, recipe)
    given = {name: value for name, value in (warehouse or {}).items() if value}
    settings = replace(settings, warehouse=replace(settings.warehouse, **given))
    return Run.of(home, day_of(home, as_of), settings, tell=events.event)


@contextmanager
def opened(home: Home) -> Iterator[None]:
    """Open a home for a change (`recsys.migration.opened`), and print what is migrated."""
    with migration.opened(home, partial(click.echo, err=True)):
        yield


@contextmanager
def opened_when_free(home: Home) -> Iterator[None]:
    """Open a home for a change as soon as no other run holds it: what was computed for hours must not be lost."""
    with ExitStack() as stack:
        is_waiting = False
        while True:
            try:
                stack.enter_context(opened(home))
                break
            except HomeIsBusy as busy:
                if not is_waiting:
                    click.echo(f"Waiting: {busy}", err=True)
                is_waiting = True
                sleep(BUSY_S)
        yield


def continue_run(run: "Run", needed: str, last: str) -> None:
    """Run the steps up to `last`; raises SetupError if the step `needed`, also the name of a command, is incomplete."""
    from recsys.pipeline import nightly as whole

    with opened(run.home):
        whole.continue_run(run, needed, last)


def warehouse_of(home: Home, path: Path | None = None) -> Any:
    """Open the warehouse file at `path`; without a path, the published warehouse."""
    from recsys.warehouse.query import Warehouse

    return Warehouse.open(path or home.published_warehouse())
