"""Names in charts: whole or nearly so, and never so that two bars or two lines become one; numbers at bars."""

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import polars as pl
import pytest

from dashboards import chart_names, charts, columns
from dashboards.chart_names import BLANK, SIDE_NAME

LONG = "Love Theme From a Film That Is Very Long, "
ENDLESS = f"{'And then one more ' * 9}, "
WEEK = timedelta(days=7)
DAY = date(2026, 6, 1)


def names_drawn(chart: Any, name: str) -> list[list[str | None]]:
    """Return the names in each data set of a chart."""
    data = chart.to_dict()["datasets"].values()
    return [[row[name] for row in rows] for rows in data if name in rows[0]]


@pytest.mark.parametrize(
    "draw",
    [
        lambda rows: charts.bars(rows, "value", "name", unit="plays"),
        lambda rows: charts.intervals(rows, "value", "name", unit="x", low="low", high="high"),
    ],
    ids=["bars", "intervals"],
)
def test_each_row_has_a_line_of_its_own(draw: Callable[[pl.DataFrame], Any]) -> None:
    """Also two recordings of the same title, and titles that begin alike; bars of one name would be stacked."""
    names = ["Parade", f"{ENDLESS}A", "Parade", f"{ENDLESS}B", "Parade"]
    rows = pl.DataFrame({"name": names, "value": [5.0, 4, 3, 2, 1], "low": [0.0] * 5, "high": [9.0] * 5})

    drawn = names_drawn(draw(rows), SIDE_NAME)

    line = "And then one more And then one more And then"
    cut = f"{line}\none more And then one more And then one more\nAnd then one more And then one more And…"
    short = [f"{BLANK}\n{name}\n{BLANK}" for name in ("Parade", "Parade (2)", "Parade (3)")]
    assert drawn
    assert all(one == [short[0], cut, short[1], f"{cut} (2)", short[2]] for one in drawn)


@pytest.mark.parametrize(("is_phone", "longest"), [(False, 44), (True, 30)])
def test_a_long_name_is_whole_beside_its_bar(monkeypatch: pytest.MonkeyPatch, is_phone: bool, longest: int) -> None:
    """On as many lines as it needs, all of the length that the screen has space for; its bar has space for them."""
    monkeypatch.setattr(columns, "is_phone", lambda: is_phone)
    name = "Donaudampfschifffahrtselektrizitätenhauptbetriebswerk, the Second Half of It, Again"
    rows = pl.DataFrame({"name": [name, "Parade"], "value": [2, 1]})

    chart = charts.bars(rows, "value", "name", unit="plays").to_dict()

    drawn = names_drawn(charts.bars(rows, "value", "name", unit="plays"), SIDE_NAME)[0][0]
    assert drawn is not None
    lines = drawn.split("\n")
    assert "".join(lines).replace(" ", "") == name.replace(" ", "")
    assert max(map(len, lines)) <= longest
    assert chart["height"] - 40 >= 2 * chart_names.LINE_HEIGHT * len(lines)


@pytest.mark.parametrize(
    ("names", "sides"),
    [
        (["a"], ["a"]),
        (["a", "b" * 50], ["a", f"{'b' * 44}\n{'b' * 6}"]),  # half a line cannot be added: the axis moves it
        (["a", "b" * 100], [f"{BLANK}\na\n{BLANK}", f"{'b' * 44}\n{'b' * 44}\n{'b' * 12}"]),
        (["夜" * 30], [f"{'夜' * 22}\n{'夜' * 8}"]),  # as wide as 60 Latin letters
        (["two\n lines ", "", None], ["two lines", "", None]),
    ],
)
def test_lines_of_a_name_are_centred_at_its_bar(names: list[str | None], sides: list[str | None]) -> None:
    """A name with fewer lines than the longest has as many blank lines above as below."""
    rows = pl.DataFrame({"name": names}, schema={"name": pl.String})

    assert chart_names.beside(rows, "name")[SIDE_NAME].to_list() == sides


def test_a_tooltip_has_the_whole_name() -> None:
    """Also of a name that is too long for the lines beside its bar."""
    rows = pl.DataFrame({"name": [f"{ENDLESS}A"], "value": [1]})

    assert names_drawn(charts.bars(rows, "value", "name", unit="plays"), "name")[0] == [f"{ENDLESS}A"]


def test_songs_that_begin_alike_have_two_lines() -> None:
    """Their positions are not joined to one line; a song keeps its name in all weeks."""
    songs = [(f"{LONG}{name}", DAY + no * WEEK, rank) for no in range(2) for name, rank in (("A", 1 + no), ("B", 9))]
    rows = pl.DataFrame(songs, ["name", "day", "rank"], orient="row")

    lines, ends = sorted(names_drawn(charts.rank_lines(rows, "day", "rank", by="name"), "name"), key=len, reverse=True)

    short = f"{LONG[:39]}…"
    assert lines == [short, f"{short} (2)"] * 2
    assert sorted(map(str, ends)) == [short, f"{short} (2)"]


def test_rows_of_one_name_share_a_line_of_a_timeline() -> None:
    """Two uses of a recording are drawn in one line, and no other recording's with them."""
    rows = pl.DataFrame({"name": [f"{LONG}A", f"{LONG}B", f"{LONG}A"], "from": [0, 5, 9], "to": [4, 6, 12]})

    (drawn,) = names_drawn(charts.timeline(rows, "from", "to", "name", unit="s"), SIDE_NAME)

    assert drawn[0] == drawn[2] != drawn[1]


def test_no_bars_at_all_are_drawn_without_an_error() -> None:
    """An empty chart has no names."""
    rows = pl.DataFrame(schema={"name": pl.String, "value": pl.Float64})

    assert charts.bars(rows, "value", "name", unit="plays").to_dict()


@pytest.mark.parametrize(
    ("values", "form"),
    [
        ([0.05, 0.64, 41.0], ",.1f"),  # as in 641m, the short form of .641
        ([0.05, 0.64], ".3f"),
        ([1_240_000, 3, 0], ",.3~s"),
        ([0, 3], "d"),
    ],
)
def test_numbers_at_bars_are_not_shortened_to_thousandths(values: list[float], form: str) -> None:
    """Only large numbers are shortened."""
    rows = pl.DataFrame({"name": [f"n{value}" for value in values], "value": values})

    layers = charts.bars(rows, "value", "name", unit="s").to_dict()["layer"]

    assert {layer["encoding"]["text"]["format"] for layer in layers if "text" in layer["encoding"]} == {form}


@pytest.mark.parametrize(
    ("draw", "lines"),
    [
        (lambda rows: charts.bars(rows, "value", "name", unit="x"), [("name", None), ("value", ",.3~s")]),
        (
            lambda rows: charts.intervals(rows, "value", "name", unit="x", low="low", high="high"),
            [("name", None), ("value", ",.3~s"), ("interval", None)],
        ),
        (
            lambda rows: charts.lines(rows, "day", "value", by="name", unit="%"),
            [("day", "%-d %b %Y"), ("value", ".1%"), ("name", None)],
        ),
        (
            lambda rows: charts.lines(rows, "day", "value", by="name", unit="x", band=("low", "high")),
            [("day", "%-d %b %Y"), ("value", ",.3~s"), ("interval", None)],
        ),
        (
            lambda rows: charts.rank_lines(rows, "day", "n_rank", by="name"),
            [("name", None), ("day", "%-d %b %Y"), ("rank", "d")],
        ),
        (
            lambda rows: charts.timeline(rows, "low", "high", "name", unit="s"),
            [("name", None), ("low", ".2f"), ("high", ",.1f")],
        ),
        (
            lambda rows: charts.dot_plot(rows.drop("value"), "name", {"low": "one", "high": "other"}, unit="%"),
            [("name", None), ("measure", None), ("value", ".1%")],
        ),
        (
            lambda rows: charts.heatmap(rows, "n_rank", "day", "low", x_title="x"),
            [("month", None), ("rank", "d"), ("low", ".1%")],
        ),
    ],
    ids=["bars", "intervals", "lines", "band", "ranks", "timeline", "dots", "heatmap"],
)
def test_a_tooltip_has_at_most_three_formatted_lines(
    draw: Callable[[pl.DataFrame], Any], lines: list[tuple[str, str | None]]
) -> None:
    """What a mark is called, its value, and its interval; not every column of the rows."""
    columns = {
        "value": [1_200.0, 40.0],
        "low": [2.5, 0.0],
        "high": [0.5, 90.0],
        "n_rank": [3, 1],
        "track_id": ["a", "b"],
    }
    rows = pl.DataFrame({"name": ["Ada", "Bo"], "day": [DAY, DAY], **columns})

    chart = draw(rows).to_dict()

    encodings = [layer["encoding"] for layer in chart.get("layer", [chart])]
    shown = [encoding["tooltip"] for encoding in encodings if "tooltip" in encoding]
    assert shown
    for tooltip in shown:
        assert [(line["title"], line.get("format")) for line in tooltip] == lines
