"""
What operators do in the app: the same functions as the commands, under the lock of the home, logged with who did it.

The log is `<home>/actions.jsonl`, one JSON object per line; `_append` and `_lines` alone know where it is.
"""

import json
from datetime import UTC, datetime

import polars as pl

from dashboards import access, data
from recsys.erasure.opened import opened
from recsys.errors import InputError
from recsys.pipeline.publication import roll_back
from recsys.releases import registry

SCHEMA = pl.Schema(dict.fromkeys(("at", "who", "action", "details"), pl.String()))


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
        roll_back(home, release)
        _append("rollback", f"from {instead_of} to {release}")
    return release


def _append(action: str, details: str) -> None:
    row = {"at": datetime.now(UTC).isoformat(timespec="seconds"), "who": access.viewer().name}
    with (access.current_home().path / "actions.jsonl").open("a", encoding="utf-8") as log:
        log.write(json.dumps(row | {"action": action, "details": details}) + "\n")


def _lines() -> list[str]:
    path = access.current_home().path / "actions.jsonl"
    return path.read_text(encoding="utf-8").splitlines() if path.exists() else []


def logged() -> pl.DataFrame:
    """List what operators did, newest first: at (UTC, ISO 8601), who, action, details. Operators only."""
    data.require_operator()
    return pl.DataFrame([json.loads(line) for line in _lines()], SCHEMA).reverse()
