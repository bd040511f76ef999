"""Which artists and recordings somebody watches, and which changes they want to hear of."""

import json
import sqlite3
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import date
from typing import Annotated, Literal, get_args

from msgspec import Meta

from recsys.errors import InputError, SetupError
from recsys.home import Home
from recsys.settings import Settings, create_settings
from recsys.state.store import MAX_ID, Owner, State, known_owner_id

ItemKind = Literal["artist", "recording"]
MAX_WATCHED = 200  # artists and recordings of an owner


@dataclass(frozen=True)
class Item:
    """
    An artist or a recording that is watched.

    Attributes:
        kind: artist or recording.
        id: Its id.
        since: The last day of data when it was added; alerts begin with the week before.
    """

    kind: ItemKind
    id: str
    since: date


@dataclass(frozen=True)
class Thresholds(Settings):
    """
    Which changes of watched artists and recordings are alerts.

    Attributes:
        change_percent: Least change of weekly plays, up or down [%]; 0: none.
        least_plays: Plays that the larger of the two weeks needs.
        milestone: A first total of plays, then ten times as many each time; 0: none.
        chart_entries: Whether a song enters a chart, or returns to it.
        playlist_adds: Whether a recording is added to a playlist that no listener owns; operators only.
        matches: Whether matching finds a new use.
        is_sent: Whether alerts are also sent, as one message each night that has some.
    """

    change_percent: Annotated[int, Meta(ge=0, le=1_000)] = 50
    least_plays: Annotated[int, Meta(ge=0, le=1_000_000_000)] = 100
    milestone: Annotated[int, Meta(ge=0, le=1_000_000_000)] = 10_000
    chart_entries: bool = True
    playlist_adds: bool = True
    matches: bool = True
    is_sent: bool = False


def watched(home: Home, owner: Owner) -> list[Item]:
    """List what an owner watches, artists first, by id."""
    with State(home).reading() as connection:
        return items_of(connection, owner)


def items_of(connection: sqlite3.Connection, owner: Owner) -> list[Item]:
    """List what an owner watches, as `watched`, on an open connection."""
    rows = connection.execute(
        "select kind, id, since from watched join owners using (owner_id) "
        "where account = ? and label_id = ? order by kind, id",
        (owner.account, owner.label_id or ""),
    )
    return [Item(kind, item_id, date.fromisoformat(since)) for kind, item_id, since in rows]


def watch(home: Home, owner: Owner, kind: ItemKind, item_id: str, since: date) -> None:
    """
    Add an artist or a recording to what an owner watches; nothing happens if it is there already.

    Raises:
        InputError: The id is empty or too long, or the owner watches MAX_WATCHED.
    """
    if kind not in get_args(ItemKind) or not 1 <= len(item_id) <= MAX_ID:
        raise InputError(
            f"An id to watch has {len(item_id):,} characters; expected an artist or recording, 1 to {MAX_ID}"
        )
    with State(home).writing() as connection:
        number = known_owner_id(connection, owner)
        connection.execute("insert or ignore into watched values (?, ?, ?, ?)", (number, kind, item_id, str(since)))
        if len(items_of(connection, owner)) > MAX_WATCHED:
            raise InputError(
                f"You watch {MAX_WATCHED} artists and recordings, the most there can be. Remove some first"
            )


def unwatch(home: Home, owner: Owner, items: Sequence[tuple[str, str]]) -> None:
    """Remove artists and recordings, as pairs of kind and id, from what an owner watches."""
    with State(home).writing() as connection:
        number = known_owner_id(connection, owner)
        rows = [(number, kind, item_id) for kind, item_id in items]
        connection.executemany("delete from watched where owner_id = ? and kind = ? and id = ?", rows)


def thresholds(home: Home, owner: Owner) -> Thresholds:
    """Return the thresholds of an owner, the default ones until they are set."""
    with State(home).reading() as connection:
        row = connection.execute(
            "select thresholds from owners where account = ? and label_id = ?", (owner.account, owner.label_id or "")
        ).fetchone()
    return Thresholds() if row is None else thresholds_of(row[0])


def thresholds_of(text: str) -> Thresholds:
    """Read thresholds from the state file; raises SetupError if they are damaged."""
    try:
        return create_settings(Thresholds, json.loads(text), "thresholds")
    except ValueError as damaged:
        raise SetupError(
            "The thresholds in state.sqlite are damaged. Set them again on the page Watchlist"
        ) from damaged


def set_thresholds(home: Home, owner: Owner, new: Thresholds) -> None:
    """Set the thresholds of an owner, and note the name and address of their login."""
    with State(home).writing() as connection:
        number = known_owner_id(connection, owner)
        connection.execute("update owners set thresholds = ? where owner_id = ?", (json.dumps(asdict(new)), number))


def owners(home: Home) -> list[tuple[Owner, Thresholds, list[Item]]]:
    """List everybody who watches something, with their thresholds and what they watch."""
    with State(home).reading() as connection:
        rows = connection.execute(
            "select account, label_id, name, address, thresholds from owners "
            "where owner_id in (select owner_id from watched) order by account, label_id"
        ).fetchall()
        found = [(Owner(account, label or None, name, address), text) for account, label, name, address, text in rows]
        return [(owner, thresholds_of(text), items_of(connection, owner)) for owner, text in found]
