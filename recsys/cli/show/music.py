"""Printed output about recordings: scans, matches found, takedowns."""

from typing import TYPE_CHECKING

import polars as pl
from rich.padding import Padding

from recsys.cli.show.tables import frame, out

if TYPE_CHECKING:
    from recsys.library.scan import ScanReport
    from recsys.matching.calibrate import Recalibration
    from recsys.matching.report import MatchReport


def scanned(report: "ScanReport") -> None:
    """Print the counts of a scan, and the files that could not be decoded or only in part."""
    counts = {"analysed": report.n_analysed, "known": report.n_known, "same as another": report.n_copied}
    out.print(f"{report.n_files:,} files: " + ", ".join(f"{n:,} {what}" for what, n in counts.items()))
    for problem in report.problems():
        out.print(f"  {problem}", soft_wrap=True)
    if report.n_analysed or report.n_copied:
        out.print("To update the tables: recsys build")


def matched(found: "MatchReport") -> None:
    """Print the cue sheet of each file, or why the file could not be decoded."""
    from recsys.matching.report import LOOKED_FOR
    from recsys.reports.wording import format_duration

    uses = found.table
    for sheet in found.sheets:
        out.print(f"\n{sheet.file}  {format_duration(sheet.duration_s)}")
        own = uses.filter(file=sheet.file)
        if sheet.side_s:
            out.print(f"searched: {sheet.searched}")
        if sheet.failure is not None:
            out.print(f"not decoded: {sheet.failure.message}")
        elif own.is_empty():
            out.print("contains no recording of the catalogue")
        else:
            frame(own.select(*use_columns()))
    out.print(f"\n{LOOKED_FOR}")
    out.print("A match says that recordings sound alike, not that a right was infringed.")


def calibrated(found: "Recalibration") -> None:
    """Print the thresholds that were set on strangers, and the files that were left out."""
    rows = [
        (classifier.length_s, 100 * classifier.threshold_1_percent, 100 * classifier.threshold_01_percent)
        for classifier in found.calibration.classifiers
    ]
    frame(pl.DataFrame(rows, schema=["length of query (s)", "1 % point (%)", "0.1 % point (%)"], orient="row"))
    out.print(f"Thresholds set on {found.n_strangers:,} strangers; matches and nightly runs use them from now on.")
    out.print(found.certainty)
    for file in found.known:
        out.print(f"  left out, since it contains a recording that is looked for: {file}", soft_wrap=True)
    found.require_complete()


def search_results(rows: pl.DataFrame) -> None:
    """Print the results of a search: title, artist and id, and below why each is listed, or what it misses."""
    for rank, title, artist, track_id, why in rows.select(
        "rank", "title", "artist_name", "track_id", "why"
    ).iter_rows():
        name = " - ".join(filter(None, (title, artist)))
        out.print(f"{rank:>4}  {name}  ({track_id})", soft_wrap=True)
        out.print(Padding(why, (0, 0, 0, 6)))


def use_columns() -> tuple[pl.Expr | str, ...]:
    """Return what is printed of a use: where it is in the file and in the recording, and what was found."""
    from recsys.reports.wording import format_duration

    def span(start: str, end: str) -> pl.Expr:
        return pl.format(
            "{}-{}", *(pl.col(column).map_elements(format_duration, return_dtype=pl.String) for column in (start, end))
        )

    owner = pl.concat_str("title", "artist_name", "label_name", separator=", ", ignore_nulls=True)
    return (
        span("starts_s", "ends_s").alias("in the file"),
        "track_id",
        owner.alias("recording"),
        span("reference_starts_s", "reference_ends_s").alias("in it"),
        pl.col("transformation").alias("changed by"),
        pl.format("{} %", (100 * pl.col("probability")).round(1)).alias("probability"),
    )


def decided(findings: pl.DataFrame, decision: str) -> None:
    """Print the findings that a person accepted or rejected."""
    frame(findings.select("finding_id", "kind", "title", "artist_name", "other_title", "other_artist_name"))
    out.print(f"{findings.height:,} {decision}. Lists and links follow with the next nightly run.")


def taken_down(releases: list[str]) -> None:
    """Print the releases from whose indexes a takedown removed recordings."""
    out.print(
        f"Removed from the indexes of {len(releases)} releases: {', '.join(releases) or 'no index contained them'}"
    )
    out.print("Starting with the next nightly run, no list contains them.")
