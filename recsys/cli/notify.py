"""Commands for messages about nightly runs: send a test, send one if a run is late."""

from datetime import datetime
from pathlib import Path

import click

from recsys.cli.options import date_option, day_of, recipe_of, recipe_option
from recsys.errors import SetupError
from recsys.home import Home


@click.group()
def notify() -> None:
    """Send messages to operators, as the section [notify] of the recipe says."""


@notify.command()
@recipe_option
@click.pass_obj
def test(home: Home, recipe: Path | None) -> None:
    """Send a test message every way that the recipe sets."""
    from recsys.notify.send import send_test

    _report(send_test(recipe_of(home, recipe).notify, home.path))
    click.echo("sent")


@notify.command()
@date_option
@recipe_option
@click.pass_obj
def late(home: Home, as_of: datetime | None, recipe: Path | None) -> None:
    """Send a message if no release has the data of the date yet; for a timer at the time when one should."""
    from recsys.pipeline.notices import send_late

    day = day_of(home, as_of)
    is_late, failed = send_late(home, recipe_of(home, recipe).notify, day)
    _report(failed)
    click.echo(f"{day} is late" if is_late else f"{day} is published")


def _report(failed: list[str]) -> None:
    if failed:
        raise SetupError(". ".join(failed))
