"""Examples in the documents run, and their outputs are those of the commands, on the demo world at full size."""

from pathlib import Path

import pytest

from ..documents import DOCUMENTS, ROOT, examples, rewritten
from .conftest import Demo

pytestmark = pytest.mark.slow  # a full nightly run with the default recipe


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_outputs_in_a_document_are_current(path: Path, demo: Demo) -> None:
    """Outputs equal what the commands print; `make docs` updates them."""
    text = path.read_text()

    assert rewritten(text, demo.printed) == text


def test_every_example_runs(demo: Demo) -> None:
    """Every example command succeeds and prints something."""
    outputs = [demo.printed(words) for path in DOCUMENTS for words in examples(path.read_text())]

    assert "<!-- output: make demo -->" in (ROOT / "README.md").read_text()
    assert len(outputs) >= 3
    assert all(outputs)
