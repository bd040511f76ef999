"""What people do with the dashboards, in a real browser: open, filter, send a link, download, drop a file."""

import io
import shutil
from collections.abc import Iterator
from pathlib import Path

import polars as pl
import pytest
from click.testing import CliRunner
from playwright.sync_api import Browser, expect

from dashboards.menu import headers
from recsys.cli import main
from recsys.home import Home

from .browser import CHROMIUM, ROOT, Visit, chromium, downloaded, served
from .conftest import PAGES

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium was found; apt-get install chromium"),
]
SCREENS = ROOT / "data" / "screens"  # to be looked at; never in git
SIZES = {"wide": (1440, 900), "phone": (390, 844)}


@pytest.fixture(scope="module")
def home(shown: Home, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One finished night, and after it a week of the feedback loop."""
    home = tmp_path_factory.mktemp("journeys") / "home"
    shutil.copytree(shown.path, home, symlinks=True)
    words = ["--weeks", "1", "--listeners", "40", "--recommender", "popular"]
    assert CliRunner().invoke(main, ["--home", str(home), "simulate", *words], catch_exceptions=False).exit_code == 0
    return home


@pytest.fixture(scope="module")
def address(home: Path) -> Iterator[str]:
    """The dashboards of that home, served."""
    with served(home) as at:
        yield at


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One Chromium for all journeys."""
    with chromium() as started:
        yield started


@pytest.fixture
def visit(browser: Browser, address: str) -> Iterator[Visit]:
    """A visitor whose console stays clean and whose browser asks nobody else for anything."""
    visitor = Visit(browser, address)
    yield visitor
    assert visitor.errors == []
    assert visitor.elsewhere == []


def path_of(name: str) -> str:
    """The address of a page; the first one's is the root."""
    return "" if name == "overview" else name


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("ground", ["light", "dark"])
@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_drawn_within_its_screen(browser: Browser, address: str, name: str, ground: str, size: str) -> None:
    """On any screen and ground: no error, nothing from elsewhere, nothing wider than the screen."""
    width, height = SIZES[size]
    visitor = Visit(browser, address, width=width, height=height, dark=ground == "dark")

    page = visitor.open(path_of(name))

    expect(page.get_by_role("heading", level=1)).to_have_text(headers()[name].title)
    main = page.get_by_test_id("stMain")
    assert main.evaluate("it => it.scrollWidth - it.clientWidth") == 0
    tall = main.evaluate("it => it.scrollHeight")
    page.set_viewport_size({"width": width, "height": min(tall + 20, 4_000)})
    SCREENS.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=SCREENS / f"{name}-{ground}-{size}.png")
    assert visitor.errors == []
    assert visitor.elsewhere == []


def test_the_menu_leads_to_every_page(visit: Visit) -> None:
    """By its title, from the first page on."""
    page = visit.open()

    for header in headers().values():
        page.get_by_role("link", name=header.title, exact=True).click()

        expect(page.get_by_role("heading", level=1)).to_have_text(header.title)


def test_what_is_chosen_is_in_the_address(visit: Visit) -> None:
    """So that what one sees can be sent as a link, which opens the same."""
    page = visit.open()
    page.get_by_role("combobox", name="Period").click()
    page.get_by_role("option", name="the last 28 days").click()
    page.wait_for_url("**/?days=*")
    visit.settle()
    said = page.get_by_role("listitem").first.inner_text()

    again = visit.open(page.url.removeprefix(f"{visit.address}/"))

    assert again.get_by_role("listitem").first.inner_text() == said


def test_filters_combine_in_a_link(visit: Visit) -> None:
    """Tempo and mode both hold in what a link opens."""
    page = visit.open("discovery?mode=minor&tempo=80&tempo=120")

    found = downloaded(page, "similar")
    assert found.height > 0
    assert set(found["mode"]) == {"minor"}
    assert found["tempo_bpm"].is_between(80, 120).all()


@pytest.mark.parametrize("form", ["CSV", "Parquet"])
def test_what_is_shown_can_be_taken_along(visit: Visit, form: str, tmp_path: Path) -> None:
    """As a file with the same rows."""
    page = visit.open("trends")
    with page.expect_download() as waiting:
        page.get_by_role("button", name=form).first.click()
    waiting.value.save_as(tmp_path / "rows")

    read = pl.read_csv if form == "CSV" else pl.read_parquet
    assert "velocity" in read(io.BytesIO((tmp_path / "rows").read_bytes())).columns


def test_the_report_of_the_loop_can_be_taken_along(visit: Visit, home: Path) -> None:
    """From the page of fairness, as `recsys simulate` wrote it: a page of its own, plots in it."""
    page = visit.open("fairness")

    with page.expect_download() as waiting:
        page.get_by_role("button", name="HTML", exact=True).click()

    taken = waiting.value.path().read_bytes()
    assert taken == (home / "reports" / "feedback_loop" / "index.html").read_bytes()
    assert b'src="data:image/png;base64,' in taken
    assert waiting.value.suggested_filename == "feedback_loop.html"


def test_a_search_is_a_link(visit: Visit) -> None:
    """Words typed are in the address."""
    page = visit.open("search")

    page.get_by_role("textbox", name="Words").fill("the")
    page.keyboard.press("Enter")

    page.wait_for_url("**/search?q=the")
    expect(page.get_by_role("heading", name="found, the most played first")).to_be_visible()


def test_a_query_that_fails_is_told_in_words(visit: Visit) -> None:
    """The rest of the app goes on."""
    page = visit.open("sql")

    page.get_by_role("textbox", name="Query").fill("select nonsense")
    page.keyboard.press("Control+Enter")

    expect(page.get_by_role("alert")).to_contain_text("The query failed")
    page.get_by_role("link", name="Overview").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Overview")


def test_a_file_that_is_no_music_is_told_in_words(visit: Visit, tmp_path: Path) -> None:
    """Dropped on the page of matches."""
    (tmp_path / "letter.mp3").write_text("no music")
    page = visit.open("matches")

    page.locator("input[type=file]").set_input_files(tmp_path / "letter.mp3")

    expect(page.get_by_role("alert").last).to_be_visible()


def test_keys_reach_a_filter_and_change_it(visit: Visit) -> None:
    """Without a mouse: to the box, down, and enter."""
    page = visit.open()
    page.get_by_role("combobox", name="Period").focus()

    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")

    page.wait_for_url("**/?days=*")


def test_a_metric_says_what_it_means(visit: Visit) -> None:
    """On hover, from the header of its mart."""
    page = visit.open()

    page.get_by_test_id("stMetric").first.get_by_test_id("stTooltipIcon").hover()

    expect(page.get_by_test_id("stTooltipContent")).to_contain_text("plays [count]")
