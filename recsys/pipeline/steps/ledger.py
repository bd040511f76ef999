"""The step that closes periods of the ledger of labels' figures."""

from collections.abc import Callable
from datetime import date

import polars as pl

from recsys.errors import SetupError
from recsys.home import Home
from recsys.ingest.pseudonym import listener_key
from recsys.lake.store import Batch, Lake
from recsys.ledger.close import Closing, close
from recsys.ledger.crossed import noise_key
from recsys.ledger.lines import PUBLISHED_COLUMNS, Lines, published
from recsys.ledger.store import read_lines, write_lines
from recsys.pipeline.results import Artefact, Outcome, Result, step, whole_folder
from recsys.recipe import Recipe

NEW_LINES = Artefact(  # they become part of the ledger when the run is published
    "new_lines", read=read_lines, write=whole_folder(write_lines), lifetime="run"
)
LABEL_FIGURES = Result("label_figures", PUBLISHED_COLUMNS)


@step(LABEL_FIGURES, NEW_LINES)
def close_periods(
    *,
    open_listens: pl.LazyFrame,
    labels_of_tracks: pl.DataFrame,
    audiences_of_listeners: pl.DataFrame,
    days_of_listeners: pl.LazyFrame,
    favourites_of_listeners: pl.LazyFrame,
    recommendations: pl.DataFrame,
    ledger: Lines,
    ledger_fault: str,
    last_label_figures: pl.DataFrame,
    batches: list[Batch],
    lake: Lake,
    home: Home,
    recipe: Recipe,
    run_id: str,
    as_of: date,
    note: Callable[..., None],
) -> Outcome:
    """Write the lines of the periods that have ended; if the ledger is damaged, publish the last lines again."""
    if ledger_fault:
        note(event="warning", text=ledger_fault)
        return Outcome(
            {LABEL_FIGURES.name: last_label_figures, NEW_LINES.name: Lines.of({})}, {"n_lines": 0, "closing_no": 0}
        )
    last_batch = max(batch.batch_no for batch in batches)
    closing = Closing(
        ledger.next_no, run_id, as_of, last_batch, recipe.labels, _noise_key(home, note), kept_from=lake.kept_from()
    )
    new = close(
        open_listens,
        labels_of_tracks,
        audiences_of_listeners,
        ledger,
        closing,
        days_of_listeners=days_of_listeners,
        favourites=favourites_of_listeners,
        lists=recommendations,
    )
    return Outcome(
        {LABEL_FIGURES.name: published(ledger + new), NEW_LINES.name: new},
        {"n_lines": new.figures.height, "closing_no": closing.no},
    )


def _noise_key(home: Home, note: Callable[..., None]) -> bytes | None:
    """Return the secret of the noise of shares; None, with a warning, if the home's key cannot be read."""
    try:
        return noise_key(listener_key(home.key_file))
    except SetupError as missing:
        note(event="warning", text=f"No shares of artists' plays and listeners are written to the ledger: {missing}")
        return None
