"""
The texts of reasons, as listeners read them beside their recommendations.

Reasons start in lower case and have no full stop, so that a player can show them under a title or continue them. Used
by the nightly lists and by the products.
"""

import polars as pl

from recsys.recommenders.parts.segments import EVERYBODY

UNKNOWN_TITLE, UNKNOWN_ARTIST = "a track", "an unknown artist"


def with_reason_text(ranking: pl.DataFrame, catalogue: pl.DataFrame) -> pl.DataFrame:
    """
    Add the text of each recommendation's reason.

    Args:
        ranking: reason_track_id and segment, either may be null, as `Recommender.add_reasons` returns.
        catalogue: track_id, title, artist_name. A reason track that is missing here is named by its id.

    Returns:
        The ranking with `reason`: 'because you played TITLE by ARTIST', or 'popular with listeners ...' where there is
        no reason track.
    """
    title, artist = pl.col("title").fill_null(UNKNOWN_TITLE), pl.col("artist_name").fill_null(UNKNOWN_ARTIST)
    names = catalogue.select(reason_track_id="track_id", reason_track=pl.format("{} by {}", title, artist))
    played = pl.format("because you played {}", pl.col("reason_track").fill_null(pl.col("reason_track_id")))
    popular = pl.format("popular with {}", segment_text(pl.col("segment").fill_null(EVERYBODY)))
    return (
        ranking.join(names, on="reason_track_id", how="left", maintain_order="left")
        .with_columns(reason=pl.when(pl.col("reason_track_id").is_null()).then(popular).otherwise(played))
        .drop("reason_track")
    )


def with_exploration_text(ranking: pl.DataFrame) -> pl.DataFrame:
    """
    Mark the reasons of explored recommendations as a suggestion to try.

    Args:
        ranking: is_explored, reason.

    Returns:
        The ranking, its `reason` prefixed with 'worth a try, ' where it is explored.

    >>> ranking = pl.DataFrame({"is_explored": [True, False], "reason": "popular with listeners in DE"})
    >>> with_exploration_text(ranking)["reason"].to_list()
    ['worth a try, popular with listeners in DE', 'popular with listeners in DE']
    """
    explored = pl.format("worth a try, {}", "reason")
    return ranking.with_columns(reason=pl.when("is_explored").then(explored).otherwise("reason"))


def segment_text(segment: pl.Expr) -> pl.Expr:
    """
    Describe the listeners of a segment.

    >>> segments = pl.DataFrame({"segment": ["country=DE, age_band=25-34", "age_band=65+", "everybody"]})
    >>> segments.select(segment_text(pl.col("segment"))).to_series().to_list()
    ['listeners in DE aged 25-34', 'listeners aged 65+', 'listeners now']
    """
    wording = {"country=": "in ", ", age_band=": " aged ", "age_band=": "aged ", EVERYBODY: "now"}
    return pl.format("listeners {}", segment.str.replace_many(wording, leftmost=True))
