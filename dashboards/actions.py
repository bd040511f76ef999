"""What operators do in the app: the same functions as the commands, under the lock of the home, logged with who."""

from datetime import UTC, datetime

import polars as pl

from dashboards import access, data
from recsys.errors import InputError
from recsys.migration.opened import opened
from recsys.pipeline.publication import roll_back
from recsys.releases import registry
from recsys.state.actions import actions

SCHEMA = pl.Schema(
    {"done_at": pl.Datetime(time_zone="UTC")} | dict.fromkeys(("who", "action", "subject", "outcome"), pl.String())
)


def releases() -> list[str]:
    """List the releases on disk, newest first. Operators only."""
    data.require_operator()
    return registry.release_names(access.current_home())[::-1]


def current_release() -> str | None:
    """Return the name of the current release; None before the first. Operators only."""
    data.require_operator()
    return registry.current_name(access.current_home())


def return_to(release: str, *, instead_of: str) -> str:
    """
    Make a release current again, like `recsys rollback`, and log it. Operators only.

    Args:
        release: The release to return to.
        instead_of: The release that the operator saw as the current one when confirming.

    Returns:
        The name of the release, which is now current.

    Raises:
        InputError: Another release has become current since.
        UnknownIds: There is no such release on disk.
        SetupError: A part of the release is missing, or another process holds the lock of the home.
    """
    data.require_operator()
    home = access.current_home()
    with opened(home):
        current = registry.current_name(home)
        if current != instead_of:
            raise InputError(
                f"{current} has become current meanwhile, instead of {instead_of}. Look at it, then decide"
            )
        roll_back(home, release, access.viewer().actor(), datetime.now(UTC))
    return release


def done() -> pl.DataFrame:
    """List what operators did, newest first: done_at (UTC), who, action, subject, outcome. Operators only."""
    data.require_operator()
    rows = [
        (entry.done_at, entry.actor.name, entry.action, entry.subject, entry.outcome)
        for entry in actions(access.current_home())
    ]
    return pl.DataFrame(rows, SCHEMA, orient="row")
