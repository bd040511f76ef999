"""A query in the background of a session: it can be cancelled while the page stays usable."""

from collections.abc import Callable
from threading import Event, Thread

import polars as pl
import streamlit as st

from recsys.errors import InputError

_KEY = "background_query"
_FIRST_WAIT_S, POLL_S = 1.0, 0.5  # most queries end before the page shows that one is running


class BackgroundQuery:
    """A query that runs in a thread."""

    def __init__(self, text: str, run: Callable[[Callable[[Callable[[], None]], None]], pl.DataFrame]) -> None:
        """
        Start a query.

        Args:
            text: The query.
            run: Runs it; its argument is to be called with a function that stops it.
        """
        self.text = text
        self._stop: Callable[[], None] = lambda: None
        self._rows: pl.DataFrame | None = None
        self._error: InputError | None = None
        self._done = Event()
        Thread(target=self._work, args=(run,), daemon=True).start()
        self._done.wait(_FIRST_WAIT_S)

    def _work(self, run: Callable[[Callable[[Callable[[], None]], None]], pl.DataFrame]) -> None:
        try:
            self._rows = run(self._started)
        except InputError as error:
            self._error = error
        finally:
            self._done.set()

    def _started(self, stop: Callable[[], None]) -> None:
        self._stop = stop

    @property
    def is_done(self) -> bool:
        """Whether it has ended."""
        return self._done.is_set()

    def cancel(self) -> None:
        """Stop it, unless it has ended."""
        if not self.is_done:
            self._stop()

    def rows(self) -> pl.DataFrame:
        """Return its rows; raises InputError if it failed or was cancelled."""
        if self._error is not None:
            raise self._error
        if self._rows is None:
            raise InputError("The query ended without rows. Run it again")
        return self._rows


def rows_of(text: str, start: Callable[[str], BackgroundQuery], *, is_requested: bool) -> pl.DataFrame | None:
    """
    Return the rows of a query that was requested in this session; None while it runs, and before it is requested.

    Args:
        text: The query that the page shows.
        start: Starts it.
        is_requested: Whether the reader has just asked to run it; another query that still runs is cancelled.

    Raises:
        InputError: The query failed or was cancelled.
    """
    query: BackgroundQuery | None = st.session_state.get(_KEY)
    if is_requested:
        if query is not None:
            query.cancel()
        query = st.session_state[_KEY] = start(text)
    if query is None or query.text != text:
        return None
    if query.is_done:
        return query.rows()
    _show_progress(query)
    return None


@st.fragment(run_every=POLL_S)
def _show_progress(query: BackgroundQuery) -> None:
    """Show that a query is running, with a button that cancels it; run the page again when it has ended."""
    if query.is_done:
        st.rerun()
    with st.spinner("The query is running"):
        if st.button("Cancel", key="cancel_query"):
            query.cancel()
