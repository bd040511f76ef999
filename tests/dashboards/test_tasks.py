"""
The thirty tasks have answers, computed from the raw rows, and people find them on the pages.

A page of the menu is one click, an option of a box two, a typed text one. The first page is open already.
"""

from collections.abc import Iterator
from typing import Any

import pytest

from recsys.home import Home
from recsys.releases import registry
from recsys.reports.wording import format_number

from .conftest import Open
from .tasks import MORE_OF_LABEL, MORE_OF_OPERATOR, MOST_CLICKS, MOST_PAGES, OF_LABEL, OF_OPERATOR, Rows, Task
from .truth.closings import Closings
from .truth.rows import Lake
from .walk import Shown, Walk, plain

TASKS = OF_LABEL | OF_OPERATOR | MORE_OF_LABEL | MORE_OF_OPERATOR
WEEK = {"Period": "the last closed week"}
# task -> page of the menu ('' for the first page), and options to choose there
WAYS: dict[str, tuple[str, dict[str, str]]] = {
    "label-plays": ("", {}),
    "label-gain": ("", {}),
    "label-breakout": ("", {}),
    "label-drop": ("", {}),
    "label-listeners": ("trends", WEEK),
    "label-country": ("audience", WEEK),
    "label-release": ("", {}),
    "label-chart": ("", {}),
    "label-fault": ("", {}),
    "label-playlist": ("playlists", {}),
    "operator-verdict": ("models", {}),
    "operator-refused": ("catalogue", {}),
    "operator-plays": ("", {}),
    "operator-growth": ("trends", {}),
    "operator-exposure": ("exposure", {}),
    "operator-list": ("recommendations", {"user_id": "the listener"}),
    "operator-why-not": ("recommendations", {"user_id": "the listener"}),
    "operator-fault": ("catalogue", {}),
    "operator-playlist": ("playlists", {"Order": "the newest weeks first"}),
    "label-loss": ("trends", {}),
    "label-new": ("sources", {}),
    "label-chosen": ("sources", {}),
    "label-start": ("releases", {}),
    "operator-step": ("operations", {}),
    "operator-length": ("operations", {}),
    "operator-disk": ("operations", {}),
    "operator-reason": ("recommendations", {"user_id": "the listener"}),
    "operator-overlap": ("audience", {"Artist": "the largest"}),
    "operator-reach": ("recommendations", {}),
}
WAITING = {
    "label-alert": "something to do, and no figure: test_watchlist_page.py does it in six clicks",
}


@pytest.fixture(scope="module")
def rows(published_home: Home, label_id: str) -> Rows:
    """The raw rows of the home that pages show."""
    release, lake = registry.current(published_home), Lake(published_home.path / "lake")
    assert release is not None
    assert release.export is not None
    (run,) = (published_home.path / "runs").iterdir()
    return Rows(lake, Closings(lake), label_id, release.export, run)


def test_there_are_fifteen_tasks_for_each_reader() -> None:
    """Fifteen for a label manager and fifteen for an operator, each but one with a question of its own."""
    assert len(OF_LABEL | MORE_OF_LABEL) == len(OF_OPERATOR | MORE_OF_OPERATOR) == 15
    assert len({task.question for task in TASKS.values()}) >= 29


@pytest.mark.parametrize("task", TASKS.values(), ids=TASKS)
def test_a_task_has_an_answer(rows: Rows, task: Task) -> None:
    """Each part of it is a text."""
    answer = task.answer(rows)

    assert answer
    assert all(answer)


def test_each_task_has_a_way_or_a_reason() -> None:
    """No task is forgotten."""
    assert WAYS.keys() | WAITING.keys() == TASKS.keys()
    assert WAYS.keys().isdisjoint(WAITING)


@pytest.mark.parametrize("name", WAYS)
def test_the_answer_is_found_on_the_pages(
    open_page: Open, rows: Rows, label_id: str, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All parts of it stand together, within the limits of pages and clicks."""
    page, options = WAYS[name]
    options = {key: rows.largest_artist["artist_name"] if key == "Artist" else value for key, value in options.items()}
    typed = {"user_id": rows.listener} if "user_id" in options else {}
    clicks = bool(page) + sum(1 if key in typed else 2 for key in options)
    assert 1 + bool(page) <= MOST_PAGES
    assert clicks <= MOST_CLICKS

    walk = Walk(monkeypatch)
    app = open_page(page or "overview", label=label_id if name.startswith("label") else None)
    for key, text in typed.items():
        app.text_input(key=key).set_value(text).run()
    shown = walk.view(app, {} if typed else options)
    places = [*places_of(shown), *(plain(link.proto.label) for link in app.get("page_link"))]

    answer = TASKS[name].answer(rows)
    assert [place for place in places if all(part.lower() in place.lower() for part in answer)], answer


def places_of(shown: Shown) -> Iterator[str]:
    """Yield everything on a page that is read together: a number with its change, a sentence, a row."""
    yield from (f"{name} {number} {change}" for name, (number, change) in shown.metrics.items())
    yield from shown.sentences
    yield from shown.texts
    for table in shown.rows.values():
        for row in table.iter_rows():
            yield " | ".join(form for value in row for form in forms_of(value))


def forms_of(value: Any) -> set[str]:
    """Return the forms in which a cell may be written."""
    if isinstance(value, float):
        return {f"{value:.2f}", format_number(value)}
    return {f"{value:,}" if isinstance(value, int) else str(value)}
