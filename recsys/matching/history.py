"""The history of matching: what was searched and what was found, as two tables that grow with every nightly run."""

from dataclasses import dataclass

import polars as pl


@dataclass(frozen=True, eq=False)
class MatchHistory:
    """
    All matching up to a run.

    Attributes:
        candidates: One row per use that was found (columns.MATCH_CANDIDATES).
        checks: One row per uploaded file or catalogue recording that was searched (columns.MATCH_CHECKS).
    """

    candidates: pl.DataFrame
    checks: pl.DataFrame
