"""The command `recsys master`: what it prints and writes, and its messages."""

from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result
from soundfile import write

from recsys.audio.mastering.facts import measure
from recsys.audio.mastering.platforms import PLATFORMS
from recsys.cli import main
from recsys.cli.mastering import PLATFORM_NAMES

RATE_HZ = 44_100


def call(folder: Path, *words: str) -> Result:
    """Call the command line with an empty home."""
    return CliRunner().invoke(main, ["--home", str(folder / "home"), "master", *words], env={"COLUMNS": "150"})


@pytest.fixture
def song(tmp_path: Path) -> Path:
    """Four seconds of noise, stereo, the right channel inverted."""
    noise = np.random.default_rng(2).normal(0, 0.05, 4 * RATE_HZ)
    path = tmp_path / "song.wav"
    write(path, np.stack([noise, -noise], axis=1), RATE_HZ)
    return path


def test_facts_are_printed(song: Path, tmp_path: Path) -> None:
    """A table with units, what deserves attention, and a line per platform."""
    shown = call(tmp_path, str(song))

    assert shown.exit_code == 0
    assert "LUFS" in shown.output
    assert "one of them is probably inverted" in shown.output
    assert [platform.title in shown.output for platform in PLATFORMS.values()] == [True] * 4


@pytest.mark.slow
def test_a_copy_and_a_report_are_written(song: Path, tmp_path: Path) -> None:
    """The copy meets the target beside the file, and the page has two players and the curve."""
    page = tmp_path / "report.html"

    shown = call(tmp_path, str(song), "--target", "apple", "--apply", "--report", str(page))

    assert shown.exit_code == 0
    assert measure(tmp_path / "song.mastered.wav").loudness.loudness_lufs == pytest.approx(-16, abs=0.2)
    text = page.read_text()
    assert text.count("<audio") == 2
    assert text.count("data:audio/flac;base64,") == 2
    assert "Loudness over time" in text
    assert "probably inverted" in text


def test_balance_is_compared_with_a_file(song: Path, tmp_path: Path) -> None:
    """Against its own bytes, no octave differs."""
    same = tmp_path / "same.wav"
    same.write_bytes(song.read_bytes())

    shown = call(tmp_path, str(song), "--reference", str(same))

    assert "No octave differs from same.wav" in shown.output


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("no.wav",), "no.wav: cannot be opened"),
        (("{song}", "--out", "copy.wav"), "Add --apply"),
        (("{song}", "--report", "{song}"), "named twice"),
        (("{song}", "--apply", "--out", "copy.mp3"), "expected .wav or .flac"),
        (("{song}", "--reference", "no/such.wav"), "There is no file no/such.wav"),
        (("{song}", "--reference", "catalogue"), "recsys build"),
    ],
)
def test_mistakes_are_explained(words: tuple[str, ...], message: str, song: Path, tmp_path: Path) -> None:
    """The message says what is wrong and what to do."""
    failed = call(tmp_path, *(word.format(song=song) for word in words))

    assert failed.exit_code in {2, 3}
    assert message in failed.stderr


def test_the_options_name_all_platforms() -> None:
    """The command line, which imports nothing heavy at its start, lists the platforms that are known."""
    assert tuple(PLATFORMS) == PLATFORM_NAMES
