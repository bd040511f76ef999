"""
The report of a simulated feedback loop: a page with plots and a table, and the numbers behind them as CSV.

Colours are Okabe and Ito's, which the colour-blind can tell apart; the lists without a remedy are the black line.
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
    "satisfaction": ("Satisfaction", "mean chance that what is looked at is liked"),
    "gini": ("Gini of exposure", "0: all tracks are shown alike, 1: one is shown"),
    "artists_alive": ("Artists alive", "share for whom lists won a new listener in four weeks"),
    "tracks_found": ("Tracks found", "share for which lists won a new listener this week"),
}
N_COLUMNS = 2
NUMBERS, PAGE = "weeks.csv", "index.html"


def write_report(folder: Path, weeks: pl.DataFrame, settings: LoopSettings, about: str) -> Path:
    """
    Write the page, which can be mailed: plot and numbers are in it; and the numbers beside it.

    Args:
        folder: Where; what an earlier report left there is replaced.
        weeks: remedy, week, metric, value, as `loop.simulate` gives; the first remedy is what others are held against.
        settings: What was simulated.
        about: Whose listeners, in a sentence.

    Returns:
        The page.
    """
    folder.mkdir(parents=True, exist_ok=True)
    weeks.write_csv(folder / NUMBERS)
    files.write_text(folder / PAGE, _page(weeks, settings, about))
    return folder / PAGE


def _picture(weeks: pl.DataFrame) -> str:
    """Draw the plot as a URL that holds it."""
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


def _page(weeks: pl.DataFrame, settings: LoopSettings, about: str) -> str:
    table = last_week(weeks)
    titles = "".join(f"<th>{escape(_meaning(metric)[0])}</th>" for metric in table.columns[1:])
    base = table.row(0)[1:]
    body = "".join(
        f"<tr><th>{escape(str(name))}</th>{''.join(map(_cell, values, base))}</tr>"
        for name, *values in table.iter_rows()
    )
    told = escape(json.dumps(asdict(settings)))
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
<h1>Where {n_weeks} weeks of learning from its own lists lead</h1>
<p>{escape(about)} What they like was drawn once and does not change; every track is liked as well as any other in the
mean. Each week the recommender learns from what was played, and lists steer what is played next. A simulation says how
remedies compare in such a world, not what will happen in yours.</p>
<img src="{_picture(weeks)}" alt="Each metric by week, a line a remedy; the numbers are in {NUMBERS}">
<h2>Week {n_weeks}</h2>
<table><thead><tr><th>lists</th>{titles}</tr></thead><tbody>{body}</tbody></table>
<p><small>In brackets: against the first line. All weeks: {link}. {told}</small></p>
</body></html>
"""


def _cell(value: float, base: float) -> str:
    change = f" <small>({value - base:+.3f})</small>" if value != base else ""
    return f"<td>{value:.3f}{change}</td>"
