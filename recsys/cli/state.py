"""Commands on what people set in the dashboards: the log of actions, backup, removal of an account."""

from pathlib import Path

import click

from recsys.cli.options import output_options
from recsys.home import Home


@click.group()
def state() -> None:
    """What people set in the dashboards, and the log of what operators did."""


@state.command()
@click.option("-n", type=click.IntRange(min=1), default=100, show_default=True, help="Number of entries.")
@output_options
@click.pass_obj
def log(home: Home, n: int, form: str, out: Path | None) -> None:
    """List what operators did: who, what, when, and how it ended; the newest first."""
    from recsys.cli.show import state as shown
    from recsys.cli.show import tables
    from recsys.state.actions import actions

    tables.answer(shown.rows(actions(home, n)), form, out)


@state.command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@click.pass_obj
def backup(home: Home, file: Path) -> None:
    """Copy state.sqlite to FILE, consistent even if the dashboards are in use."""
    from recsys.state.store import State

    State(home).backup(file)
    click.echo(f"{file} is a complete copy")


@state.command()
@click.argument("account")
@click.pass_obj
def forget(home: Home, account: str) -> None:
    """Remove what ACCOUNT (an e-mail address, sub:... or a learner) has set or played, and its name from the log."""
    from recsys.state.forget import forget as forget_account

    counts = forget_account(home, account)
    click.echo(", ".join(f"{n:,} {what}" for what, n in counts.items()))
