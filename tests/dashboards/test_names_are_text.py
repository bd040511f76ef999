"""Titles, names and messages are shown literally: Streamlit renders no formula, emphasis, link or picture from them."""

import ast
import re
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import duckdb
import pytest

from dashboards import sentences
from dashboards.markdown import Markdown, as_markdown, fill
from recsys.home import Home

from .conftest import APP, PAGES, Open, failures, markdown_of

PICTURE, FORMULA = "![p](https://outside.example/p.png)", "$1 to $2"
NAMED = ("title", "name", "artist_name", "label_name", "release_title", "artist", "source_title", "tag", "main_genre")
# Streamlit functions whose first argument is rendered as Markdown: texts, and labels of widgets (not their options).
RENDERED = {
    *("title", "header", "subheader", "markdown", "caption", "error", "warning", "info", "success", "metric", "badge"),
    *(
        "button",
        "download_button",
        "link_button",
        "menu_button",
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
    """The emphasis of a template is kept; markup in the values is escaped."""
    sentence = fill("**{title}** by {artist}", title=f"Love *Live* {FORMULA}", artist=PICTURE)

    assert sentence == r"**Love \*Live\* \$1 to \$2** by !\[p\](https:" + "\u2060" + "//outside.example/p.png)"
    assert as_markdown(sentence) == sentence
    assert as_markdown("**x**") == r"\*\*x\*\*"
    assert fill("{inner}", inner=Markdown("**x**")) == "**x**"


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
def test_a_name_is_shown_literally(name: str, expected: str) -> None:
    """Lists, headings, HTML, entities, emoji and addresses are escaped, the last two by a zero-width word joiner."""
    assert as_markdown(name) == expected


@pytest.mark.parametrize("path", sorted(APP.parent.rglob("*.py")), ids=lambda path: path.stem)
def test_every_text_for_streamlit_is_escaped(path: Path) -> None:
    """Each text is a constant, or the result of `as_markdown` or `fill`."""
    assert [ast.unparse(call) for call in rendering(path) for argument in rendered(call) if not is_text(argument)] == []


def rendering(path: Path) -> Iterator[ast.Call]:
    """Yield the calls of Streamlit functions that render Markdown."""
    calls = (node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call))
    for call in calls:
        owner, _, name = ast.unparse(call.func).rpartition(".")
        if owner in ("st", "st.sidebar") and name in RENDERED:
            yield call


def rendered(call: ast.Call) -> list[ast.expr]:
    """List the arguments that such a call renders: the first one, and the tooltip."""
    keywords = [keyword.value for keyword in call.keywords if keyword.arg in ("help", "label", "body")]
    return [*call.args[:1], *keywords]


def is_text(argument: ast.expr) -> bool:
    """Return whether an argument is a constant, the style sheet, or a call of a function that escapes."""
    if isinstance(argument, ast.Call):
        return ast.unparse(argument.func) in ("as_markdown", "fill", "tooltip", "Markdown")
    return isinstance(argument, ast.Constant) or ast.unparse(argument) == "data.LOOK"


@pytest.fixture(scope="module")
def hostile_file(published_home: Home, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the published warehouse with a picture, a formula and emphasis in every title and name."""
    path = tmp_path_factory.mktemp("hostile") / "hostile.duckdb"
    with duckdb.connect(path) as connection:
        connection.execute(f"attach '{published_home.published_warehouse()}' as published (read_only)")
        connection.execute("copy from database published to hostile")
        for table, column in connection.execute(
            "select table_name, column_name from information_schema.columns where table_catalog = 'hostile' "
            "and table_schema = 'marts' and data_type = 'VARCHAR' and list_contains($1, column_name)",
            [list(NAMED)],
        ).fetchall():
            connection.execute(f"update marts.{table} set {column} = {column} || ' {PICTURE} {FORMULA} *x*'")
    return path


@pytest.mark.parametrize("name", PAGES)
def test_a_page_escapes_hostile_names(open_page: Open, hostile_file: Path, name: str) -> None:
    """No rendered text contains the picture, the formula or the emphasis unescaped."""
    page = open_page(name, file=hostile_file)

    assert failures(page) == []
    assert [text for text in markdown_of(page) if re.search(r"(?<!\\)(\[p|\$\d|\*x)|https:/", text)] == []


def test_sentences_and_facts_hold_the_names(open_page: Open, hostile_file: Path) -> None:
    """The names are shown escaped, not left out."""
    for name in ("overview", "track"):
        texts = markdown_of(open_page(name, file=hostile_file))

        assert any(r"!\[p\](https:" in text and r"\$1 to \$2 \*x\*" in text for text in texts)


def test_a_link_to_the_sql_page_fetches_nothing(open_page: Open) -> None:
    """DuckDB repeats the query in its error message; the page escapes it."""
    page = open_page("sql", sql=f'select "{PICTURE}" from marts.track_daily')
    page.button(key="run_sql").click().run()

    assert r"!\[p\](https:" in page.error[0].value
    assert PICTURE not in page.error[0].value


@pytest.mark.parametrize("words", [PICTURE, FORMULA])
def test_search_words_in_a_link_are_escaped(open_page: Open, words: str) -> None:
    """What repeats the words, the message for no results or how they were understood, shows them as text."""
    page = open_page("search", q=words)

    repeated = [element.value for element in (*page.info, *page.caption)]
    assert any(as_markdown(words) in text for text in repeated)
    assert not any(words in text for text in repeated)


def test_a_recording_without_metadata_is_named_by_its_id() -> None:
    """Its artist is left out; no name is None."""
    row = {
        "track_id": "t1", "title": None, "artist_name": None, "started_on": date(2026, 6, 1), "n_plays": 1200,
        "n_expected": 40.0, "n_listeners": 90, "n_countries": 3,
    }  # fmt: skip

    unknown, known = (
        sentences.breakout_sentence(row),
        sentences.breakout_sentence(row | {"title": "Song", "artist_name": "Ada"}),
    )

    assert unknown.startswith("**t1**: ")
    assert known.startswith("**Song** by Ada: ")
    assert "None" not in unknown
