"""Tools on files and folders: names of what is written, what is refused, and what an interrupted run leaves."""

import os
import sys
import time
from pathlib import Path
from subprocess import Popen

import pytest
from rich.progress import Progress

from recsys.audio.signal import UnreadableAudio
from recsys.cli.show import studio
from recsys.errors import InputError, SetupError
from recsys.files import new_files, remove_abandoned
from recsys.library.settings import AudioSettings
from recsys.studio.batch import outputs_of, run_batch

LIMITS = AudioSettings(workers=1, limit_s=60, limit_gb=2)


class Copy:
    """A task that writes the name of a file as its output; does what the name says."""

    def __init__(self, out: Path) -> None:
        self.out = out

    def __call__(self, path: Path) -> str:
        """Write the output of a file."""
        with new_files([self.out / f"{path.stem}.copy.wav"]) as (partial,):
            partial.write_text(path.stem)
            if path.stem == "hang":
                time.sleep(60)
            if path.stem == "refuse":
                raise UnreadableAudio("empty", path, "an empty file")
        return path.stem


def folder_of(tmp_path: Path, *names: str) -> Path:
    """A folder with empty files."""
    for name in names:
        path = tmp_path / "music" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    return tmp_path / "music"


def test_outputs_repeat_the_folders_of_the_sources(tmp_path: Path) -> None:
    """Names keep the suffix where two files differ in nothing else; pictures and earlier outputs are no sources."""
    music = folder_of(tmp_path, "a.mp3", "b/c.flac", "b/c.wav", "cover.jpg", "out/a.copy.wav")

    outputs = outputs_of(music, music / "out", ["copy"], "wav")

    written = {path.relative_to(music).as_posix(): paths["copy"] for path, paths in outputs.items()}
    assert {name: path.relative_to(music / "out").as_posix() for name, path in written.items()} == {
        "a.mp3": "a.copy.wav",
        "b/c.flac": "b/c.flac.copy.wav",
        "b/c.wav": "b/c.wav.copy.wav",
    }


def test_no_two_sources_have_the_same_output(tmp_path: Path) -> None:
    """A source that is named like another one with its suffix keeps its own, too; folders that are one are refused."""
    music = folder_of(tmp_path, "a.mp3", "a.wav", "a.mp3.wav", "b/c.wav", "d/c.wav")
    (tmp_path / "out" / "b").mkdir(parents=True)
    (tmp_path / "linked" / "b").mkdir(parents=True)
    (tmp_path / "linked" / "d").symlink_to(tmp_path / "linked" / "b")

    names = sorted(targets["copy"].name for targets in outputs_of(music, tmp_path / "out", ["copy"], "wav").values())

    assert names == ["a.mp3.copy.wav", "a.mp3.wav.copy.wav", "a.wav.copy.wav", "c.copy.wav", "c.copy.wav"]
    with pytest.raises(InputError, match="would be written twice"):
        outputs_of(music, tmp_path / "linked", ["copy"], "wav")


def test_a_name_that_is_too_long_fails_alone(tmp_path: Path) -> None:
    """The message has the length; the longest name that a file system takes is written."""
    longest = "b" * (255 - len(".copy.wav"))
    music = folder_of(tmp_path, f"{'a' * 250}.wav", f"{longest}.wav")
    outputs = outputs_of(music, tmp_path / "out", ["copy"], "wav")

    report = run_batch(Copy(tmp_path / "out"), outputs, LIMITS, lambda _path, _share: None)

    assert [failure.message for failure in report.failures.values()] == [
        "the name of what is written has 259 bytes, expected 255 at most (rename it)"
    ]
    assert [path.name for path in (tmp_path / "out").iterdir()] == [f"{longest}.copy.wav"]


def test_processes_that_write_the_same_file_do_not_disturb_each_other(tmp_path: Path) -> None:
    """Hidden files of another process that runs stay, those of one that ended are removed, and both can write."""
    target = tmp_path / "a.wav"
    ended = Popen([sys.executable, "-c", ""])
    ended.wait()
    with new_files([target]) as (own,):
        name = own.name.replace(f".{os.getpid()}.", ".{}.")
        running, abandoned = (tmp_path / name.format(number) for number in (os.getppid(), ended.pid))
        running.touch()
        abandoned.touch()
        own.write_text("own")
        remove_abandoned(target)

    assert sorted(tmp_path.iterdir()) == sorted([running, target])
    assert target.read_text() == "own"


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    """A file in place of the folder gives a sentence with the folder and the reason."""
    (tmp_path / "out").touch()

    with (
        pytest.raises(SetupError, match=r"out: a file could not be written \(.+\)\. Check"),
        new_files([tmp_path / "out" / "a"]),
    ):
        pass


def test_outputs_of_a_file_lie_in_the_folder(tmp_path: Path) -> None:
    """One file is written straight to the folder, whatever folder it came from."""
    music = folder_of(tmp_path, "deep/song.ogg")

    outputs = outputs_of(music / "deep" / "song.ogg", tmp_path, ["vocals"], "flac")

    assert list(outputs.values()) == [{"vocals": tmp_path / "song.vocals.flac"}]


def test_a_source_is_never_replaced(tmp_path: Path) -> None:
    """An output with the name of a source, a missing path and an empty folder are refused with what to do."""
    music = folder_of(tmp_path, "a.wav", "link/a.copy.wav")
    (tmp_path / "empty").mkdir()
    (music / "a.copy.wav").symlink_to(music / "link" / "a.copy.wav")
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "a.copy.wav").symlink_to(music / "a.wav")

    with pytest.raises(InputError, match=r"would be replaced\. Name another file or folder to write to"):
        outputs_of(music, tmp_path / "out", ["copy"], "wav")
    with pytest.raises(InputError, match="does not exist"):
        outputs_of(tmp_path / "gone.wav", tmp_path, ["copy"], "wav")
    with pytest.raises(InputError, match="contains no audio file"):
        outputs_of(tmp_path / "empty", tmp_path, ["copy"], "wav")


def test_a_failed_file_harms_no_other(tmp_path: Path) -> None:
    """The others are written, the failure has its reason, and no partial file is left, also of one that was stopped."""
    music = folder_of(tmp_path, "a.wav", "hang.wav", "refuse.wav", "z.wav")
    outputs = outputs_of(music, tmp_path / "out", ["copy"], "wav")
    finished: list[str] = []
    limits = AudioSettings(workers=1, limit_s=2, limit_gb=2)

    report = run_batch(Copy(tmp_path / "out"), outputs, limits, lambda path, _share: finished.append(path.stem))

    assert list(report.results.values()) == ["a", "z"]
    assert {path.stem: failure.reason for path, failure in report.failures.items()} == {
        "hang": "timeout",
        "refuse": "empty",
    }
    assert finished == ["a", "hang", "refuse", "z"]
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["a.copy.wav", "z.copy.wav"]
    with pytest.raises(InputError, match="2 of 4 files could not be processed"):
        report.require_complete()


def test_an_interrupted_run_leaves_no_partial_file(tmp_path: Path) -> None:
    """What was finished stays; the worker is stopped, and what it was writing is removed."""
    music = folder_of(tmp_path, "a.wav", "hang.wav")
    outputs = outputs_of(music, tmp_path / "out", ["copy"], "wav")

    def interrupt(path: Path, share: float) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_batch(Copy(tmp_path / "out"), outputs, LIMITS, interrupt)

    assert [path.name for path in (tmp_path / "out").iterdir()] == ["a.copy.wav"]


def test_finished_files_leave_the_progress_bar(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a folder of thousands, only those at work have a line; a file that fails at once never gets one."""
    bar = Progress()
    monkeypatch.setattr(studio, "Progress", lambda *_args, **_options: bar)

    with studio.progress("denoise") as show:
        for name, share in (("a", 0.5), ("b", 0.0), ("a", 1.0), ("c", 1.0)):
            show(Path(name), share)
        shown = [task.description for task in bar.tasks]

    assert shown == ["denoise b"]
