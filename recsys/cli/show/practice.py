"""Printed output of the command practise."""

from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

from recsys.cli.show.tables import frame, out
from recsys.files import printable
from recsys.practice.remarks import remarks

if TYPE_CHECKING:
    from recsys.practice.practise import Practised
    from recsys.state.takes import PastTake

MOST_ROWS = 40  # the report has all


def practised(found: "Practised", past: list["PastTake"]) -> None:
    """Print scores, what to say about notes, the bars to practise, and earlier takes."""
    summary = found.summary
    out.print(f"pitch         {summary.pitch}")
    out.print(f"rhythm        {summary.rhythm}")
    out.print(f"completeness  {summary.completeness}; {_counted(len(found.judged.extra), 'extra note')}")
    out.print(f"left open     {_counted(summary.n_unsure, 'note')} of {len(found.judged.notes):,}")
    out.print(f"key           {summary.tuning}")
    out.print(f"tempo         {summary.tempo}")
    out.print(f"range         {summary.compass}")
    rows = remarks(found.judged)
    if rows:
        out.print("")
        names = [found.melody.measure, "time (s)", "note", "what", "cents", "ms"]
        frame(pl.DataFrame(rows[:MOST_ROWS], schema=names, orient="row", infer_schema_length=None))
        if len(rows) > MOST_ROWS:
            out.print(f"and {len(rows) - MOST_ROWS:,} more: write a report")
    out.print("")
    out.print("To practise: " + "; ".join(text for _, text in summary.bars) if summary.bars else "No fault was found")
    if len(past) > 1:
        out.print("")
        names = ["day", "pitch", "rhythm", "completeness"]
        frame(pl.DataFrame([_percent(it) for it in past], schema=names, orient="row"))


def written(found: "Practised", past: list["PastTake"], report: Path) -> None:
    """Write the report, HTML by its ending or JSON, and print where it is."""
    from recsys.practice.practise import write_json
    from recsys.reports.practice import write_page

    if report.suffix.lower() == ".html":
        write_page(found, past, report)
    else:
        write_json(found, report)
    out.print(printable(str(report)), soft_wrap=True)


def _counted(n: int, what: str) -> str:
    return f"{n:,} {what}{'' if n == 1 else 's'}"


def _percent(past: "PastTake") -> tuple[str, ...]:
    return (past.day, *("" if it is None else f"{it:.0%}" for it in (past.pitch, past.rhythm, past.completeness)))
