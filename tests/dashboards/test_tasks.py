"""The twenty tasks have answers, computed from the raw rows."""

import pytest

from recsys.home import Home
from recsys.releases import registry

from .tasks import OF_LABEL, OF_OPERATOR, Rows, Task
from .truth.closings import Closings
from .truth.rows import Lake

TASKS = OF_LABEL | OF_OPERATOR


@pytest.fixture(scope="module")
def rows(published_home: Home, label_id: str) -> Rows:
    """The raw rows of the home that pages show."""
    release, lake = registry.current(published_home), Lake(published_home.path / "lake")
    assert release is not None
    assert release.export is not None
    (run,) = (published_home.path / "runs").iterdir()
    return Rows(lake, Closings(lake), label_id, release.export, run)


def test_there_are_ten_tasks_for_each_reader() -> None:
    """Ten for a label manager and ten for an operator, each with a question of its own."""
    assert len(OF_LABEL) == len(OF_OPERATOR) == 10
    assert len({task.question for task in TASKS.values()}) >= 19


@pytest.mark.parametrize("task", TASKS.values(), ids=TASKS)
def test_a_task_has_an_answer(rows: Rows, task: Task) -> None:
    """Each part of it is a text."""
    answer = task.answer(rows)

    assert answer
    assert all(answer)
