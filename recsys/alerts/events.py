"""
Which events of watched artists and recordings are alerts, by their viewer's thresholds.

Everything is read from one warehouse file, the viewer's own. Events are looked for in the last `LOOK_BACK_DAYS` of the
data, so that none is lost if no night was run for a while, and from the week before an item was added on.
"""

import json
from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from typing import Any

from recsys.alerts.figures import Watched, Week, id_lists, watched_figures
from recsys.reports.wording import format_day
from recsys.state.alerts import Alert, AlertKind
from recsys.state.watchlist import Item, Thresholds
from recsys.warehouse.internal import internal_sql
from recsys.warehouse.query import Warehouse

LOOK_BACK_DAYS = 28
MATCH_PROBABILITY = 0.9  # least probability of a match that is an alert
_ONE_WEEK = timedelta(days=7)


def find_alerts(
    warehouse: Warehouse, items: Sequence[Item], thresholds: Thresholds, *, is_label: bool
) -> tuple[date, list[Alert]]:
    """
    Find what happened to watched artists and recordings.

    Args:
        warehouse: The viewer's own file.
        items: What the viewer watches.
        thresholds: What is an alert.
        is_label: Whether it is the file of a label, which has the lines of its ledger and no playlists.

    Returns:
        The last day of data, and the alerts.
    """
    as_of: date = warehouse.query(internal_sql("as_of")).item()
    search = _Search(warehouse, items, thresholds, as_of)
    found = [*search.figures(is_label=is_label), *search.chart_entries(), *search.matches()]
    return as_of, [*found, *search.playlist_adds()] if not is_label else found


class _Search:
    """The search for one viewer."""

    def __init__(self, warehouse: Warehouse, items: Sequence[Item], thresholds: Thresholds, as_of: date) -> None:
        self._warehouse, self._items, self._thresholds = warehouse, items, thresholds
        self._earliest = as_of - timedelta(days=LOOK_BACK_DAYS)
        self._since = {(item.kind, item.id): max(self._earliest, item.since - _ONE_WEEK) for item in items}

    def figures(self, *, is_label: bool) -> Iterator[Alert]:
        """Yield changes of the last week, and milestones."""
        for watched in watched_figures(self._warehouse, self._items, is_label=is_label):
            since = self._since[watched.item.kind, watched.item.id]
            recent = [week for week in watched.weeks if week.last_day > since]
            if recent:
                yield from self._change(watched, recent[-1])
            for week in recent:
                yield from self._milestones(watched, week)

    def _change(self, watched: Watched, week: Week) -> Iterator[Alert]:
        least, change = self._thresholds.change_percent, week.change
        if not least or change is None or abs(change) * 100 < least:
            return
        if max(week.n_plays or 0, week.n_before or 0) < self._thresholds.least_plays:
            return
        text = (
            f"plays per day {'rose' if change > 0 else 'fell'} by {abs(change):.0%}: {week.n_plays:,} plays "
            f"{_span(week.first_day, week.last_day)}, {week.n_before:,} in the week before"
        )
        yield _of_item("change", watched, week, text, str(week.last_day))

    def _milestones(self, watched: Watched, week: Week) -> Iterator[Alert]:
        reached = self._thresholds.milestone
        while 0 < reached <= week.total:
            if week.total_before < reached:
                text = f"{reached:,} plays so far, reached {_span(week.first_day, week.last_day)}"
                yield _of_item("milestone", watched, week, text, str(reached))
            reached *= 10

    def chart_entries(self) -> Iterator[Alert]:
        """Yield entries into charts, and returns to them."""
        for row in self._rows(internal_sql("watched_chart_entries"), is_alert=self._thresholds.chart_entries):
            verb = "entered" if row["is_new"] else "returned to"
            text = f"“{row['title']}” {verb} {row['chart']} at number {row['rank']} ({format_day(row['day'])})"
            event = (row["chart"], row["song_id"], str(row["day"]))
            yield _of_row("chart_entry", row, text, page="charts", ids={"chart": row["chart"]}, event=event)

    def matches(self) -> Iterator[Alert]:
        """Yield uses that matching found."""
        is_alert = self._thresholds.matches
        for row in self._rows(internal_sql("watched_matches"), is_alert=is_alert, probability=MATCH_PROBABILITY):
            source = "an upload" if row["source_kind"] == "upload" else _recording(row["source_title"])
            text = f"“{row['title']}” was found in {source} (match probability {row['probability']:.2f})"
            event = (row["track_id"], row["source_audio_id"], f"{row['starts_s']:.3f}")
            yield _of_row("match", row, text, page="matches", ids={}, event=event)

    def playlist_adds(self) -> Iterator[Alert]:
        """Yield adds to playlists that no listener owns."""
        for row in self._rows(internal_sql("watched_playlist_adds"), is_alert=self._thresholds.playlist_adds):
            playlist = row["playlist_title"] or row["playlist_id"]
            text = f"“{row['title']}” was added to the playlist “{playlist}” on {format_day(row['day'])}"
            event = (row["track_id"], row["playlist_id"], str(row["day"]))
            ids = {"track": row["track_id"]}
            yield _of_row("playlist_add", row, text, page="track", ids=ids, event=event)

    def _rows(self, query: str, *, is_alert: bool, **params: Any) -> Iterator[dict[str, Any]]:
        """Yield the rows of a query whose day is late enough for the artist or the recording that is watched."""
        if not is_alert:
            return
        given = id_lists(self._items) | {"since": self._earliest} | params
        for row in self._warehouse.query(query, given).iter_rows(named=True):
            watched = (("artist", row["artist_id"]), ("recording", row["track_id"]))
            if any(key in self._since and row["day"] > self._since[key] for key in watched):
                yield row


def _of_item(kind: AlertKind, watched: Watched, week: Week, text: str, what: str) -> Alert:
    """Return an alert on figures of a week."""
    item = watched.item
    is_artist, name = item.kind == "artist", watched.name or item.id
    subject = name if is_artist else f"“{name}”"
    page, ids = ("artist", {"artist": item.id}) if is_artist else ("track", {"track": item.id})
    event = json.dumps([kind, item.kind, item.id, what])
    return Alert(event, kind, week.first_day, week.last_day, f"{subject}: {text}.", page, ids)


def _of_row(
    kind: AlertKind, row: dict[str, Any], text: str, *, page: str, ids: dict[str, str], event: tuple[str, ...]
) -> Alert:
    """Return an alert on something that happened on one day; `ids` are the parameters of the link."""
    return Alert(json.dumps([kind, *event]), kind, row["day"], row["day"], f"{text}.", page, ids)


def _recording(title: str | None) -> str:
    return f"“{title}”" if title else "another recording"


def _span(first: date, last: date) -> str:
    return f"from {first.day} {first:%B} to {format_day(last)}"
