"""Titles, names and messages are shown letter by letter: no formula, emphasis, link or picture is made of them."""

import ast
import re
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import pytest
from streamlit.testing.v1 import AppTest

from dashboards import sentences
from dashboards.markdown import Markdown, say, shown
from recsys.home import Home

from .conftest import APP, PAGES, Open, failures

PICTURE, FORMULA = "![p](https://outside.example/p.png)", "$1 to $2"
NAMED = ("title", "name", "artist_name", "label_name", "release_title", "artist", "source_title", "tag", "main_genre")
# What Streamlit renders as Markdown, beside `help`. Of widgets that is the label: options and typed texts are not.
RENDERED = {
    *("title", "header", "subheader", "markdown", "caption", "error", "warning", "info", "success", "metric", "badge"),
    *(
        "button",
        "download_button",
        "link_button",
        "checkbox",
        "toggle",
        "radio",
        "pills",
        "segmented_control",
        "slider",
    ),
    *("selectbox", "multiselect", "text_input", "text_area", "number_input", "date_input", "file_uploader", "expander"),
    *("tabs", "popover", "toast", "status", "table", "write", "spinner", "segmented_control", "html", "chat_message"),
}


def test_values_enter_sentences_as_text() -> None:
    """A sentence's own emphasis stays; of what is put into it, nothing is markup."""
    said = say("**{title}** by {artist}", title=f"Love *Live* {FORMULA}", artist=PICTURE)

    assert said == r"**Love \*Live\* \$1 to \$2** by !\[p\](https:" + "\u2060" + "//outside.example/p.png)"
    assert shown(said) == said
    assert shown("**x**") == r"\*\*x\*\*"
    assert say("{inner}", inner=Markdown("**x**")) == "**x**"


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("1. Outside", r"1\. Outside"),
        ("- Dash", r"\- Dash"),
        ("+ Plus", r"\+ Plus"),
        ("# Rank", r"\# Rank"),
        ("> Quote", r"\> Quote"),
        ("One\n\n# Two", r"One \# Two"),
        ("    Code", "Code"),
        ("<b>Bold</b>", r"\<b\>Bold\</b\>"),
        ("R&B &amp; Soul", r"R\&B \&amp; Soul"),
        (r"AC\DC", r"AC\\DC"),
        ("user_id _live_ (_x_)", r"user_id \_live\_ (\_x\_)"),
        (":heart: and :material/home:", ":\u2060heart: and :\u2060material/home:"),
        ("Part 2: The End", "Part 2: The End"),
        ("a -> b -- c", "a -\u2060\\> b -\u2060- c"),
        ("www.outside.example", "www\u2060.outside.example"),
        ("ann@outside.example", "ann@\u2060outside.example"),
        ("Beyoncé, 東京, عمر", "Beyoncé, 東京, عمر"),
    ],
)
def test_a_name_is_shown_letter_by_letter(name: str, expected: str) -> None:
    """Lists, headings, HTML, entities, emoji and addresses too; a word joiner, which has no width, parts the last."""
    assert shown(name) == expected


@pytest.mark.parametrize("path", sorted(APP.parent.rglob("*.py")), ids=lambda path: path.stem)
def test_whatever_streamlit_renders_has_gone_through_one_door(path: Path) -> None:
    """What is given to it is a constant, or comes from `shown` or `say`; else a name could be rendered as Markdown."""
    assert [ast.unparse(call) for call in rendering(path) for given in rendered(call) if not is_text(given)] == []


def rendering(path: Path) -> Iterator[ast.Call]:
    """Find the calls of Streamlit that render Markdown."""
    calls = (node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call))
    for call in calls:
        owner, _, name = ast.unparse(call.func).rpartition(".")
        if owner in ("st", "st.sidebar") and name in RENDERED:
            yield call


def rendered(call: ast.Call) -> list[ast.expr]:
    """List what such a call renders: its first argument, and the text on hover."""
    hints = [keyword.value for keyword in call.keywords if keyword.arg in ("help", "label", "body")]
    return [*call.args[:1], *hints]


def is_text(given: ast.expr) -> bool:
    """Say whether it is a constant, or a call of what makes data text."""
    if isinstance(given, ast.Call):
        return ast.unparse(given.func) in ("shown", "say", "hint", "Markdown")
    return isinstance(given, ast.Constant)


@pytest.fixture(scope="module")
def hostile_file(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The published warehouse, with a picture, a formula and emphasis in every title and name."""
    home: Home = request.getfixturevalue("shown")  # as an argument it would hide the function of this name
    path = tmp_path_factory.mktemp("hostile") / "hostile.duckdb"
    with duckdb.connect(path) as connection:
        connection.execute(f"attach '{home.published_warehouse()}' as published (read_only)")
        connection.execute("copy from database published to hostile")
        for table, column in connection.execute(
            "select table_name, column_name from information_schema.columns where table_catalog = 'hostile' "
            "and table_schema = 'marts' and data_type = 'VARCHAR' and list_contains($1, column_name)",
            [list(NAMED)],
        ).fetchall():
            connection.execute(f"update marts.{table} set {column} = {column} || ' {PICTURE} {FORMULA} *x*'")
    return path


def markdown_of(page: AppTest) -> list[str]:
    """List all that a page has Streamlit render as Markdown."""
    found: list[Any] = [page.markdown, page.title, page.header, page.subheader, page.caption, page.metric]
    found += [page.error, page.warning, page.info, page.selectbox, page.multiselect, page.slider, page.text_input]
    elements = [element for kind in found for element in kind]
    texts = [getattr(each, name, None) for each in elements for name in ("label", "help")]
    texts += [each.value for each in elements if each.type in ("markdown", "title", "header", "subheader", "caption")]
    texts += [each.value for each in [*page.error, *page.warning, *page.info, *page.metric]]
    return [str(text) for text in texts if text]


@pytest.mark.parametrize("name", PAGES)
def test_a_page_makes_nothing_of_hostile_names(open_page: Open, hostile_file: Path, name: str) -> None:
    """Nothing that it has rendered holds the picture, the formula or the emphasis unescaped."""
    page = open_page(name, file=hostile_file)

    assert failures(page) == []
    assert [text for text in markdown_of(page) if re.search(r"(?<!\\)(\[p|\$\d|\*x)|https:/", text)] == []


def test_sentences_and_facts_hold_the_names(open_page: Open, hostile_file: Path) -> None:
    """They are shown, not left out."""
    for name in ("overview", "track"):
        texts = markdown_of(open_page(name, file=hostile_file))

        assert any(r"!\[p\](https:" in text and r"\$1 to \$2 \*x\*" in text for text in texts)


def test_a_link_to_the_sql_page_fetches_nothing(open_page: Open) -> None:
    """DuckDB repeats what was asked in its error; the page shows that as text."""
    page = open_page("sql", sql=f'select "{PICTURE}" from marts.track_daily')

    assert r"!\[p\](https:" in page.error[0].value
    assert PICTURE not in page.error[0].value


@pytest.mark.parametrize("words", [PICTURE, FORMULA])
def test_words_that_a_link_searches_for_are_text(open_page: Open, words: str) -> None:
    """They are repeated where nothing is found."""
    page = open_page("search", q=words)

    assert shown(words) in page.info[0].value


def test_a_recording_that_no_file_describes_is_called_by_its_id() -> None:
    """Its artist is left out; nothing is called None."""
    row = {
        "track_id": "t1", "title": None, "artist_name": None, "started_on": date(2026, 6, 1), "n_plays": 1200,
        "n_expected": 40.0, "n_listeners": 90, "n_countries": 3,
    }  # fmt: skip

    unknown, known = sentences.broke_out(row), sentences.broke_out(row | {"title": "Song", "artist_name": "Ada"})

    assert unknown.startswith("**t1** since 1 June")
    assert known.startswith("**Song** by Ada, since 1 June")
    assert "None" not in unknown
