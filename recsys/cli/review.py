"""Commands for the review list of the cleaning: list, accept, reject."""

from pathlib import Path
from typing import Any

import click

from recsys.cli.options import now, opened, output_options, warehouse_of
from recsys.home import Home

_ALL = "all"
KINDS = (
    "duplicate",
    "wrong_artist",
    "wrong_genre",
    "wrong_tempo",
    "wrong_language",
)  # as contract.FINDING_KINDS, which needs polars


@click.group()
def review() -> None:
    """Review duplicates, wrong artists and doubted metadata that the cleaning found."""


@review.command("list")
@click.option(
    "--status",
    type=click.Choice(["proposed", "linked", "accepted", "rejected", _ALL]),
    default="proposed",
    show_default=True,
    help="Findings with this status.",
)
@click.option(
    "--kind",
    type=click.Choice([*KINDS, _ALL]),
    default=_ALL,
    show_default=True,
    help="Their kind.",
)
@click.option(
    "--order",
    type=click.Choice(["n_plays", "score"]),
    default="n_plays",
    show_default=True,
    help="The most played first, or the surest.",
)
@output_options
@click.pass_obj
def list_findings(home: Home, /, status: str, kind: str, order: str, form: str, out: Path | None) -> None:
    """List findings, the most played or the surest first."""
    from recsys.cleaning.review import findings
    from recsys.cli.show import tables
    from recsys.lake.store import Lake

    with warehouse_of(home) as warehouse:
        chosen = ("" if it == _ALL else it for it in (status, kind))
        tables.answer(findings(warehouse, Lake(home), *chosen, order=order), form, out)


def _decision(command: Any) -> Any:
    """Add the arguments of a decision to a command."""
    command = click.option("--note", default="", help="Reason, stored with the decision.")(command)
    command = click.option("--by", default="", help="Who decides, stored with the decision.")(command)
    return click.argument("findings", nargs=-1, required=True)(command)


@review.command()
@_decision
@click.pass_obj
def accept(home: Home, findings: tuple[str, ...], by: str, note: str) -> None:
    """Accept findings: link the recordings of a duplicate, or confirm that metadata is wrong."""
    _decide(home, findings, "accepted", by, note)


@review.command()
@_decision
@click.pass_obj
def reject(home: Home, findings: tuple[str, ...], by: str, note: str) -> None:
    """Reject findings: the recordings are not linked, and the finding is never proposed again."""
    _decide(home, findings, "rejected", by, note)


def _decide(home: Home, findings: tuple[str, ...], decision: str, by: str, note: str) -> None:
    from recsys.cleaning.review import decide
    from recsys.cli.show import music

    with opened(home):
        music.decided(decide(home, findings, decision, decided_at=now(), decided_by=by, note=note), decision)
