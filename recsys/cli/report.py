"""Commands that write reports of one page as PDF."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from recsys.home import Home
from recsys.installation.extras import require

if TYPE_CHECKING:
    from recsys.reports.one_page.content import OnePage


def _pdf_options(command: Any) -> Any:
    """Add the option `out` to a command, which is refused first without the packages that write PDF."""
    help_text = "File of the report. [default: <home>/reports/pdf/<name>-<last day>.pdf]"
    return click.option("--out", type=click.Path(path_type=Path), callback=_check_packages, help=help_text)(command)


def _check_packages(_ctx: click.Context, _option: click.Parameter, out: Path | None) -> Path | None:
    require("matplotlib", "typst")
    return out


@click.group()
def report() -> None:
    """Write a report of one page as PDF, of an artist or a label."""


@report.command()
@click.argument("artist_id", metavar="ARTIST")
@click.option("--for", "viewer", metavar="LABEL", help="Show what this label sees, its ledger. [default: all figures]")
@_pdf_options
@click.pass_obj
def artist(home: Home, artist_id: str, viewer: str | None, out: Path | None) -> None:
    """Write the report of ARTIST: plays, forecast, recordings, audience, charts."""
    from recsys.published.one_page import artist_report

    _write(home, artist_report(home, artist_id, viewer), out)


@report.command()
@click.argument("label_id", metavar="LABEL")
@click.option("--ledger", "is_ledger", is_flag=True, help="Show what the label itself sees. [default: all figures]")
@_pdf_options
@click.pass_obj
def label(home: Home, label_id: str, is_ledger: bool, out: Path | None) -> None:
    """Write the report of LABEL: totals, plays over time, artists, recordings, audience, charts."""
    from recsys.published.one_page import label_report

    _write(home, label_report(home, label_id, is_ledger=is_ledger), out)


def _write(home: Home, page: "OnePage", out: Path | None) -> None:
    """Write a page to a file and print its path."""
    from recsys import files
    from recsys.reports.one_page.pdf import pdf
    from recsys.reports.wording import file_stem

    path = out or home.path / "reports" / "pdf" / f"{file_stem(page.name, page.last_day)}.pdf"
    content = pdf(page)
    files.write_atomically(path, lambda partial: partial.write_bytes(content))
    click.echo(path)
