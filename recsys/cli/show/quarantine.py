"""Printed output about the quarantine: counts of refused rows, and the result of a replay."""

from pathlib import Path

import polars as pl

from recsys.cli.show.tables import answer, frame, note, out
from recsys.ingest.replay import ReplayReport


def counts(rows: pl.DataFrame, form: str, path: Path | None) -> None:
    """Print the counts of refused rows, or write them in another form; then the commands that go on from here."""
    if rows.is_empty() and form in {"table", "wide"}:
        out.print("The quarantine is empty")
        return
    answer(
        rows.select("batch", "source_file", "source_table", "reason", "column_name", "n_rows", "first_line"), form, path
    )
    if form in {"table", "wide"}:
        note.print("Rows and values: recsys quarantine show BATCH. After a fix: recsys quarantine replay", style="dim")


def replayed(report: ReplayReport) -> None:
    """Print what entered in a replay, and what is left."""
    batches = [
        {"file": batch.source_file, "table": batch.table, "accepted": batch.n_accepted}
        | {"duplicate": batch.n_duplicate, "batch": batch.batch}
        for batch in report.entered
    ]
    if batches:
        frame(pl.DataFrame(batches))
    else:
        out.print("No row entered")
    if report.n_left:
        out.print(f"{report.n_left:,} rows are still refused: recsys quarantine list")
    if report.n_unreadable:
        note.print(
            f"{report.n_unreadable:,} of them are not stored completely. To read them from their file again: "
            "recsys quarantine replay --file FILE",
            style="dim",
        )
