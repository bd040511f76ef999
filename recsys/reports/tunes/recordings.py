"""The part of the report of `recsys same-tune` on recordings: where they agree, with players at these seconds."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from recsys.audio.mastering.excerpt import excerpt
from recsys.audio.sandbox import run_one
from recsys.errors import InputError
from recsys.library.settings import AudioSettings
from recsys.matching.tunes.recordings import SimilarRecording, SimilarRecordings
from recsys.reports.html import data_url

MOST_PLAYED = 5  # recordings of a tune with players; a page holds about two megabytes of each
Section = tuple[str, tuple[SimilarRecording, ...], "list[Players]"]


@dataclass(frozen=True)
class Players:
    """
    What is heard of one recording.

    Attributes:
        found: The recording.
        own: Address of the file's excerpt from where both agree; None for notes.
        other: The same of the recording; None if its file is no longer there.
    """

    found: SimilarRecording
    own: str | None
    other: str | None


def sections_of(
    found: SimilarRecordings, query: Path | None, file: Callable[[str], Path | None], settings: AudioSettings
) -> list[Section]:
    """
    Return for each tune of a file its name, the recordings, and the players of those that pass an operating point.

    Args:
        found: The recordings.
        query: The file that they are compared with; None if it is in notes.
        file: Function that returns the file of a recording by its name; None if it is no longer there.
        settings: Limits of the processes that decode the excerpts.
    """
    return [
        (name, answers, [_players(it, query, file(it.name), settings) for it in played(answers)])
        for name, answers in found.answers.items()
    ]


def played(answers: tuple[SimilarRecording, ...]) -> list[SimilarRecording]:
    """Return the recordings with players: those that pass an operating point, at most MOST_PLAYED."""
    return [answer for answer in answers if answer.point][:MOST_PLAYED]


def excerpt_of(path: Path, start_s: float, settings: AudioSettings) -> bytes | None:
    """Return 20 s of a recording from a second as FLAC, decoded in a process of its own; None if it cannot be."""
    task = partial(excerpt, start_s=start_s)
    try:
        return run_one(task, path, limit_s=settings.limit_s, limit_bytes=settings.limit_gb << 30)
    except InputError:  # it was decoded before: it is gone or was replaced
        return None


def _players(found: SimilarRecording, query: Path | None, other: Path | None, settings: AudioSettings) -> Players:
    match = found.match
    return Players(found, _address(query, match.starts_s, settings), _address(other, match.other_starts_s, settings))


def _address(path: Path | None, start_s: float, settings: AudioSettings) -> str | None:
    content = None if path is None else excerpt_of(path, start_s, settings)
    return None if content is None else data_url(content, "audio/flac")
