"""Fixtures: published homes, and a function that opens their pages without a browser."""

import shutil
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import streamlit as st
from click.testing import CliRunner
from streamlit import config
from streamlit.testing.v1 import AppTest

from dashboards import access, parts
from dashboards.access import Viewer
from recsys.cli import main
from recsys.home import Home
from recsys.pipeline.run import Run
from recsys.releases import registry
from recsys.warehouse.query import Warehouse

APP = Path(__file__).parents[2] / "dashboards" / "app.py"
PAGES = sorted(path.stem for path in (APP.parent / "app_pages").glob("*.py"))
LARGEST_SQL = (
    "select label_id from marts.track_features where label_id is not null group by 1 order by count(*) desc, 1"
)
Open = Callable[..., AppTest]
Offered = dict[str, Callable[[], bytes]]  # name of a PDF file -> function that writes it


@pytest.fixture(scope="session")
def published_home(finished: Run) -> Home:
    """The home that pages show: one finished nightly run."""
    return finished.home


@pytest.fixture(scope="session")
def simulated_home(published_home: Home, tmp_path_factory: pytest.TempPathFactory) -> Home:
    """A finished nightly run, followed by a simulated week of the feedback loop."""
    home = tmp_path_factory.mktemp("simulated") / "home"
    shutil.copytree(published_home.path, home, symlinks=True)
    options = ["--weeks", "1", "--listeners", "40", "--recommender", "popular"]
    assert CliRunner().invoke(main, ["--home", str(home), "simulate", *options], catch_exceptions=False).exit_code == 0
    return Home(home)


@pytest.fixture(scope="session")
def label_id(published_home: Home) -> str:
    """The label with the most recordings."""
    with Warehouse.open(published_home.published_warehouse()) as warehouse:
        return str(warehouse.query(LARGEST_SQL).item(0, 0))


@pytest.fixture
def open_page(published_home: Home, monkeypatch: pytest.MonkeyPatch) -> Iterator[Open]:
    """A function that opens a page by its name, as an operator or a label, with query parameters of the address."""
    with opener(published_home, monkeypatch) as opened:
        yield opened


def unmarked(names: Iterable[Any]) -> list[Any]:
    """Return names of a table without the mark of those that open a page."""
    return [name.removesuffix(parts.OPENS) if isinstance(name, str) else name for name in names]


@contextmanager
def opener(home: Home, monkeypatch: pytest.MonkeyPatch) -> Iterator[Open]:
    """Return what `open_page` is, for any home."""
    monkeypatch.setenv("RECSYS_HOME", str(home.path))
    address_before = config.get_option("server.address")
    config.set_option("server.address", "127.0.0.1")

    def opened(name: str, *, label: str | None = None, file: Path | None = None, **address: str | list[str]) -> AppTest:
        if label is not None or file is not None:
            viewer = Viewer("anna@label.example", label, file or registry.label_warehouse(home, str(label)))
            monkeypatch.setattr(access, "require_viewer", lambda: viewer)
            monkeypatch.setattr(access, "viewer", lambda: viewer)
        app = AppTest.from_file(str(APP), default_timeout=60)
        for key, value in address.items():
            app.query_params[key] = value
        return app.switch_page(f"app_pages/{name}.py").run()

    yield opened
    config.set_option("server.address", address_before)


@pytest.fixture
def offered(monkeypatch: pytest.MonkeyPatch) -> Offered:
    """The PDF downloads of the pages opened since: name of the file -> function that writes it."""
    found = Offered()
    original = st.download_button

    def recorded(label: str, content: Any, name: str, *args: Any, **options: Any) -> bool:
        if name.endswith(".pdf"):
            found[name] = content
        return original(label, content, name, *args, **options)

    monkeypatch.setattr(st, "download_button", recorded)
    return found


def failures(page: AppTest) -> list[str]:
    """List the errors and exceptions that a page shows."""
    return [error.value for error in page.error] + [exception.message for exception in page.exception]


def markdown_of(page: AppTest) -> list[str]:
    """List all texts of a page that Streamlit renders as Markdown."""
    groups: list[Any] = [page.markdown, page.title, page.header, page.subheader, page.caption, page.metric]
    groups += [page.error, page.warning, page.info, page.selectbox, page.multiselect, page.slider, page.text_input]
    elements = [element for group in groups for element in group]
    texts = [getattr(element, name, None) for element in elements for name in ("label", "help")]
    texts += [
        element.value for element in elements if element.type in ("markdown", "title", "header", "subheader", "caption")
    ]
    texts += [element.value for element in [*page.error, *page.warning, *page.info, *page.metric]]
    texts += [option for menu in page.get("menu_button") for option in menu.proto.options]
    return [str(text) for text in texts if text]
