"""
Keep two copies of a recording off the same list, without losing a listen or a territory.

Listens stay with the track id that was played. In each country, one copy of a recording may be listed: the
representative if it is available there, otherwise another copy. A listener who has heard one copy has heard the
recording.
"""

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any

import polars as pl

from recsys.dataset.interactions import Interactions


def listing(catalogue: pl.DataFrame, links: pl.DataFrame, served_on: date) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return the catalogue with one copy of each recording (`with_one_copy_listed`), and the copies (`copies_of`)."""
    listed = with_one_copy_listed(catalogue, links, served_on)
    return listed, copies_of(listed, links, served_on)


def with_one_copy_listed(catalogue: pl.DataFrame, links: pl.DataFrame, served_on: date) -> pl.DataFrame:
    """
    Make copies unavailable wherever another copy of the same recording can be listed.

    Args:
        catalogue: track_id, available_in (null or empty: everywhere), withdrawn_at and other columns.
        links: track_id, same_as (see `duplicates.duplicate_links`).
        served_on: The day of the lists. Copies that are withdrawn on this day do not count.

    Returns:
        The catalogue with the same rows. A copy loses the countries that another copy covers; one that has none left is
        withdrawn on `served_on`.
    """
    groups = _groups(links)
    rows = catalogue.select("track_id", "available_in", "withdrawn_at").join(groups, on="track_id")
    current = rows.filter(pl.col("withdrawn_at").is_null() | (pl.col("withdrawn_at") > served_on))
    changed = pl.DataFrame(
        [
            (track_id, countries)
            for (_,), group in current.sort("track_id").group_by("recording", maintain_order=True)
            for track_id, countries in _uncovered(group.iter_rows(named=True))
        ],
        {"track_id": pl.String, "left": pl.List(pl.String)},
        orient="row",
    )
    is_covered, keeps_some = pl.col("left").list.len() == 0, pl.col("left").list.len() > 0
    available = pl.when(keeps_some).then("left").otherwise("available_in")
    withdrawn = pl.when(is_covered).then(pl.lit(served_on)).otherwise("withdrawn_at")
    joined = catalogue.join(changed, on="track_id", how="left", maintain_order="left")
    return joined.with_columns(available_in=available, withdrawn_at=withdrawn).select(catalogue.columns)


def _uncovered(copies: Iterable[Mapping[str, Any]]) -> list[tuple[str, list[str]]]:
    """Return the copies that lose countries, and those that they keep; the representative loses none if it can."""
    covered = set[str]()
    is_everywhere_covered = False
    changed = []
    for copy in sorted(copies, key=lambda row: (bool(row["available_in"]), row["track_id"] != row["recording"])):
        countries = copy["available_in"] or []
        left = [] if is_everywhere_covered else [country for country in countries if country not in covered]
        if is_everywhere_covered or len(left) < len(countries):
            changed.append((copy["track_id"], left))
        is_everywhere_covered = is_everywhere_covered or not countries
        covered.update(countries)
    return changed


def copies_of(catalogue: pl.DataFrame, links: pl.DataFrame, served_on: date) -> pl.DataFrame:
    """
    List the copies of each recording that may be listed.

    Args:
        catalogue: As `with_one_copy_listed` returns it.
        links: As there.
        served_on: As there.

    Returns:
        track_id, copy_id: every recording with links, and each other copy of it that is not withdrawn.
    """
    groups = _groups(links)
    current = catalogue.filter(pl.col("withdrawn_at").is_null() | (pl.col("withdrawn_at") > served_on))
    listed = current.select(copy_id="track_id").join(groups.rename({"track_id": "copy_id"}), on="copy_id")
    pairs = groups.join(listed, on="recording").filter(pl.col("track_id") != pl.col("copy_id"))
    return pairs.select("track_id", "copy_id").sort("track_id", "copy_id")


def heard_copies(interactions: Interactions, copies: pl.DataFrame) -> pl.DataFrame:
    """Return user_id, track_id of the copies (see `copies_of`) of each recording that a listener has heard."""
    known = copies.filter(pl.Series(interactions.tracks.find(copies["track_id"]) >= 0, dtype=pl.Boolean))
    columns = interactions.tracks.find(known["track_id"].unique(maintain_order=True))
    heard = interactions.seen[:, columns].tocoo()
    pairs = pl.DataFrame(
        {
            "user_id": interactions.users.ids(heard.row),
            "track_id": interactions.tracks.ids(columns[heard.col]),
        },
        {"user_id": pl.String, "track_id": pl.String},
    )
    return pairs.join(known, on="track_id").select("user_id", track_id="copy_id").unique().sort("user_id", "track_id")


def _groups(links: pl.DataFrame) -> pl.DataFrame:
    """Return track_id, recording (the representative) of every recording with links, representatives included."""
    own = links.select(track_id="same_as", recording="same_as").unique()
    return pl.concat([links.select("track_id", recording="same_as"), own]).sort("track_id")
