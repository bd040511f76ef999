"""Commands on the ledger of labels' figures: withhold a period, start anew, attack."""

import sys
from datetime import datetime

import click

from recsys.cli.options import DATE, opened
from recsys.home import Home


@click.group()
def labels() -> None:
    """Withhold figures that labels see, or start their ledger anew."""


@labels.command()
@click.argument("label_id", metavar="LABEL")
@click.argument("first", type=DATE, metavar="FROM")
@click.argument("last", type=DATE, metavar="TO")
@click.pass_obj
def void(home: Home, label_id: str, first: datetime, last: datetime) -> None:
    """Withhold the figures of LABEL for the periods from day FROM to day TO, for good."""
    from recsys.ledger.amend import void_period
    from recsys.state.alerts import withdraw

    with opened(home):
        n_lines = void_period(home, label_id, first.date(), last.date())
        withdraw(home, label_id, first.date(), last.date())
    click.echo(f"{n_lines:,} lines are withheld from the next release on. Publish one: recsys build")


@labels.command()
@click.pass_obj
def restart(home: Home) -> None:
    """Start the ledger anew with the next week, if it is damaged and there is no backup."""
    from recsys.pipeline.publication import restart_ledger

    with opened(home):
        first_day, aside = restart_ledger(home)
    click.echo(
        f"The ledger starts anew with {first_day}. Its former files are in {aside or 'no folder: there were none'}"
    )


@labels.command()
@click.argument("label_ids", metavar="LABEL...", nargs=-1)
@click.option("--owner", "owners", multiple=True, help="An owner of works, whose statements are attacked; repeatable.")
@click.pass_obj
def audit(home: Home, label_ids: tuple[str, ...], owners: tuple[str, ...]) -> None:
    """Attack what labels or owners of works see together: can they work out what few listeners played?"""
    from recsys.cli.show.labels import attacked
    from recsys.published.label_audit import audit_labels, audit_owners

    if not label_ids and not owners:
        raise click.UsageError("Name a label, or an owner of works with --owner")
    attacks = [*(audit_labels(home, label_ids) if label_ids else []), *(audit_owners(home, owners) if owners else [])]
    unsafe = [attack for attack in attacks if not attack.is_safe]
    click.echo(f"{len(attacks):,} groups of at most nine listeners attacked, {len(unsafe):,} narrowed down too far")
    attacked(unsafe[:20])
    sys.exit(1 if unsafe else 0)
