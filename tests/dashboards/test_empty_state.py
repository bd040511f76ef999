"""What a page shows in place of an empty chart: operators read the command that mends it, viewers of a label do not."""

import pytest
import streamlit as st

from dashboards import data, parts


@pytest.mark.parametrize(
    ("is_operator", "text"),
    [
        (True, "**No moods yet.** Run: recsys build"),
        (False, "**No moods yet.** Ask the operator of this service for it."),
    ],
)
def test_only_operators_read_commands(monkeypatch: pytest.MonkeyPatch, is_operator: bool, text: str) -> None:
    """A viewer of a label cannot run commands, so the page says whom to ask."""
    shown: list[str] = []
    monkeypatch.setattr(data, "is_operator", lambda: is_operator)
    monkeypatch.setattr(st, "info", shown.append)

    parts.empty_state("No moods yet.", operator="Run: recsys build")

    assert shown == [text]


def test_a_remedy_for_everybody_is_shown_to_both(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody is sent to the operator for what any viewer can do."""
    shown: list[str] = []
    monkeypatch.setattr(st, "info", shown.append)
    for is_operator in (True, False):
        monkeypatch.setattr(data, "is_operator", lambda answer=is_operator: answer)
        parts.empty_state("Nothing found.", "Choose another week.")

    assert shown == ["**Nothing found.** Choose another week."] * 2
