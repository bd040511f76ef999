"""Open pages with their filters, collect every figure that they show, and compare it with its truth."""

import math
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from io import BytesIO
from typing import Any

import polars as pl
import pytest
from streamlit.testing.v1 import AppTest
from streamlit.testing.v1.element_tree import Selectbox

from dashboards import columns, parts

from .conftest import failures
from .truth.page import Truth

FIGURES = (pl.Date, pl.Datetime, pl.Boolean)  # with the numeric types, the types of columns that need a truth
MARKUP = re.compile(r"\*\*|\\(?=[^\w\s])|^- ", re.MULTILINE)
WORD_JOINER = "\u2060"  # keeps Markdown from reading a time as the name of an emoji
CLOSE = 1e-6  # similarities are computed in single precision


@dataclass
class Shown:
    """
    What a view of a page shows.

    Attributes:
        metrics: Name -> number and change, as written.
        rows: Key of a figure or a table -> the rows that are offered as files.
        formats: Key -> the formats of its columns; None for the result of a query that the viewer typed.
        tables, charts: Keys in the order in which they are shown.
        sentences: The bulleted sentences, without markup.
        texts: Titles, captions and messages.
        view: The page and its filters, for messages.
    """

    metrics: dict[str, tuple[str, str]] = field(default_factory=dict)
    rows: dict[str, pl.DataFrame] = field(default_factory=dict)
    formats: dict[str, dict[str, str] | None] = field(default_factory=dict)
    tables: list[str] = field(default_factory=list)
    charts: list[str] = field(default_factory=list)
    sentences: list[str] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)
    view: str = ""


class Walk:
    """A visitor: opens pages, sets filters, and records what is shown."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.shown = Shown()
        monkeypatch.setattr(parts, "header", self._beginning(parts.header))
        for name, kind in (("table", "tables"), ("figure", "charts"), ("facts", "")):
            monkeypatch.setattr(parts, name, self._recording(getattr(parts, name), kind))

    def _beginning(self, original: Callable[..., None]) -> Callable[..., None]:
        def began(*args: Any) -> None:
            self.shown = Shown()  # every run of a page begins with its header
            original(*args)

        return began

    def _recording(self, original: Callable[..., None], kind: str) -> Callable[..., None]:
        def recorded(*args: Any, **named: Any) -> None:
            rows = next(value for value in (*args, *named.values()) if isinstance(value, pl.DataFrame))
            self.shown.rows[named["key"]] = rows
            self.shown.formats[named["key"]] = named.get("formats", {}) if named.get("mart", "-") else None
            if kind:
                getattr(self.shown, kind).append(named["key"])
            original(*args, **named)

        return recorded

    def view(self, page: AppTest, choices: Mapping[str, str]) -> Shown:
        """
        Set select boxes of a page, as many at once as can be, and return what it then shows.

        Args:
            page: The open page.
            choices: Label of a box -> displayed option, or its position as `#3`.
        """
        different = [*choices.items()]
        for _ in choices:
            if different:
                settable = [set_box(page, *choice) for choice in different]
                assert any(settable), f"no options {different}"
                page = page.run()
                different = [choice for choice in choices.items() if not chosen(page, *choice)]
        assert not different, different
        return self.read(page, f"{page.title[0].value} {choices}")

    def read(self, page: AppTest, view: str) -> Shown:
        """Return what a page shows after its last run; tables and charts show the rows of their files."""
        assert failures(page) == [], view
        shown = self.shown
        shown.view = view
        shown.metrics = {plain(one.label): (plain(one.value), plain(one.delta)) for one in page.metric}
        shown.sentences = [plain(line) for one in page.markdown for line in bullets_of(one.value)]
        texts = [*page.header, *page.subheader, *page.caption, *page.info]
        shown.texts = [plain(one.value) for one in texts]
        assert_tables_are_their_files(page, shown)
        assert_charts_are_their_files(page, shown)
        return shown


def box_of(page: AppTest, label: str) -> Selectbox[Any] | None:
    """Return the select box with a label, if the page has it already."""
    return next((box for box in page.selectbox if box.label == label), None)


def chosen(page: AppTest, label: str, option: str) -> bool:
    """Return whether a box shows an option, named or by its position as `#3`."""
    box = box_of(page, label)
    return box is not None and box.index is not None and option in (box.options[box.index], f"#{box.index}")


def set_box(page: AppTest, label: str, option: str) -> bool:
    """Set a box for the next run of the page; return False if the box, or the option, depends on another one."""
    if (box := box_of(page, label)) is None:
        return False
    name = box.options[int(option[1:])] if option.startswith("#") else option
    if name in box.options:
        box.set_value(name)
    return name in box.options


def plain(text: str) -> str:
    """Remove the markup of a text, and what keeps it from being read as markup."""
    return MARKUP.sub("", text).replace(WORD_JOINER, "").strip()


def bullets_of(text: str) -> list[str]:
    """Return the lines of a bulleted list; none for another text."""
    return text.splitlines() if text.startswith("- ") else []


def assert_tables_are_their_files(page: AppTest, shown: Shown) -> None:
    """The cells of each table are those of the rows offered as CSV."""
    assert len(page.dataframe) == len(shown.tables), shown.view
    for element, key in zip(page.dataframe, shown.tables, strict=True):
        rows, formats = shown.rows[key], shown.formats[key]
        shares = [] if formats is None else columns.share_columns(rows, formats)
        assert [name for name in element.value.columns if name != parts.PORTRAIT] == rows.columns, (shown.view, key)
        csv = pl.read_csv(columns.csv_of(rows, shares).encode(), infer_schema_length=None)
        for name in figures_of(rows):
            factor, heading = (100, f"{name}_percent") if name in shares else (1, name)
            expected = [value and value * factor if factor > 1 else value for value in rows[name].to_list()]
            assert_same(element.value[name].tolist(), expected, f"{shown.view} {key}.{name}")
            assert_same(csv[heading].to_list(), expected, f"{shown.view} {key}.{name} CSV")


def assert_charts_are_their_files(page: AppTest, shown: Shown) -> None:
    """The values that a chart draws are among the rows offered as a file."""
    charts = page.get("vega_lite_chart")
    assert len(charts) == len(shown.charts), shown.view
    for chart, key in zip(charts, shown.charts, strict=True):
        rows = shown.rows[key]
        for dataset in chart.proto.datasets:
            drawn = pl.read_ipc_stream(BytesIO(dataset.data.data))
            names = [name for name in figures_of(rows) if name in drawn.columns and drawn[name].dtype.is_numeric()]
            known = {tuple(written(value) for value in row) for row in rows.select(names).rows()}
            assert {tuple(written(value) for value in row) for row in drawn.select(names).rows()} <= known, key


def figures_of(rows: pl.DataFrame) -> list[str]:
    """Return the columns that need a truth: numbers, dates, and yes or no."""
    return [name for name, dtype in rows.schema.items() if dtype.is_numeric() or dtype in FIGURES]


def written(value: Any) -> Any:
    """Return a value in the form in which values of different readers are equal."""
    match value:
        case float():
            return float(f"{value:.9g}") if math.isfinite(value) else None  # pandas has NaN and NaT for null
        case datetime() if str(value) == "NaT":
            return None
        case bool():
            return str(value).lower()
        case datetime():
            return str(value.date())
        case date():
            return str(value)
        case _:
            return value


def assert_same(found: list[Any], expected: list[Any], what: str) -> None:
    """Compare two columns: numbers up to rounding errors, everything else exactly."""
    assert len(found) == len(expected), f"{what}: {len(found)} rows, expected {len(expected)}"
    pairs = enumerate(zip(found, expected, strict=True))
    different = [(row, one, other) for row, (one, other) in pairs if not _is_same(written(one), written(other))]
    assert not different, (
        f"{what}: {len(different)} of {len(found)} differ, first (row, found, expected) {different[0]}"
    )


def _is_same(found: Any, expected: Any) -> bool:
    if isinstance(found, float | int) and isinstance(expected, float | int):
        return math.isclose(found, expected, rel_tol=CLOSE, abs_tol=CLOSE)
    return bool(found == expected)


def problems(shown: Shown, truth: Truth, page: str, without_truth: dict[str, str]) -> Iterator[str]:
    """
    Yield what differs between a page and its truth.

    Args:
        shown: The page.
        truth: What it should show.
        page: Name of the page.
        without_truth: `page.key`, `page.key.column` or `page.metric` -> why it is not computed again; for
            `page.sentences`, the sentences after those of the truth.
    """
    yield from _metrics(shown, truth, page, without_truth)
    yield from (f"{page}: no rows {key}" for key in truth.rows.keys() - shown.rows.keys())
    for key, rows in shown.rows.items():
        if f"{page}.{key}" in without_truth:
            continue
        if key not in truth.rows:
            yield f"{page}.{key}: no truth"
            continue
        yield from _columns(rows, truth.rows[key], f"{page}.{key}", without_truth)
    sentences = shown.sentences[: len(truth.sentences)] if f"{page}.sentences" in without_truth else shown.sentences
    if truth.sentences != sentences:
        yield f"{page}: {shown.sentences}, expected {truth.sentences}"
    yield from (f"{page}: no text {text!r} in {shown.texts}" for text in truth.texts if plain(text) not in shown.texts)


def _metrics(shown: Shown, truth: Truth, page: str, without_truth: dict[str, str]) -> Iterator[str]:
    for name in sorted(shown.metrics.keys() | truth.metrics.keys()):
        found, expected = shown.metrics.get(name), truth.metrics.get(name)
        if found != expected and f"{page}.{name}" not in without_truth:
            yield f"{page}.{name}: {found}, expected {expected}"


def _columns(rows: pl.DataFrame, truth: pl.DataFrame, what: str, without_truth: dict[str, str]) -> Iterator[str]:
    for name in rows.columns:
        if name in truth.columns:
            try:
                assert_same(rows[name].to_list(), truth[name].to_list(), f"{what}.{name}")
            except AssertionError as difference:
                yield str(difference)
        elif name in figures_of(rows) and f"{what}.{name}" not in without_truth:
            yield f"{what}.{name}: no truth"
