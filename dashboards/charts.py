"""
The chart types of all pages: lines and bars that are labelled directly, with units and intervals.

Colours are those of Okabe and Ito, which people of every colour vision can tell apart, ordered by contrast with a light
and with a dark background. No chart distinguishes series by colour alone.
"""

from datetime import timedelta
from textwrap import wrap
from typing import Any, TypeAlias

import altair as alt
import numpy as np
import polars as pl
import streamlit as st

Chart: TypeAlias = alt.LayerChart | alt.FacetChart

LIGHT = ("#0072B2", "#C25400", "#00795A", "#9C4F80", "#8F5F00", "#1F78A4")
DARK = ("#56B4E9", "#E69F00", "#2BC59B", "#E79AC4", "#F0E442", "#FF8A4C")
LIGHT_INK, DARK_INK = (
    ("#16202B", "#5B6875", "#D3DBE3"),
    ("#E9EEF3", "#A3B0BD", "#35414D"),
)  # text, secondary text, lines
BACKGROUND = {False: "#FFFFFF", True: "#0F151C"}  # of a page, by whether it is dark
CLICKED = "clicked"  # name of the selection
INTERVAL = "interval_text"  # name of the field that a tooltip shows
HEIGHT, ROW_HEIGHT = 280, 26  # of a chart over time, and of a bar with its gap [px]
NUMBER_WIDTH = 46  # of the number behind a bar [px]
FORECAST_NAMES = {False: "so far", True: "forecast"}  # names of the two lines of a forecast
SMALL = 10  # values below keep decimals instead of being shortened
NAME_GAP = 0.07  # vertical distance of two line names, as a share of the height
RANK_TICKS = (1, 2, 3, 5, 10, 20, 50, 100, 200)
NAME_MARGIN, N_DAY_TICKS = 0.55, 4  # space for names behind lines, as a share of their width; ticks of that axis
BAR_NAME_LENGTH, LINE_NAME_LENGTH = 30, 18  # characters of a name beside a bar, and behind a line
UNIT_LENGTH = 60  # characters per line of the text above a chart, as a phone shows it


def _is_dark() -> bool:
    return st.context.theme.type == "dark"


def _colours() -> tuple[str, ...]:
    return DARK if _is_dark() else LIGHT


def _background() -> str:
    return BACKGROUND[_is_dark()]


def _ink() -> tuple[str, str, str]:
    return DARK_INK if _is_dark() else LIGHT_INK


def _number_format(unit: str, values: pl.Series) -> str:
    """
    Return a number format: percentages for shares, two or three decimals for small values, shortened counts.

    Values from below 1 to large ones have one decimal: the short form of .641 would be 641m.
    """
    magnitudes = values.cast(pl.Float64).abs().fill_null(0).to_numpy()
    greatest, is_mixed = magnitudes.max(initial=0), bool(((magnitudes > 0) & (magnitudes < 1)).any())
    small = "d" if values.dtype.is_integer() else ".3f" if greatest < 1 else ".2f"
    return ".1%" if unit == "%" else small if greatest < SMALL else ",.1f" if is_mixed else ",.3~s"


def _tooltips(
    rows: pl.DataFrame, unit: str, *columns: str, interval: tuple[str, str] | None = None
) -> list[alt.Tooltip]:
    """Describe a mark in at most three lines: the columns, dates and numbers formatted, and the ends of an interval."""
    lines = [_tooltip(rows, unit, name) for name in columns]
    if interval:
        lines.append(alt.Tooltip(f"{INTERVAL}:N", title="interval"))
    return lines


def _tooltip(rows: pl.DataFrame, unit: str, name: str) -> alt.Tooltip:
    values = rows[name]
    form: Any = alt.Undefined
    if values.dtype == pl.Date:
        form = "%-d %b %Y"
    elif values.dtype.is_numeric():
        form = _number_format("" if values.dtype.is_integer() else unit, values)  # shares are no whole numbers
    return alt.Tooltip(name, title=name.removeprefix("n_").replace("_", " "), format=form)


def _with_interval(chart: Any, rows: pl.DataFrame, unit: str, low: str, high: str) -> Any:
    """Compute the text of an interval for tooltips."""
    ends = " + ' to ' + ".join(f"format(datum['{name}'], '{_number_format(unit, rows[name])}')" for name in (low, high))
    return chart.transform_calculate(INTERVAL, f"isValid(datum['{low}']) ? {ends} : 'none'")


def _day_axis(name: str) -> alt.X:
    return alt.X(f"{name}:T", title=None, axis=alt.Axis(format="%-d %b", tickCount=6, grid=False, labelFlush=True))


def _tick_label(unit: str) -> str:
    """Return the Vega expression that labels a tick of an axis: 0, 250, 1.5k, 20k, 15%."""
    if unit == "%":
        return "format(datum.value, '.0%')"
    return f"format(datum.value, abs(datum.value) < {SMALL} ? '~r' : '~s')"


def _value_axis(name: str, unit: str) -> alt.Y:
    axis = alt.Axis(tickCount=4, domain=False, ticks=False, title=None, labelExpr=_tick_label(unit))
    return alt.Y(f"{name}:Q", title=None, scale=alt.Scale(zero=True, nice=True), axis=axis)


def _horizontal_axis(unit: str, values: pl.Series) -> alt.Axis:
    tick_format = ".0%" if unit == "%" else _number_format(unit, values)
    return alt.Axis(format=tick_format, tickCount=5, domain=False, ticks=False, title=None)


def _name_axis(name: str) -> alt.Y:
    axis = alt.Axis(ticks=False, domain=False, labelLimit=220, labelOverlap=False)
    return alt.Y(f"{name}:N", sort=None, title=None, axis=axis)


def _styled(chart: Chart, unit: str, height: int) -> Chart:
    ink, quiet, line = _ink()
    unit_lines = [] if unit == "%" else wrap(unit, UNIT_LENGTH)
    heading = alt.TitleParams(
        unit_lines, anchor="start", color=quiet, fontSize=12, fontWeight="normal", offset=8, aria=False
    )
    axis = {"labelColor": quiet, "titleColor": quiet, "gridColor": line, "domainColor": line, "tickColor": line}
    styled: Chart = (
        chart.properties(height=height, title=heading)
        .configure(aria=False)  # a screen reader reads the alternative text alone, not each mark
        .configure_mark(aria=False)
        .configure_view(strokeWidth=0)
        .configure_axis(**axis, gridOpacity=0.7, labelFontSize=12, labelFlush=False)
        .configure_text(color=ink, fontSize=12)
    )
    return styled


def lines(
    rows: pl.DataFrame,
    x: str,
    y: str,
    *,
    by: str | None = None,
    unit: str,
    band: tuple[str, str] | None = None,
    points: bool = False,
) -> Chart:
    """
    Draw one line per series over days, with its name at the end.

    Args:
        rows: One row per day and series.
        x: Column of days.
        y: Column of values; the axis starts at 0.
        by: Column of series names; a single line if None.
        unit: Text above the chart; '%' for shares, 0..1.
        band: Columns with the lower and upper end of an interval, drawn behind the line.
        points: Whether to mark each value, for short series.
    """
    if by and rows.schema[by] == pl.Boolean:
        rows = rows.with_columns(pl.col(by).replace_strict(FORECAST_NAMES, return_dtype=pl.String))
    names = rows[by].unique(maintain_order=True).to_list() if by else [""]
    colour = (
        alt.Color(f"{by}:N", scale=alt.Scale(domain=names, range=_colours()[: len(names)]), legend=None)
        if by
        else alt.value(_colours()[0])
    )
    base = alt.Chart(rows).encode(x=_day_axis(x), color=colour)
    if band:
        base = _with_interval(base, rows, unit, *band)
    tooltips = _tooltips(rows, unit, x, y, *([by] if by and not band else []), interval=band)
    layers = [
        base.mark_line(strokeWidth=2, point=points).encode(y=_value_axis(y, unit)),
        base.mark_point(size=220, opacity=0).encode(y=f"{y}:Q", tooltip=tooltips),
    ]
    if band:
        low, high = band
        layers.insert(0, base.mark_area(opacity=0.18).encode(y=f"{low}:Q", y2=f"{high}:Q"))
    if by:
        gap = NAME_GAP * rows[y].cast(pl.Float64).fill_null(0).to_numpy().max(initial=0)
        ends = alt.Chart(_line_names(rows, x, y, by, gap)).encode(x=f"{x}:T", y="y:Q", color=colour)
        name_style: dict[str, Any] = {"align": "right", "dx": -4, "dy": -10, "fontWeight": "bold"}
        halo = ends.encode(text=f"{by}:N", color=alt.value(_background()))
        layers.append(halo.mark_text(**name_style, stroke=_background(), strokeWidth=4, strokeJoin="round"))
        layers.append(ends.mark_text(**name_style).encode(text=f"{by}:N"))
    return _styled(alt.layer(*layers), unit, HEIGHT)


def _line_names(rows: pl.DataFrame, x: str, y: str, by: str, gap: float) -> pl.DataFrame:
    """Return the position `y` of each line's name: at the end of the line, names at least `gap` apart."""
    ends = rows.filter(pl.col(y).is_not_null()).group_by(by, maintain_order=True).last().sort(y)
    heights = list[float]()
    for value in ends[y]:
        heights.append(max(float(value), heights[-1] + gap) if heights else float(value))
    return ends.select(by, x, pl.Series("y", heights))


def rank_lines(rows: pl.DataFrame, x: str, rank: str, *, by: str) -> Chart:
    """
    Draw one line per series of ranks over days, with rank 1 at the top of a logarithmic axis.

    Args:
        rows: One row per day and series.
        x: Column of days.
        rank: Column of ranks, 1 or greater; null interrupts the line.
        by: Column of series names, which are shown at the ends of the lines.
    """
    shortened = _with_short_series(rows, by, LINE_NAME_LENGTH)
    names = shortened[by].unique(maintain_order=True).to_list()
    upside_down = shortened.with_columns(-pl.col(rank).log())
    span = -float(upside_down[rank].fill_null(0).to_numpy().min(initial=-1))
    ends = _line_names(upside_down, x, rank, by, NAME_GAP * span).with_columns((-pl.col("y")).exp())
    scale = alt.Scale(type="log", domain=[float(np.exp(span)), 0.7 * min(1, *ends["y"])], nice=False)
    y = alt.Y(
        f"{rank}:Q", title=None, scale=scale, axis=alt.Axis(values=RANK_TICKS, domain=False, ticks=False, format="d")
    )
    colour = alt.Color(f"{by}:N", scale=alt.Scale(domain=names, range=_colours()[: len(names)]), legend=None)
    base = alt.Chart(shortened).encode(x=_day_axis_with_name_margin(x, shortened[x]), color=colour)
    texts = alt.Chart(ends).encode(x=f"{x}:T", y="y:Q", color=colour, text=f"{by}:N")
    layers = [
        base.mark_line(strokeWidth=2, point=True).encode(y=y),
        base.mark_point(size=220, opacity=0).encode(y=f"{rank}:Q", tooltip=_tooltips(shortened, "", by, x, rank)),
        texts.mark_text(align="left", dx=8, fontWeight="bold"),
    ]
    return _styled(alt.layer(*layers), "chart position", HEIGHT)


def _day_axis_with_name_margin(name: str, days: pl.Series) -> alt.X:
    """Return an axis of days with a margin behind the last day, where LINE_NAME_LENGTH characters fit on a phone."""
    first, last = min(days), max(days)
    end = last + max(NAME_MARGIN * (last - first), timedelta(days=1))
    tick_days = days.unique().sort().gather_every(-(-days.n_unique() // N_DAY_TICKS))
    ticks = [alt.DateTime(year=day.year, month=day.month, date=day.day) for day in tick_days]
    axis = alt.Axis(format="%-d %b", values=ticks, grid=False)
    return alt.X(f"{name}:T", title=None, axis=axis, scale=alt.Scale(domain=[str(first), str(end)]))


def bars(rows: pl.DataFrame, value: str, name: str, *, unit: str) -> Chart:
    """
    Draw one horizontal bar per row, in row order, with its name on the left and its value at the end.

    Args:
        rows: One row per bar.
        value: Column of values; negative bars point left.
        name: Column of names; equal ones are numbered.
        unit: Text above the chart; '%' for shares, 0..1.
    """
    shortened, has_losses = _with_short_names(rows, name), bool((rows[value] < 0).any())
    base = alt.Chart(shortened).encode(
        x=alt.X(f"{value}:Q", axis=None, scale=_scale_with_number_margin(rows[value])),
        y=_name_axis(name),
        tooltip=_tooltips(shortened, unit, name, value),
    )
    up, down = _colours()[0], _colours()[1]
    colour = alt.condition(f"datum['{value}'] < 0", alt.value(down), alt.value(up))
    text = base.encode(
        text=alt.Text(f"{value}:Q", format=("+" if has_losses else "") + _number_format(unit, rows[value]))
    )
    layers = [base.mark_bar(cornerRadiusEnd=2, height={"band": 0.7}).encode(color=colour)]
    layers.append(text.transform_filter(f"datum['{value}'] >= 0").mark_text(align="left", dx=5))
    if has_losses:
        layers.append(text.transform_filter(f"datum['{value}'] < 0").mark_text(align="right", dx=-5))
    return _styled(alt.layer(*layers), unit, ROW_HEIGHT * max(len(rows), 1) + 40)


def clickable(chart: Chart, columns: list[str]) -> Chart:
    """Let a click on a bar select its row, of which the selection CLICKED has these columns."""
    clicked: Chart = chart.add_params(alt.selection_point(name=CLICKED, fields=columns))
    return clicked


def intervals(
    rows: pl.DataFrame, value: str, name: str, *, unit: str, low: str, high: str, reference: str | None = None
) -> Chart:
    """
    Draw one point with its interval per row, in row order, with its name on the left.

    Args:
        rows: One row per point.
        value: Column of values.
        name: Column of names; equal ones are numbered.
        unit: Text above the chart; '%' for shares, 0..1.
        low: Column with the lower end of the interval; null where there is none.
        high: Column with the upper end.
        reference: Column with a value for comparison, drawn as a vertical tick.
    """
    shortened = _with_short_names(rows, name)
    base = _with_interval(alt.Chart(shortened), rows, unit, low, high).encode(
        x=alt.X(f"{value}:Q", scale=alt.Scale(zero=False, padding=12), axis=_horizontal_axis(unit, rows[value])),
        y=_name_axis(name),
        tooltip=_tooltips(shortened, unit, name, value, interval=(low, high)),
        color=alt.value(_colours()[0]),
    )
    layers = [
        base.mark_rule(strokeWidth=2).encode(x=alt.X(f"{low}:Q"), x2=f"{high}:Q"),
        base.mark_point(filled=True, size=70, opacity=1),
    ]
    if reference:
        ticks = base.mark_tick(thickness=3, size=16)
        layers.append(ticks.encode(x=alt.X(f"{reference}:Q"), color=alt.value(_colours()[1])))
    return _styled(alt.layer(*layers), unit, ROW_HEIGHT * max(len(rows), 1) + 70)


def timeline(rows: pl.DataFrame, start: str, end: str, name: str, *, unit: str) -> Chart:
    """
    Draw one bar per row from its start to its end; rows of the same name share a line.

    Args:
        rows: One row per bar.
        start: Column of starts.
        end: Column of ends.
        name: Column of names; lines are in order of first appearance.
        unit: Text above the chart.
    """
    shortened = _with_short_series(rows, name, BAR_NAME_LENGTH)
    axis = alt.Axis(format="~s", tickCount=6, domain=False, ticks=False)
    base = alt.Chart(shortened).encode(
        x=alt.X(f"{start}:Q", title=None, scale=alt.Scale(zero=True), axis=axis),
        x2=f"{end}:Q",
        y=alt.Y(f"{name}:N", sort=None, title=None, axis=alt.Axis(ticks=False, domain=False, labelLimit=220)),
        tooltip=_tooltips(shortened, unit, name, start, end),
    )
    marks = base.mark_bar(cornerRadius=2, height={"band": 0.6}, color=_colours()[0])
    return _styled(marks, unit, ROW_HEIGHT * max(shortened[name].n_unique(), 1) + 60)


def dot_plot(rows: pl.DataFrame, name: str, values: dict[str, str], *, unit: str) -> Chart:
    """
    Draw two or three values per row as points on one line, distinguished by colour and shape with a legend above.

    Args:
        rows: One row per line, in row order.
        name: Column of names.
        values: Column -> name in the legend; two or three.
        unit: '%' for shares, 0..1.
    """
    colours, shapes = _colours()[: len(values)], ("circle", "diamond", "square")
    long = rows.rename(values).unpivot(list(values.values()), index=name, variable_name="measure", value_name="value")
    y = _name_axis(name)
    x = alt.X("value:Q", title=None, axis=_horizontal_axis(unit, long["value"]))
    domain = list(values.values())
    points = alt.Chart(long).encode(
        x=x,
        y=y,
        color=alt.Color("measure:N", scale=alt.Scale(domain=domain, range=colours), legend=None),
        shape=alt.Shape("measure:N", scale=alt.Scale(domain=domain, range=shapes[: len(domain)]), legend=None),
        tooltip=_tooltips(long, unit, name, "measure", "value"),
    )
    ranges = alt.Chart(long).encode(x=alt.X("min(value):Q", title=None), x2="max(value):Q", y=y)
    layers = [
        ranges.mark_rule(color=_ink()[2], strokeWidth=3),
        points.mark_point(filled=True, size=90, opacity=1),
    ]
    marks = ("●", "◆", "■")
    legend = "   ".join(f"{mark} {measure}" for mark, measure in zip(marks, domain, strict=False))
    return _styled(alt.layer(*layers), legend, ROW_HEIGHT * max(len(rows), 1) + 70)


def heatmap(rows: pl.DataFrame, x: str, y: str, value: str, *, x_title: str) -> Chart:
    """
    Draw shares as a grid of cells, darker for greater shares, with the number in each cell.

    Args:
        rows: One row per cell.
        x: Column of whole numbers.
        y: Column of months.
        value: Column of shares, 0..1.
        x_title: Text above the columns.
    """
    months = rows.with_columns(pl.col(y).dt.strftime("%b %Y").alias("month"))
    base = alt.Chart(months).encode(
        x=alt.X(f"{x}:O", title=None, axis=alt.Axis(orient="top", labelAngle=0, ticks=False, domain=False)),
        y=alt.Y("month:O", sort=None, title=None, axis=alt.Axis(ticks=False, domain=False)),
    )
    lightest, darkest = ("#19222C", "#2F86BD") if _is_dark() else ("#EAF3F9", "#2D89B8")
    shade = alt.Color(f"{value}:Q", scale=alt.Scale(domain=[0, 1], range=[lightest, darkest]), legend=None)
    cells = base.mark_rect(cornerRadius=2).encode(color=shade, tooltip=_tooltips(months, "%", "month", x, value))
    numbers = base.mark_text().encode(text=alt.Text(f"{value}:Q", format=".0%"), color=alt.value(_ink()[0]))
    return _styled(alt.layer(cells, numbers), x_title, 34 * max(months["month"].n_unique(), 1) + 60)


def _scale_with_number_margin(values: pl.Series) -> alt.Scale:
    """Return a scale with space for the numbers behind bars, on the left too if there are negative bars."""
    left = NUMBER_WIDTH if values.cast(pl.Float64).fill_null(0).to_numpy().min(initial=0) < 0 else 0
    return alt.Scale(zero=True, range=[left, alt.ExprRef(f"width - {NUMBER_WIDTH}")])


def _with_short_names(rows: pl.DataFrame, name: str) -> pl.DataFrame:
    """Shorten the names of bars; each row keeps a name, and so a bar, of its own."""
    return rows.with_columns(_short_names(rows[name].cast(pl.String), BAR_NAME_LENGTH).alias(name))


def _with_short_series(rows: pl.DataFrame, name: str, most: int) -> pl.DataFrame:
    """Shorten the names of lines, each of which has several rows; different names stay different."""
    names = rows[name].cast(pl.String).unique(maintain_order=True)
    return rows.with_columns(pl.col(name).cast(pl.String).replace(names, _short_names(names, most)))


def _short_names(names: pl.Series, most: int) -> pl.Series:
    """Shorten names that would leave no space for the chart on a phone, and number those that are then equal."""
    is_long = pl.col("name").str.len_chars() > most
    short = pl.DataFrame({"name": names}).with_columns(
        pl.when(is_long).then(pl.col("name").str.head(most - 1) + "…").otherwise("name").alias("name")
    )
    number = pl.int_range(1, pl.len() + 1).over("name")
    numbered = pl.when(number > 1).then(pl.format("{} ({})", "name", number)).otherwise("name")
    return short.select(name=numbered).to_series()
