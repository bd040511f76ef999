"""A published home to look at, and a way to open each page without a browser."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from streamlit import config
from streamlit.testing.v1 import AppTest

from recsys.home import Home
from recsys.run import Run

from ..nightly.conftest import World, finished, world  # noqa: F401 - fixtures

APP = Path(__file__).parents[2] / "dashboards" / "app.py"
Open = Callable[..., AppTest]


@pytest.fixture(scope="session")
def shown(finished: Run) -> Home:  # noqa: F811
    """The home that pages show: one finished night."""
    return finished.home


@pytest.fixture
def open_page(shown: Home, monkeypatch: pytest.MonkeyPatch) -> Iterator[Open]:
    """Open a page by its name, as an operator, with what its address asks for."""
    monkeypatch.setenv("RECSYS_HOME", str(shown.path))

    def opened(name: str, **address: str) -> AppTest:
        app = AppTest.from_file(str(APP), default_timeout=60)
        for key, value in address.items():
            app.query_params[key] = value
        app.run()
        return app.switch_page(f"app_pages/{name}.py").run()

    was = config.get_option("server.address")
    config.set_option("server.address", "127.0.0.1")
    yield opened
    config.set_option("server.address", was)
