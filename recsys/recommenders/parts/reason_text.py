"""
The text of the reason that listeners see with a recommendation.

A reason starts in lower case and has no full stop, so that a player can show it under a title or inside a sentence.
Used for the nightly lists and by the products.
"""

import polars as pl

from recsys.recommenders.parts.segments import EVERYBODY

UNKNOWN_TITLE, UNKNOWN_ARTIST = "a track", "an unknown artist"


def with_reason_text(ranking: pl.DataFrame, catalogue: pl.DataFrame) -> pl.DataFrame:
    """
    Add the text of each recommendation's reason.

    Args:
        ranking: reason_track_id and segment, which may be null, as `Recommender.add_reasons` returns them.
        catalogue: track_id, title, artist_name. If a reason track is not in it, the text names the track's id.

    Returns:
        The ranking with `reason`: 'because you played TITLE by ARTIST', or 'popular with listeners ...' if there is no
        reason track.
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
    Prefix the reasons of explored recommendations with 'worth a try, '.

    Args:
        ranking: is_explored, reason.

    Returns:
        The ranking with the new `reason`; unchanged for rows that are not explored.

    >>> ranking = pl.DataFrame({"is_explored": [True, False], "reason": "popular with listeners in DE"})
    >>> with_exploration_text(ranking)["reason"].to_list()
    ['worth a try, popular with listeners in DE', 'popular with listeners in DE']
    """
    explored = pl.format("worth a try, {}", "reason")
    return ranking.with_columns(reason=pl.when("is_explored").then(explored).otherwise("reason"))


def segment_text(segment: pl.Expr) -> pl.Expr:
    """
    Return the description of a segment's listeners, as used in reasons.

    >>> segments = pl.DataFrame({"segment": ["country=DE, age_band=25-34", "age_band=65+", "everybody"]})
    >>> segments.select(segment_text(pl.col("segment"))).to_series().to_list()
    ['listeners in DE aged 25-34', 'listeners aged 65+', 'listeners now']
    """
    wording = {"country=": "in ", ", age_band=": " aged ", "age_band=": "aged ", EVERYBODY: "now"}
    return pl.format("listeners {}", segment.str.replace_many(wording, leftmost=True))
