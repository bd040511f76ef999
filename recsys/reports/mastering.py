"""The mastering report of one file as an HTML page: facts, curves, tonal balance, and players for before and after."""

from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from recsys import files
from recsys.audio.features.loudness import STEP_S
from recsys.audio.features.spectral_balance import CENTRES_HZ
from recsys.audio.mastering.balance import Comparison, band_name
from recsys.audio.mastering.excerpt import excerpt, loudest_s
from recsys.audio.mastering.facts import Facts
from recsys.audio.mastering.mastered import Mastered
from recsys.audio.mastering.wording import done, remarks, rows
from recsys.audio.sandbox import run_one
from recsys.library.settings import AudioSettings
from recsys.reports.html import data_url, png, render

BEFORE, AFTER, REFERENCE = "#0072B2", "#D55E00", "#888888"
LOWEST_LUFS = -60.0  # of the curve
HALF_BLOCK_S = 1.5  # from the start of a block of 3 s to its middle


def write_page(mastered: Mastered, path: Path, settings: AudioSettings) -> None:
    """Write the page of a result; excerpts are decoded in a separate process, within the limits of the settings."""
    facts = mastered.facts
    start_s = loudest_s(facts.short_term_lufs)
    page = render(
        "mastering.html",
        name=files.printable(mastered.path.name),
        facts=[(row.name, row.value) for row in rows(facts)],
        after=None if mastered.after is None else [row.value for row in rows(mastered.after)],
        remarks=remarks(facts),
        playbacks=[play.sentence for play in mastered.playbacks],
        curve=png(_curve(facts, mastered.after)) if np.isfinite(facts.short_term_lufs).any() else None,
        balance=_balance(mastered),
        done=None if mastered.plan is None else done(mastered.plan, mastered.after),
        players=_players(mastered, start_s, settings),
        start_s=start_s,
    )
    files.write_text(path, page)


def _players(mastered: Mastered, start_s: float, settings: AudioSettings) -> list[tuple[str, str]]:
    """Return title and address of an excerpt of the file and of the copy."""
    paths = [("before", mastered.path), *([] if mastered.copy is None else [("after", mastered.copy)])]
    task = partial(excerpt, start_s=start_s)
    return [
        (
            title,
            data_url(run_one(task, path, limit_s=settings.limit_s, limit_bytes=settings.limit_gb << 30), "audio/flac"),
        )
        for title, path in paths
    ]


def _curve(before: Facts, after: Facts | None) -> Figure:
    figure = Figure(figsize=(11, 3), layout="constrained")
    axis = figure.subplots()
    for title, colour, facts in (("before", BEFORE, before), ("after", AFTER, after)):
        if facts is not None:
            seconds = HALF_BLOCK_S + STEP_S * np.arange(len(facts.short_term_lufs))
            axis.plot(seconds, np.maximum(facts.short_term_lufs, LOWEST_LUFS), color=colour, label=title, linewidth=1)
    axis.set_xlabel("time (s)")
    axis.set_ylabel("short-term loudness (LUFS)")
    axis.grid(alpha=0.3)
    axis.legend(frameon=False)
    return figure


def _balance(mastered: Mastered) -> dict[str, Any] | None:
    comparison = mastered.comparison
    if comparison is None:
        return None
    after = None if mastered.after is None else mastered.after.delivery.band_levels_db
    compared = None if after is None else Comparison.of(after, comparison.reference)
    return {
        "title": comparison.reference.title,
        "sentences": comparison.sentences(),
        "plot": png(_bands(comparison, compared)),
    }


def _bands(before: Comparison, after: Comparison | None) -> Figure:
    figure = Figure(figsize=(11, 3.2), layout="constrained")
    axis = figure.subplots()
    places, usual_db = np.arange(len(CENTRES_HZ)), before.reference.usual_db
    axis.fill_between(places, -usual_db, usual_db, color=REFERENCE, alpha=0.3, label="usual among the references")
    axis.axhline(0, color=REFERENCE, linewidth=1)
    axis.plot(places, before.difference_db, "o-", color=BEFORE, label="before")
    if after is not None:
        axis.plot(places, after.difference_db, "s-", color=AFTER, label="after")
    axis.set_xticks(places, [band_name(n) for n in places.tolist()])
    axis.set_ylabel("above the reference (dB)")
    axis.set_xlabel("octave band")
    axis.legend(frameon=False)
    return figure
