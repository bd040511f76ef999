"""
Decisions about the review list: each is a row in the lake, ingested like any other source.

A decision takes effect with the next nightly run, and holds for all later ones; a later decision about the same finding
replaces it.
"""

from collections.abc import Sequence
from datetime import datetime

import polars as pl

from recsys import files
from recsys.errors import UnknownIds
from recsys.home import Home
from recsys.ingest.run import ingest
from recsys.lake.contract import CONTRACTS
from recsys.lake.store import Lake
from recsys.state.actions import COMMAND_LINE, Actor, logged
from recsys.warehouse.internal import internal_sql
from recsys.warehouse.query import Warehouse

TABLE = "review_decisions"
KEY = ("kind", "track_id", "other_track_id")


def findings(
    warehouse: Warehouse, lake: Lake, status: str = "", kind: str = "", *, order: str = "n_plays"
) -> pl.DataFrame:
    """
    List the findings of a release, with the decisions that were made since.

    Args:
        warehouse: The warehouse of the release.
        lake: The lake, which has all decisions.
        status: proposed, linked, accepted or rejected; '' lists all.
        kind: One of `contract.FINDING_KINDS`; '' lists all.
        order: n_plays, the most played first, or score, the surest first.

    Returns:
        finding_id, kind, status, title, artist_name, other_title, other_artist_name, evidence, against, detail, score,
        n_plays (of both recordings), is_applied (false if the release was made before the decision), track_id,
        other_track_id.
    """
    rows = warehouse.query(internal_sql("review_list"))
    latest = lake.latest(CONTRACTS[TABLE]).select(*KEY, "decision").collect()
    swapped = latest.rename({"track_id": "other_track_id", "other_track_id": "track_id"}).select(latest.columns)
    decided = rows.join(pl.concat([latest, swapped]).unique(), on=KEY, how="left", maintain_order="left")
    current = decided.with_columns(
        is_applied=pl.col("decision").is_null() | (pl.col("decision") == pl.col("status")),
        status=pl.coalesce("decision", "status"),
    ).drop("decision")
    ordered = current.sort(order, descending=True, maintain_order=True)
    chosen = {name: value for name, value in {"status": status, "kind": kind}.items() if value}
    return ordered.filter(**chosen) if chosen else ordered


def decide(
    home: Home,
    finding_ids: Sequence[str],
    decision: str,
    *,
    decided_at: datetime,
    decided_by: str = "",
    account: str = "",
    note: str = "",
) -> pl.DataFrame:
    """
    Accept or reject findings, which the log of operator actions records.

    Args:
        home: The home; the caller must hold its lock.
        finding_ids: Ids of findings of the published release.
        decision: accepted or rejected.
        decided_at: When, with time zone.
        decided_by: Who decides, stored with the decision; may be empty.
        account: Their account (see `recsys.state`), for the log; empty for a command.
        note: Reason, stored with the decision; may be empty.

    Returns:
        The findings, as `findings` returned them before the decision.

    Raises:
        UnknownIds: The published release has no such finding.
    """
    lake = Lake(home)
    with Warehouse.open(home.published_warehouse()) as warehouse:
        known = findings(warehouse, lake)
    if unknown := sorted(set(finding_ids) - set(known["finding_id"])):
        raise UnknownIds.of("finding", unknown, known["finding_id"].to_list(), "the review list")
    decided = known.filter(pl.col("finding_id").is_in(list(finding_ids)))
    rows = decided.select(*KEY).with_columns(
        decision=pl.lit(decision),
        decided_at=pl.lit(decided_at.isoformat()),
        decided_by=pl.lit(decided_by or None, dtype=pl.String),
        note=pl.lit(note or None, dtype=pl.String),
    )
    path = home.path / "review" / f"{files.short_hash(decided_at.isoformat(), decision, *decided['finding_id'])}.csv"
    actor, subject = Actor(decided_by or COMMAND_LINE, account), ", ".join(decided["finding_id"])
    with logged(home, actor, f"review {decision}", subject, decided_at):
        files.write_atomically(path, rows.write_csv)
        ingest(home, [path], today=decided_at.astimezone(lake.zone).date(), table=TABLE)
    return decided
