"""Every page, for operators and labels: fits a wide light screen and a dark phone, and meets WCAG 2 AA."""

import re
import shutil
from collections.abc import Callable, Iterator
from functools import cache
from itertools import product

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import FloatRect, Locator, Page, ViewportSize, expect

from dashboards.menu import headers
from recsys.home import Home

from .browser import CHROMIUM, ROOT, Visit, chromium, log_in, served
from .provider import provider

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium was found; apt-get install chromium"),
]
SCREENS = ROOT / "data" / "screens"  # screenshots to look at; ignored by git
SIZES = {"wide": ViewportSize(width=1440, height=900), "phone": ViewportSize(width=390, height=844)}
SCREEN_THEMES = (("wide", "light"), ("phone", "dark"))  # each size and each theme once: what is laid out, what is drawn
OpenAs = Callable[[str, str, str], Visit]
VIEWERS = {"operator": "ops@service.example", "label": "anna@label.example"}  # with the e-mail of their account
RULES = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice")  # with the order of headings
OF_STREAMLIT = (  # (rule, selector) of what Streamlit draws, whose roles an app cannot set
    ("list", "ul[data-testid=stSidebarNavItems]"),  # the menu: a list whose items are grouped by sections
    ("listitem", "ul[data-testid=stSidebarNavItems] li"),
    ("presentation-role-conflict", "section[data-testid=stFileUploaderDropzone]"),  # has both a name and no role
)


@pytest.fixture(scope="module")
def open_as(simulated_home: Home, label_id: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[OpenAs]:
    """A function (viewer, size, theme) -> browser window, in which the viewer has logged in."""
    home = tmp_path_factory.mktemp("accessible") / "home"
    shutil.copytree(simulated_home.path, home, symlinks=True)
    (home / "access.toml").write_text(
        f'operators = ["{VIEWERS["operator"]}"]\n[labels]\n{label_id} = ["{VIEWERS["label"]}"]\n'
    )
    accounts = {email: {"sub": email, "email": email, "email_verified": True} for email in VIEWERS.values()}
    with provider(accounts) as issuer, served(home, issuer=issuer) as address, chromium() as browser:

        @cache
        def opened(viewer: str, size: str, theme: str) -> Visit:
            visit = Visit(browser, address, **SIZES[size], dark=theme == "dark", is_phone=size == "phone")
            log_in(visit, VIEWERS[viewer])
            visit.elsewhere.clear()  # the provider's page
            return visit

        yield opened


def views() -> Iterator[tuple[str, str, str, str]]:
    """
    Yield every page that a viewer may open: an operator's on each screen, a label's on one or the other.

    Pages of one window follow each other.
    """
    for viewer, (own, (size, theme)) in product(VIEWERS, enumerate(SCREEN_THEMES)):
        for no, (name, header) in enumerate(headers().items()):
            if viewer == "operator" or (header.for_labels and no % len(SCREEN_THEMES) == own):
                yield viewer, size, theme, name


def violations(page: Page) -> list[tuple[str, str, str]]:
    """Return what violates a rule of axe-core: rule, selector, HTML; without what is in OF_STREAMLIT."""
    found = Axe().run(page, options={"runOnly": RULES, "resultTypes": ["violations"]}).response["violations"]
    nodes = ((rule["id"], node["target"][-1], node["html"]) for rule in found for node in rule["nodes"])
    return [(rule, target, html) for rule, target, html in nodes if not is_of_streamlit(page, rule, target)]


def is_of_streamlit(page: Page, rule: str, target: str) -> bool:
    """Return whether an element that violates a rule is listed in OF_STREAMLIT."""
    selectors = [selector for of_rule, selector in OF_STREAMLIT if of_rule == rule]
    return any(page.locator(target).first.evaluate("(it, to) => it.matches(to)", to) for to in selectors)


@pytest.mark.parametrize(("viewer", "size", "theme", "name"), list(views()))
def test_a_page_is_accessible(open_as: OpenAs, viewer: str, size: str, theme: str, name: str) -> None:
    """It violates no rule, is not wider than its screen, has no error, and contacts no other server."""
    visit = open_as(viewer, size, theme)
    visit.page.set_viewport_size(SIZES[size])
    visit.errors.clear()

    page = visit.open("" if name == "overview" else name)

    expect(page.get_by_role("heading", level=1)).to_have_text(headers()[name].title)
    main = page.get_by_test_id("stMain")
    assert main.evaluate("it => it.scrollWidth - it.clientWidth") == 0
    assert violations(page) == []
    tall = min(main.evaluate("it => it.scrollHeight") + 20, 4_000)
    page.set_viewport_size({"width": SIZES[size]["width"], "height": tall})
    SCREENS.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=SCREENS / f"{viewer}-{name}-{theme}-{size}.png")
    assert (visit.errors, visit.elsewhere) == ([], [])


@pytest.fixture(scope="module")
def window(open_as: OpenAs) -> Visit:
    """A browser window of an operator, whose size tests may change."""
    return open_as("operator", "wide", "dark")


@pytest.mark.parametrize("width", [1440, 1200, 1000, 800, 390])
def test_cards_of_figures_are_equal(window: Visit, width: int) -> None:
    """They are equally wide and high, also in a last row with fewer cards."""
    window.page.set_viewport_size({"width": width, "height": 900})
    page = window.open()
    expect(page.get_by_test_id("stMetric")).to_have_count(6)

    boxes = [card.bounding_box() for card in page.get_by_test_id("stMetric").all()]

    assert len({(round(box["width"]), round(box["height"])) for box in boxes if box}) == 1


@pytest.mark.parametrize("test_id", ["stDataFrame", "stVegaLiteChart"])
@pytest.mark.parametrize("width", [1440, 1100, 800])
def test_the_toolbar_of_streamlit_does_not_cover_downloads(window: Visit, width: int, test_id: str) -> None:
    """It appears above a table or a chart that the mouse is over; menu and downloads can still be clicked."""
    window.page.set_viewport_size({"width": width, "height": 900})
    page = window.open("trends?days=28")
    page.get_by_test_id(test_id).first.hover()
    key = "trending_artists" if test_id == "stDataFrame" else "velocity"
    toolbar = page.get_by_test_id("stElementToolbar").nth(int(test_id == "stDataFrame"))
    expect(toolbar).to_have_css("opacity", "1")

    left, right = ends_of(toolbar)
    for button in ("open", "csv", "parquet"):
        button_left, button_right = ends_of(page.locator(f".st-key-{key}_{button}"))
        assert right <= button_left or button_right <= left


def ends_of(element: Locator) -> tuple[float, float]:
    """Return the left and the right end of an element on the screen."""
    box = element.bounding_box()
    assert box is not None
    return box["x"], box["x"] + box["width"]


def test_focus_is_visible(window: Visit) -> None:
    """Each of the first forty stops of the Tab key looks different while it has the focus."""
    window.page.set_viewport_size(SIZES["wide"])
    page = window.open("trends?days=28")
    page.mouse.move(0, 0)
    same = []
    for _ in range(40):
        page.keyboard.press("Tab")
        element = page.evaluate_handle("document.activeElement").as_element()
        box = element.bounding_box() if element else None
        if not element or not box or box["height"] > 200:  # a whole table frames its cell
            continue
        focused, text = picture_around(page, box), element.evaluate("it => it.outerHTML.slice(0, 120)")
        element.evaluate("it => it.blur()")
        if picture_around(page, box) == focused:
            same.append(text)
        element.evaluate("it => it.focus({preventScroll: true})")
    assert same == []


def picture_around(page: Page, box: FloatRect) -> bytes:
    """Take a picture of an area of the screen with a margin, once it has settled."""
    page.wait_for_timeout(250)
    left, top = max(box["x"] - 8, 0), max(box["y"] - 8, 0)
    return page.screenshot(clip={"x": left, "y": top, "width": box["width"] + 16, "height": box["height"] + 16})


def test_a_page_prints_without_menu_and_buttons(window: Visit) -> None:
    """Charts and tables fit the width, and what is below the screen's edge is on further sheets."""
    window.page.set_viewport_size(SIZES["wide"])
    page = window.open("trends?days=28")
    page.emulate_media(media="print")

    for test_id in ("stSidebar", "stHeader", "stMenuButton", "stDownloadButton"):
        assert [one.is_visible() for one in page.get_by_test_id(test_id).all()].count(True) == 0, test_id
    expect(page.get_by_test_id("stVegaLiteChart").first).to_be_visible()
    main = page.get_by_test_id("stMain")
    assert main.evaluate("it => it.scrollWidth - it.clientWidth") == 0
    printed = page.pdf(format="A4")
    page.emulate_media(media="screen")
    assert len(re.findall(rb"/Type\s*/Page\b(?!s)", printed)) >= 2
