"""The report of recordings with the same tune as one HTML page: where they agree, with players at these seconds."""

from dataclasses import dataclass
from functools import partial
from pathlib import Path

from recsys import files
from recsys.audio.mastering.excerpt import excerpt
from recsys.audio.sandbox import run_one
from recsys.library.files import possible_audio
from recsys.library.settings import AudioSettings
from recsys.matching.tunes.reading import SUFFIXES
from recsys.matching.tunes.recordings import SimilarRecording, SimilarRecordings
from recsys.reports.html import data_url, render

MOST_PLAYED = 5  # recordings of a tune with players; a page holds about two megabytes of each


@dataclass(frozen=True)
class Players:
    """
    What is heard of one recording.

    Attributes:
        found: The recording.
        own: Address of the file's excerpt from where both agree; None for notes.
        other: The same of the recording.
    """

    found: SimilarRecording
    own: str | None
    other: str


def write_page(found: SimilarRecordings, path: Path, query: Path, folder: Path, settings: AudioSettings) -> None:
    """
    Write the page.

    Args:
        found: The recordings.
        path: The page.
        query: The file that they are compared with.
        folder: The folder of the recordings.
        settings: Limits of the processes that decode the excerpts.
    """
    paths = {files.printable(str(file.relative_to(folder))): file for file in possible_audio(folder)}
    sections = [
        (name, answers, [_players(it, query, paths[it.name], settings) for it in _played(answers)])
        for name, answers in found.answers.items()
    ]
    files.write_text(path, render("tune_recordings.html", found=found, sections=sections))


def _played(answers: tuple[SimilarRecording, ...]) -> list[SimilarRecording]:
    """Return the recordings that pass an operating point."""
    return [answer for answer in answers if answer.point][:MOST_PLAYED]


def _players(found: SimilarRecording, query: Path, other: Path, settings: AudioSettings) -> Players:
    is_notes, match = query.suffix.lower() in SUFFIXES, found.match
    own = None if is_notes else _excerpt(query, match.starts_s, settings)
    return Players(found, own, _excerpt(other, match.other_starts_s, settings))


def _excerpt(path: Path, start_s: float, settings: AudioSettings) -> str:
    task = partial(excerpt, start_s=start_s)
    content = run_one(task, path, limit_s=settings.limit_s, limit_bytes=settings.limit_gb << 30)
    return data_url(content, "audio/flac")
