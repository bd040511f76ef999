"""
The matching report as one HTML page with all images embedded, so that it can be mailed.

Each use is shown as two spectrograms with the time axis of the file: the file above, the matched recording below.
Corresponding moments are aligned; a difference in pitch appears as a vertical shift.
"""

from collections.abc import Mapping
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
from recsys.matching.report import DISCLAIMER, INDEX_DISCLOSURE, LOOKED_FOR, MatchReport
from recsys.reports.html import png, render

MARKS_HZ = (250, 500, 1_000, 2_000)
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
    page = render(
        "matching.html",
        sections=[_section(sheet, uses.filter(file=sheet.file), references) for sheet in found.sheets],
        operating_points=found.operating_points,
        disclaimer=DISCLAIMER,
        looked_for=LOOKED_FOR,
        not_indexed=found.not_indexed,
        index_disclosure=INDEX_DISCLOSURE,
    )
    files.write_text(path, page)


def _section(sheet: CueSheet, uses: pl.DataFrame, references: Sounds) -> dict[str, Any]:
    """Return what the page shows of a file."""
    excerpts = [
        _excerpt(cue, references.get((sheet.path, n)), uses.filter(audio_id=cue.use.audio_id))
        for n, cue in enumerate(sheet.cues)
    ]
    return {"sheet": sheet, "uses": uses.to_dicts(), "excerpts": excerpts}


def _excerpt(cue: Cue, reference: F32 | None, owners: pl.DataFrame) -> dict[str, Any]:
    """Return what the page shows of a use; its spectrograms are None if no sound of it is available."""
    starts_s, ends_s = excerpt_of(cue.use)
    sounds = [("the file", cue.sound), ("the recording", reference)]
    drawn = [(whose, frames) for whose, sound in sounds if (frames := _frames(sound)) is not None]
    return {
        "name": owners["title"][0] if len(owners) and owners["title"][0] else cue.use.audio_id[:12],
        "starts_s": starts_s,
        "ends_s": ends_s,
        "spectrograms": _spectrograms(drawn, starts_s, ends_s) if drawn else None,
        "has_reference": reference is not None,
    }


def _frames(sound: F32 | None) -> Any:
    frames = None if sound is None else levelled_spectrogram(sound)
    return None if frames is None else frames.numpy().T


def _spectrograms(drawn: list[tuple[str, Any]], starts_s: float, ends_s: float) -> bytes:
    figure = Figure(figsize=(11, 1.9 * len(drawn) + 0.4), layout="constrained")
    for axis, (whose, frames) in zip(figure.subplots(len(drawn), 1, squeeze=False)[:, 0], drawn, strict=True):
        axis.imshow(frames, origin="lower", aspect="auto", cmap="magma", extent=(starts_s, ends_s, 0, N_BINS))
        axis.set_ylabel(whose)
        axis.set_yticks([12 * BINS_PER_SEMITONE * log2(frequency / LOWEST_HZ) for frequency in MARKS_HZ], MARKS_HZ)
        axis.tick_params(labelsize=8)
    axis.set_xlabel("seconds of the file; frequency in Hz", fontsize=8)
    return png(figure)
