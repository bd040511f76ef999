"""Every page of the folder opens, narrows, shows a label its own, and says what to do where there is nothing."""

import tomllib
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import polars as pl
import pytest
from streamlit.testing.v1 import AppTest

from dashboards import data, parts
from dashboards.menu import headers
from recsys.errors import InputError
from recsys.home import Home

from .conftest import APP, PAGES, Open, failures

LABELS = APP.parents[1] / "docs" / "labels.md"
FOR_LABELS = [name for name in PAGES if headers()[name].for_labels]


@pytest.fixture(scope="module")
def empty_file(shown: Home, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A warehouse with every table and no row in any mart, as of a label that has nothing yet."""
    path = tmp_path_factory.mktemp("empty") / "empty.duckdb"
    with duckdb.connect(path) as connection:
        connection.execute(f"attach '{shown.published_warehouse()}' as full_one (read_only)")
        connection.execute("copy from database full_one to empty")
        for (name,) in connection.execute(
            "select table_name from information_schema.tables where table_catalog = 'empty' and table_schema = 'marts'"
        ).fetchall():
            connection.execute(f"delete from marts.{name}")
    return path


@pytest.mark.parametrize("name", PAGES)
def test_a_page_opens(open_page: Open, name: str) -> None:
    """It has a title, something below it, and nothing on it failed."""
    page = open_page(name)

    assert failures(page) == []
    assert page.title[0].value == headers()[name].title
    assert len(page.main) > 2


@pytest.mark.parametrize("name", PAGES)
def test_every_number_says_what_it_means(open_page: Open, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """On hover, in a mart's words or those of `glossary.py`; but for an analyst's own query."""
    unsaid, as_drawn = [], parts._column

    def noted(rows: pl.DataFrame, column: str, heading: str, of: str, form: str | None) -> Any:
        if of and rows.schema[column].is_numeric() and data.meaning(of, column) is None:
            unsaid.append((of, column))
        return as_drawn(rows, column, heading, of, form)

    monkeypatch.setattr(parts, "_column", noted)
    open_page(name)

    assert unsaid == []


@pytest.mark.slow
@pytest.mark.parametrize("name", PAGES)
def test_each_filter_of_a_page_can_be_set(open_page: Open, name: str) -> None:
    """Whatever a box offers second, and last, the page can show, together with what was chosen in others."""
    page = open_page(name)

    for at in range(len(page.selectbox)):
        if at < len(page.selectbox):  # a choice may leave fewer boxes
            for choice in {min(1, len(page.selectbox[at].options) - 1), len(page.selectbox[at].options) - 1}:
                page.selectbox[at].select_index(choice).run()

                assert failures(page) == [], (page.selectbox[at].label, choice)


@pytest.mark.parametrize("name", PAGES)
def test_a_page_without_data_says_so(open_page: Open, empty_file: Path, name: str) -> None:
    """No chart of nothing, no failure."""
    page = open_page(name, file=empty_file)

    assert failures(page) == []
    assert len(page.info) + len(page.caption) > 0


@pytest.mark.parametrize("name", FOR_LABELS)
def test_a_label_opens_its_pages(open_page: Open, label_id: str, name: str) -> None:
    """Its own file has all that these pages ask for."""
    page = open_page(name, label=label_id)

    assert failures(page) == []
    assert page.title[0].value == headers()[name].title
    assert "Label" not in [box.label for box in page.selectbox]


@pytest.mark.parametrize("name", [name for name in PAGES if name not in FOR_LABELS])
def test_a_label_is_not_shown_pages_of_operators(open_page: Open, label_id: str, name: str) -> None:
    """They are in no menu of a label's, so that Streamlit knows no such page."""
    with pytest.raises(ValueError, match="Could not find a navigation page"):
        open_page(name, label=label_id)


@pytest.mark.parametrize("asked", ["runs", "card", "loop_report"])
def test_what_reads_more_than_a_labels_file_is_for_operators(open_page: Open, label_id: str, asked: str) -> None:
    """Whatever page would ask."""
    open_page("overview", label=label_id)

    with pytest.raises(InputError, match="for operators"):
        getattr(data, asked)()


def test_the_sql_page_of_a_label_reads_its_own_file(open_page: Open, label_id: str) -> None:
    """Whatever it asks for: there is no other label in it, and no other file."""
    page = open_page("sql", label=label_id)

    page.text_area[0].set_value("select distinct label_id from marts.track_features").run()
    assert page.dataframe[0].value["label_id"].tolist() == [label_id]

    page.text_area[0].set_value("select * from read_csv('/etc/passwd')").run()
    assert "failed" in page.error[0].value


def test_the_sql_page_answers_one_query_and_runs_nothing_else(open_page: Open) -> None:
    """Nor does a link to it: what would close the page's own parentheses attaches nothing."""
    page = open_page("sql", sql="select 1) limit 1; attach ':memory:' as mine; select * from (select 2")
    assert "The query failed" in page.error[0].value

    page.text_area[0].set_value("delete from marts.track_daily").run()
    assert "DELETE is not a query, and was not run" in page.error[0].value

    page.text_area[0].set_value("from duckdb_databases() where not internal").run()
    assert len(page.dataframe[0].value) == 1


@pytest.mark.parametrize("is_label", [False, True], ids=["operator", "label"])
def test_a_question_that_takes_too_long_is_stopped(
    open_page: Open, label_id: str, monkeypatch: pytest.MonkeyPatch, is_label: bool
) -> None:
    """With what to do; the next one is answered."""
    page = open_page("sql", label=label_id if is_label else None)
    monkeypatch.setattr(data, "LIMIT_S", 0.2)

    page.text_area[0].set_value(
        "select count(*) from range(10000000) a, range(10000000) b where a.range < b.range"
    ).run()
    assert "took longer than 0.2 s and was stopped. Reduce it" in page.error[0].value

    page.text_area[0].set_value("select 1 as one").run()
    assert failures(page) == []


def test_another_target_moves_the_exposure(open_page: Open) -> None:
    """The slider chooses all lists again, and says what is kept of their relevance."""
    page = open_page("fairness")
    before = {metric.label: metric.value for metric in page.metric}

    page.slider[0].set_value(60).run()

    after = {metric.label: metric.value for metric in page.metric}
    assert after["Share without a target"] == before["Share without a target"]
    assert after["Share with it"] == "60.0%"
    assert after["Relevance kept"] != "100.0%"


def test_search_finds_words_in_any_order(open_page: Open) -> None:
    """The words of a title may stand the other way round."""
    page = open_page("search")
    page.text_input[0].set_value("the").run()
    title = str(page.dataframe[0].value["name"].iloc[0])

    page.text_input[0].set_value(" ".join(reversed(title.split()))).run()

    assert title in page.dataframe[0].value["name"].tolist()


@pytest.mark.parametrize("ground", ["light", "dark"])
def test_quiet_text_can_be_read(ground: str) -> None:
    """Captions are drawn with 60 % of the text's colour: 4.5 to 1 at least, on the page and on the menu (WCAG AA)."""
    colours = tomllib.loads((APP.parent / ".streamlit" / "config.toml").read_text())["theme"][ground]
    text, *grounds = (_rgb(colours[name]) for name in ("textColor", "backgroundColor", "secondaryBackgroundColor"))

    for behind in grounds:
        assert _contrast(0.6 * text + 0.4 * behind, behind) >= 4.5


def _rgb(colour: str) -> np.ndarray:
    return np.array(list(bytes.fromhex(colour.removeprefix("#")))) / 255


def _contrast(one: np.ndarray, other: np.ndarray) -> float:
    """WCAG 2.2, contrast ratio of two colours, sRGB 0..1."""
    linear = [np.where(each <= 0.04045, each / 12.92, ((each + 0.055) / 1.055) ** 2.4) for each in (one, other)]
    dark, light = sorted(float(each @ [0.2126, 0.7152, 0.0722]) + 0.05 for each in linear)
    return light / dark


@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_in_the_documents(name: str) -> None:
    """A page that nobody can find does not exist."""
    assert f"| {headers()[name].title} |" in LABELS.read_text()


def test_without_a_published_warehouse_the_app_says_how_to_get_one(
    open_page: Open, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No traceback, but the command to run."""
    monkeypatch.setenv("RECSYS_HOME", str(tmp_path))

    page = AppTest.from_file(str(APP)).run()

    assert "recsys nightly" in page.error[0].value
    assert not page.exception
