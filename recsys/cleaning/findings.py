"""
The review list: what cleaning found, as pairs of recordings that a person accepts or rejects.

Kinds of pairs: `duplicate`, two recordings that may be the same; `wrong_artist`, two that sound the same under
different artists. Kinds that pair a recording with itself: `wrong_genre`, `wrong_tempo` and `wrong_language`, whose
metadata the sound contradicts (`recsys.cleaning.doubts`). The id of a finding follows from its kind and its two
recordings, so it survives every rebuild, and a rejected finding is never proposed again.
"""

import polars as pl

from recsys.cleaning.doubts import DOUBT_KINDS
from recsys.cleaning.duplicates import (
    ACCEPTED,
    PAIR_COLUMNS,
    PROPOSED,
    REJECTED,
    SOUND,
    Decisions,
    find_duplicates,
    pair_of,
)
from recsys.cleaning.recordings import recordings, trust_order
from recsys.cleaning.sounds import by_same_artist, same_sounds
from recsys.columns import Column, schema
from recsys.files import short_hash

DUPLICATE, WRONG_ARTIST = "duplicate", "wrong_artist"
REVIEW_FINDINGS_COLUMNS = (Column("finding_id", pl.String()), Column("kind", pl.String()), *PAIR_COLUMNS)


def find_all(
    tracks: pl.DataFrame,
    match_candidates: pl.DataFrame,
    review_decisions: pl.DataFrame,
    doubts: pl.DataFrame,
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """
    Find duplicates and wrong artists in a catalogue, and add what the sound contradicts.

    Args:
        tracks: The catalogue (columns: see `recordings.recordings`).
        match_candidates: The uses that matching found (`matching.history.MATCH_CANDIDATES_COLUMNS`).
        review_decisions: What people decided: kind, track_id, other_track_id, decision.
        doubts: Metadata that the sound contradicts (`doubts.DOUBTS`).

    Returns:
        The review list (REVIEW_FINDINGS_COLUMNS), sorted by id; and the links (see `duplicates.duplicate_links`).
    """
    read = recordings(tracks)
    own, of_others = by_same_artist(same_sounds(read, match_candidates), read)
    pairs, links = find_duplicates(read, own, decisions_of(review_decisions, DUPLICATE))
    wrong = wrong_artists(of_others, read, decisions_of(review_decisions, WRONG_ARTIST))
    kinds = {DUPLICATE: pairs, WRONG_ARTIST: wrong}
    kinds |= {
        kind: of_one_recording(doubts.filter(kind=kind), decisions_of(review_decisions, kind)) for kind in DOUBT_KINDS
    }
    found = [_with_ids(rows, kind) for kind, rows in kinds.items()]
    return pl.concat(found).sort("finding_id"), links


def decisions_of(review_decisions: pl.DataFrame, kind: str) -> Decisions:
    """Return the decisions about one kind of finding."""
    pairs = {
        decision: frozenset(pair_of(*pair) for pair in rows.select("track_id", "other_track_id").iter_rows())
        for (decision,), rows in review_decisions.filter(kind=kind).group_by("decision")
    }
    return Decisions(pairs.get(ACCEPTED, frozenset()), pairs.get(REJECTED, frozenset()))


def wrong_artists(sounds: pl.DataFrame, read: pl.DataFrame, decisions: Decisions) -> pl.DataFrame:
    """
    List recordings whose sound is that of another artist's recording.

    Args:
        sounds: Pairs that sound the same, by different artists (see `sounds.by_same_artist`).
        read: The recordings.
        decisions: What people decided.

    Returns:
        PAIR_COLUMNS; score is the share of the recordings that sounds the same. Sound alone cannot tell which of the
        two artists is wrong, so track_id is the likelier one: without an ISRC, or else released later.
    """
    place, rows = trust_order(read), []
    for one, other, share, detail in sounds.select("track_id", "other_track_id", "share", "detail").iter_rows():
        original, suspect = sorted((one, other), key=place.__getitem__)
        status = _status(pair_of(one, other), decisions)
        rows.append((suspect, original, SOUND, "", detail, round(share, 4), status))
    return pl.DataFrame(rows, schema(PAIR_COLUMNS), orient="row")


def of_one_recording(doubts: pl.DataFrame, decisions: Decisions) -> pl.DataFrame:
    """
    List recordings whose metadata the sound contradicts, each paired with itself.

    Args:
        doubts: Of one kind (`doubts.DOUBTS`).
        decisions: What people decided about this kind.

    Returns:
        PAIR_COLUMNS.
    """
    rows = [
        (track_id, track_id, evidence, "", detail, score, _status((track_id, track_id), decisions))
        for track_id, evidence, detail, score in doubts.select("track_id", "evidence", "detail", "score").iter_rows()
    ]
    return pl.DataFrame(rows, schema(PAIR_COLUMNS), orient="row")


def _status(pair: tuple[str, str], decisions: Decisions) -> str:
    return REJECTED if pair in decisions.rejected else ACCEPTED if pair in decisions.accepted else PROPOSED


def finding_id(kind: str, track_id: str, other_track_id: str) -> str:
    """Return the id of a finding, whichever of its recordings comes first."""
    return short_hash(kind, *pair_of(track_id, other_track_id))


def _with_ids(pairs: pl.DataFrame, kind: str) -> pl.DataFrame:
    ids = [finding_id(kind, *pair) for pair in pairs.select("track_id", "other_track_id").iter_rows()]
    named = pairs.with_columns(finding_id=pl.Series(ids, dtype=pl.String), kind=pl.lit(kind))
    return named.select(schema(REVIEW_FINDINGS_COLUMNS).names())
