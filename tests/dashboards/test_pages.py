"""Every page of the folder opens, narrows and says what to do where there is nothing."""

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from dashboards.menu import headers

from .conftest import APP, Open

PAGES = sorted(path.stem for path in (APP.parent / "app_pages").glob("*.py"))
README = APP.parents[1] / "README.md"


@pytest.mark.parametrize("name", PAGES)
def test_a_page_opens(open_page: Open, name: str) -> None:
    """It has a title, and nothing on it failed."""
    page = open_page(name)

    assert len(page.title) == 1
    assert [error.value for error in page.error] == []
    assert not page.exception


@pytest.mark.parametrize("name", PAGES)
def test_each_filter_of_a_page_can_be_set(open_page: Open, name: str) -> None:
    """Whatever a box offers second, and last, the page can show."""
    page = open_page(name)
    for at in range(len(page.selectbox)):
        for choice in {1, len(page.selectbox[at].options) - 1}:
            if 0 <= choice < len(page.selectbox[at].options):
                page.selectbox[at].select_index(choice)
                page.run()

                assert [error.value for error in page.error] == []
                assert not page.exception


@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_in_the_readme(name: str) -> None:
    """A page that nobody can find does not exist."""
    assert f"| {headers()[name].title} |" in README.read_text()


def test_without_a_published_warehouse_the_app_says_how_to_get_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No traceback, but the command to run."""
    monkeypatch.setenv("RECSYS_HOME", str(tmp_path))

    page = AppTest.from_file(str(APP)).run()

    assert "recsys nightly" in page.error[0].value
    assert not page.exception
