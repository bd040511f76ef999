"""A catalogue whose titles and names are markup, formulas and commands: pages, reports and files show them as text."""

import csv
import io
import re
import shlex
from collections.abc import Callable, Iterator
from html.parser import HTMLParser
from typing import Any

import pytest
import streamlit as st
from markdown_it import MarkdownIt
from markdown_it.token import Token
from typing_extensions import override

from dashboards.menu import headers
from recsys.cli.show.runs import summary
from recsys.home import Home
from recsys.pipeline.run import Run
from recsys.recipe import read_recipe
from recsys.releases import registry
from recsys.reports.one_page.artist import artist_page
from recsys.reports.one_page.label import label_page
from recsys.reports.one_page.pdf import pdf
from recsys.warehouse.query import Warehouse

from ..nights import World
from ..reports.pdf_text import read_pdf
from .browser import CHROMIUM, Visit, chromium, served
from .conftest import PAGES, Open, failures, markdown_of, opener
from .hostile import ATTACKER, FILE, hostile_home

pytestmark = pytest.mark.slow
READER = MarkdownIt("commonmark").enable(["table", "strikethrough"])
HARMLESS = {"inline", "text", "softbreak", "text_special"} | {
    f"{name}_{end}"
    for name in ("paragraph", "heading", "bullet_list", "list_item", "strong", "em")
    for end in ("open", "close")
}
RENDERED = re.compile(
    r"(?<!\\)\$|(?<![\w/]):[a-z]\w*[:/\[]|\w+://|www\.|\w@\w|[\u202a-\u202e\u2066-\u2069\x00-\x08\x1b]"
)
VIEWERS = ("operator", "label")


@pytest.fixture(scope="module")
def home(world: World, tmp_path_factory: pytest.TempPathFactory) -> Home:
    """A finished nightly run on the hostile catalogue."""
    return hostile_home(world, tmp_path_factory.mktemp("hostile"))


@pytest.fixture
def open_hostile(home: Home, monkeypatch: pytest.MonkeyPatch) -> Iterator[Open]:
    """A function that opens a page of the hostile home, as an operator or the largest label."""
    with Warehouse.open(home.published_warehouse()) as warehouse:
        sql = (
            "select label_id from marts.track_features where label_id is not null group by 1 order by count(*) desc, 1"
        )
        label_id = str(warehouse.query(sql).item(0, 0))

    def opened(name: str, viewer: str = "operator", **address: str) -> Any:
        if viewer == "label":
            return open_page(name, label=label_id, file=registry.label_warehouse(home, label_id), **address)
        return open_page(name, **address)

    with opener(home, monkeypatch) as open_page:
        yield opened


def tokens(texts: str) -> Iterator[Token]:
    """Yield everything that Markdown makes of a text."""
    for token in READER.parse(texts):
        yield token
        yield from token.children or ()


def pages(viewer: str) -> list[str]:
    """List the pages that a viewer may open."""
    return [name for name in PAGES if viewer == "operator" or headers()[name].for_labels]


@pytest.mark.parametrize(("viewer", "name"), [(viewer, name) for viewer in VIEWERS for name in pages(viewer)])
def test_a_page_shows_names_as_text(
    open_hostile: Open, monkeypatch: pytest.MonkeyPatch, viewer: str, name: str
) -> None:
    """No link, picture, HTML, code or formula is rendered, and no cell of a CSV file is a formula."""
    files = recorded_downloads(monkeypatch)
    page = open_hostile(name, viewer)

    assert failures(page) == []
    for text in markdown_of(page):
        if name == "models" and text.startswith("## "):
            continue  # the model card, which the nightly run writes as Markdown
        assert {token.type for token in tokens(text)} <= HARMLESS, text
        assert RENDERED.findall(text) == [], text
    assert [cell for write in files for cell in cells(write()) if is_formula(cell)] == []


def recorded_downloads(monkeypatch: pytest.MonkeyPatch) -> list[Callable[[], bytes]]:
    """Return a list to which each CSV download that a page offers adds the function that writes it."""
    written: list[Callable[[], bytes]] = []
    original = st.download_button

    def recorded(label: str, content: Any, *args: Any, **options: Any) -> bool:
        if label == "CSV" and callable(content):
            written.append(content)
        return original(label, content, *args, **options)

    monkeypatch.setattr(st, "download_button", recorded)
    return written


def cells(content: bytes) -> list[str]:
    """List the cells of a CSV file."""
    return [cell for row in csv.reader(io.StringIO(content.decode(), newline="")) for cell in row]


def is_formula(cell: str) -> bool:
    """Return whether a spreadsheet would run a cell."""
    return cell.startswith(tuple("=+-@\t\r\n")) and not re.fullmatch(r"-\d+(\.\d+)?(e[-+]?\d+)?", cell)


def test_names_are_shown_and_not_left_out(open_hostile: Open) -> None:
    """Search results hold them unchanged; sentences, and control characters of file names, are escaped."""
    found = open_hostile("search", q=ATTACKER).dataframe[0].value["name"].tolist()
    assert any(str(name).startswith(f"![p](http://{ATTACKER}/p.png)") for name in found)

    refused = open_hostile("catalogue").dataframe[-1].value["source_file"].tolist()
    assert f"{FILE}.jsonl".replace("\u202e", r"\u202e") in refused


def test_an_upload_is_named_as_text(open_hostile: Open) -> None:
    """The name of the file is in the message."""
    page = open_hostile("discovery")
    page.file_uploader[0].upload(f"{FILE}.mp3", b"no sound", "audio/mpeg").run(timeout=120)

    assert r"!\[p\](x) \<b\> \$x\$" in page.error[0].value
    assert {token.type for token in tokens(page.error[0].value)} <= HARMLESS


class Elements(HTMLParser):
    """
    The elements of an HTML page.

    Attributes:
        names: Names of all elements.
        addresses: Values of all attributes that load or run something, except embedded images.
    """

    def __init__(self, page: str) -> None:
        super().__init__()
        self.names, self.addresses = set[str](), set[str]()
        self.feed(page)

    @override
    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note an element and its addresses."""
        self.names.add(tag)
        for name, value in attrs:
            is_picture = tag == "img" and str(value).startswith("data:image/png;base64,")
            if (name in ("src", "href", "srcset", "style", "action") or name.startswith("on")) and not is_picture:
                self.addresses.add(str(value))


def test_morning_reports_show_names_as_text(home: Home) -> None:
    """As HTML and as Markdown, of the operator and of each label."""
    folder = next((home.path / "reports" / "morning").iterdir())
    own = re.compile(r"labels/\w+/index\.(html|md)")
    for path in folder.rglob("index.html"):
        elements = Elements(path.read_text(encoding="utf-8"))
        assert elements.names.isdisjoint({"script", "iframe", "b", "object", "form", "svg"})
        assert [address for address in elements.addresses if not own.fullmatch(address)] == []
    for path in folder.rglob("index.md"):
        linked = [token for token in tokens(path.read_text(encoding="utf-8")) if token.type in ("link_open", "image")]
        addresses = [str(token.attrs.get("href", token.attrs.get("src"))) for token in linked]
        assert [it for it in addresses if not own.fullmatch(it) and not re.fullmatch(r"\w+\.png", it)] == []
    text = (folder / "index.md").read_text(encoding="utf-8")
    assert r"\<" in text
    assert {token.type for token in tokens(text)} & {"html_block", "html_inline", "code_inline", "fence"} == set()


def test_reports_of_one_page_show_names_as_text(home: Home) -> None:
    """Each label's and a few artists' are one page, without links, scripts or control characters."""
    with Warehouse.open(home.published_warehouse()) as warehouse:
        artist_ids = warehouse.query("select artist_id from marts.artist_profile order by artist_id limit 22")
        found = [pdf(artist_page(warehouse, artist_id)) for artist_id in artist_ids["artist_id"]]
    release = registry.current(home)
    assert release is not None
    for path in release.warehouses()[1:]:
        with Warehouse.open(path) as warehouse:
            found.append(pdf(label_page(warehouse)))

    for content in found:
        document = read_pdf(content)
        assert document.n_pages == 1
        assert re.findall("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202e]", document.text) == []
        assert re.findall(rb"/(?:URI|JavaScript|Launch|Annots)\b", content) == []


def test_the_screen_shows_names_as_text(home: Home, world: World, capsys: pytest.CaptureFixture[str]) -> None:
    """No command reaches the terminal, and each command to try next is one line that a shell splits as intended."""
    run = Run.of(home, world.last_day, read_recipe(world.recipe))

    summary(run)

    screen = capsys.readouterr().out
    assert re.findall("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202e]", screen) == []
    commands = shlex.split(screen.partition("Try next\n")[2])
    assert {"find", "query", "explain", "describe", "dashboard"} <= set(commands)


@pytest.fixture(scope="module")
def visit(home: Home) -> Iterator[Visit]:
    """A browser window on the hostile home."""
    with served(home.path) as address, chromium() as browser:
        yield Visit(browser, address)


@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium was found; apt-get install chromium")
@pytest.mark.parametrize("name", PAGES)
def test_a_browser_requests_nothing_elsewhere(visit: Visit, name: str) -> None:
    """No page loads, links to or runs anything from a name."""
    page = visit.open("" if name == "overview" else name)

    assert visit.elsewhere == []
    assert visit.errors == []
    assert (
        page.locator(f"[src*='{ATTACKER}'], [href*='{ATTACKER}'], .katex, script:not([src]):not([type])").count() <= 1
    )
    assert page.evaluate("document.title") != "attacker"


@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium was found; apt-get install chromium")
def test_a_browser_offers_no_file_with_formulas(visit: Visit) -> None:
    """The download in the toolbar of a table, which Streamlit writes, is not offered; ours are above."""
    page = visit.open("trends")

    page.get_by_test_id("stDataFrame").first.hover()

    page.get_by_role("button", name="Search").first.wait_for()
    assert page.get_by_role("button", name="Download as CSV").filter(visible=True).count() == 0
