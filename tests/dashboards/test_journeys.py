"""What people do with the dashboards, in a real browser: open, filter, share a link, download, upload a file."""

import io
import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from playwright.sync_api import Browser, expect

from dashboards.menu import headers
from recsys.home import Home

from .browser import CHROMIUM, Visit, chromium, downloaded, served
from .test_pages import contrast
from .truth.operators import OperatorTruth
from .truth.rows import Lake

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium was found; apt-get install chromium"),
]


@pytest.fixture(scope="module")
def home(simulated_home: Home) -> Path:
    """The folder of the home that is served."""
    return simulated_home.path


@pytest.fixture(scope="module")
def address(home: Path) -> Iterator[str]:
    """The address of the served dashboards."""
    with served(home) as url:
        yield url


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One Chromium for all journeys."""
    with chromium() as started:
        yield started


@pytest.fixture
def visit(browser: Browser, address: str) -> Iterator[Visit]:
    """A browser window; afterwards the console has no errors, and no other server was contacted."""
    visitor = Visit(browser, address)
    yield visitor
    assert visitor.errors == []
    assert visitor.elsewhere == []


def path_of(name: str) -> str:
    """Return the path of a page; the first page is at the root."""
    return "" if name == "overview" else name


def test_the_start_page_opens_by_its_name(visit: Visit) -> None:
    """As the address of the app: without a message that there is no such page, and with its filters."""
    page = visit.open("overview?days=28")

    expect(page.get_by_role("heading", name="Home")).to_be_visible()
    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(page.get_by_label("Period").first).to_have_value("the last 28 days")


def test_a_file_is_named_after_its_artist_and_day(visit: Visit) -> None:
    """The figure, the artist whose page it is on, and the last day of data."""
    page = visit.open("artist")
    artist = page.get_by_role("combobox", name="Artist").input_value()

    with page.expect_download() as waiting:
        page.locator(".st-key-artist_tracks_csv button").first.click()

    assert waiting.value.suggested_filename == f"artist_tracks-{'-'.join(re.findall('[^ ,&]+', artist))}-2026-06-30.csv"


def test_a_tab_is_titled_by_its_page(visit: Visit) -> None:
    """With the name of the product."""
    for name in ("overview", "artist"):
        page = visit.open(path_of(name))

        expect(page).to_have_title(f"{headers()[name].title} · recsys")


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_chosen_values_have_enough_contrast(browser: Browser, address: str, dark: bool) -> None:
    """At least 4.5 to 1 between the text and its box (WCAG AA)."""
    page = Visit(browser, address, dark=dark).open("trends")

    style = "it => [getComputedStyle(it.querySelector('span')).color, getComputedStyle(it).backgroundColor]"
    text, box = page.locator("[data-tag]").first.evaluate(style)

    assert contrast(*(np.array([int(part) for part in re.findall(r"\d+", it)[:3]]) / 255 for it in (text, box))) >= 4.5


def test_the_menu_leads_to_every_page(visit: Visit) -> None:
    """Every page opens from the menu by its title."""
    page = visit.open()

    for header in headers().values():
        page.get_by_role("link", name=header.title, exact=True).click()

        expect(page.get_by_role("heading", level=1)).to_have_text(header.title)


def test_filters_are_kept_in_the_address(visit: Visit) -> None:
    """A link to a filtered page opens the same view."""
    page = visit.open()
    page.get_by_role("combobox", name="Period").click()
    page.get_by_role("option", name="the last 28 days").click()
    page.wait_for_url("**/?days=*")
    visit.settle()
    summary = page.get_by_role("listitem").first.inner_text()

    again = visit.open(page.url.removeprefix(f"{visit.address}/"))

    assert again.get_by_role("listitem").first.inner_text() == summary


def test_back_undoes_a_choice(visit: Visit) -> None:
    """Each step back shows the choice before, the last one the page that was open first."""
    page = visit.open()
    visit.settle()
    page.get_by_role("link", name="Artist", exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Artist")
    box = page.get_by_role("combobox", name="Artist")
    first = box.input_value()
    box.click()
    page.get_by_role("option").nth(3).click()
    page.wait_for_url("**/artist?artist=ar_*")
    visit.settle()
    assert box.input_value() != first

    page.go_back()
    visit.settle()
    expect(box).to_have_value(first)
    page.go_back()
    visit.settle()
    expect(page.get_by_role("heading", level=1)).to_have_text("Home")
    page.go_forward()
    page.go_forward()
    visit.settle()
    expect(box).not_to_have_value(first)


@pytest.mark.parametrize(("test_id", "dx", "dy"), [("stDataFrame", 80, 52), ("stVegaLiteChart", 300, 36)])
def test_a_click_in_a_table_or_chart_opens_a_page(visit: Visit, test_id: str, dx: int, dy: int) -> None:
    """The first row and the first bar are the same artist; Back shows the filtered table again."""
    page = visit.open("trends?days=28")
    artist_id = downloaded(page, "trending_artists")["artist_id"][0]
    drawn = page.get_by_test_id(test_id).first
    drawn.scroll_into_view_if_needed()
    page.wait_for_timeout(1_000)

    drawn.click(position={"x": dx, "y": dy})

    page.wait_for_url(f"**/artist?artist={artist_id}")
    visit.settle()
    expect(page.get_by_role("heading", level=1)).to_have_text("Artist")
    page.go_back()
    page.wait_for_url("**/trends?days=28")
    expect(page.get_by_role("combobox", name="Period", exact=True)).to_have_value("28 days")


def test_filters_combine_in_a_link(visit: Visit) -> None:
    """A link with a tempo range and a mode applies both."""
    page = visit.open("discovery?mode=minor&tempo=80&tempo=120")

    rows = downloaded(page, "similar")
    assert rows.height > 0
    assert set(rows["mode"]) == {"minor"}
    assert rows["tempo_bpm"].is_between(80, 120).all()


@pytest.mark.parametrize("form", ["CSV", "Parquet"])
def test_data_can_be_downloaded(visit: Visit, home: Path, form: str, tmp_path: Path) -> None:
    """The file has the plays of the raw rows, artists that grow fastest first."""
    page = visit.open("trends")
    with page.expect_download() as waiting:
        page.get_by_role("button", name=form).first.click()
    waiting.value.save_as(tmp_path / "rows")

    read = pl.read_csv if form == "CSV" else pl.read_parquet
    rows = read(io.BytesIO((tmp_path / "rows").read_bytes()))
    truth = OperatorTruth(Lake(home / "lake")).trends(7, 50).rows["velocity"]
    assert rows["artist_id"].to_list() == truth["artist_id"].to_list()
    assert rows["n_plays"].to_list() == truth["n_plays"].to_list()
    assert rows["velocity"].to_list() == pytest.approx(truth["velocity"].to_list())


def test_the_feedback_loop_report_can_be_downloaded(visit: Visit, home: Path) -> None:
    """The Fairness page offers the report of `recsys simulate`, with its plots."""
    page = visit.open("fairness")

    with page.expect_download() as waiting:
        page.get_by_role("button", name="HTML", exact=True).click()

    report = waiting.value.path().read_bytes()
    assert report == (home / "reports" / "feedback_loop" / "index.html").read_bytes()
    assert b'src="data:image/png;base64,' in report
    assert waiting.value.suggested_filename == "feedback_loop.html"


def test_a_search_is_a_link(visit: Visit) -> None:
    """The words of a search are in the address."""
    page = visit.open("search")

    page.get_by_role("textbox", name="Search for").fill("the")
    page.keyboard.press("Enter")

    page.wait_for_url("**/search?q=the")
    expect(page.get_by_role("heading", name="results, most played first")).to_be_visible()


def test_a_failing_query_shows_a_message(visit: Visit) -> None:
    """Other pages still work afterwards."""
    page = visit.open("sql")

    page.get_by_role("textbox", name="Query").fill("select nonsense")
    page.keyboard.press("Control+Enter")
    page.get_by_role("button", name="Run", exact=True).click()

    expect(page.get_by_role("alert")).to_contain_text("The query failed")
    page.get_by_role("link", name="Home").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Home")


def test_an_upload_that_is_not_audio_shows_a_message(visit: Visit, tmp_path: Path) -> None:
    """On the Matches page."""
    (tmp_path / "letter.mp3").write_text("no music")
    page = visit.open("matches")

    page.locator("input[type=file]").set_input_files(tmp_path / "letter.mp3")

    expect(page.get_by_role("alert").last).to_be_visible()


def test_a_filter_can_be_changed_by_keyboard(visit: Visit) -> None:
    """Arrow keys and Enter choose an option, without a mouse."""
    page = visit.open()
    page.get_by_role("combobox", name="Period").focus()

    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")

    page.wait_for_url("**/?days=*")


@pytest.mark.parametrize("key", ["trending_artists", "velocity"])
def test_a_name_in_a_table_or_chart_is_opened_by_keyboard(visit: Visit, key: str) -> None:
    """Tab leads to a menu above it, whose second entry is that of its second row."""
    page = visit.open("trends?days=28")
    artist_id = downloaded(page, key)["artist_id"][1]
    page.get_by_role("heading", level=1).click()

    while not page.evaluate("key => document.activeElement.closest(`.st-key-${key}_open`) !== null", key):
        page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.get_by_role("menu", name="Open page")).to_be_focused()
    page.keyboard.press("ArrowDown")
    expect(page.get_by_role("menuitem").nth(1)).to_be_focused()
    page.keyboard.press("Enter")

    page.wait_for_url(f"**/artist?artist={artist_id}")


def test_a_chart_is_read_out_as_one_text(visit: Visit) -> None:
    """Its marks, axes and titles are hidden from a screen reader."""
    chart = visit.open("trends?days=28").get_by_test_id("stVegaLiteChart").first

    expect(chart).to_have_attribute("aria-label", re.compile("has the highest growth"))
    named = "all => all.filter(it => !it.closest('[aria-hidden=true]')).map(it => it.ariaLabel)"
    assert chart.locator("[aria-label]").evaluate_all(named) == []
    assert chart.locator("[role^=graphics-symbol]").evaluate_all(named) == []


def test_a_metric_shows_its_definition(visit: Visit) -> None:
    """The tooltip has the definition from the header of its mart."""
    page = visit.open()

    page.get_by_test_id("stMetric").first.get_by_test_id("stTooltipIcon").hover()

    expect(page.get_by_test_id("stTooltipContent")).to_contain_text("plays [count]")
