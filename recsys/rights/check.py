"""What is wrong in the registry of rights, from the published warehouse."""

import polars as pl

from recsys.errors import InputError
from recsys.warehouse.internal import internal_sql
from recsys.warehouse.query import Warehouse

KINDS = {  # kind of marts.rights_conflicts -> its name
    "shares_over": "shares above 100 %",
    "shares_under": "shares below 100 %",
    "lapsed_term": "a term has ended",
    "disputed_share": "disputed share",
    "collection_over": "collectors above 100 %",
    "isrc_on_several_recordings": "one ISRC on several recordings",
    "recording_with_several_isrcs": "several ISRCs of a recording",
    "iswc_on_several_works": "one ISWC on several works",
    "recording_on_several_works": "a recording on several works with one title",
    "party_with_several_ipis": "several IPI numbers of a party",
    "recording_without_work": "recording without a work",
    "work_without_shares": "work without shares",
    "wrong_check_digit": "wrong check digit",
    "registration_refused": "registration refused by a society",
    "lapsed_licence": "all licences have ended",
    "unlicensed_use": "plays without a licence",
    "matched_audio": "matched audio with other owners",
}


def conflicts(warehouse: Warehouse, kinds: tuple[str, ...] = (), *, with_ended: bool = False) -> pl.DataFrame:
    """
    List the conflicts that are open on the warehouse's last day, those with most plays first.

    Args:
        warehouse: The published warehouse.
        kinds: Only conflicts of these kinds (see marts.rights_conflicts); all if there are none.
        with_ended: Whether to list those that have ended as well.

    Returns:
        The columns of marts.rights_conflicts, shares in per cent; `since` is the first day, or where it always was so
        the day on which it was stated; null where neither is known. `until` is null where it has no end. `n_plays` is
        null where no recording of the catalogue is known.

    Raises:
        InputError: A kind is unknown.
    """
    if unknown := sorted(set(kinds) - KINDS.keys()):
        raise InputError(f"{unknown[0]} is no kind of conflict. Kinds: {', '.join(sorted(KINDS))}")
    found = warehouse.query(internal_sql("rights_conflicts"), {"ended": str(with_ended).lower()})
    return found.filter(pl.col("kind").is_in(kinds)) if kinds else found


def count_conflicts(found: pl.DataFrame) -> pl.DataFrame:
    """Count conflicts by kind: distinct subjects, rows (by right, territory and period) and known plays."""
    subjects = found.group_by("kind", "subject").agg(n_rows=pl.len().cast(pl.Int64), n_plays=pl.col("n_plays").max())
    counts = subjects.group_by("kind").agg(
        n_subjects=pl.len().cast(pl.Int64), n_rows=pl.col("n_rows").sum(), n_plays=_known_sum("n_plays")
    )
    return counts.sort("n_plays", "kind", descending=[True, False], nulls_last=True)


def _known_sum(name: str) -> pl.Expr:
    """Return the sum of the known values, null where none is known."""
    return pl.when(pl.col(name).count() > 0).then(pl.col(name).sum())
