"""
The report of matching as one page that can be mailed: pictures are in it, nothing is fetched.

Each use is shown as two spectrograms on the time of the file, the file above, the recording below: what is the same
stands one above the other, and another pitch is a shift up or down.
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
from recsys.matching.report import ABOUT, INDEX_ABOUT, Found
from recsys.matching.uses import Use
from recsys.reports.wording import clock

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
TITLES = ("in the file", "recording", "artist", "label", "ISRC", "in the recording", "changed", "sure", "point")
POINTS = ("at_1_percent", "at_01_percent")
Sounds = Mapping[tuple[Path, int], F32]  # of a file's n-th cue: the sound of its recording


def write_page(found: Found, references: Sounds, path: Path) -> None:
    """
    Write the page.

    Args:
        found: What was found.
        references: 8 kHz sound of the recording beside each cue, as long as the recording's file is at hand.
        path: Where.
    """
    uses = found.table
    sections = "".join(_section(sheet, uses.filter(file=str(sheet.path)), references) for sheet in found.sheets)
    files.write_text(
        path,
        f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>Recordings found</title><style>{STYLE}</style></head><body>
<h1>Recordings found in {_count(len(found.sheets), "file")}</h1>
<p>{escape(ABOUT)}</p>
{sections}
<section><h2>How sure</h2>
<p>Probabilities are calibrated on recordings that are in no index. Above those below, 1 or .1 % of queries of that
length are taken for a recording that they do not use. In a file of fourteen seconds or more only what passes .1 % in
one window of ten seconds counts, or 1 % in two without a second in common.</p>
{_points(found)}
<p class="quiet">{escape(INDEX_ABOUT)}</p></section>
</body></html>
""",
    )


def _count(n: int, thing: str) -> str:
    return f"{n:,} {thing}{'' if n == 1 else 's'}"


def _section(sheet: CueSheet, uses: pl.DataFrame, references: Sounds) -> str:
    title = f"<h2>{escape(sheet.path.name)} <small>{clock(sheet.duration_s)}</small></h2>"
    if sheet.failure is not None:
        return f"<section>{title}<p>It could not be heard: {escape(sheet.failure.message)}</p></section>"
    if not sheet.cues:
        return f"<section>{title}<p>No recording of the catalogue was found in it.</p></section>"
    pictures = "".join(
        _picture(cue, references.get((sheet.path, n)), uses.filter(audio_id=cue.use.audio_id))
        for n, cue in enumerate(sheet.cues)
    )
    return f"<section>{title}{_timeline(sheet)}<div class='wide'>{_table(uses)}</div>{pictures}</section>"


def _timeline(sheet: CueSheet) -> str:
    """Draw when each use is heard, one bar a use."""
    height = 16 * len(sheet.cues) + 22
    bars = "".join(_bar(cue.use, n, 1000 / sheet.duration_s) for n, cue in enumerate(sheet.cues))
    marks = "".join(
        f"<text x='{250 * n}' y='{height - 4}' font-size='12' fill='currentColor' "
        f"text-anchor='{('start', 'middle', 'middle', 'middle', 'end')[n]}'>{clock(sheet.duration_s * n / 4)}</text>"
        for n in range(5)
    )
    return f"<svg viewBox='0 0 1000 {height}' role='img' aria-label='When each use is heard'>{bars}{marks}</svg>"


def _bar(use: Use, n: int, a_second: float) -> str:
    width = max(2.0, (use.ends_s - use.starts_s) * a_second)
    title = f"{clock(use.starts_s)} to {clock(use.ends_s)}"
    place = f"x='{use.starts_s * a_second:.1f}' y='{16 * n + 2}' width='{width:.1f}' height='12' rx='2'"
    return f"<rect {place} fill='#0072B2'><title>{title}</title></rect>"


def _table(uses: pl.DataFrame) -> str:
    return _rows(TITLES, map(_cells, uses.to_dicts()))


def _rows(titles: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    head = "".join(f"<th>{escape(each)}</th>" for each in titles)
    body = "".join(f"<tr>{''.join(f'<td>{escape(text)}</td>' for text in row)}</tr>" for row in rows)
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def _cells(row: dict[str, Any]) -> list[str]:
    repeats = f", and {row['n_places'] - 1} times later" if row["n_places"] > 1 else ""
    return [
        f"{clock(row['starts_s'])} to {clock(row['ends_s'])}",
        f"{row['title'] or 'unknown title'} ({row['track_id'] or row['audio_id'][:12]})",
        row["artist_name"] or "unknown",
        row["label_name"] or "unknown",
        row["isrc"] or "",
        f"{clock(row['reference_starts_s'])} to {clock(row['reference_ends_s'])}{repeats}",
        row["transformation"],
        f"{row['probability']:.1%}",
        f"{row['false_positives']} of strangers",
    ]


def _picture(cue: Cue, reference: F32 | None, owners: pl.DataFrame) -> str:
    name = owners["title"][0] if len(owners) and owners["title"][0] else cue.use.audio_id[:12]
    starts_s, ends_s = excerpt_of(cue.use)
    title = f"<h3>{escape(name)}, {clock(starts_s)} to {clock(ends_s)} of the file</h3>"
    sounds = [("the file", cue.sound), ("the recording", reference)]
    drawn = [(whose, frames) for whose, sound in sounds if (frames := _frames(sound)) is not None]
    missing = "" if reference is not None else "<p class='quiet'>The recording's own file is not at hand.</p>"
    return title + (f"<img alt='Spectrograms' src='{_png(drawn, starts_s, ends_s)}'>" if drawn else "") + missing


def _frames(sound: F32 | None) -> Any:
    frames = None if sound is None else levelled_spectrogram(sound)
    return None if frames is None else frames.numpy().T


def _png(drawn: list[tuple[str, Any]], starts_s: float, ends_s: float) -> str:
    figure = Figure(figsize=(11, 1.9 * len(drawn) + 0.4), layout="constrained")
    for axis, (whose, frames) in zip(figure.subplots(len(drawn), 1, squeeze=False)[:, 0], drawn, strict=True):
        axis.imshow(frames, origin="lower", aspect="auto", cmap="magma", extent=(starts_s, ends_s, 0, N_BINS))
        axis.set_ylabel(whose)
        axis.set_yticks([12 * BINS_PER_SEMITONE * log2(each / LOWEST_HZ) for each in MARKS_HZ], MARKS_HZ)
        axis.tick_params(labelsize=8)
    axis.set_xlabel("seconds of the file; frequency in Hz", fontsize=8)
    buffer = BytesIO()
    figure.savefig(buffer, dpi=100, metadata={"Software": None})
    return "data:image/png;base64," + b64encode(buffer.getvalue()).decode("ascii")


def _points(found: Found) -> str:
    rows = [[f"{point['length_s']:g} s", *(f"{point[at]:.3f}" for at in POINTS)] for point in found.points]
    return _rows(("query", "1 %", ".1 %"), rows)
