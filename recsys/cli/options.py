"""Options that commands share, and what they mean in a home."""

from datetime import date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from recsys.home import Home, locked

if TYPE_CHECKING:
    from recsys.pipeline.run import Run

_DATE = click.DateTime(["%Y-%m-%d"])
date_option = click.option("--date", "as_of", type=_DATE, help="Last day of the logs to use. [default: yesterday]")
time_zone_option = click.option(
    "--time-zone", help="Market time zone, which decides where a day ends; fixed by the first file. [default: UTC]"
)
recipe_option = click.option(
    "--recipe", type=click.Path(path_type=Path, dir_okay=False), help="[default: <home>/recipe.toml]"
)


def output_options(command: Any) -> Any:
    """Give a command the options of its output: `form` (table, wide, csv, json or parquet) and `out`."""
    command = click.option("--out", type=click.Path(path_type=Path), help="Write to this file, not to the screen.")(
        command
    )
    for form in ("parquet", "json", "csv"):
        command = click.option(f"--{form}", "form", flag_value=form, help=f"Write the rows as {form}.")(command)
    command = click.option("--wide", "form", flag_value="wide", help="Print all columns, however wide.")(command)
    help_text = "Print the columns that fit on the screen. [default]"
    return click.option("--table", "form", flag_value="table", default="table", help=help_text)(command)


def today_of(home: Home) -> date:
    """Return today's date in the home's market time zone."""
    from recsys.lake.store import Lake

    return datetime.now(Lake(home).zone).date()


def day_of(home: Home, as_of: datetime | None) -> date:
    """Return the day of `date_option`, else yesterday in the home's market time zone."""
    return as_of.date() if as_of else today_of(home) - timedelta(days=1)


def set_time_zone(home: Home, time_zone: str | None) -> None:
    """Set the home's market time zone, if one is given; raises InputError if the home has another one already."""
    from recsys.lake.store import Lake

    if time_zone is not None:
        Lake(home).set_zone(time_zone)


def recipe_of(home: Home, path: Path | None) -> Any:
    """Read the recipe of `recipe_option`, else the home's own, else the default."""
    from recsys.recipe import read_recipe

    own = home.path / "recipe.toml"
    return read_recipe(path or (own if own.exists() else None))


def run_of(home: Home, as_of: datetime | None, recipe: Path | None) -> "Run":
    """Return the run of a day and a recipe, which prints its events."""
    from recsys.cli.show import events
    from recsys.pipeline.run import Run

    return Run.of(home, day_of(home, as_of), recipe_of(home, recipe), tell=events.event)


def continue_run(run: "Run", needed: str, last: str) -> None:
    """Do a run's steps up to `last`; raises SetupError unless the step `needed`, a command of its name, is complete."""
    from recsys.pipeline import nightly as whole

    with locked(run.home):
        run.require_complete(needed)
        whole.advance(run, last)


def warehouse_of(home: Home, path: Path | None = None) -> Any:
    """Open the warehouse file at `path`, else the published one."""
    from recsys.warehouse.query import Warehouse

    return Warehouse.open(path or home.published_warehouse())
