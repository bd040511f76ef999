"""What was looked through for recordings of the catalogue, and what was found: two tables that grow night by night."""

from dataclasses import dataclass

import polars as pl


@dataclass(frozen=True, eq=False)
class MatchHistory:
    """
    The two tables.

    Attributes:
        candidates: A row a use that was found (columns.MATCH_CANDIDATES).
        checks: A row a file or recording that was looked through (columns.MATCH_CHECKS).
    """

    candidates: pl.DataFrame
    checks: pl.DataFrame
