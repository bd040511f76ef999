"""Printed output of the commands for takes and stems."""

from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

import polars as pl

from recsys.cli.show.tables import frame, out
from recsys.files import printable

if TYPE_CHECKING:
    from recsys.studio.mix.facts import PairFacts
    from recsys.studio.mix_stems import MixReport
    from recsys.studio.tune_vocal import TuneReport

MOST_PAIRS = 28  # of 8 stems; the report has all
MIN_SHARE = 0.005


def tuned(report: "TuneReport", written: Path) -> None:
    """Print each note with its cents before and after, then medians and the file that was written."""
    rows = [
        (round(it.start_s, 2), round(it.end_s, 2), it.note, it.cents_before, it.cents_after, it.left_alone)
        for it in report.notes
    ]
    names = ["start (s)", "end (s)", "note", "cents before", "cents after", "left alone"]
    notes = pl.DataFrame(rows, schema=names, orient="row", infer_schema_length=None)
    if rows:
        frame(notes.with_columns(pl.col("cents before", "cents after").cast(pl.Float64).round(0)))
    before = [abs(note.cents_before) for note in report.corrected]
    after = [abs(note.cents_after) for note in report.corrected if note.cents_after is not None]
    if before and after:
        out.print(f"Median distance from the target: {median(before):.0f} cents before, {median(after):.0f} after")
    counts = f"{len(report.corrected):,} of {len(report.notes):,} notes corrected"
    out.print(f"{counts}, {report.changed_share:.0%} of the samples changed")
    if report.n_clipped:
        out.print(f"{report.n_clipped:,} samples of the result exceed full scale and were clipped: lower the stem")
    if report.lost_s:
        out.print(f"{report.lost_s:.1f} s could not be decoded")
    out.print(printable(str(written)), soft_wrap=True)


def mixed(report: "MixReport") -> None:
    """Print facts of each stem, which stems share sound or cover each other, and what to try."""
    rows = [
        (it.name, it.loudness_lufs, it.true_peak_dbtp, it.crest_db, it.position, it.n_clipped or None)
        for it in report.stems
    ]
    names = ["stem", "LUFS", "peak (dBTP)", "crest (dB)", "position", "flat tops"]
    columns = dict.fromkeys(names[1:5], pl.Float64) | {"flat tops": pl.Int64}
    facts = pl.DataFrame(rows, schema={"stem": pl.String, **columns}, orient="row")
    frame(facts.with_columns(pl.col("LUFS", "peak (dBTP)", "crest (dB)").round(1), pl.col("position").round(2)))
    if report.pairs:
        out.print("")
        frame(_pairs(report))
    out.print("")
    if report.mix_peak_db is not None:
        out.print(f"The sum of all stems has a peak of {report.mix_peak_db:.1f} dB of full scale")
    for text in report.notes:
        out.print(text)
    if report.reference:
        out.print(f"Compared with {report.reference}")
    for text in report.too_large:
        out.print(text)
    if report.reference and not report.n_compared:
        out.print("No level could be compared with the reference")
    for number, advice in enumerate(report.advice, 1):
        out.print(f"{number}. {advice.text}")
    if not report.advice:
        is_alike = report.n_compared and not report.too_large
        out.print("Nothing to try: no fault" + (", and no difference from the reference" if is_alike else ""))


def _pairs(report: "MixReport") -> pl.DataFrame:
    """Return the pairs of stems: correlation, and how much of its time each covers the other at most, in which band."""
    shown = sorted(report.pairs, key=lambda pair: -abs(pair.best_correlation))[:MOST_PAIRS]
    rows = [
        (it.first, it.second, it.correlation, it.best_correlation, it.best_lag_ms, _most_covered(it, report))
        for it in shown
    ]
    columns = dict.fromkeys(["corr.", "best", "at (ms)"], pl.Float64)
    rows_of_pairs = pl.DataFrame(
        rows, schema={"stem": pl.String, "and": pl.String, **columns, "covers most": pl.String}, orient="row"
    )
    return rows_of_pairs.with_columns(pl.col("corr.", "best").round(2) + 0.0, pl.col("at (ms)").round(1) + 0.0)


def _most_covered(pair: "PairFacts", report: "MixReport") -> str | None:
    shares = [
        (share, f"{name} {low}-{high} Hz {share:.0%}")
        for name, by_band in ((pair.first, pair.covers), (pair.second, pair.covered))
        for (low, high), share in zip(report.bands_hz, by_band, strict=True)
        if share is not None and share >= MIN_SHARE
    ]
    return max(shares)[1] if shares else None
