"""Small plots of the time series of findings, in one image per section."""

from datetime import date
from typing import Any

from matplotlib.dates import DateFormatter
from matplotlib.figure import Figure

from recsys.reports.html import png
from recsys.reports.morning.findings import Finding, Section

COLOUR, QUIET = "#0072B2", "#666666"
N_PLOTS, N_COLUMNS = 6, 3  # plots per section; plots per row
WIDTH, HEIGHT = 11.0, 2.5  # of a row of plots [inch]
LEFT, RIGHT, ABOVE, BELOW = 0.6, 0.4, 0.35, 0.35  # space around each plot, for labels and title [inch]
TICKS = (0, 1 / 3, 2 / 3, 1)  # positions of dates on the axis, from the first day to the last
LONGEST = 34  # greatest length of a title [characters]


def picture(section: Section, last_day: date) -> bytes | None:
    """Plot up to six findings of a section as a PNG image; return None if there is nothing to plot."""
    drawn = [finding for finding in section.findings if not finding.series.is_empty()][:N_PLOTS]
    if not drawn:
        return None
    n_rows = -(-len(drawn) // N_COLUMNS)
    figure = Figure(figsize=(WIDTH, HEIGHT * n_rows), dpi=110)
    for number, finding in enumerate(drawn):
        _draw(figure.add_axes(_rectangle(*divmod(number, N_COLUMNS), n_rows)), finding, section.unit, last_day)
    return png(figure)


def _rectangle(row: int, column: int, n_rows: int) -> tuple[float, float, float, float]:
    """
    Return left, bottom, width and height of a plot, as shares of the image.

    They are fixed: a layout that matplotlib fits to the labels takes half of the time of a report.
    """
    width, height = WIDTH / N_COLUMNS, HEIGHT * n_rows
    bottom = (n_rows - 1 - row) * HEIGHT + BELOW
    return (
        (column * width + LEFT) / WIDTH,
        bottom / height,
        (width - LEFT - RIGHT) / WIDTH,
        (HEIGHT - BELOW - ABOVE) / height,
    )


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
    first = series["day"][0]
    axis.set_xticks(sorted({first + (last - first) * share for share in TICKS}))
    axis.xaxis.set_major_formatter(DateFormatter("%-d %b"))  # type: ignore[no-untyped-call]
    axis.tick_params(labelsize=8, colors=QUIET)
    axis.spines[["top", "right"]].set_visible(False)
    axis.grid(axis="y", alpha=0.25)
