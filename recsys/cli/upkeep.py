"""Commands that maintain a home: runs, rollback, prune, doctor, dashboard, demo."""

import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from recsys.cli.options import now, opened
from recsys.home import Home

if TYPE_CHECKING:
    from recsys.demo.world import World


@click.command()
@click.pass_obj
def runs(home: Home) -> None:
    """List the runs with the gate's verdicts and the main metric."""
    from recsys.cli.show import runs

    runs.history(home)


@click.command()
@click.argument("run")
@click.pass_obj
def rollback(home: Home, run: str) -> None:
    """Make an earlier release current again: tables, model and lists."""
    from recsys.pipeline.publication import roll_back
    from recsys.state.actions import COMMAND_LINE, Actor

    with opened(home):
        roll_back(home, run, Actor(COMMAND_LINE), now())
    click.echo(f"{run} is current")


@click.command()
@click.option(
    "--keep", type=click.IntRange(min=0), default=7, show_default=True, help="Number of newest releases to keep."
)
@click.pass_obj
def prune(home: Home, keep: int) -> None:
    """Remove old releases; a release that is in use is kept."""
    from recsys.pipeline.plan import removable_files
    from recsys.releases import registry

    with opened(home):
        gone = registry.prune(home, keep, removable_files())
    click.echo("\n".join(gone) or "nothing to prune")


@click.command()
@click.pass_obj
def doctor(home: Home) -> None:
    """Check the machine, the home and its data, and print how to fix each problem."""
    from recsys.cli.show import runs
    from recsys.pipeline import doctor as doctoring

    sys.exit(runs.checks(list(doctoring.run_checks(home))))


@click.command()
@click.option("--port", type=click.IntRange(1, 65535), default=8501, show_default=True, help="TCP port.")
@click.option(
    "--address",
    default="127.0.0.1",
    show_default=True,
    help="Address to listen on; any other than this machine's own requires a login (docs/labels.md).",
)
@click.pass_obj
def dashboard(home: Home, port: int, address: str) -> None:
    """Start the dashboards; without a login, on this machine only."""
    from recsys.cli import dashboard as pages
    from recsys.login import has_login

    if not has_login(home):
        click.echo(
            "No login is set up, so everybody who opens the dashboards sees all data. Only this machine can open them."
        )
    pages.start(home, address=address, port=port)


_DEMO = Path("data/demo")


@click.command()
@click.argument("folder", type=click.Path(path_type=Path), default=_DEMO)
@click.option("--seed", default=7, show_default=True, help="Random seed: the same seed makes the same world.")
@click.option("--scale", default=1.0, show_default=True, help="Size: 1 is 2,500 listeners and a million listens.")
def demo(folder: Path, seed: int, scale: float) -> None:
    """Write the raw files of a synthetic world with its ground truth."""
    from recsys import demo as world
    from recsys.cli.show import runs

    runs.world(world.write_world(folder, _possible(world.World(seed=seed, scale=scale))))


def _possible(settings: "World") -> "World":
    """Return a world without what needs an extra that is not installed; it says what is left out."""
    from recsys.installation import extras
    from recsys.synth.render import NEEDS

    if lacking := extras.missing_message(*NEEDS):
        click.echo(f"The world will have no recordings. {lacking}", err=True)
        settings = replace(settings, n_tracks_with_audio=0)
    if lacking := extras.missing_message("py3langid"):
        click.echo(f"The world will have no lyrics. {lacking}", err=True)
        settings = replace(settings, n_tracks_with_lyrics=0)
    return settings
