"""
The text of the reason that listeners see with a recommendation.

A reason starts in lower case and has no full stop, so that a player can show it under a title or inside a sentence.
Used for the nightly lists and by the products.
"""

import polars as pl

from recsys.recommenders.parts.segments import EVERYBODY

REASON_KINDS = ("exploration", "artist", "recording", "group", "popularity")
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


def with_reason_kind(ranking: pl.DataFrame, catalogue: pl.DataFrame) -> pl.DataFrame:
    """
    Add the kind of each recommendation's reason, for counts by kind.

    Args:
        ranking: track_id, reason_track_id, segment, is_explored.
        catalogue: track_id, artist_id. A track that is not in it has an unknown artist.

    Returns:
        The ranking with `reason_kind`, one of REASON_KINDS, the first that applies: 'exploration' if exploration drew
        the track; 'artist' if the reason is a recording of the same artist that the listener played; 'recording' if it
        is one of another or an unknown artist; 'group' if the track is popular among listeners of the same country or
        age band; 'popularity' if it is popular among all, or if no recording in the history contributed.
    """
    artists = catalogue.select("track_id", "artist_id").unique("track_id")
    reasons = artists.rename({"track_id": "reason_track_id", "artist_id": "reason_artist_id"})
    kind = (
        pl.when("is_explored")
        .then(pl.lit("exploration"))
        .when(pl.col("artist_id") == pl.col("reason_artist_id"))
        .then(pl.lit("artist"))
        .when(pl.col("reason_track_id").is_not_null())
        .then(pl.lit("recording"))
        .when(pl.col("segment") != EVERYBODY)
        .then(pl.lit("group"))
        .otherwise(pl.lit("popularity"))
    )
    return (
        ranking.join(artists, on="track_id", how="left", maintain_order="left")
        .join(reasons, on="reason_track_id", how="left", maintain_order="left")
        .with_columns(reason_kind=kind)
        .drop("artist_id", "reason_artist_id")
    )


def segment_text(segment: pl.Expr) -> pl.Expr:
    """
    Return the description of a segment's listeners, as used in reasons.

    >>> segments = pl.DataFrame({"segment": ["country=DE, age_band=25-34", "age_band=65+", "everybody"]})
    >>> segments.select(segment_text(pl.col("segment"))).to_series().to_list()
    ['listeners in DE aged 25-34', 'listeners aged 65+', 'listeners now']
    """
    wording = {"country=": "in ", ", age_band=": " aged ", "age_band=": "aged ", EVERYBODY: "now"}
    return pl.format("listeners {}", segment.str.replace_many(wording, leftmost=True))
