"""Small plots of the time series of findings, in one image per section."""

from datetime import date
from typing import Any

from matplotlib.dates import AutoDateLocator, DateFormatter
from matplotlib.figure import Figure

from recsys.reports.html import png
from recsys.reports.morning.findings import Finding, Section

COLOUR, QUIET = "#0072B2", "#666666"
N_PLOTS, N_COLUMNS = 6, 3  # plots per section; plots per row
LONGEST = 34  # greatest length of a title [characters]


def picture(section: Section, last_day: date) -> bytes | None:
    """Plot up to six findings of a section as a PNG image; return None if there is nothing to plot."""
    drawn = [finding for finding in section.findings if not finding.series.is_empty()][:N_PLOTS]
    if not drawn:
        return None
    n_rows = -(-len(drawn) // N_COLUMNS)
    figure = Figure(figsize=(11, 2.5 * n_rows), dpi=110, layout="constrained")
    axes = figure.subplots(n_rows, N_COLUMNS, squeeze=False).ravel()
    for finding, axis in zip(drawn, axes, strict=False):
        _draw(axis, finding, section.unit, last_day)
    for axis in axes[len(drawn) :]:
        axis.set_visible(False)
    return png(figure)


def _draw(axis: Any, finding: Finding, unit: str, last_day: date) -> None:
    """Plot the values as a line with markers, so that missing days are visible, and annotate the last value."""
    series = finding.series.drop_nulls("value")
    axis.plot(series["day"].to_list(), series["value"].to_list(), color=COLOUR, marker="o", markersize=3, linewidth=1.4)
    last, value = series.row(-1)
    axis.annotate(f"{value:,.0f}", (last, value), (6, 0), textcoords="offset points", va="center", color=COLOUR)
    name = finding.name if len(finding.name) <= LONGEST else f"{finding.name[: LONGEST - 1]}…"
    axis.set_title(name, loc="left", fontsize=10, fontweight="bold", parse_math=False)
    axis.set_ylabel(unit, fontsize=8, color=QUIET)
    axis.set_ylim(bottom=0)
    axis.set_xlim(right=max(last_day, last))
    axis.margins(x=0.12)
    axis.xaxis.set_major_locator(AutoDateLocator(maxticks=5))  # type: ignore[no-untyped-call]
    axis.xaxis.set_major_formatter(DateFormatter("%-d %b"))  # type: ignore[no-untyped-call]
    axis.tick_params(labelsize=8, colors=QUIET)
    axis.spines[["top", "right"]].set_visible(False)
    axis.grid(axis="y", alpha=0.25)
