"""
The matching report as one HTML page with all images embedded, so that it can be mailed.

Each use is shown as two spectrograms with the time axis of the file: the file above, the matched recording below.
Corresponding moments are aligned; a difference in pitch appears as a vertical shift.
"""

from base64 import b64encode
from collections.abc import Iterable, Mapping
from html import escape
from io import BytesIO
from math import log2
from pathlib import Path
from typing import Any

import polars as pl
from matplotlib.figure import Figure

from recsys import files
from recsys.arrays import F32
from recsys.audio.fingerprint.fingerprinter import BINS_PER_SEMITONE, LOWEST_HZ, N_BINS, levelled_spectrogram
from recsys.matching.cue_sheets import Cue, CueSheet
from recsys.matching.pitch import excerpt_of
from recsys.matching.report import DISCLAIMER, INDEX_DISCLOSURE, MatchReport
from recsys.matching.uses import Use
from recsys.reports.wording import format_duration

MARKS_HZ = (250, 500, 1_000, 2_000)
STYLE = """
:root { color-scheme: light dark }
body { font: 15px/1.5 system-ui, sans-serif; max-width: 74rem; margin: 2rem auto; padding: 0 1rem }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; width: 100% }
th, td { padding: .3rem .6rem; text-align: left; border-bottom: 1px solid #8885; vertical-align: top }
td.n, th.n { text-align: right }
img { max-width: 100%; display: block; margin: .4rem 0 1.2rem }
svg { width: 100%; height: auto }
section { margin: 2.5rem 0 }
small, .quiet { opacity: .75 }
.wide { overflow-x: auto }
"""
TITLES = (
    "time in file",
    "recording",
    "artist",
    "label",
    "ISRC",
    "time in recording",
    "change",
    "probability",
    "false positives",
)
POINTS = ("at_1_percent", "at_01_percent")
Sounds = Mapping[tuple[Path, int], F32]  # (file, number of its cue) -> 8 kHz samples of the recording


def write_page(found: MatchReport, references: Sounds, path: Path) -> None:
    """
    Write the page.

    Args:
        found: Cue sheets of the files, with the owners of the recordings.
        references: 8 kHz samples of the recording of each cue, except recordings whose file is not available.
        path: Output file.
    """
    uses = found.table
    sections = "".join(_section(sheet, uses.filter(file=str(sheet.path)), references) for sheet in found.sheets)
    files.write_text(
        path,
        f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>Recordings found</title><style>{STYLE}</style></head><body>
<h1>Recordings found in {_count(len(found.sheets), "file")}</h1>
<p>{escape(DISCLAIMER)}</p>
{sections}
<section><h2>Match probability</h2>
<p>Probabilities are calibrated on recordings that are in no index. At the thresholds below, 1 % or 0.1 % of queries of
that length match a recording that they do not use. In a file of fourteen seconds or more, a use must pass the 0.1 %
threshold in one window of ten seconds, or the 1 % threshold in two windows that do not overlap.</p>
{_points(found)}
<p class="quiet">{escape(INDEX_DISCLOSURE)}</p></section>
</body></html>
""",
    )


def _count(n: int, thing: str) -> str:
    return f"{n:,} {thing}{'' if n == 1 else 's'}"


def _section(sheet: CueSheet, uses: pl.DataFrame, references: Sounds) -> str:
    title = f"<h2>{escape(sheet.path.name)} <small>{format_duration(sheet.duration_s)}</small></h2>"
    if sheet.failure is not None:
        return f"<section>{title}<p>It could not be decoded: {escape(sheet.failure.message)}</p></section>"
    if not sheet.cues:
        return f"<section>{title}<p>No recording of the catalogue was found in this file.</p></section>"
    pictures = "".join(
        _picture(cue, references.get((sheet.path, n)), uses.filter(audio_id=cue.use.audio_id))
        for n, cue in enumerate(sheet.cues)
    )
    return f"<section>{title}{_timeline(sheet)}<div class='wide'>{_table(uses)}</div>{pictures}</section>"


def _timeline(sheet: CueSheet) -> str:
    """Draw the time of each use in the file, one bar per use."""
    height = 16 * len(sheet.cues) + 22
    bars = "".join(_bar(cue.use, n, 1000 / sheet.duration_s) for n, cue in enumerate(sheet.cues))
    marks = "".join(
        f"<text x='{250 * n}' y='{height - 4}' font-size='12' fill='currentColor' "
        f"text-anchor='{('start', 'middle', 'middle', 'middle', 'end')[n]}'>"
        f"{format_duration(sheet.duration_s * n / 4)}</text>"
        for n in range(5)
    )
    return f"<svg viewBox='0 0 1000 {height}' role='img' aria-label='Time of each use in the file'>{bars}{marks}</svg>"


def _bar(use: Use, n: int, width_per_s: float) -> str:
    width = max(2.0, (use.ends_s - use.starts_s) * width_per_s)
    title = f"{format_duration(use.starts_s)} to {format_duration(use.ends_s)}"
    place = f"x='{use.starts_s * width_per_s:.1f}' y='{16 * n + 2}' width='{width:.1f}' height='12' rx='2'"
    return f"<rect {place} fill='#0072B2'><title>{title}</title></rect>"


def _table(uses: pl.DataFrame) -> str:
    return _rows(TITLES, map(_cells, uses.to_dicts()))


def _rows(titles: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    head = "".join(f"<th>{escape(title)}</th>" for title in titles)
    body = "".join(f"<tr>{''.join(f'<td>{escape(text)}</td>' for text in row)}</tr>" for row in rows)
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def _cells(row: dict[str, Any]) -> list[str]:
    repeats = f", and {row['n_places'] - 1} more times later" if row["n_places"] > 1 else ""
    return [
        f"{format_duration(row['starts_s'])} to {format_duration(row['ends_s'])}",
        f"{row['title'] or 'unknown title'} ({row['track_id'] or row['audio_id'][:12]})",
        row["artist_name"] or "unknown",
        row["label_name"] or "unknown",
        row["isrc"] or "",
        f"{format_duration(row['reference_starts_s'])} to {format_duration(row['reference_ends_s'])}{repeats}",
        row["transformation"],
        f"{row['probability']:.1%}",
        f"{row['false_positives']} of unrelated queries",
    ]


def _picture(cue: Cue, reference: F32 | None, owners: pl.DataFrame) -> str:
    name = owners["title"][0] if len(owners) and owners["title"][0] else cue.use.audio_id[:12]
    starts_s, ends_s = excerpt_of(cue.use)
    title = f"<h3>{escape(name)}, {format_duration(starts_s)} to {format_duration(ends_s)} of the file</h3>"
    sounds = [("the file", cue.sound), ("the recording", reference)]
    drawn = [(whose, frames) for whose, sound in sounds if (frames := _frames(sound)) is not None]
    missing = "" if reference is not None else "<p class='quiet'>The file of the recording is not available.</p>"
    return title + (f"<img alt='Spectrograms' src='{_png(drawn, starts_s, ends_s)}'>" if drawn else "") + missing


def _frames(sound: F32 | None) -> Any:
    frames = None if sound is None else levelled_spectrogram(sound)
    return None if frames is None else frames.numpy().T


def _png(drawn: list[tuple[str, Any]], starts_s: float, ends_s: float) -> str:
    figure = Figure(figsize=(11, 1.9 * len(drawn) + 0.4), layout="constrained")
    for axis, (whose, frames) in zip(figure.subplots(len(drawn), 1, squeeze=False)[:, 0], drawn, strict=True):
        axis.imshow(frames, origin="lower", aspect="auto", cmap="magma", extent=(starts_s, ends_s, 0, N_BINS))
        axis.set_ylabel(whose)
        axis.set_yticks([12 * BINS_PER_SEMITONE * log2(frequency / LOWEST_HZ) for frequency in MARKS_HZ], MARKS_HZ)
        axis.tick_params(labelsize=8)
    axis.set_xlabel("seconds of the file; frequency in Hz", fontsize=8)
    buffer = BytesIO()
    figure.savefig(buffer, dpi=100, metadata={"Software": None})
    return "data:image/png;base64," + b64encode(buffer.getvalue()).decode("ascii")


def _points(found: MatchReport) -> str:
    rows = [
        [f"{point['length_s']:g} s", *(f"{point[name]:.3f}" for name in POINTS)] for point in found.operating_points
    ]
    return _rows(("query length", "1 %", "0.1 %"), rows)
