"""Alerts that were found for an owner, and whether they were sent; an event is stored, and so reported, once."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal

from recsys.home import Home
from recsys.state.store import Owner, State, known_owner_id

AlertKind = Literal["change", "milestone", "chart_entry", "playlist_add", "match"]
Status = Literal["shown", "waiting", "sent"]
KEPT_DAYS = 400  # older alerts are removed; no event is looked for as far back
N_SHOWN = 100


@dataclass(frozen=True)
class Alert:
    """
    Something that happened to what is watched.

    Attributes:
        event: What happened, unique for its owner: the same event gives the same text in every run.
        kind: What it is about.
        first_day, last_day: Days of the figures, or twice the day on which it happened.
        text: One sentence, with names as they were then.
        page, parameters: The view with the evidence (see `recsys.state.views`).
    """

    event: str
    kind: AlertKind
    first_day: date
    last_day: date
    text: str
    page: str
    parameters: Mapping[str, str]


def record(home: Home, owner: Owner, found: Iterable[Alert], status: Status, as_of: date) -> int:
    """
    Store alerts of events that are new to an owner, and remove old ones.

    Args:
        home: The home.
        owner: Whose alerts they are.
        found: The alerts.
        status: waiting if they are to be sent, shown if not.
        as_of: The last day of data.

    Returns:
        How many were new.
    """
    with State(home).writing() as connection:
        number = known_owner_id(connection, owner)
        rows = [(number, *_row(alert), status) for alert in found]
        insert = "insert or ignore into alerts values (?, ?, ?, ?, ?, ?, ?, ?, ?)"
        n_new = sum(connection.execute(insert, row).rowcount for row in rows)
        oldest = str(as_of - timedelta(days=KEPT_DAYS))
        connection.execute("delete from alerts where owner_id = ? and last_day < ?", (number, oldest))
    return n_new


def _row(alert: Alert) -> tuple[str, ...]:
    days = (str(alert.first_day), str(alert.last_day))
    return (alert.event, alert.kind, *days, alert.text, alert.page, json.dumps(dict(alert.parameters)))


def alerts(home: Home, owner: Owner, *statuses: Status, n: int = N_SHOWN) -> list[Alert]:
    """List the last alerts of an owner, newest day first; those with the given statuses, or all."""
    kept = statuses or ("shown", "waiting", "sent")
    with State(home).reading() as connection:
        rows = connection.execute(
            "select event, kind, first_day, last_day, text, page, parameters from alerts "
            "join owners using (owner_id) where account = ? and label_id = ? "
            f"and status in ({', '.join('?' * len(kept))}) order by last_day desc, kind, event limit ?",
            (owner.account, owner.label_id or "", *kept, n),
        ).fetchall()
    return [
        Alert(event, kind, date.fromisoformat(first), date.fromisoformat(last), text, page, json.loads(parameters))
        for event, kind, first, last, text, page, parameters in rows
    ]


def mark_sent(home: Home, owner: Owner, sent: Sequence[Alert]) -> None:
    """Note that alerts were sent."""
    with State(home).writing() as connection:
        number = known_owner_id(connection, owner)
        rows = [(number, alert.event) for alert in sent]
        connection.executemany("update alerts set status = 'sent' where owner_id = ? and event = ?", rows)


def withdraw(home: Home, label_id: str, first_day: date, last_day: date) -> int:
    """Remove a label's alerts on figures of a period that was withheld; return how many."""
    state = State(home)
    if not state.path.exists():
        return 0
    with state.writing() as connection:
        return connection.execute(
            "delete from alerts where kind in ('change', 'milestone') and first_day <= ? and last_day >= ? "
            "and owner_id in (select owner_id from owners where label_id = ?)",
            (str(last_day), str(first_day), label_id),
        ).rowcount
