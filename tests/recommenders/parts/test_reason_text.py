"""The texts of reasons that listeners see with recommendations."""

import polars as pl

from recsys.recommenders.parts.reason_text import (
    REASON_KINDS,
    segment_text,
    with_exploration_text,
    with_reason_kind,
    with_reason_text,
)
from recsys.recommenders.parts.segments import EVERYBODY

CATALOGUE = pl.DataFrame(
    {"track_id": ["t1", "t2", "t3"], "title": ["Blue", None, "Red"], "artist_name": ["Ada", "Ben", None]}
)


def test_a_reason_names_title_and_artist() -> None:
    """Missing titles and artists have a placeholder text; a track that is not in the catalogue is named by its id."""
    ranking = pl.DataFrame({"reason_track_id": ["t1", "t2", "t3", "gone"], "segment": [None] * 4})

    assert with_reason_text(ranking, CATALOGUE)["reason"].to_list() == [
        "because you played Blue by Ada",
        "because you played a track by Ben",
        "because you played Red by an unknown artist",
        "because you played gone",
    ]


def test_without_a_reason_track_the_segment_is_the_reason() -> None:
    """A missing segment counts as everybody."""
    no_track = pl.Series([None, None], dtype=pl.String)
    ranking = pl.DataFrame({"reason_track_id": no_track, "segment": ["country=DE", None]})

    assert with_reason_text(ranking, CATALOGUE)["reason"].to_list() == [
        "popular with listeners in DE",
        "popular with listeners now",
    ]


def test_a_reason_has_one_kind() -> None:
    """The first that applies: exploration, the artist, another recording, a group of listeners, popularity."""
    catalogue = pl.DataFrame({"track_id": ["t1", "t2", "t3", "t4"], "artist_id": ["a", "a", "b", None]})
    rows = [
        ("t1", "t2", None, True, "exploration"),
        ("t1", "t2", None, False, "artist"),
        ("t1", "t3", None, False, "recording"),
        ("t1", "gone", None, False, "recording"),
        ("t4", "gone", None, False, "recording"),
        ("t1", None, "country=DE", False, "group"),
        ("t1", None, EVERYBODY, False, "popularity"),
        ("t4", None, None, False, "popularity"),
    ]
    ranking = pl.DataFrame(rows, ["track_id", "reason_track_id", "segment", "is_explored", "expected"], orient="row")

    found = with_reason_kind(ranking, catalogue)

    assert found["reason_kind"].to_list() == ranking["expected"].to_list()
    assert set(found["reason_kind"]) == set(REASON_KINDS)
    assert found.columns == [*ranking.columns, "reason_kind"]


def test_only_explored_recommendations_are_worth_a_try() -> None:
    """The reasons of other recommendations do not change, and all columns are kept."""
    ranking = pl.DataFrame({"rank": [1, 2], "is_explored": [False, True], "reason": ["because", "because"]})

    marked = with_exploration_text(ranking)

    assert marked.rows() == [(1, False, "because"), (2, True, "worth a try, because")]


def test_a_segment_is_described_by_country_and_age() -> None:
    """Every kind of segment has a description."""
    segments = ["country=DE, age_band=25-34", "country=DE", "age_band=under 18", EVERYBODY]

    texts = pl.DataFrame({"segment": segments}).select(segment_text(pl.col("segment"))).to_series()

    assert texts.to_list() == [
        "listeners in DE aged 25-34",
        "listeners in DE",
        "listeners aged under 18",
        "listeners now",
    ]
