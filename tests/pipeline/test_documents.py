"""The README's examples run, and it shows what its commands print, on the demo world at its full size."""

import re
from pathlib import Path

import pytest

from ..documents import DOCUMENTS, ROOT, examples, rewritten
from .conftest import Demo

pytestmark = pytest.mark.slow  # a whole night, with the recipe as shipped


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_a_document_shows_what_the_commands_print_now(path: Path, demo: Demo) -> None:
    """Word for word; `make docs` writes it anew."""
    text = path.read_text()

    assert rewritten(text, demo.printed) == text


def test_every_example_runs(demo: Demo) -> None:
    """What a reader copies works and prints something."""
    answers = [demo.printed(words) for path in DOCUMENTS for words in examples(path.read_text())]

    assert "<!-- output: make demo -->" in (ROOT / "README.md").read_text()
    assert len(answers) >= 3
    assert all(answers)


def test_the_front_door_is_short() -> None:
    """A README of at most 120 lines, and every link of the documents leads to a file that is there."""
    links = {
        (path, link)
        for path in DOCUMENTS
        for link in re.findall(r"\]\((?!https?:|#)([^)#]+)", path.read_text())
        if not (path.parent / link).exists()
    }

    assert len((ROOT / "README.md").read_text().splitlines()) <= 120
    assert links == set()
