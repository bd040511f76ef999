"""
Charts as all pages draw them: labels on the lines and bars themselves, units, intervals, and nothing else.

Colours are those of Okabe and Ito, which people of every colour vision tell apart, in the order that stands out most on
a light and on a dark ground. No chart tells things apart by colour alone.
"""

from datetime import timedelta
from textwrap import wrap
from typing import Any, TypeAlias

import altair as alt
import numpy as np
import polars as pl
import streamlit as st

Drawn: TypeAlias = alt.LayerChart | alt.FacetChart

LIGHT = ("#0072B2", "#C25400", "#00795A", "#9C4F80", "#8F5F00", "#1F78A4")
DARK = ("#56B4E9", "#E69F00", "#2BC59B", "#E79AC4", "#F0E442", "#FF8A4C")
LIGHT_INK, DARK_INK = ("#16202B", "#5B6875", "#D3DBE3"), ("#E9EEF3", "#A3B0BD", "#35414D")  # text, quiet text, lines
GROUND = {False: "#FFFFFF", True: "#0F151C"}  # of a page, dark or not: behind the names of lines
HEIGHT, ROW = 280, 26  # of a chart over time, and of a bar with its gap [px]
NUMBER = 46  # width of the number behind a bar [px]
SAID = {False: "so far", True: "expected"}  # of a line that is a forecast or none
SMALL = 10  # values below are no counts to be shortened
GAP = 0.07  # between the names of lines, of the height
PLACES = (1, 2, 3, 5, 10, 20, 50, 100, 200)  # that an axis of a chart names
ROOM, N_DAYS = 0.55, 4  # behind lines for their names, of the lines' width; days that their axis names
NARROW, BESIDE = 30, 18  # characters of a name beside a bar, and behind a line
PHONE = 60  # characters of a line above a chart on a phone


def _is_dark() -> bool:
    return st.context.theme.type == "dark"


def _colours() -> tuple[str, ...]:
    return DARK if _is_dark() else LIGHT


def _ground() -> str:
    return GROUND[_is_dark()]


def _ink() -> tuple[str, str, str]:
    return DARK_INK if _is_dark() else LIGHT_INK


def _number(unit: str, values: pl.Series) -> str:
    """Return the format of values: percentages of shares, two or three decimals of small ones, counts shortened."""
    greatest = values.cast(pl.Float64).abs().fill_null(0).to_numpy().max(initial=0)
    small = "d" if values.dtype.is_integer() else ".3f" if greatest < 1 else ".2f"
    return ".1%" if unit == "%" else small if greatest < SMALL else ",.3~s"


def _tooltips(rows: pl.DataFrame, unit: str, measures: set[str]) -> list[alt.Tooltip]:
    formats = {name: "%d %b %Y" for name, dtype in rows.schema.items() if dtype == pl.Date}
    formats |= {name: _number(unit, rows[name]) for name in measures}
    return [
        alt.Tooltip(name, title=name.replace("_", " "), format=formats.get(name, alt.Undefined))
        for name, dtype in rows.schema.items()
        if not dtype.is_nested()
    ]


def _x_of_days(name: str) -> alt.X:
    return alt.X(f"{name}:T", title=None, axis=alt.Axis(format="%-d %b", tickCount=6, grid=False, labelFlush=True))


def _tick(unit: str) -> str:
    """Write a tick of an axis as an expression of Vega's: 0, 250, 1.5k, 20k, 15%."""
    if unit == "%":
        return "format(datum.value, '.0%')"
    return f"format(datum.value, abs(datum.value) < {SMALL} ? '~r' : '~s')"


def _y_of(name: str, unit: str) -> alt.Y:
    axis = alt.Axis(tickCount=4, domain=False, ticks=False, title=None, labelExpr=_tick(unit))
    return alt.Y(f"{name}:Q", title=None, scale=alt.Scale(zero=True, nice=True), axis=axis)


def _scale_of(unit: str, values: pl.Series) -> alt.Axis:
    form = ".0%" if unit == "%" else _number(unit, values)
    return alt.Axis(format=form, tickCount=5, domain=False, ticks=False, title=None)


def _y_of_names(name: str) -> alt.Y:
    axis = alt.Axis(ticks=False, domain=False, labelLimit=220, labelOverlap=False)
    return alt.Y(f"{name}:N", sort=None, title=None, axis=axis)


def _dressed(chart: Drawn, title: str, height: int) -> Drawn:
    ink, quiet, line = _ink()
    lines_of_title = [] if title == "%" else wrap(title, PHONE)
    heading = alt.TitleParams(lines_of_title, anchor="start", color=quiet, fontSize=12, fontWeight="normal", offset=8)
    axis = {"labelColor": quiet, "titleColor": quiet, "gridColor": line, "domainColor": line, "tickColor": line}
    dressed: Drawn = (
        chart.properties(height=height, title=heading)
        .configure_view(strokeWidth=0)
        .configure_axis(**axis, gridOpacity=0.7, labelFontSize=12, labelFlush=False)
        .configure_text(color=ink, fontSize=12)
    )
    return dressed


def lines(
    rows: pl.DataFrame,
    x: str,
    y: str,
    *,
    by: str | None = None,
    unit: str,
    band: tuple[str, str] | None = None,
    points: bool = False,
) -> Drawn:
    """
    Draw values over days, a line each, named where it ends.

    Args:
        rows: One row a day and line.
        x: Column of days.
        y: Column of values; the axis begins at 0.
        by: Column that tells lines apart; one line where it is None.
        unit: Written above the chart; '%' for shares of 1.
        band: Columns of the lower and upper end of an interval, drawn behind its line.
        points: Whether each value has a mark of its own, as where there are few.
    """
    if by and rows.schema[by] == pl.Boolean:
        rows = rows.with_columns(pl.col(by).replace_strict(SAID, return_dtype=pl.String))
    names = rows[by].unique(maintain_order=True).to_list() if by else [""]
    colour = (
        alt.Color(f"{by}:N", scale=alt.Scale(domain=names, range=_colours()[: len(names)]), legend=None)
        if by
        else alt.value(_colours()[0])
    )
    base = alt.Chart(rows).encode(x=_x_of_days(x), color=colour)
    tooltips = _tooltips(rows, unit, {y, *(band or ())})
    layers = [
        base.mark_line(strokeWidth=2, point=points).encode(y=_y_of(y, unit)),
        base.mark_point(size=220, opacity=0).encode(y=f"{y}:Q", tooltip=tooltips),
    ]
    if band:
        low, high = band
        layers.insert(0, base.mark_area(opacity=0.18).encode(y=f"{low}:Q", y2=f"{high}:Q"))
    if by:
        gap = GAP * rows[y].cast(pl.Float64).fill_null(0).to_numpy().max(initial=0)
        ends = alt.Chart(_line_names(rows, x, y, by, gap)).encode(x=f"{x}:T", y="at:Q", color=colour)
        named: dict[str, Any] = {"align": "right", "dx": -4, "dy": -10, "fontWeight": "bold"}
        halo = ends.encode(text=f"{by}:N", color=alt.value(_ground()))
        layers.append(halo.mark_text(**named, stroke=_ground(), strokeWidth=4, strokeJoin="round"))
        layers.append(ends.mark_text(**named).encode(text=f"{by}:N"))
    return _dressed(alt.layer(*layers), unit, HEIGHT)


def _line_names(rows: pl.DataFrame, x: str, y: str, by: str, gap: float) -> pl.DataFrame:
    """Place each line's name at its end, and the higher of two that would overlap `gap` above the other."""
    ends = rows.filter(pl.col(y).is_not_null()).group_by(by, maintain_order=True).last().sort(y)
    heights = list[float]()
    for value in ends[y]:
        heights.append(max(float(value), heights[-1] + gap) if heights else float(value))
    return ends.select(by, x, pl.Series("at", heights))


def places(rows: pl.DataFrame, x: str, rank: str, *, by: str) -> Drawn:
    """
    Draw places over days, a line each, the first place on top, each as far from its half as from its double.

    Args:
        rows: One row a day and line.
        x: Column of days.
        rank: Column of places, from 1; null breaks the line.
        by: Column that tells lines apart; its values stand where the lines end.
    """
    shown = _short(rows, by, BESIDE)
    names = shown[by].unique(maintain_order=True).to_list()
    upside_down = shown.with_columns(-pl.col(rank).log())
    span = -float(upside_down[rank].fill_null(0).to_numpy().min(initial=-1))
    ends = _line_names(upside_down, x, rank, by, GAP * span).with_columns((-pl.col("at")).exp())
    scale = alt.Scale(type="log", domain=[float(np.exp(span)), 0.7 * min(1, *ends["at"])], nice=False)
    y = alt.Y(f"{rank}:Q", title=None, scale=scale, axis=alt.Axis(values=PLACES, domain=False, ticks=False, format="d"))
    colour = alt.Color(f"{by}:N", scale=alt.Scale(domain=names, range=_colours()[: len(names)]), legend=None)
    base = alt.Chart(shown).encode(x=_x_with_room(x, shown[x]), color=colour)
    texts = alt.Chart(ends).encode(x=f"{x}:T", y="at:Q", color=colour, text=f"{by}:N")
    layers = [
        base.mark_line(strokeWidth=2, point=True).encode(y=y),
        base.mark_point(size=220, opacity=0).encode(y=f"{rank}:Q", tooltip=_tooltips(shown, "", {rank})),
        texts.mark_text(align="left", dx=8, fontWeight="bold"),
    ]
    return _dressed(alt.layer(*layers), "place", HEIGHT)


def _x_with_room(name: str, days: pl.Series) -> alt.X:
    """Return an axis of days that ends so far behind the last one that BESIDE characters fit there on a phone."""
    first, last = min(days), max(days)
    end = last + max(ROOM * (last - first), timedelta(days=1))
    some = days.unique().sort().gather_every(-(-days.n_unique() // N_DAYS))
    named = [alt.DateTime(year=day.year, month=day.month, date=day.day) for day in some]
    axis = alt.Axis(format="%-d %b", values=named, grid=False)
    return alt.X(f"{name}:T", title=None, axis=axis, scale=alt.Scale(domain=[str(first), str(end)]))


def bars(rows: pl.DataFrame, value: str, name: str, *, unit: str) -> Drawn:
    """
    Draw one bar a row, in the order of the rows, its name before it and its value behind.

    Args:
        rows: One row a bar.
        value: Column of values; below 0 they go to the left.
        name: Column of names, each once.
        unit: Written above the chart; '%' for shares of 1.
    """
    shown, has_losses = _short(rows, name), bool((rows[value] < 0).any())
    base = alt.Chart(shown).encode(
        x=alt.X(f"{value}:Q", axis=None, scale=_room(rows[value])),
        y=_y_of_names(name),
        tooltip=_tooltips(shown, unit, {value}),
    )
    up, down = _colours()[0], _colours()[1]
    colour = alt.condition(f"datum['{value}'] < 0", alt.value(down), alt.value(up))
    text = base.encode(text=alt.Text(f"{value}:Q", format=("+" if has_losses else "") + _number(unit, rows[value])))
    layers = [base.mark_bar(cornerRadiusEnd=2, height={"band": 0.7}).encode(color=colour)]
    layers.append(text.transform_filter(f"datum['{value}'] >= 0").mark_text(align="left", dx=5))
    if has_losses:
        layers.append(text.transform_filter(f"datum['{value}'] < 0").mark_text(align="right", dx=-5))
    return _dressed(alt.layer(*layers), unit, ROW * max(len(rows), 1) + 40)


def intervals(
    rows: pl.DataFrame, value: str, name: str, *, unit: str, low: str, high: str, mark: str | None = None
) -> Drawn:
    """
    Draw one point a row with its interval, in the order of the rows, its name before it.

    Args:
        rows: One row a point.
        value: Column of values.
        name: Column of names.
        unit: Written above the chart; '%' for shares of 1.
        low: Column of the lower end; null where there is no interval.
        high: Column of the upper end.
        mark: Column of a value to hold it against, drawn as an upright line.
    """
    shown = _short(rows, name)
    measures = {value, low, high, *([mark] if mark else [])}
    base = alt.Chart(shown).encode(
        x=alt.X(f"{value}:Q", scale=alt.Scale(zero=False, padding=12), axis=_scale_of(unit, rows[value])),
        y=_y_of_names(name),
        tooltip=_tooltips(shown, unit, measures),
        color=alt.value(_colours()[0]),
    )
    layers = [
        base.mark_rule(strokeWidth=2).encode(x=alt.X(f"{low}:Q"), x2=f"{high}:Q"),
        base.mark_point(filled=True, size=70, opacity=1),
    ]
    if mark:
        layers.append(base.mark_tick(thickness=3, size=16).encode(x=alt.X(f"{mark}:Q"), color=alt.value(_colours()[1])))
    return _dressed(alt.layer(*layers), unit, ROW * max(len(rows), 1) + 70)


def spans(rows: pl.DataFrame, start: str, end: str, name: str, *, unit: str) -> Drawn:
    """
    Draw from when to when each row lasts, the rows of one name on one line.

    Args:
        rows: One row a span.
        start: Column of beginnings.
        end: Column of ends.
        name: Column of names, in the order that lines stand in.
        unit: Written above the chart.
    """
    shown = _short(rows, name)
    axis = alt.Axis(format="~s", tickCount=6, domain=False, ticks=False)
    base = alt.Chart(shown).encode(
        x=alt.X(f"{start}:Q", title=None, scale=alt.Scale(zero=True), axis=axis),
        x2=f"{end}:Q",
        y=alt.Y(f"{name}:N", sort=None, title=None, axis=alt.Axis(ticks=False, domain=False, labelLimit=220)),
        tooltip=_tooltips(shown, unit, set()),
    )
    marks = base.mark_bar(cornerRadius=2, height={"band": 0.6}, color=_colours()[0])
    return _dressed(marks, unit, ROW * max(shown[name].n_unique(), 1) + 60)


def beside(rows: pl.DataFrame, name: str, values: dict[str, str], *, unit: str) -> Drawn:
    """
    Draw values of each row as points on one line, told apart by colour, shape and the words above.

    Args:
        rows: One row a line, in this order.
        name: Column of names.
        values: Column -> what it is called; two or three.
        unit: '%' for shares of 1.
    """
    colours, shapes = _colours()[: len(values)], ("circle", "diamond", "square")
    long = rows.rename(values).unpivot(list(values.values()), index=name, variable_name="what", value_name="value")
    y = _y_of_names(name)
    x = alt.X("value:Q", title=None, axis=_scale_of(unit, long["value"]))
    domain = list(values.values())
    points = alt.Chart(long).encode(
        x=x,
        y=y,
        color=alt.Color("what:N", scale=alt.Scale(domain=domain, range=colours), legend=None),
        shape=alt.Shape("what:N", scale=alt.Scale(domain=domain, range=shapes[: len(domain)]), legend=None),
        tooltip=_tooltips(long, unit, {"value"}),
    )
    ranges = alt.Chart(long).encode(x=alt.X("min(value):Q", title=None), x2="max(value):Q", y=y)
    layers = [
        ranges.mark_rule(color=_ink()[2], strokeWidth=3),
        points.mark_point(filled=True, size=90, opacity=1),
    ]
    marks = ("●", "◆", "■")
    heading = "   ".join(f"{mark} {word}" for mark, word in zip(marks, domain, strict=False))
    return _dressed(alt.layer(*layers), heading, ROW * max(len(rows), 1) + 70)


def heat(rows: pl.DataFrame, x: str, y: str, value: str, *, x_title: str) -> Drawn:
    """
    Draw shares as a table whose cells are the darker the greater, each with its number.

    Args:
        rows: One row a cell.
        x: Column of whole numbers.
        y: Column of months.
        value: Column of shares, 0..1.
        x_title: Above the columns.
    """
    months = rows.with_columns(pl.col(y).dt.strftime("%b %Y").alias("month"))
    base = alt.Chart(months).encode(
        x=alt.X(f"{x}:O", title=None, axis=alt.Axis(orient="top", labelAngle=0, ticks=False, domain=False)),
        y=alt.Y("month:O", sort=None, title=None, axis=alt.Axis(ticks=False, domain=False)),
    )
    ground, deep = ("#19222C", "#2F86BD") if _is_dark() else ("#EAF3F9", "#2D89B8")
    shade = alt.Color(f"{value}:Q", scale=alt.Scale(domain=[0, 1], range=[ground, deep]), legend=None)
    cells = base.mark_rect(cornerRadius=2).encode(color=shade, tooltip=_tooltips(rows, "%", {value}))
    numbers = base.mark_text().encode(text=alt.Text(f"{value}:Q", format=".0%"), color=alt.value(_ink()[0]))
    return _dressed(alt.layer(cells, numbers), x_title, 34 * max(months["month"].n_unique(), 1) + 60)


def _room(values: pl.Series) -> alt.Scale:
    """Leave room for numbers behind bars: on their right, and on their left where bars go there."""
    left = NUMBER if values.cast(pl.Float64).fill_null(0).to_numpy().min(initial=0) < 0 else 0
    return alt.Scale(zero=True, range=[left, alt.ExprRef(f"width - {NUMBER}")])


def _short(rows: pl.DataFrame, name: str, most: int = NARROW) -> pl.DataFrame:
    """Cut names that would push the bars off a phone."""
    text = pl.col(name).cast(pl.String)
    is_long = text.str.len_chars() > most
    return rows.with_columns(pl.when(is_long).then(text.str.head(most - 1) + "…").otherwise(text).alias(name))
