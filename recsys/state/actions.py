"""
The log of operator actions: who did what, when, and how it ended.

Dashboards and commands do an action inside of `logged`, so that both leave the same trace.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime

from recsys.home import Home
from recsys.state.store import State

STARTED, DONE = "started", "done"
COMMAND_LINE = "command line"  # the name of who gives a command without one
_MAX_TEXT = 1_000  # characters of an entry's texts; a longer text is cut


@dataclass(frozen=True)
class Actor:
    """
    Who does something.

    Attributes:
        name: Name of the login, or what a command was given.
        account: Account of the login (`recsys.state.access`); empty for a command.
    """

    name: str
    account: str = ""


@dataclass(frozen=True)
class Action:
    """
    An entry of the log.

    Attributes:
        done_at: When it began, with time zone.
        actor: Who did it.
        action: What was done, such as `review accepted`.
        subject: To what, such as ids of findings.
        outcome: started, done, or the kind of error with which it failed.
    """

    done_at: datetime
    actor: Actor
    action: str
    subject: str
    outcome: str = field(default=STARTED)


@contextmanager
def logged(home: Home, actor: Actor, action: str, subject: str, done_at: datetime) -> Iterator[None]:
    """
    Log what the `with` block does: it is `started`, then `done`, or failed with the kind of error that it raised.

    Raises:
        SetupError: The log cannot be written; then the block does not run.
    """
    state, texts = State(home), [_storable(text) for text in (actor.account, actor.name, action, subject)]
    with state.writing() as connection:
        number = connection.execute(
            "insert into actions (done_at, account, name, action, subject, outcome) values (?, ?, ?, ?, ?, ?)",
            (done_at.isoformat(), *texts, STARTED),
        ).lastrowid
    outcome = "stopped"
    try:
        yield
        outcome = DONE
    except Exception as failed:
        outcome = type(failed).__name__
        raise
    finally:
        with state.writing() as connection:
            connection.execute("update actions set outcome = ? where action_id = ?", (outcome, number))


def _storable(text: str) -> str:
    return text[:_MAX_TEXT].encode("utf-8", "replace").decode()


def actions(home: Home, n: int = 1_000) -> list[Action]:
    """List the last `n` entries of the log, the newest first."""
    with State(home).reading() as connection:
        rows = connection.execute(
            "select done_at, name, account, action, subject, outcome from actions order by action_id desc limit ?", (n,)
        )
        return [
            Action(datetime.fromisoformat(done_at), Actor(name, account), action, subject, outcome)
            for done_at, name, account, action, subject, outcome in rows
        ]
