"""Commands on the data of one listener: erase them, or export what is held about them."""

from pathlib import Path

import click

from recsys.cli.options import opened, recipe_of, today_of
from recsys.home import Home


@click.command()
@click.argument("listener")
@click.pass_obj
def erase(home: Home, listener: str) -> None:
    """Erase LISTENER (the account's id, or the pseudonym) from everything, and never let them in again."""
    from recsys.cli.show import privacy
    from recsys.erasure.erase import erase as erase_listener
    from recsys.erasure.report import write_report
    from recsys.ingest.copies import archive_of

    archive = archive_of(home, recipe_of(home, None).ingest)
    with opened(home):
        erased = erase_listener(home, listener, archive)
        privacy.erased(erased, write_report(home, erased, today_of(home)))


@click.command()
@click.argument("listener")
@click.option("--out", type=click.Path(path_type=Path), required=True, help="JSON file to write.")
@click.pass_obj
def access(home: Home, listener: str, out: Path) -> None:
    """Export everything that is held about LISTENER (the account's id, or the pseudonym), as JSON."""
    from recsys import files
    from recsys.cli.show import privacy
    from recsys.erasure.erase import held

    with opened(home):
        found = held(home, listener)
    files.write_json(out, found)
    privacy.held(found, out)
