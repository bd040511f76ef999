"""The log of operator actions, as rows."""

from collections.abc import Sequence

import polars as pl

from recsys.state.actions import Action

COLUMNS = ("done_at", "name", "action", "subject", "outcome")


def rows(actions: Sequence[Action]) -> pl.DataFrame:
    """Return entries of the log as a table of texts."""
    found = [(str(one.done_at), one.actor.name, one.action, one.subject, one.outcome) for one in actions]
    return pl.DataFrame(found, schema=dict.fromkeys(COLUMNS, pl.String), orient="row")
