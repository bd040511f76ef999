"""
What the viewer watches, and the alerts on it: the page Watchlist reads and sets them here (see `recsys.state`).

Rows belong to the viewer's account and label; figures come from the viewer's own warehouse file.
"""

from collections.abc import Callable, Sequence
from pathlib import Path

import polars as pl
import streamlit as st

from dashboards import access, data, parts
from dashboards.markdown import as_markdown, fill
from recsys.alerts import figures
from recsys.alerts.send import is_reachable
from recsys.errors import RecsysError
from recsys.notify.settings import NotifySettings
from recsys.state import alerts as alerts_of
from recsys.state import watchlist
from recsys.state.store import Owner
from recsys.state.watchlist import Item, Thresholds
from recsys.warehouse.query import Warehouse

N_FILES = 16  # cached figures
N_ALERTS = 30  # that the page shows
REMEDY = "Nothing was changed. Try again, with fewer or shorter values."


def _owner() -> Owner:
    return access.viewer().owner()


def items() -> list[Item]:
    """List what the viewer watches."""
    return watchlist.watched(access.current_home(), _owner())


@st.cache_data(max_entries=N_FILES, show_spinner=False)
def _figures(path: Path, watched: Sequence[Item], *, is_label: bool) -> pl.DataFrame:
    with Warehouse.open(path) as warehouse:
        return figures.table(figures.watched_figures(warehouse, watched, is_label=is_label))


def watched_figures() -> pl.DataFrame:
    """Return the last week of what the viewer watches; columns: see `recsys.alerts.figures`."""
    file = access.viewer().warehouse.resolve()
    return _figures(file, items(), is_label=not data.is_operator())


def watch_button(artist_id: str, track_id: str = "") -> None:
    """Offer to watch a recording, or the artist if `track_id` is empty; if it is watched, say so, and offer to stop."""
    kind, item_id = ("recording", track_id) if track_id else ("artist", artist_id)
    try:
        is_watched = any((item.kind, item.id) == (kind, item_id) for item in items())
    except RecsysError:  # the sidebar says that the state file cannot be read (see `saved_views`)
        return
    text = f"Stop watching this {kind}" if is_watched else f"Watch this {kind}"
    icon = ":material/visibility:" if is_watched else ":material/add:"
    is_pressed = st.button(as_markdown(text), key="watch_this", icon=icon)
    if is_watched:
        parts.caption("On your watchlist.")
    if is_pressed and (unwatch(f"{kind}:{item_id}") if is_watched else watch(artist_id, track_id)):
        st.rerun()


def watch(artist_id: str, track_id: str) -> bool:
    """Watch a recording, or the artist if `track_id` is empty; show an error and return False if it is not possible."""
    home, owner, since = access.current_home(), _owner(), data.as_of()
    kind: watchlist.ItemKind = "recording" if track_id else "artist"
    return done(lambda: watchlist.watch(home, owner, kind, track_id or artist_id, since), REMEDY)


def unwatch(key: str) -> bool:
    """Stop watching what has a key of `watched_names`; show an error and return False if it is not possible."""
    kind, _, item_id = key.partition(":")
    return done(lambda: watchlist.unwatch(access.current_home(), _owner(), [(kind, item_id)]), REMEDY)


def watched_names() -> dict[str, str]:
    """Return the names of what the viewer watches, by a key for `unwatch`."""
    names = watched_figures().select(pl.coalesce("title", "artist_name"))
    return {f"{item.kind}:{item.id}": name for item, (name,) in zip(items(), names.iter_rows(), strict=True)}


def done(change: Callable[[], None], remedy: str) -> bool:
    """Make a change; show an expected error and return False if it is not possible."""

    def made() -> bool:
        change()
        return True

    return bool(parts.attempt(made, remedy))


def show_alerts() -> None:
    """Show the newest alerts, each a link to its evidence."""
    found = alerts_of.alerts(access.current_home(), _owner(), n=N_ALERTS)
    if not found:
        parts.empty_state("No alert so far.", "Each nightly run looks for new ones.")
    for alert in found:
        path = f"app_pages/{alert.page}.py"
        st.page_link(path, label=as_markdown(alert.text), query_params=dict(alert.parameters), width="stretch")


def thresholds_form() -> None:
    """Offer a form with the viewer's thresholds."""
    old = watchlist.thresholds(access.current_home(), _owner())
    with st.form("thresholds"):
        change = st.number_input(
            "Change of weekly plays, up or down, of at least (%; 0: none)", 0, 1_000, old.change_percent
        )
        least = st.number_input("in weeks with at least this many plays", 0, 1_000_000_000, old.least_plays)
        first = st.number_input(
            "First milestone (plays; then ten times as many; 0: none)", 0, 1_000_000_000, old.milestone
        )
        charts = st.checkbox("A song enters a chart, or returns to it", old.chart_entries)
        matches = st.checkbox("Matching finds a new use", old.matches)
        adds = data.is_operator() and st.checkbox("A recording is added to an editorial playlist", old.playlist_adds)
        is_sent = _sending_box(is_set=old.is_sent)
        if st.form_submit_button("Save"):
            new = Thresholds(int(change), int(least), int(first), charts, adds, matches, is_sent)
            if done(lambda: watchlist.set_thresholds(access.current_home(), _owner(), new), REMEDY):
                st.rerun()


def _sending_box(*, is_set: bool) -> bool:
    """Offer to send alerts to the viewer's verified address; say why not where there is no way."""
    owner, settings = _owner(), data.settings("notify", NotifySettings)
    if not is_reachable(settings, owner):
        parts.caption(
            "Alerts are shown here only: messages are not set up, or your login has no verified e-mail address."
        )
        return is_set
    where = owner.address or "the addresses of the operator's messages"
    return bool(st.checkbox(fill("Send new alerts after each nightly run to {where}", where=where), is_set))
