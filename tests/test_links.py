"""The README is short, and links between documents lead somewhere."""

import re

from .documents import DOCUMENTS, ROOT


def test_the_readme_is_short() -> None:
    """The README has at most 120 lines."""
    assert len((ROOT / "README.md").read_text().splitlines()) <= 120


def test_links_lead_to_files() -> None:
    """Every relative link in the documents leads to an existing file."""
    broken = {
        (path, link)
        for path in DOCUMENTS
        for link in re.findall(r"\]\((?!https?:|#)([^)#]+)", path.read_text())
        if not (path.parent / link).exists()
    }

    assert broken == set()
