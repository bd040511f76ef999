"""Every page opens, can be filtered, shows a label its own data only, and has empty states that say what to do."""

import re
import time
import tomllib
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import polars as pl
import pytest
from streamlit.testing.v1 import AppTest

from dashboards import columns, data, parts
from dashboards.menu import headers
from recsys.errors import InputError
from recsys.home import Home

from .conftest import APP, PAGES, Open, failures, unmarked
from .truth.rows import Lake
from .walk import plain

UNITS_IN_NAMES = {  # unit of a definition -> what names of columns, and so headers of downloads, end in
    "s": ("_s", "seconds"),
    "ms": ("_ms",),
    "h": ("_h", "hours_played"),
    "MB": ("_mb",),
    "1/min": ("_bpm",),
    "LUFS": ("_lufs",),
    "semitones": ("_semitones",),
    "weeks": ("_weeks",),
}
LABELS = APP.parents[1] / "docs" / "labels.md"
FOR_LABELS = [name for name in PAGES if headers()[name].for_labels]


@pytest.fixture(scope="module")
def empty_file(published_home: Home, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A warehouse with all tables but no rows in any mart, like that of a label without data."""
    path = tmp_path_factory.mktemp("empty") / "empty.duckdb"
    with duckdb.connect(path) as connection:
        connection.execute(f"attach '{published_home.published_warehouse()}' as full_one (read_only)")
        connection.execute("copy from database full_one to empty")
        for (name,) in connection.execute(
            "select table_name from information_schema.tables where table_catalog = 'empty' and table_schema = 'marts'"
        ).fetchall():
            connection.execute(f"delete from marts.{name}")
    return path


@pytest.mark.parametrize(
    ("viewer", "name"), [("operator", name) for name in PAGES] + [("label", name) for name in FOR_LABELS]
)
def test_every_term_has_a_definition(
    open_page: Open, label_id: str, viewer: str, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Columns of tables, whose names say the unit, and names of figures; columns of a viewer's own query have none."""
    undefined, unnamed, column, metric = list[tuple[str, str]](), list[tuple[str, str]](), parts._column, parts.metric

    def column_of(rows: pl.DataFrame, of: str, heading: str, mart: str, form: str | None) -> Any:
        meaning = data.column_meaning(mart, of)
        undefined.extend([(mart, of)] if mart and meaning is None else [])
        unit = (meaning or "").rpartition("[")[2].rstrip("]")
        unnamed.extend([(of, unit)] if not of.endswith(UNITS_IN_NAMES.get(unit, ("",))) else [])
        return column(rows, of, heading, mart, form)

    def metric_of(label: str, value: float | None, **options: Any) -> None:
        meaning = options.get("definition") or data.column_meaning(*options["column"])
        undefined.extend([] if meaning else [(label, "")])
        metric(label, value, **options)

    monkeypatch.setattr(parts, "_column", column_of)
    monkeypatch.setattr(parts, "metric", metric_of)
    page = open_page(name, label=label_id if viewer == "label" else None, **({"q": "club"} if name == "search" else {}))

    assert (undefined, unnamed) == ([], [])
    popovers = [one for one in page.get("popover") if one.proto.popover.label == "Terms"]
    assert len(popovers) == len(page.dataframe) or name in ("sql", "operations")  # their tables are no marts


@pytest.mark.parametrize(
    ("values", "form"),
    [
        ([1, 1_200], "localized"),
        ([0.5, 99.99, None], "%.2f"),
        ([0.5, -100.0], "%,.1f"),
        ([7_577.0, 100.0, None], "localized"),
        ([1.0, 100.0], "%,.1f"),
        ([0.05, -0.99], "%.3f"),
        ([None, float("nan")], "%.3f"),
        ([], "%.3f"),
    ],
)
def test_numbers_of_a_column_have_equally_many_decimals(values: list[float | None], form: str) -> None:
    """Three where all are below 1, two where all are below 100, else one; whole numbers none."""
    whole = bool(values) and all(isinstance(value, int) for value in values)

    assert columns.number_form(pl.Series(values, dtype=pl.Int64 if whole else pl.Float64)) == form


@pytest.mark.slow
@pytest.mark.parametrize("name", PAGES)
def test_each_filter_of_a_page_can_be_set(open_page: Open, name: str) -> None:
    """The second and the last option of each box work, combined with the choices in other boxes."""
    page = open_page(name)

    for position in range(len(page.selectbox)):
        if position < len(page.selectbox):  # a choice may leave fewer boxes
            for choice in {
                min(1, len(page.selectbox[position].options) - 1),
                len(page.selectbox[position].options) - 1,
            }:
                page.selectbox[position].select_index(choice).run()

                assert failures(page) == [], (page.selectbox[position].label, choice)


@pytest.mark.parametrize("name", PAGES)
def test_a_page_without_data_shows_an_empty_state(open_page: Open, empty_file: Path, name: str) -> None:
    """It shows a message instead of empty charts, and no error."""
    page = open_page(name, file=empty_file)

    assert failures(page) == []
    assert len(page.info) + len(page.caption) > 0


@pytest.mark.parametrize("name", [name for name in PAGES if name not in FOR_LABELS])
def test_a_label_cannot_open_pages_of_operators(open_page: Open, label_id: str, name: str) -> None:
    """They are missing from a label's menu, so Streamlit does not find them and shows the first page."""
    page = open_page(name, label=label_id)

    assert [title.value for title in page.title] == ["Home"]


@pytest.mark.parametrize("name", ["runs", "model_card", "feedback_loop_report"])
def test_data_beyond_a_labels_file_is_for_operators(open_page: Open, label_id: str, name: str) -> None:
    """Functions of `data` that read more than the viewer's file refuse a label."""
    open_page("overview", label=label_id)

    with pytest.raises(InputError, match="for operators"):
        getattr(data, name)()


def run_typed(page: AppTest, text: str) -> None:
    """Type a query and press Run."""
    page.text_area[0].set_value(text).run()
    page.button(key="run_sql").click().run()


def test_the_sql_page_of_a_label_reads_its_own_file(open_page: Open, label_id: str) -> None:
    """A query finds no other label's rows, and cannot read other files."""
    page = open_page("sql", label=label_id)

    run_typed(page, "select distinct label_id from marts.track_features")
    assert page.dataframe[0].value["label_id"].tolist() == [label_id]

    run_typed(page, "select * from read_csv('/etc/passwd')")
    assert "failed" in page.error[0].value


def test_the_sql_page_runs_a_single_select_only(open_page: Open) -> None:
    """A link only fills in the text; typed text cannot run a second statement, or one that writes."""
    attack = "select 1) limit 1; attach ':memory:' as mine; select * from (select 2"
    page = open_page("sql", sql=attack)
    assert page.text_area[0].value == attack
    assert not page.error
    page.button(key="run_sql").click().run()
    assert "The query failed" in page.error[0].value

    run_typed(page, "delete from marts.track_daily")
    assert "DELETE" in page.error[0].value
    assert "was not run" in page.error[0].value

    run_typed(page, "from duckdb_databases()")
    assert "tells about the server" in page.error[0].value


def test_a_long_query_can_be_cancelled(open_page: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    """While it runs, the page shows a button; afterwards it says that the query was cancelled."""
    monkeypatch.setattr("dashboards.background._FIRST_WAIT_S", 0.05)
    page = open_page("sql")
    run_typed(page, "select count(*) from range(100000000000) as a(x), range(1000) as b(y) where x * y % 7 = 3")

    page.button(key="cancel_query").click().run()
    for _ in range(50):
        if page.error:
            break
        time.sleep(0.1)
        page.run()

    assert "The query was cancelled" in page.error[0].value


@pytest.mark.parametrize("is_label", [False, True], ids=["operator", "label"])
def test_a_slow_query_is_stopped(
    open_page: Open, label_id: str, monkeypatch: pytest.MonkeyPatch, is_label: bool
) -> None:
    """The message says what to do, and the next query runs."""
    page = open_page("sql", label=label_id if is_label else None)
    monkeypatch.setattr(data, "LIMIT_S", 0.2)

    run_typed(page, "select count(*) from range(10000000) a, range(10000000) b where a.range < b.range")
    assert "took longer than 0.2 s and was stopped. Reduce it" in page.error[0].value

    run_typed(page, "select 1 as one")
    assert failures(page) == []
    assert page.dataframe[0].value["one"].tolist() == [1]


def test_a_target_changes_the_exposure(open_page: Open) -> None:
    """The slider re-ranks all lists and shows how much relevance is kept."""
    page = open_page("fairness")
    before = {metric.label: metric.value for metric in page.metric}

    page.slider[0].set_value(60).run()

    after = {metric.label: metric.value for metric in page.metric}
    assert after["Share without the target"] == before["Share without the target"]
    assert after["Share with the target"] == "60.0%"
    assert after["Relevance kept"] != "100.0%"


def test_search_finds_words_in_any_order(open_page: Open) -> None:
    """A title is found with its words reversed."""
    page = open_page("search")
    page.text_input[0].set_value("the").run()
    title = str(unmarked(page.dataframe[0].value["name"])[0])

    page.text_input[0].set_value(" ".join(reversed(title.split()))).run()

    assert title in unmarked(page.dataframe[0].value["name"])


def test_a_fact_has_its_unit(open_page: Open, published_home: Home) -> None:
    """The delivered tempo of the recording is followed by a space and its unit."""
    facts = plain(open_page("track").markdown[-1].value)
    (title,) = re.findall(r"^title: (.+)$", facts, re.MULTILINE)
    lake = Lake(published_home.path / "lake")
    named = lake.tracks.filter(title=title).join(lake.table("audio_features"), on="track_id")

    shown = re.findall(r"^tempo: (.+)$", facts, re.MULTILINE)

    assert shown
    assert shown[0] in [f"{tempo:.3g} beats per minute" for tempo in named["tempo_bpm"]]


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_captions_have_enough_contrast(theme: str) -> None:
    """Captions have 60 % of the text's opacity, and a contrast of at least 4.5 to 1 on page and menu (WCAG AA)."""
    colours = tomllib.loads((APP.parent / ".streamlit" / "config.toml").read_text())["theme"][theme]
    text, *backgrounds = (_rgb(colours[name]) for name in ("textColor", "backgroundColor", "secondaryBackgroundColor"))

    for background in backgrounds:
        assert contrast(0.6 * text + 0.4 * background, background) >= 4.5


def _rgb(colour: str) -> np.ndarray:
    return np.array(list(bytes.fromhex(colour.removeprefix("#")))) / 255


def contrast(one: np.ndarray, other: np.ndarray) -> float:
    """Contrast ratio of two sRGB colours, 0..1 per channel, as defined by WCAG 2.2."""
    linear = [np.where(colour <= 0.04045, colour / 12.92, ((colour + 0.055) / 1.055) ** 2.4) for colour in (one, other)]
    dark, light = sorted(float(colour @ [0.2126, 0.7152, 0.0722]) + 0.05 for colour in linear)
    return light / dark


@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_documented(name: str) -> None:
    """docs/labels.md lists every page."""
    assert f"| {headers()[name].title} |" in LABELS.read_text()


def test_without_a_published_warehouse_the_app_says_how_to_get_one(
    open_page: Open, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It shows the command to run instead of a traceback."""
    monkeypatch.setenv("RECSYS_HOME", str(tmp_path))

    page = AppTest.from_file(str(APP)).run()

    assert "recsys nightly" in page.error[0].value
    assert not page.exception
