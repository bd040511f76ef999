"""The README shows what its commands print."""

from pathlib import Path

import pytest

from ..readme_examples import README, demo_in, rewritten


@pytest.mark.slow
def test_the_readme_shows_what_the_commands_print_now(tmp_path: Path) -> None:
    """On the demo world at its full size, with the recipe as shipped; `make readme` writes it anew."""
    text = README.read_text()

    assert "<!-- output: make demo -->" in text
    assert rewritten(text, demo_in(tmp_path)) == text
