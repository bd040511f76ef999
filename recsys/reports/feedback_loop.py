"""
The report of a simulated feedback loop: an HTML page with plots and a table, and the values as CSV.

The simulation is repeated with different remedies (rerank rules, exploration); the first one, usually 'no remedy', is
the black line. Colours are the colour-blind safe palette of Okabe and Ito.
"""

import json
from base64 import b64encode
from dataclasses import asdict
from html import escape
from io import BytesIO
from pathlib import Path
from typing import Any

import polars as pl
from matplotlib.figure import Figure

from recsys import files
from recsys.feedback.loop import LoopSettings, last_week

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
    weeks.write_csv(folder / NUMBERS)
    files.write_text(folder / PAGE, _page(weeks, settings, description))
    return folder / PAGE


def _picture(weeks: pl.DataFrame) -> str:
    """Return the plot as a data URL."""
    picture = BytesIO()
    _plot(weeks).savefig(picture, format="png", dpi=110, metadata={"Software": None})
    return _in_url("image/png", picture.getvalue())


def _in_url(kind: str, content: bytes) -> str:
    return f"data:{kind};base64,{b64encode(content).decode()}"


def _plot(weeks: pl.DataFrame) -> Figure:
    metrics = weeks["metric"].unique(maintain_order=True).to_list()
    n_rows = -(-len(metrics) // N_COLUMNS)
    figure = Figure(figsize=(11, 3.1 * n_rows + 0.6), layout="constrained")
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
    titles = "".join(f"<th>{escape(_meaning(metric)[0])}</th>" for metric in table.columns[1:])
    base = table.row(0)[1:]
    body = "".join(
        f"<tr><th>{escape(str(name))}</th>{''.join(map(_cell, values, base))}</tr>"
        for name, *values in table.iter_rows()
    )
    settings_text = escape(json.dumps(asdict(settings)))
    link = f'<a href="{_in_url("text/csv", weeks.write_csv().encode())}" download="{NUMBERS}">{NUMBERS}</a>'
    n_weeks = int(weeks["week"].max())  # type: ignore[arg-type]
    return f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Feedback loop over {n_weeks} weeks</title>
<style>
body {{ font: 15px/1.5 system-ui, sans-serif; max-width: 70rem; margin: 2rem auto; padding: 0 1rem; color: #222 }}
img {{ max-width: 100% }}
table {{ border-collapse: collapse; font-variant-numeric: tabular-nums }}
th, td {{ padding: .3rem .8rem; text-align: right; border-bottom: 1px solid #ddd }}
tr > th:first-child {{ text-align: left }}
small {{ color: #666 }}
</style></head><body>
<h1>Feedback loop over {n_weeks} weeks</h1>
<p>{escape(description)} Their preferences were drawn once and do not change; on average, all tracks are liked equally.
Each week the recommender is trained on all plays so far, and its lists influence the plays of the next week. The
simulation compares ways to counteract this loop (rerank rules, exploration) with simulated listeners; it does not
predict what happens on a real service.</p>
<img src="{_picture(weeks)}" alt="Each metric by week, one line per remedy; the values are in {NUMBERS}">
<h2>Week {n_weeks}</h2>
<table><thead><tr><th>lists</th>{titles}</tr></thead><tbody>{body}</tbody></table>
<p><small>In brackets: difference from the first line. All weeks: {link}. Settings: {settings_text}</small></p>
</body></html>
"""


def _cell(value: float, base: float) -> str:
    change = f" <small>({value - base:+.3f})</small>" if value != base else ""
    return f"<td>{value:.3f}{change}</td>"
