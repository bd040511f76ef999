"""Sentences claim no more than the rows that they describe."""

from typing import Any

import polars as pl
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


@pytest.mark.parametrize(
    ("differences", "expected"),
    [
        ([300, 20, 5], ["**a0** gained 300 plays"]),
        ([300, 20, -5, -40], ["**a0** gained 300 plays", "**a3** lost 40 plays"]),
        ([-5, -40], ["**a1** lost 40 plays"]),
        ([], []),
    ],
)
def test_only_what_was_gained_or_lost_is_named(differences: list[int], expected: list[str]) -> None:
    """Without a loss, the smallest gain is not named in its place, and the reverse."""
    names = [f"a{number}" for number in range(len(differences))]
    movers = pl.DataFrame(
        {"artist_name": names, "difference": differences, "n_now": 400, "change": None},
        {"artist_name": pl.String, "difference": pl.Int64, "n_now": pl.Int64, "change": pl.Float64},
    )

    assert [sentence.split(",")[0] for sentence in sentences.largest_changes(movers)] == expected


@pytest.mark.parametrize(
    ("moved", "rank_before", "expected"),
    [
        (None, None, "in the chart's first week on record; peak position so far 3."),
        ("new", None, "new on the chart; peak position so far 3."),
        ("+2", 7, "up from 7; peak position so far 3."),
        ("-2", 3, "down from 3; peak position so far 3."),
    ],
)
def test_a_song_of_the_first_week_on_record_is_not_new(
    moved: str | None, rank_before: int | None, expected: str
) -> None:
    """The move since the edition before is named if there is one."""
    row = {"title": "Song", "artist": "Ada", "rank": 5, "moved": moved, "rank_before": rank_before, "peak_rank": 3}

    assert sentences.chart_sentence(row) == f"**Song** by Ada is at number **5**, {expected}"


@pytest.mark.parametrize(
    ("ratio", "n_missing", "reason"),
    [
        (0.74, 30, "A reason: 30 of its 100 recordings (30.0%, of all recordings 10.0%) are not available there."),
        (0.74, 14, ""),
        (1.3, 30, ""),
    ],
)
def test_a_low_exposure_has_the_reason_that_the_catalogue_gives(ratio: float, n_missing: int, reason: str) -> None:
    """Only where clearly fewer recordings than usual are available, and never for a high exposure."""
    row = {"name": "Mali", "ratio": ratio, "low": 0.6, "high": 0.9, "exposure_share": 0.02, "listening_share": 0.03}
    row |= {"n_tracks": 100, "n_unavailable": n_missing, "home_unavailable_share": 0.1}

    text = sentences.exposure_sentence(row).replace("\\", "")

    shares = "2.0% of exposure, 3.0% of plays."
    expected = f"**Mali**: lists give it **{ratio:.2f}** of its share (95 % interval 0.60 to 0.90): {shares} {reason}"
    assert text == expected.rstrip()


def test_codes_are_named_and_what_is_none_stays() -> None:
    """Countries and languages, one or a list of them; groups of another kind are no codes, whatever they look like."""
    codes = {"language": ["pt", "yue", "unknown", None], "country": ["NL", "XK", "unknown", None]}
    rows = pl.DataFrame(codes | {"codes": [["DE", "TZ"], [], None, ["unknown"]]})

    languages = sentences.with_code_names(rows, "language", "language")["language"]
    countries = sentences.with_code_names(rows, "country", "artist_country")["country"]
    lists = sentences.with_code_names(rows, "codes", "country")["codes"]

    assert languages.to_list() == ["Portuguese", "Yue Chinese", "unknown", None]
    assert countries.to_list() == ["Netherlands", "XK", "unknown", None]
    assert lists.to_list() == [["Germany", "Tanzania"], [], None, ["unknown"]]
    assert sentences.with_code_names(rows, "country", "gender").equals(rows)
