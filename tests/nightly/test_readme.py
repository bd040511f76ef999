"""The README's examples run, and it shows what its commands print, on the demo world at its full size."""

from collections.abc import Callable

import pytest

from ..readme_examples import README, demo_in, examples, rewritten

pytestmark = pytest.mark.slow  # a whole night, with the recipe as shipped


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Callable[[list[str]], str]:
    """What any command prints after `make demo`."""
    return demo_in(tmp_path_factory.mktemp("demo"))


def test_the_readme_shows_what_the_commands_print_now(run: Callable[[list[str]], str]) -> None:
    """Word for word; `make readme` writes it anew."""
    text = README.read_text()

    assert "<!-- output: make demo -->" in text
    assert rewritten(text, run) == text


def test_every_example_runs(run: Callable[[list[str]], str]) -> None:
    """What a reader copies works and prints something."""
    answers = [run(words) for words in examples(README.read_text())]

    assert len(answers) >= 3
    assert all(answers)
