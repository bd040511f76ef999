"""
The chart types of all pages: lines and bars that are labelled directly, with units and intervals.

Colours are those of Okabe and Ito, which people of every colour vision can tell apart, ordered by contrast with a light
and with a dark background. No chart distinguishes series by colour alone.
"""

from datetime import timedelta
from textwrap import wrap
from typing import Any, Literal, TypeAlias

import altair as alt
import numpy as np
import polars as pl
import streamlit as st

from dashboards import chart_names, outlines

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
HEIGHT, BAR_HEIGHT = 280, 18  # of a chart over time, and of a bar [px]
NUMBER_WIDTH = 46  # of the number behind a bar [px]
FORECAST_NAMES = {False: "so far", True: "forecast"}  # names of the two lines of a forecast
SMALL = 10  # values below keep decimals instead of being shortened
NAME_GAP = 0.07  # vertical distance of two line names, as a share of the height
RANK_TICKS = (1, 2, 3, 5, 10, 20, 50, 100, 200)
NAME_MARGIN, N_DAY_TICKS = 0.55, 4  # space for names behind lines, as a share of their width; ticks of that axis
OUTLINE, MAP_HEIGHT = "outline", 390  # name of the data of a map; its height [px]
# Colours of maps by whether the page is dark: small and great shares; less, as much, and more; no value; no row.
SHARE_COLOURS = {False: ("#D3E6F3", "#00466F"), True: ("#1D4864", "#A9DCF8")}
RATIO_COLOURS = {False: ("#B04C00", "#E9E4D8", "#00639B"), True: ("#F09A2A", "#4A4F55", "#62BDF0")}
NO_VALUE, NO_ROW = {False: "#AEB6BE", True: "#6B747D"}, {False: "#EEF1F4", True: "#1C252E"}
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
    title = name.removeprefix("n_").replace("_", " ")
    return alt.Tooltip(name, type=_type(values.dtype), title=title, format=form)


def _with_interval(chart: Any, rows: pl.DataFrame, unit: str, low: str, high: str) -> Any:
    """Compute the text of an interval for tooltips."""
    ends = " + ' to ' + ".join(f"format(datum['{name}'], '{_number_format(unit, rows[name])}')" for name in (low, high))
    return chart.transform_calculate(INTERVAL, f"isValid(datum['{low}']) ? {ends} : 'none'")


def _type(dtype: pl.DataType) -> Literal["nominal", "quantitative", "temporal"]:
    return "quantitative" if dtype.is_numeric() else "temporal" if dtype.is_temporal() else "nominal"


def _day_axis(name: str) -> alt.X:
    return alt.X(f"{name}:T", title=None, axis=alt.Axis(format="%-d %b", tickCount=6, grid=False, labelFlush=True))


def _time_axis(rows: pl.DataFrame, name: str, title: str) -> alt.X:
    """Return an axis of days, or of whole numbers with a title below it."""
    if not rows.schema[name].is_integer():
        return _day_axis(name)
    axis = alt.Axis(format="d", tickMinStep=1, grid=False, labelFlush=True, titleFontSize=12, titleFontWeight="normal")
    return alt.X(f"{name}:Q", title=title, scale=alt.Scale(zero=False, nice=False), axis=axis)


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
        .configure_legend(labelColor=quiet, labelFontSize=12)
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
    x_title: str = "",
    notes: pl.DataFrame | None = None,
) -> Chart:
    """
    Draw one line per series over days, with its name at the end.

    Args:
        rows: One row per day and series.
        x: Column of days, or of whole numbers such as days since something.
        y: Column of values; the axis starts at 0.
        by: Column of series names; a single line if None.
        unit: Text above the chart; '%' for shares, 0..1.
        band: Columns with the lower and upper end of an interval, drawn behind the line; down to the axis where only
            the upper end is known.
        points: Whether to mark each value, for short series.
        x_title: Text below the axis of whole numbers.
        notes: What happened, from `curve_notes.notes_on`: numbers on the line, with a text on hover.
    """
    if by and rows.schema[by] == pl.Boolean:
        rows = rows.with_columns(pl.col(by).replace_strict(FORECAST_NAMES, return_dtype=pl.String))
    elif by:
        rows = chart_names.behind(rows, by)
    colour = _series_colour(rows, by) if by else alt.value(_colours()[0])
    base = alt.Chart(rows).encode(x=_time_axis(rows, x, x_title), color=colour)
    if band:
        base = _with_interval(base, rows, unit, *band)
    tooltips = _tooltips(rows, unit, x, y, *([by] if by and not band else []), interval=band)
    layers = [
        base.mark_line(strokeWidth=2, point=points).encode(y=_value_axis(y, unit)),
        base.mark_point(size=220, opacity=0).encode(y=f"{y}:Q", tooltip=tooltips),
    ]
    if band:
        low, high = band
        bottom = f"isValid(datum['{high}']) && !isValid(datum['{low}']) ? 0 : datum['{low}']"
        area = base.transform_calculate(bottom=bottom).mark_area(opacity=0.18)
        layers.insert(0, area.encode(y="bottom:Q", y2=f"{high}:Q"))
    if by:
        layers += _named_ends(rows, x, y, by)
    if notes is not None and not notes.is_empty():
        layers += _numbered_marks(notes)
    return _styled(alt.layer(*layers), unit, HEIGHT)


def _numbered_marks(notes: pl.DataFrame) -> list[alt.Chart]:
    """Return a circle with its number for each note, at its day and height."""
    tooltips = [alt.Tooltip("day:T", title="day", format="%-d %b %Y"), alt.Tooltip("text:N", title="note")]
    marks = alt.Chart(notes).encode(x="day:T", y="height:Q", tooltip=tooltips)
    circle = marks.mark_point(size=260, filled=True, opacity=1, fill=_background(), stroke=_ink()[0], strokeWidth=1.5)
    number = marks.mark_text(fontSize=10, fontWeight="bold", baseline="middle", dy=0.5).encode(text="no:Q")
    return [circle, number]


def _series_colour(rows: pl.DataFrame, by: str) -> alt.Color:
    names = rows[by].unique(maintain_order=True).to_list()
    return alt.Color(f"{by}:N", scale=alt.Scale(domain=names, range=_colours()[: len(names)]), legend=None)


def _named_ends(rows: pl.DataFrame, x: str, y: str, by: str) -> list[alt.Chart]:
    """Return the names of lines: beside the chart for those that end with it, above its end for any other line."""
    gap = NAME_GAP * rows[y].cast(pl.Float64).fill_null(0).to_numpy().max(initial=0)
    ends, layers = _line_ends(rows, y, by), list[alt.Chart]()
    is_last = pl.col(x) == rows[x].max()
    beside: dict[str, Any] = {"align": "left", "dx": 6}
    above: dict[str, Any] = {"align": "right", "dx": -4, "dy": -10}
    for some, style in ((ends.filter(is_last), beside), (ends.filter(~is_last), above)):
        texts = alt.Chart(_apart(some.select(by, x, y=y), gap)).encode(x=x, y="y:Q", text=f"{by}:N")
        style |= {"fontWeight": "bold", "baseline": "middle", "limit": chart_names.end_width()}
        halo = texts.encode(color=alt.value(_background()))
        layers.append(halo.mark_text(**style, stroke=_background(), strokeWidth=4, strokeJoin="round"))
        layers.append(texts.mark_text(**style).encode(color=_series_colour(rows, by)))
    return layers


def _line_ends(rows: pl.DataFrame, y: str, by: str) -> pl.DataFrame:
    """Return the last row of each line that has a value."""
    return rows.filter(pl.col(y).is_not_null()).group_by(by, maintain_order=True).last()


def _apart(ends: pl.DataFrame, gap: float) -> pl.DataFrame:
    """Move texts at the heights `y` up until they are at least `gap` apart."""
    heights = list[float]()
    for value in ends["y"].sort():
        heights.append(max(float(value), heights[-1] + gap) if heights else float(value))
    return ends.sort("y").with_columns(pl.Series("y", heights, pl.Float64))


def rank_lines(rows: pl.DataFrame, x: str, rank: str, *, by: str) -> Chart:
    """
    Draw one line per series of ranks over days, with rank 1 at the top of a logarithmic axis.

    Args:
        rows: One row per day and series.
        x: Column of days.
        rank: Column of ranks, 1 or greater; null interrupts the line.
        by: Column of series names, which are shown at the ends of the lines.
    """
    shortened = chart_names.behind(rows, by)
    upside_down = shortened.with_columns(-pl.col(rank).log())
    span = -float(upside_down[rank].fill_null(0).to_numpy().min(initial=-1))
    named = _line_ends(upside_down, rank, by).select(by, x, y=rank)
    ends = _apart(named, NAME_GAP * span).with_columns((-pl.col("y")).exp())
    scale = alt.Scale(type="log", domain=[float(np.exp(span)), 0.7 * min(1, *ends["y"])], nice=False)
    y = alt.Y(
        f"{rank}:Q", title=None, scale=scale, axis=alt.Axis(values=RANK_TICKS, domain=False, ticks=False, format="d")
    )
    colour = _series_colour(shortened, by)
    base = alt.Chart(shortened).encode(x=_day_axis_with_name_margin(x, shortened[x]), color=colour)
    texts = alt.Chart(ends).encode(x=f"{x}:T", y="y:Q", color=colour, text=f"{by}:N")
    layers = [
        base.mark_line(strokeWidth=2, point=True).encode(y=y),
        base.mark_point(size=220, opacity=0).encode(y=f"{rank}:Q", tooltip=_tooltips(shortened, "", by, x, rank)),
        texts.mark_text(align="left", dx=8, fontWeight="bold"),
    ]
    return _styled(alt.layer(*layers), "chart position", HEIGHT)


def _day_axis_with_name_margin(name: str, days: pl.Series) -> alt.X:
    """Return an axis of days with a margin behind the last day, where a name fits."""
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
    named, has_losses = chart_names.beside(rows, name), bool((rows[value] < 0).any())
    base = alt.Chart(named).encode(
        x=alt.X(f"{value}:Q", axis=None, scale=_scale_with_number_margin(rows[value])),
        y=chart_names.axis(named),
        tooltip=_tooltips(named, unit, name, value),
    )
    up, down = _colours()[0], _colours()[1]
    colour = alt.condition(f"datum['{value}'] < 0", alt.value(down), alt.value(up))
    text = base.encode(
        text=alt.Text(f"{value}:Q", format=("+" if has_losses else "") + _number_format(unit, rows[value]))
    )
    layers = [base.mark_bar(cornerRadiusEnd=2, height=BAR_HEIGHT).encode(color=colour)]
    layers.append(text.transform_filter(f"datum['{value}'] >= 0").mark_text(align="left", dx=5))
    if has_losses:
        layers.append(text.transform_filter(f"datum['{value}'] < 0").mark_text(align="right", dx=-5))
    return _styled(alt.layer(*layers), unit, chart_names.height(named) + 40)


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
    named = chart_names.beside(rows, name)
    base = _with_interval(alt.Chart(named), rows, unit, low, high).encode(
        x=alt.X(f"{value}:Q", scale=alt.Scale(zero=False, padding=12), axis=_horizontal_axis(unit, rows[value])),
        y=chart_names.axis(named),
        tooltip=_tooltips(named, unit, name, value, interval=(low, high)),
        color=alt.value(_colours()[0]),
    )
    layers = [
        base.mark_rule(strokeWidth=2).encode(x=alt.X(f"{low}:Q"), x2=f"{high}:Q"),
        base.mark_point(filled=True, size=70, opacity=1),
    ]
    if reference:
        ticks = base.mark_tick(thickness=3, size=16)
        layers.append(ticks.encode(x=alt.X(f"{reference}:Q"), color=alt.value(_colours()[1])))
    return _styled(alt.layer(*layers), unit, chart_names.height(named) + 70)


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
    named = chart_names.beside(rows, name, shared=True)
    axis = alt.Axis(format="~s", tickCount=6, domain=False, ticks=False)
    base = alt.Chart(named).encode(
        x=alt.X(f"{start}:Q", title=None, scale=alt.Scale(zero=True), axis=axis),
        x2=f"{end}:Q",
        y=chart_names.axis(named),
        tooltip=_tooltips(named, unit, name, start, end),
    )
    marks = base.mark_bar(cornerRadius=2, height=BAR_HEIGHT, color=_colours()[0])
    return _styled(marks, unit, chart_names.height(named) + 60)


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
    named = chart_names.beside(rows, name)
    long = named.rename(values).unpivot(
        list(values.values()), index=[name, chart_names.SIDE_NAME], variable_name="measure", value_name="value"
    )
    y = chart_names.axis(named)
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
    return _styled(alt.layer(*layers), legend, chart_names.height(named) + 70)


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


def world(rows: pl.DataFrame, code: str, value: str, name: str, *, unit: str) -> Chart:
    """
    Draw a map of the countries, coloured by a value; countries without a value are grey, and those without a row empty.

    Args:
        rows: One row per country; those that the outline does not have are left out (see `outlines.drawn_codes`).
        code: Column of ISO 3166-1 alpha-2 codes.
        value: Column of values: shares, or ratios above 0.
        name: Column of names of the countries.
        unit: '%' for shares, 0..1, which are darker the greater they are; for ratios the text above the map, whose
            colours are those of less and of more, and neutral at 1.
    """
    drawn = rows.filter(pl.col(code).is_in(list(outlines.drawn_codes())))
    form = alt.TopoDataFormat(feature=outlines.LAYER, type="topojson")
    empty = alt.Chart(alt.InlineData(outlines.topology_json(), format=form, name=OUTLINE))
    border: dict[str, Any] = {"stroke": _background(), "strokeWidth": 0.5}
    lookup = alt.LookupData(drawn, key=code, fields=[one for one in drawn.columns if one != code])
    shapes = (
        alt.Chart(alt.NamedData(OUTLINE, format=form))
        .transform_lookup(lookup="id", from_=lookup)
        .transform_filter(f"isValid(datum['{name}'])")
        .mark_geoshape(**border)
        .encode(
            color=alt.condition(
                f"isValid(datum['{value}'])", _shade(value, drawn, unit), alt.value(NO_VALUE[_is_dark()])
            ),
            tooltip=_tooltips(drawn, unit, name, value),
        )
    )
    layers = alt.layer(empty.mark_geoshape(fill=NO_ROW[_is_dark()], **border), shapes).project(type="equalEarth")
    return _styled(layers, unit, MAP_HEIGHT)


def _shade(value: str, rows: pl.DataFrame, unit: str) -> alt.Color:
    """Return the colours of a map, with a legend below it: of shares from 0 to the greatest, of ratios around 1."""
    axis: dict[str, Any] = {"orient": "bottom", "title": None, "gradientLength": 220, "gradientThickness": 10}
    if unit == "%":
        greatest = max(rows[value].drop_nulls().to_list(), default=0) or 1
        scale = alt.Scale(domain=[0, greatest], range=list(SHARE_COLOURS[_is_dark()]), interpolate="lab")
        return alt.Color(f"{value}:Q", scale=scale, legend=alt.Legend(format=".0%", tickCount=4, **axis))
    less, same, more = RATIO_COLOURS[_is_dark()]
    scale = alt.Scale(type="log", base=2, domain=[0.25, 1, 4], range=[less, same, more], clamp=True, interpolate="lab")
    legend = alt.Legend(values=[0.25, 0.5, 1, 2, 4], labelExpr="format(datum.value, '~r') + ' x'", **axis)
    return alt.Color(f"{value}:Q", scale=scale, legend=legend)


def _scale_with_number_margin(values: pl.Series) -> alt.Scale:
    """Return a scale with space for the numbers behind bars, on the left too if there are negative bars."""
    left = NUMBER_WIDTH if values.cast(pl.Float64).fill_null(0).to_numpy().min(initial=0) < 0 else 0
    return alt.Scale(zero=True, range=[left, alt.ExprRef(f"width - {NUMBER_WIDTH}")])
