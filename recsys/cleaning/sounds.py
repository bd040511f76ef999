"""
Read the matcher's results as evidence about the catalogue: which recordings sound the same, and by whom they are.

The same sound by the same artist is a duplicate. The same sound under another artist means that one of the two has the
wrong artist, or that somebody delivered another's recording: a person decides which. Cover versions and remixes do not
count, since the matcher finds recordings, not tunes, and their tempo differs.
"""

import polars as pl

from recsys.cleaning.duplicates import pair_of

MIN_SHARE = 0.9  # of both recordings, to be the same
MIN_SHARE_OTHER_ARTIST = 0.75  # of both recordings: whoever delivers another's recording may cut it
MAX_TEMPO_CHANGE = 0.02  # above, it is another version
SCHEMA = {"track_id": pl.String, "other_track_id": pl.String, "share": pl.Float64, "detail": pl.String}


def same_sounds(recordings: pl.DataFrame, match_candidates: pl.DataFrame) -> pl.DataFrame:
    """
    Find pairs of recordings that sound the same over most of their length.

    Args:
        recordings: As `recordings.recordings` returns them.
        match_candidates: The uses that matching found (`matching.history.MATCH_CANDIDATES_COLUMNS`).

    Returns:
        track_id, other_track_id (larger), share (the part of the recordings that is the same, 0..1: the smaller of both
        parts), detail. Recordings of the same file have the share 1; of more than two, each is compared with the first.
    """
    owners = recordings.drop_nulls("audio_id").select("track_id", "audio_id", "audio_ms").sort("track_id")
    first = owners.group_by("audio_id").agg(pl.col("track_id", "audio_ms").first())
    copies = owners.join(first, on="audio_id", suffix="_first").filter(pl.col("track_id") != pl.col("track_id_first"))
    identical = copies.select(
        "track_id", pl.col("track_id_first").alias("other"), share=pl.lit(1.0), detail=pl.lit("the same audio file")
    )
    uses = match_candidates.filter(
        "is_strict", pl.col("source_kind") == "catalogue", (pl.col("tempo_ratio") - 1).abs() <= MAX_TEMPO_CHANGE
    )
    matched = uses.join(first, on="audio_id").join(
        first.rename({"audio_id": "source_audio_id"}), on="source_audio_id", suffix="_source"
    )
    used = (pl.col("ends_s") - pl.col("starts_s")) * 1000 / pl.col("audio_ms_source")
    reference = (pl.col("reference_ends_s") - pl.col("reference_starts_s")) * 1000 / pl.col("audio_ms")
    share = pl.min_horizontal(used, reference, pl.lit(1.0))
    text = pl.format("{} % of the sound is the same", (100 * share).round(0).cast(pl.Int64))
    same = matched.select("track_id", other="track_id_source", share=share, detail=text).drop_nulls("share")
    rows = [
        (*pair_of(one, other), share, detail)
        for one, other, share, detail in pl.concat([identical, same]).iter_rows()
        if one != other
    ]
    pairs = pl.DataFrame(rows, SCHEMA, orient="row")
    best = pairs.sort("share", "detail", descending=[True, False]).unique(["track_id", "other_track_id"], keep="first")
    return best.sort("track_id", "other_track_id")


def by_same_artist(sounds: pl.DataFrame, recordings: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """
    Split pairs that sound the same.

    Args:
        sounds: As `same_sounds` returns them.
        recordings: Their recordings.

    Returns:
        The pairs that share an artist, main or featured, and are the same over MIN_SHARE; and those that share none and
        are the same over MIN_SHARE_OTHER_ARTIST. A recording without an artist is in neither.
    """
    artists = recordings.select("track_id", "artists").drop_nulls()
    both = sounds.join(artists, on="track_id").join(
        artists.rename({"track_id": "other_track_id"}), on="other_track_id", suffix="_other"
    )
    known = both.filter(pl.col("artists").list.len() > 0, pl.col("artists_other").list.len() > 0)
    is_shared = pl.col("artists").list.set_intersection("artists_other").list.len() > 0
    own = known.filter(is_shared, pl.col("share") >= MIN_SHARE)
    others = known.filter(~is_shared, pl.col("share") >= MIN_SHARE_OTHER_ARTIST)
    return own[sounds.columns], others[sounds.columns]
