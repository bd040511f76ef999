"""The step that finds recordings with the same tune, in sound and in notes, as candidates for works."""

from collections.abc import Callable
from datetime import date

import polars as pl

from recsys.home import Home
from recsys.matching.tunes.history import TUNE_CANDIDATES_COLUMNS, TUNE_CHECKS_COLUMNS, TuneHistory
from recsys.pipeline.results import Outcome, Result, step
from recsys.recipe import Recipe

TUNE_CANDIDATES = Result("tune_candidates", TUNE_CANDIDATES_COLUMNS, has_mart=False)
TUNE_CHECKS = Result("tune_checks", TUNE_CHECKS_COLUMNS)


@step(TUNE_CANDIDATES, TUNE_CHECKS)
def compare_tunes(
    *,
    tunes_to_compare: pl.DataFrame,
    work_keys: pl.DataFrame,
    last_tune_candidates: pl.DataFrame,
    last_tune_checks: pl.DataFrame,
    home: Home,
    recipe: Recipe,
    served_on: date,
    note: Callable[..., None],
) -> Outcome:
    """Search new recordings and new files of notes for the same tunes; append the results to the history."""
    last = TuneHistory(last_tune_candidates, last_tune_checks)
    if tunes_to_compare.is_empty():
        found = last.without_gone([], [])
    else:
        from recsys.matching.tunes.nightly import extend_history, read_noted_tunes  # noqa: PLC0415 - as in `match`

        noted = read_noted_tunes(home.tunes, set(work_keys["work_key"]))
        for name, reason in noted.refused.items():
            note(event="warning", text=f"the notes {name} of a work are not compared: {reason}")
        if noted.n_others:
            note(event="warning", text=f"{noted.n_others:,} files of notes are named after no work, and not compared")
        texts = dict(tunes_to_compare.iter_rows())
        found = extend_history(texts, noted.tunes, last, most=recipe.matching.tunes, found_on=served_on)
    counts = {
        "n_searched": _added(found.checks, last_tune_checks, "source_kind", "source_id"),
        "n_resembling": _added(found.candidates, last_tune_candidates, "source_kind", "source_id", "audio_id"),
    }
    return Outcome({TUNE_CANDIDATES.name: found.candidates, TUNE_CHECKS.name: found.checks}, counts)


def _added(table: pl.DataFrame, last: pl.DataFrame, *key: str) -> int:
    """Return how many rows of a table are new since the last run."""
    return table.join(last, on=key, how="anti").height
