"""A query in the background of a session: it can be cancelled while the page stays usable."""

from collections.abc import Callable
from pathlib import Path
from threading import Event, Thread

import polars as pl
import streamlit as st

from recsys.errors import InputError

_KEY = "background_query"
_FIRST_WAIT_S, POLL_S = 1.0, 0.5  # most queries end before the page shows that one is running
Stop = Callable[[], None]
Run = Callable[[str, Callable[[Stop], None]], pl.DataFrame]  # runs a text; its second argument takes what stops it


class BackgroundQuery:
    """
    A query that runs in a thread.

    Attributes:
        request: The file that it reads and its text.
    """

    def __init__(self, request: tuple[Path, str], run: Run) -> None:
        self.request = request
        self._rows: pl.DataFrame | None = None
        self._error: InputError | None = None
        self._stop: Stop | None = None
        self._is_cancelled, self._done = Event(), Event()
        Thread(target=self._work, args=(run,), daemon=True).start()
        self._done.wait(_FIRST_WAIT_S)

    def _work(self, run: Run) -> None:
        try:
            self._rows = run(self.request[1], self._started)
        except InputError as error:
            self._error = error
        finally:
            self._done.set()

    def _started(self, stop: Stop) -> None:
        self._stop = stop
        if self._is_cancelled.is_set():  # before it had started
            stop()

    @property
    def is_done(self) -> bool:
        """Whether it has ended."""
        return self._done.is_set()

    def cancel(self) -> None:
        """Stop it, unless it has ended."""
        self._is_cancelled.set()
        if self._stop is not None and not self.is_done:
            self._stop()

    def rows(self) -> pl.DataFrame:
        """Return its rows; raises InputError if it failed or was cancelled."""
        if self._error is not None:
            raise self._error
        if self._rows is None:
            raise InputError("The query ended without rows. Run it again")
        return self._rows


def rows_of(file: Path, text: str, run: Run, *, is_requested: bool) -> pl.DataFrame | None:
    """
    Return the rows of a query that was requested in this session; None while it runs, and before it is requested.

    Args:
        file: The file that it reads: a viewer never gets rows of another's file.
        text: The query that the page shows.
        run: Runs it.
        is_requested: Whether the reader has just request to run it; another query that still runs is cancelled.

    Raises:
        InputError: The query failed or was cancelled.
    """
    query: BackgroundQuery | None = st.session_state.get(_KEY)
    if is_requested:
        if query is not None:
            query.cancel()
        query = st.session_state[_KEY] = BackgroundQuery((file, text), run)
    if query is None or query.request != (file, text):
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
