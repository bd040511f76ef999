"""Recordings of the same tune in a folder of music, by `recsys same-tune`."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from recsys.audio.training.distort import with_speed
from recsys.cli import main
from recsys.matching.tunes.melody import melody_of
from recsys.synth.arrange import Style, arrange
from recsys.synth.render import render, write_audio
from recsys.synth.tune import Tune, compose

from .test_tunes import abc_of

RATE_HZ = 16_000
STYLE = Style(tempo_bpm=100, transpose=0, melody=0, harmony=0, bass=33, chords="block", has_bass=True, has_drums=False)

pytestmark = pytest.mark.slow  # five recordings are rendered, decoded and analysed


def write(path: Path, tune: Tune, style: Style, longest_s: float = 24.0) -> None:
    """Render a version of a tune."""
    sound = render(arrange(tune, style, np.random.default_rng(2), longest_s=longest_s), rate_hz=RATE_HZ)
    write_audio(path, sound, RATE_HZ)


def test_a_cover_is_found_in_a_folder_of_music(tmp_path: Path) -> None:
    """Three semitones higher, 10 % faster, by organ and flute; what is too short or silent is named."""
    rng, music = np.random.default_rng(3), tmp_path / "music"
    songs = [compose(f"song {number}", rng) for number in range(3)]
    music.mkdir()
    for number, song in enumerate(songs):
        write(music / f"song {number}.flac", song, STYLE)
    write(music / "short.flac", songs[0], STYLE, longest_s=8.0)
    write_audio(music / "silent.flac", np.zeros((1, 25 * RATE_HZ), np.float32), RATE_HZ)
    (music / "gone.flac").symlink_to(tmp_path / "nowhere")
    cover = replace(STYLE, tempo_bpm=110, transpose=3, melody=73, harmony=19, chords="arpeggio")
    write(tmp_path / "cover.flac", songs[1], cover)

    words = ["same-tune", str(tmp_path / "cover.flac"), "--against", str(music), "--report", str(tmp_path / "r.json")]
    shown = CliRunner().invoke(main, ["--home", str(tmp_path / "h"), *words], catch_exceptions=False)

    report = json.loads((tmp_path / "r.json").read_text())
    assert (report["notes"], list(report)) == (None, ["notes", "recordings", "reasons"])
    report = report["recordings"]
    (answer,) = report["answers"].values()
    assert [answer[0]["name"], answer[0]["match"]["transposition"]] == ["song 1.flac", -3]
    assert answer[0]["match"]["tempo_ratio"] == pytest.approx(100 / 110, rel=0.03)
    assert report["n_compared"] == 3
    assert report["left_out"]["short.flac"].startswith("too short")
    assert report["left_out"]["silent.flac"].startswith("no pitch")
    assert "gone.flac" in report["left_out"]
    page = CliRunner().invoke(main, ["--home", str(tmp_path / "h"), *words[:-1], str(tmp_path / "r.html")])
    assert page.exit_code == 0, page.output
    content = (tmp_path / "r.html").read_text()
    assert content.count("<audio") == 2 * sum(bool(it["point"]) for it in answer)
    assert "silent.flac: no pitch" in content
    assert "cover.flac: most similar of 3 recordings" in shown.output
    assert "song 1.flac" in shown.output


def test_a_folder_is_compared_in_notes_and_in_sound(tmp_path: Path) -> None:
    """As what it holds: for a file of notes both parts are found; what the notes' part cannot do is a reason."""
    rng, folder = np.random.default_rng(3), tmp_path / "folder"
    songs = [compose(f"song {number}", rng) for number in range(2)]
    folder.mkdir()
    for number, song in enumerate(songs):
        write(folder / f"song {number}.flac", song, STYLE)
        (folder / f"{number}.abc").write_text(abc_of(melody_of(song), 1))
    higher = with_speed(render(arrange(songs[1], STYLE, rng, longest_s=24.0), rate_hz=RATE_HZ), 2 ** (0.4 / 12))
    write_audio(tmp_path / "higher.flac", higher, RATE_HZ)  # by 40 cents
    (tmp_path / "tune.abc").write_text(abc_of(melody_of(songs[1]), 1))

    found = {
        name: json.loads(
            CliRunner()
            .invoke(
                main, ["same-tune", str(tmp_path / name), "--against", str(folder), "--json"], catch_exceptions=False
            )
            .stdout
        )
        for name in ("tune.abc", "higher.flac")
    }

    for name, report in found.items():
        assert list(report) == ["notes", "recordings", "reasons"]
        assert report["recordings"]["answers"][name][0]["name"] == "song 1.flac"
        assert report["reasons"]["recordings"].startswith("Compared with 2 recordings; ")
    assert found["tune.abc"]["notes"]["answers"][0]["matches"][0]["name"] == "1.abc"
    assert found["tune.abc"]["reasons"]["notes"].startswith("Compared with 2 tunes in notes")
    assert found["higher.flac"]["notes"] is None
    assert "several voices at once" in found["higher.flac"]["reasons"]["notes"]
