"""The README's examples run, and it shows what its commands print, on the demo world at its full size."""

import pytest

from ..readme_examples import README, examples, rewritten
from .conftest import Demo

pytestmark = pytest.mark.slow  # a whole night, with the recipe as shipped


def test_the_readme_shows_what_the_commands_print_now(demo: Demo) -> None:
    """Word for word; `make readme` writes it anew."""
    text = README.read_text()

    assert "<!-- output: make demo -->" in text
    assert rewritten(text, demo.printed) == text


def test_every_example_runs(demo: Demo) -> None:
    """What a reader copies works and prints something."""
    answers = [demo.printed(words) for words in examples(README.read_text())]

    assert len(answers) >= 3
    assert all(answers)
