"""
Find duplicate recordings: the same recording under several track ids.

Three kinds of evidence: the same ISRC; the same title, artist and length; the same sound. Pairs with evidence against
them, such as different versions (live, remix, remaster, instrumental ...), are never linked by a rule, only proposed
to a person. A person's decisions come first: an accepted pair is linked, a rejected pair is in no common group, not
even through a third recording. Links never change the recordings or their listens, so removing a link restores the
earlier state. Same input, same links.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any

import polars as pl

from recsys.cleaning.recordings import trust_order
from recsys.columns import TRACK_ID, Column

ISRC, NAMES, SOUND, REVIEW, RULE = "isrc", "names", "sound", "review", "rule"
LINKED, PROPOSED, ACCEPTED, REJECTED = "linked", "proposed", "accepted", "rejected"
MAX_APART_MS = 2_000  # difference in length of recordings that are linked by title and artist
MAX_APART_BY_ISRC_MS = 10_000  # difference in length of recordings that are linked by their ISRC: fades, silence
# How much a kind of evidence counts, 0..1, to order pairs: links are made in this order, and reviewers see it.
SCORES = {ISRC: 0.97, NAMES: 0.95, SOUND: 0.96}
PROPOSED_FACTOR = 0.5  # on the score of a pair with evidence against it
BY_THIRD = "a rejected pair would be in the same group"
PAIR = ("track_id", "other_track_id")
REGISTRANT = 5  # characters of an ISRC that name who assigned it: country and registrant
MAX_LEADERS = 50  # recordings with which each further one of the same ISRC or title is compared

PAIR_COLUMNS = (
    TRACK_ID,
    Column("other_track_id", pl.String()),
    Column("evidence", pl.String()),
    Column("against", pl.String()),
    Column("detail", pl.String()),
    Column("score", pl.Float64()),
    Column("status", pl.String()),
)
DUPLICATE_LINKS_COLUMNS = (
    TRACK_ID,
    Column("same_as", pl.String()),
    Column("evidence", pl.String()),
    Column("score", pl.Float64()),
    Column("decided_by", pl.String()),
)

Pair = tuple[str, str]  # two track ids, the smaller first
Row = Mapping[str, Any]  # a recording: a row of `recordings.RECORDINGS`
Compared = tuple[str, str, str, str]  # kind of evidence, what a person can check, two track ids


@dataclass(frozen=True)
class Decisions:
    """What people decided about pairs of track ids, the smaller id first."""

    accepted: frozenset[Pair] = frozenset()
    rejected: frozenset[Pair] = frozenset()


@dataclass
class _Evidence:
    """The evidence for one pair."""

    kinds: dict[str, str] = field(default_factory=dict)  # kind -> what a person can check

    def row(self, pair: Pair, against: list[str], status: str) -> tuple[Any, ...]:
        """Return the pair as a row of PAIR_COLUMNS."""
        missing = 1.0
        for kind in self.kinds:
            missing *= 1 - SCORES[kind]
        score = 1.0 if status == ACCEPTED else (1 - missing) * (PROPOSED_FACTOR if against else 1.0)
        detail = "; ".join(self.kinds[kind] for kind in sorted(self.kinds))
        return (*pair, ", ".join(sorted(self.kinds)), ", ".join(against), detail, round(score, 4), status)


def pair_of(one: str, other: str) -> Pair:
    """Return two track ids, the smaller first."""
    return (one, other) if one < other else (other, one)


def find_duplicates(
    recordings: pl.DataFrame, sounds: pl.DataFrame, decisions: Decisions
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """
    Find duplicate recordings, and link each group of them to one representative.

    Args:
        recordings: As `recordings.recordings` returns them.
        sounds: Pairs that sound the same, by the same artist: track_id, other_track_id, detail.
        decisions: What people decided.

    Returns:
        The pairs with evidence (see `duplicate_pairs`) and the links (see `duplicate_links`). A pair whose link would
        put a rejected pair into one group is proposed instead.
    """
    pairs = duplicate_pairs(recordings, sounds, decisions)
    links = duplicate_links(pairs, recordings, decisions.rejected)
    groups = dict(links.select("track_id", "same_as").iter_rows())
    is_apart = [groups.get(one, one) != groups.get(other, other) for one, other in pairs.select(*PAIR).iter_rows()]
    is_blocked = pl.Series(is_apart, dtype=pl.Boolean) & (pairs["status"] == LINKED)
    blocked = pl.when(is_blocked)
    return pairs.with_columns(
        status=blocked.then(pl.lit(PROPOSED)).otherwise("status"),
        against=blocked.then(pl.lit(BY_THIRD)).otherwise("against"),
    ), links


def duplicate_pairs(recordings: pl.DataFrame, sounds: pl.DataFrame, decisions: Decisions) -> pl.DataFrame:
    """
    Find pairs of recordings with evidence that they are the same.

    Args:
        recordings: As `recordings.recordings` returns them.
        sounds: Pairs that sound the same, by the same artist: track_id, other_track_id, detail.
        decisions: What people decided.

    Returns:
        PAIR_COLUMNS, sorted by ids, track_id < other_track_id. evidence: isrc, names, sound or several of them.
        against: what speaks against the pair, '' if nothing. status: accepted or rejected by a person; otherwise linked
        if nothing speaks against the pair, else proposed. In a group of n recordings with the same ISRC or title, the
        others are compared with one of them, not with each other, so there are n - 1 pairs.
    """
    rows = {row["track_id"]: row for row in recordings.iter_rows(named=True)}
    found: dict[Pair, _Evidence] = defaultdict(_Evidence)
    for kind, detail, one, other in (*_by_isrc(recordings, decisions), *_by_names(recordings, decisions)):
        found[pair_of(one, other)].kinds[kind] = detail
    for one, other, detail in sounds.select(*PAIR, "detail").iter_rows():
        found[pair_of(one, other)].kinds[SOUND] = detail
    for pair in decisions.accepted:  # also if its evidence has disappeared
        if rows.keys() >= set(pair):
            found.setdefault(pair, _Evidence())
    made = []
    for pair, evidence in sorted(found.items()):
        against = _against(rows[pair[0]], rows[pair[1]], evidence.kinds)
        made.append(evidence.row(pair, against, _status(pair, against, decisions)))
    return pl.DataFrame(made, {column.name: column.dtype for column in PAIR_COLUMNS}, orient="row")


def _status(pair: Pair, against: list[str], decisions: Decisions) -> str:
    if pair in decisions.rejected:
        return REJECTED
    if pair in decisions.accepted:
        return ACCEPTED
    return PROPOSED if against else LINKED


def _against(one: Row, other: Row, kinds: Mapping[str, str]) -> list[str]:
    """List what speaks against two recordings being the same, given the kinds of evidence for it."""
    has_same_name = one["title_key"] == other["title_key"] or one["artist_key"] == other["artist_key"]
    featured = (one["featured"], other["featured"])
    has_other_isrc = None not in (one["isrc"], other["isrc"]) and one["isrc"] != other["isrc"]
    is_on_same_release = bool(one["release_key"]) and one["release_key"] == other["release_key"]
    has_same_registrant = has_other_isrc and one["isrc"][:REGISTRANT] == other["isrc"][:REGISTRANT]
    is_told_apart = has_other_isrc and (has_same_registrant or is_on_same_release)  # by whoever delivered them
    reasons = {
        "other version": one["version"] != other["version"],
        "explicit and not": {one["explicit"], other["explicit"]} == {True, False},
        "other featured artists": featured[0] != featured[1] and (all(featured) or has_other_isrc),
        "other length": ISRC in kinds and _apart_ms(one, other) > MAX_APART_BY_ISRC_MS,
        "other title and artist": not has_same_name,
        "other ISRC of one registrant or release": SOUND not in kinds and is_told_apart,
    }
    return [reason for reason, holds in reasons.items() if holds]


def _apart_ms(one: Row, other: Row) -> int:
    """Return the difference in length; 0 if a length is unknown."""
    lengths = (one["duration_ms"], other["duration_ms"])
    return 0 if None in lengths else abs(lengths[0] - lengths[1])


def _by_isrc(recordings: pl.DataFrame, decisions: Decisions) -> Iterator[Compared]:
    def fits(one: Row, other: Row) -> bool:
        return not _against(one, other, {ISRC: ""})

    for rows in _blocks(recordings.drop_nulls("isrc"), ("isrc",), "track_id"):
        for one, other in _compared(rows, fits, decisions, reports_others=True):
            yield ISRC, f"ISRC {one['isrc']}", one["track_id"], other["track_id"]


def _by_names(recordings: pl.DataFrame, decisions: Decisions) -> Iterator[Compared]:
    def fits(one: Row, other: Row) -> bool:
        return not {"explicit and not", "other featured artists"} & set(_against(one, other, {}))

    keys = ("artist_key", "title_key", "version")
    for rows in _blocks(recordings.drop_nulls([*keys, "duration_ms"]), keys, "duration_ms"):
        for one, other in _compared(rows, fits, decisions, max_apart_ms=MAX_APART_MS):
            apart_s = _apart_ms(one, other) / 1000
            yield NAMES, f"same title and artist, {apart_s:.1f} s apart", one["track_id"], other["track_id"]


def _compared(
    rows: Iterable[Row],
    fits: Callable[[Row, Row], bool],
    decisions: Decisions,
    *,
    max_apart_ms: int | None = None,
    reports_others: bool = False,
) -> Iterator[tuple[Row, Row]]:
    """
    Pair each recording with an earlier one that it fits.

    Args:
        rows: Recordings with the same evidence.
        fits: Whether nothing speaks against two of them being the same.
        decisions: What people decided; a recording is paired with one that no person has rejected, if there is one.
        max_apart_ms: Maximum difference in length; the rows must then be sorted by length. None: any.
        reports_others: Whether a recording that fits no earlier one is paired with the first all the same.
    """
    leaders: list[Row] = []  # recordings that fitted no earlier one
    for row in rows:
        if max_apart_ms is not None:
            leaders = [leader for leader in leaders if _apart_ms(leader, row) <= max_apart_ms]
        fitting = [leader for leader in leaders if fits(leader, row)]
        allowed = _first_allowed(fitting, row, decisions)
        if allowed is not None:
            yield allowed, row
            continue
        for leader in (fitting or (leaders if reports_others else []))[:1]:
            yield leader, row
        leaders = [*leaders, row][-MAX_LEADERS:]


def _first_allowed(others: Iterable[Row], row: Row, decisions: Decisions) -> Row | None:
    """Return the first recording that no person has said to be another than this one; None if there is none."""
    pairs = ((other, pair_of(other["track_id"], row["track_id"])) for other in others)
    return next((other for other, pair in pairs if pair not in decisions.rejected), None)


def _blocks(rows: pl.DataFrame, keys: tuple[str, ...], order: str) -> Iterator[list[dict[str, Any]]]:
    """Yield the rows of each key with more than one recording, in the given order."""
    repeated = rows.filter(pl.len().over(keys) > 1).sort(*keys, order, "track_id")
    for _, block in groupby(repeated.iter_rows(named=True), key=lambda row: tuple(row[name] for name in keys)):
        yield list(block)


def duplicate_links(pairs: pl.DataFrame, recordings: pl.DataFrame, rejected: Iterable[Pair] = ()) -> pl.DataFrame:
    """
    Group the recordings of linked and accepted pairs, and link each to one representative of its group.

    Args:
        pairs: As `duplicate_pairs` returns them.
        recordings: The recordings. The first of a group in `recordings.trust_order` represents it.
        rejected: Pairs that must not be in one group.

    Returns:
        DUPLICATE_LINKS_COLUMNS, one row per recording that is not a representative, sorted by track_id: the
        representative (same_as), and evidence, score and decision (review or rule) of the best pair by which the
        recording is in its group.
    """
    place = trust_order(recordings)
    groups, best = _Groups(rejected), dict[str, tuple[Any, ...]]()
    linked = pairs.filter(pl.col("status").is_in([LINKED, ACCEPTED])).with_columns(
        decided_by=pl.when(status=ACCEPTED).then(pl.lit(REVIEW)).otherwise(pl.lit(RULE)),
        evidence=pl.when(pl.col("evidence") == "").then(pl.lit(REVIEW)).otherwise("evidence"),
    )
    ordered = linked.sort("score", *PAIR, descending=[True, False, False])
    for one, other, *facts in ordered.select(*PAIR, "evidence", "score", "decided_by").rows():
        if groups.join(one, other):
            for track_id in (one, other):
                best.setdefault(track_id, tuple(facts))
    made = [
        (track_id, same_as, *best[track_id])
        for group in groups.all()
        for same_as in [min(group, key=place.__getitem__)]
        for track_id in group
        if track_id != same_as
    ]
    return pl.DataFrame(sorted(made), {column.name: column.dtype for column in DUPLICATE_LINKS_COLUMNS}, orient="row")


class _Groups:
    """Groups of recordings, which grow by pairs; two recordings of a rejected pair are never in one group."""

    def __init__(self, rejected: Iterable[Pair]) -> None:
        self._members: dict[str, set[str]] = {}
        self._apart: defaultdict[str, set[str]] = defaultdict(set)
        for one, other in rejected:
            self._apart[one].add(other)
            self._apart[other].add(one)

    def join(self, one: str, other: str) -> bool:
        """Put two recordings into one group, with their groups; return whether they are in one group."""
        first, second = (self._members.setdefault(track_id, {track_id}) for track_id in (one, other))
        if first is second:
            return True
        small, large = sorted((first, second), key=len)
        if any(self._apart[track_id] & large for track_id in small & self._apart.keys()):
            return False
        large |= small
        self._members |= dict.fromkeys(small, large)
        return True

    def all(self) -> list[set[str]]:
        """Return each group once."""
        return list({id(group): group for group in self._members.values()}.values())
