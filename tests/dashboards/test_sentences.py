"""Sentences claim no more than the rows that they describe."""

from typing import Any

import pytest

from dashboards import sentences

CANDIDATE = {"name": "Song, Ada", "rank": 14, "low": 0.098, "high": 0.488, "n_similar": 10, "n_similar_reached": 0}


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        ({}, "a chance of 10% to 49% (95 % interval); 0 of 10 similar weeks led to the top ten."),
        ({"n_similar": 1}, "a chance of 10% to 49% (95 % interval); 0 of 1 similar week led to the top ten."),
        ({"n_similar": 0}, "a chance of 10% to 49% (95 % interval); no similar week on record."),
        ({"low": None, "high": None}, "0 of 10 similar weeks led to the top ten."),
    ],
)
def test_a_chance_is_an_interval_with_its_precedents(row: dict[str, Any], expected: str) -> None:
    """No single percentage is quoted, and none at all for results without intervals."""
    assert sentences.candidate_sentence(CANDIDATE | row) == f"**Song, Ada**, number 14: {expected}"
