"""Commands for rights: what is wrong in the registry, royalties of a month, statements of owners."""

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from recsys.cli.options import now, opened, output_options, recipe_of, warehouse_of
from recsys.home import Home
from recsys.installation.extras import require

if TYPE_CHECKING:
    from recsys.warehouse.query import Warehouse

_RIGHTS = ("performing", "mechanical", "synchronisation")  # as contract.RIGHTS, which needs polars
_MODELS = ("pro_rata", "user_centric")


@click.group()
def rights() -> None:
    """Whose is it, and who is paid: conflicts of claims, royalties, statements of owners."""


@rights.command("check")
@click.option("--kind", "kinds", multiple=True, help="Only conflicts of this kind; may be repeated.")
@click.option("--ended", is_flag=True, help="Also conflicts that ended before the last day of the logs.")
@click.option("--count", is_flag=True, help="Count conflicts by kind instead of listing them.")
@output_options
@click.pass_obj
def check_rights(home: Home, /, kinds: tuple[str, ...], ended: bool, count: bool, form: str, out: Path | None) -> None:
    """List what is wrong in the registry of works, shares and recordings, the most played first."""
    from recsys.cli.show import tables
    from recsys.rights.check import conflicts, count_conflicts

    with warehouse_of(home) as warehouse:
        found = conflicts(warehouse, kinds, with_ended=ended)
    tables.answer(count_conflicts(found) if count else found, form, out)


def _pot(command: Any) -> Any:
    """Add the arguments of a pot to a command: month, amount and right."""
    command = click.option(
        "--right",
        "right_type",
        type=click.Choice(_RIGHTS),
        default=_RIGHTS[0],
        show_default=True,
        help="Right paid for.",
    )(command)
    command = click.option(
        "--pot", "amount", type=click.IntRange(min=0), required=True, help="Amount in minor units, such as cents."
    )(command)
    return click.argument("month", type=click.DateTime(["%Y-%m"]))(command)


@rights.command("royalties")
@_pot
@click.option("--by-artist-group", "by_group", is_flag=True, help="Compare both models by groups of artists.")
@output_options
@click.pass_obj
def divide(
    home: Home, /, month: datetime, amount: int, right_type: str, by_group: bool, form: str, out: Path | None
) -> None:
    """Divide a pot of MONTH (YYYY-MM) over owners, pro rata and user-centric: the operator's exact account."""
    from recsys.cli.show import tables
    from recsys.rights.royalties import Pot, compare

    with warehouse_of(home) as warehouse:
        found = compare(warehouse, Pot(month.date(), amount, right_type), by_group=by_group)
    tables.answer(found, form, out)


@rights.command("statements")
@_pot
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--model", type=click.Choice(_MODELS), default=_MODELS[0], show_default=True, help="How it is divided.")
@click.option("--currency", required=True, help="ISO 4217 code, such as EUR.")
@click.option("--pdf", "with_pdf", is_flag=True, help="Also write a page of PDF per owner.")
@click.pass_obj
def state(
    home: Home, /, month: datetime, amount: int, right_type: str, folder: Path, with_pdf: bool, **options: Any
) -> None:
    """Close MONTH (YYYY-MM) for all owners, once, and write a CSV file per owner to a new FOLDER."""
    from recsys.ledger.store import Ledger
    from recsys.rights.royalties import Pot
    from recsys.rights.statements import close_month, refuse_existing, write_statements

    refuse_existing(folder)  # this and the packages first: a closed month stays closed
    if with_pdf:
        require("matplotlib", "typst")
    settings, pot = recipe_of(home, None).labels, Pot(month.date(), amount, right_type)
    with opened(home), warehouse_of(home) as warehouse:
        rows = close_month(Ledger(home), warehouse, pot, settings=settings, **options)
        make_pdf = _pdf_maker(warehouse) if with_pdf else None
    click.echo(f"{len(write_statements(rows, folder, make_pdf)):,} statements are in {folder}")


def _pdf_maker(warehouse: "Warehouse") -> Callable[[Any], bytes]:
    """Return what makes the page of an owner's lines."""
    from recsys.reports.one_page.pdf import pdf
    from recsys.reports.rights_statement import Names, statement_page

    names = Names.read(warehouse)
    return lambda lines: pdf(statement_page(lines, names))


@rights.group("notice")
def notice() -> None:
    """Notices about conflicts and matches, with their evidence, and what was answered."""


def _signed(command: Any) -> Any:
    """Add who writes a step of a notice down, and a text."""
    command = click.option("--by", default="", help="Who issues it or writes it down, stored with it.")(command)
    return click.option("--note", default="", help="What is asked for, or what was answered.")(command)


@notice.command("issue")
@click.argument("kind")
@click.argument("subject")
@click.option("--to", "recipient", required=True, help="To whom: a name or an address.")
@click.option("--source", default="", help="Who states the conflict, where several sources have the SUBJECT.")
@_signed
@click.pass_obj
def issue_notice(home: Home, /, kind: str, subject: str, **options: str) -> None:
    """Write a notice about the conflict of a KIND and SUBJECT, or the `match` of a recording or upload."""
    require("matplotlib", "typst")
    from recsys.published.notices import issue

    with opened(home):
        folder = issue(home, kind, subject, issued_at=now(), **options)
    click.echo(f"Notice {folder.name} is in {folder}: notice.html and notice.pdf. Send it yourself")


@notice.command("answer")
@click.argument("number", metavar="NOTICE")
@click.argument("outcome", type=click.Choice(("accepted", "rejected", "withdrawn")))
@_signed
@click.pass_obj
def answer_notice(home: Home, /, number: str, outcome: str, by: str, note: str) -> None:
    """Write down that NOTICE was accepted or rejected by its recipient, or is withdrawn."""
    from recsys.rights.notices import ACCEPTED, Notices

    with opened(home):
        event = Notices(home).follow(number, outcome, answered_at=now(), by=by, note=note)
    click.echo(f"Notice {number} is {outcome}")
    if outcome == ACCEPTED:
        click.echo(f"If {event.subject} is a recording that must go: recsys takedown {event.subject}")


@notice.command("list")
@output_options
@click.pass_obj
def list_notices(home: Home, /, form: str, out: Path | None) -> None:
    """List notices with their last event; refuse if the log or a notice was changed."""
    from recsys.cli.show import tables
    from recsys.rights.notices import Notices

    tables.answer(Notices(home).table(), form, out)
