"""
Scores of a learner's practice takes over time; `recsys state forget LEARNER` removes them.

Kept are the day, the score's name and three figures, no sound and no note.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from recsys.home import Home
from recsys.state.store import State, clean_name

NEWEST = 8  # takes that are shown


@dataclass(frozen=True)
class PastTake:
    """Day of a take, and its scores for pitch, rhythm and completeness, 0..1; None: unknown."""

    day: str
    pitch: float | None
    rhythm: float | None
    completeness: float | None


def keep_take(home: Home, learner: str, piece: str, day: date, shares: Sequence[float | None]) -> list[PastTake]:
    """
    Keep the scores of a take, and return the newest takes of the same piece, the oldest of them first.

    Args:
        home: The home.
        learner: Name that the learner chose.
        piece: Name of the score.
        day: Day of the take.
        shares: Scores for pitch, rhythm and completeness, 0..1; None: unknown.

    Raises:
        InputError: The learner's name is empty or too long.
    """
    name, title = clean_name(learner, "the learner"), clean_name(piece[-100:], "the score")
    with State(home).writing() as connection:
        connection.execute(
            "insert into practice_takes (learner, piece, day, pitch, rhythm, completeness) values (?, ?, ?, ?, ?, ?)",
            (name, title, day.isoformat(), *shares),
        )
        rows = connection.execute(
            "select day, pitch, rhythm, completeness from practice_takes where learner = ? and piece = ? "
            "order by take_id desc limit ?",
            (name, title, NEWEST),
        ).fetchall()
    return [PastTake(*row) for row in reversed(rows)]
