"""Commands of the service: start it, and make, list and remove the keys of its consumers."""

from pathlib import Path

import click

from recsys.cli.options import now, output_options, today_of
from recsys.home import Home
from recsys.installation.extras import require


@click.command()
@click.option("--port", type=click.IntRange(1, 65535), default=8600, show_default=True, help="TCP port.")
@click.option(
    "--address",
    default="127.0.0.1",
    show_default=True,
    help="Address to listen on; any other than this machine's own requires keys (docs/service.md).",
)
@click.option(
    "--rate",
    type=click.FloatRange(min=1),
    default=200.0,
    show_default=True,
    help="Requests per second of each consumer.",
)
@click.option(
    "--quota-mb",
    type=click.IntRange(min=1),
    default=1_000,
    show_default=True,
    help="Maximum size of the feedback that waits in the inbox [MB].",
)
@click.pass_obj
def serve(home: Home, port: int, address: str, rate: float, quota_mb: int) -> None:
    """Answer other programs over HTTP from the current release; without keys, on this machine only."""
    require("uvicorn", "starlette", "httptools", "prometheus_client")
    from recsys.serve.server import Limits, serve, service

    limits = Limits(rate, quota_mb * 1_000_000)
    serve(service(home, address, limits, today=lambda: today_of(home), now=now), address, port)


@click.group("serve-key")
def serve_key() -> None:
    """The keys of the programs that use the service."""


@serve_key.command()
@click.argument("name")
@click.option(
    "--scope",
    "scopes",
    type=click.Choice(["lists", "feedback", "metric", "operations", "label"]),
    multiple=True,
    required=True,
    help="What it may do; repeatable.",
)
@click.option("--label", "label_id", metavar="ID", help="With --scope label: the label.")
@click.pass_obj
def add(home: Home, name: str, scopes: tuple[str, ...], label_id: str | None) -> None:
    """Make a key for the program NAME, and print it; it is kept nowhere else."""
    from recsys.serve.keys import add_key, refuse_unknown_label

    if label_id is not None:
        refuse_unknown_label(home, label_id)
    click.echo(add_key(home, name, scopes, label_id))


@serve_key.command()
@click.argument("name")
@click.pass_obj
def remove(home: Home, name: str) -> None:
    """Remove the key of the program NAME; a running service refuses it within a second."""
    from recsys.serve.keys import remove_key

    remove_key(home, name)


@serve_key.command("list")
@output_options
@click.pass_obj
def list_keys(home: Home, form: str, out: Path | None) -> None:
    """List the programs that have a key, and their scopes."""
    from recsys.cli.show import tables
    from recsys.serve.keys import Keys

    tables.answer(Keys.read(home).table(), form, out)
