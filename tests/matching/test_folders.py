"""Folders of query files and of music to compare with: every file is read, or it is said why it was not."""

import json
import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from recsys.audio.fingerprint.fingerprinter import RATE_HZ
from recsys.audio.sandbox import Failure
from recsys.errors import InputError
from recsys.library.settings import AudioSettings
from recsys.matching.alignment import Calibration
from recsys.matching.catalogue_index import IndexedMusic, index_folder
from recsys.matching.cue_sheets import CueSheet, query_files
from recsys.matching.report import MatchReport
from recsys.reports.matching import write_page
from recsys.synth.render import write_audio


@pytest.fixture(scope="module")
def folder(song: np.ndarray, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tune under three names, one of them unknown; two files that are no music, a picture, a dead link, a pipe."""
    made = tmp_path_factory.mktemp("music")
    (made / "deep").mkdir()
    write_audio(made / "deep" / "song.flac", np.stack([song, song]), RATE_HZ)
    for copied in ("again.webm", "unknown.xyz"):
        (made / copied).write_bytes((made / "deep" / "song.flac").read_bytes() + copied.encode())
    (made / "broken.mp3").write_text("no music")
    (made / "mystery").write_text("no music")
    (made / "cover.jpg").write_bytes(b"picture")
    (made / ".hidden.mp3").write_text("no music")
    (made / "gone.wav").symlink_to(made / "nowhere.wav")
    os.mkfifo(made / "pipe.wav")
    return made


@pytest.fixture(scope="module")
def indexed(folder: Path) -> IndexedMusic:
    """The index of the folder."""
    return index_folder(folder, AudioSettings(workers=1))


def test_every_file_of_a_folder_is_searched_that_may_be_audio(folder: Path) -> None:
    """Files of any name are searched, except hidden ones and what lies beside music."""
    assert [path.relative_to(folder).as_posix() for path in query_files(folder)] == [
        *("again.webm", "broken.mp3", "deep/song.flac", "gone.wav", "mystery", "pipe.wav", "unknown.xyz")
    ]


def test_a_folder_without_audio_is_refused(tmp_path: Path) -> None:
    """Neither a folder of pictures nor an empty one is searched."""
    (tmp_path / "cover.jpg").write_bytes(b"picture")

    with pytest.raises(InputError, match="neither an audio file nor a folder that contains any"):
        query_files(tmp_path)
    with pytest.raises(InputError, match="contains no file that can be decoded"):
        index_folder(tmp_path, AudioSettings(workers=1))


def test_files_that_cannot_be_indexed_are_named(folder: Path, indexed: IndexedMusic) -> None:
    """The index has every file that can be decoded, whatever its suffix; the others are named with the reason."""
    assert sorted(indexed.owners["title"]) == ["again.webm", "deep/song.flac", "unknown.xyz"]
    assert set(indexed.owners["audio_id"]) == set(indexed.index.ids)
    assert indexed.failures == {
        str(folder / "broken.mp3"): "not an audio file we can decode",
        str(folder / "gone.wav"): "cannot be opened (No such file or directory)",
        str(folder / "mystery"): "not an audio file we can decode",
        str(folder / "pipe.wav"): "not a file (a folder or a device)",
    }


def test_an_incomplete_result_is_an_error_that_lists_what_is_missing(
    indexed: IndexedMusic, calibration: Calibration, tmp_path: Path
) -> None:
    """Files that were not searched or not looked for are in every report, and the command ends with an error."""
    sheets = [CueSheet(Path("a.mp3"), 9.0, []), CueSheet(Path("b.mp3"), 0.0, [], Failure("empty", "an empty file"))]
    complete = MatchReport(sheets[:1], indexed.owners, calibration)
    incomplete = replace(complete, sheets=sheets, not_indexed=indexed.failures)

    complete.require_complete()
    with pytest.raises(InputError, match=r"(?s)not searched: b\.mp3: an empty file.*not looked for: \S+broken\.mp3"):
        incomplete.require_complete()
    write_page(incomplete, {}, tmp_path / "page.html")
    page = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert all(message in page and file in page for file, message in indexed.failures.items())
    assert json.loads(incomplete.as_json())["not_indexed"] == indexed.failures
