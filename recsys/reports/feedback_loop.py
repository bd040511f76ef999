"""
The report of a simulated feedback loop: an HTML page with plots and a table, and the values as CSV.

The simulation is repeated with different remedies (rerank rules, exploration); the first one, usually 'no remedy', is
the black line. Colours are the colour-blind safe palette of Okabe and Ito.
"""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import polars as pl
from matplotlib.figure import Figure

from recsys import files
from recsys.feedback.loop import LoopSettings, last_week
from recsys.reports.html import png, render
from recsys.warehouse.spreadsheet import csv_text

COLOURS = ("#000000", "#E69F00", "#56B4E9", "#009E73", "#CC79A7", "#0072B2", "#D55E00", "#999999")
MARKERS = "os^vDPX*"
MEANINGS = {
    "satisfaction": ("Satisfaction", "mean probability that a shown recording is liked"),
    "gini": ("Gini of exposure", "0: equal exposure of all tracks, 1: exposure of one track only"),
    "artists_alive": ("Active artists", "share of artists who gained a new listener through lists within four weeks"),
    "tracks_found": ("Tracks discovered", "share of tracks that gained a new listener through lists this week"),
}
N_COLUMNS = 2
NUMBERS, PAGE = "weeks.csv", "index.html"


def write_report(folder: Path, weeks: pl.DataFrame, settings: LoopSettings, description: str) -> Path:
    """
    Write the report: an HTML page that contains plots and values, and the values as CSV.

    Args:
        folder: Output folder, created if missing; an earlier report there is replaced.
        weeks: remedy, week, metric, value, from `loop.simulate`; the first remedy is the one that others are compared
            with.
        settings: Settings of the simulation.
        description: One sentence about the simulated listeners.

    Returns:
        Path of the page.
    """
    folder.mkdir(parents=True, exist_ok=True)
    files.write_text(folder / NUMBERS, csv_text(weeks))
    files.write_text(folder / PAGE, _page(weeks, settings, description))
    return folder / PAGE


def _plot(weeks: pl.DataFrame) -> Figure:
    metrics = weeks["metric"].unique(maintain_order=True).to_list()
    n_rows = -(-len(metrics) // N_COLUMNS)
    figure = Figure(figsize=(11, 3.1 * n_rows + 0.6), dpi=110, layout="constrained")
    axes = figure.subplots(n_rows, N_COLUMNS, squeeze=False).ravel()
    for metric, axis in zip(metrics, axes, strict=False):
        _draw(axis, weeks.filter(metric=metric), metric)
    for axis in axes[len(metrics) :]:
        axis.set_visible(False)
    handles, labels = axes[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=4, frameon=False)
    return figure


def _draw(axis: Any, values: pl.DataFrame, metric: str) -> None:
    remedies = values["remedy"].unique(maintain_order=True)
    for remedy, colour, marker in zip(remedies, COLOURS, MARKERS, strict=False):
        own = values.filter(remedy=remedy).sort("week")
        width = 2.4 if colour == COLOURS[0] else 1.4
        axis.plot(own["week"], own["value"], label=remedy, color=colour, marker=marker, markersize=4, linewidth=width)
    title, meaning = _meaning(metric)
    axis.set_title(f"{title}: {meaning}", loc="left", fontsize=9, parse_math=False)
    axis.set_xlabel("week", fontsize=8)
    axis.tick_params(labelsize=8)
    axis.xaxis.get_major_locator().set_params(integer=True)
    axis.spines[["top", "right"]].set_visible(False)
    axis.grid(axis="y", alpha=0.3)


def _meaning(metric: str) -> tuple[str, str]:
    if metric in MEANINGS:
        return MEANINGS[metric]
    return metric.removeprefix("exposure ").replace("=", ": ").replace("_", " "), "share of exposure"


def _page(weeks: pl.DataFrame, settings: LoopSettings, description: str) -> str:
    table = last_week(weeks)
    rows = [(name, values) for name, *values in table.iter_rows()]
    return render(
        "feedback_loop.html",
        description=description,
        n_weeks=weeks["week"].max(),
        plot=png(_plot(weeks)),
        titles=[_meaning(metric)[0] for metric in table.columns[1:]],
        rows=rows,
        base=rows[0][1],
        numbers=NUMBERS,
        csv=csv_text(weeks).encode(),
        settings=json.dumps(asdict(settings)),
    )
