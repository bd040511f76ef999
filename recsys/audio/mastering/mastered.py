"""The result of mastering one file, for the command line and the report."""

from dataclasses import dataclass
from pathlib import Path

from recsys.audio.mastering.balance import Comparison
from recsys.audio.mastering.chain import Plan
from recsys.audio.mastering.facts import Facts
from recsys.audio.mastering.platforms import Playback


@dataclass(frozen=True, eq=False)
class Mastered:
    """
    Result for one file.

    Attributes:
        path: The file.
        facts: What was measured of it.
        comparison: The file against the reference, if there is one.
        playbacks: What each platform will do with it, or the given one alone; empty for silence.
        copy: The processed copy, if one was written.
        plan: What was done for it.
        after: What was measured of the copy.
    """

    path: Path
    facts: Facts
    comparison: Comparison | None
    playbacks: tuple[Playback, ...]
    copy: Path | None = None
    plan: Plan | None = None
    after: Facts | None = None

    @property
    def balance(self) -> list[str]:
        """What the comparison says, in sentences; none without a reference."""
        return [] if self.comparison is None else self.comparison.sentences()
