"""Recordings of the same tune in a folder of music, by `recsys same-tune`."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

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


def test_a_folder_is_compared_in_sound_and_in_notes(tmp_path: Path) -> None:
    """As what it holds. The cover is three semitones and 40 cents higher, by organ and flute, and faster."""
    rng, music, cents = np.random.default_rng(3), tmp_path / "music", 2 ** (0.4 / 12)
    songs = [compose(f"song {number}", rng) for number in range(3)]
    music.mkdir()
    for number, song in enumerate(songs):
        write(music / f"song {number}.flac", song, STYLE)
        (music / f"{number}.abc").write_text(abc_of(melody_of(song), 1))
    write(music / "short.flac", songs[0], STYLE, longest_s=8.0)
    write_audio(music / "silent.flac", np.zeros((1, 25 * RATE_HZ), np.float32), RATE_HZ)
    (music / "gone.flac").symlink_to(tmp_path / "nowhere")
    style = replace(STYLE, tempo_bpm=110, transpose=3, melody=73, harmony=19, chords="arpeggio")
    cover = render(arrange(songs[1], style, np.random.default_rng(2), longest_s=24.0), rate_hz=RATE_HZ)
    write_audio(tmp_path / "cover.flac", with_speed(cover, cents), RATE_HZ)
    (tmp_path / "tune.abc").write_text(abc_of(melody_of(songs[1]), 1))

    heard = printed_json(tmp_path, "cover.flac", "--report", str(tmp_path / "r.html"))
    read = printed_json(tmp_path, "tune.abc")

    answer = heard["recordings"]["answers"]["cover.flac"]
    assert [answer[0]["name"], answer[0]["match"]["transposition"]] == ["song 1.flac", -3]
    assert answer[0]["match"]["tempo_ratio"] == pytest.approx(100 / 110 / cents, rel=0.03)
    assert heard["recordings"]["n_compared"] == 3
    left_out = heard["recordings"]["left_out"]
    assert left_out["short.flac"].startswith("too short")
    assert left_out["silent.flac"].startswith("no pitch")
    assert left_out.keys() == {"short.flac", "silent.flac", "gone.flac"}
    assert heard["reasons"]["recordings"].startswith("Compared with 3 recordings")
    content = (tmp_path / "r.html").read_text()
    assert content.count("<audio") == 2 * sum(bool(it["point"]) for it in answer)
    assert "silent.flac: no pitch" in content
    assert read["recordings"]["answers"]["tune.abc"][0]["name"] == "song 1.flac"
    assert read["notes"]["answers"][0]["matches"][0]["name"] == "1.abc"
    assert read["reasons"]["notes"].startswith("Compared with 3 tunes in notes")


def printed_json(folder: Path, name: str, *words: str) -> dict[str, Any]:
    """Compare a file of a folder with its subfolder `music`, by the command; return what is printed as JSON."""
    command = ["same-tune", str(folder / name), "--against", str(folder / "music"), "--json", *words]
    shown = CliRunner().invoke(main, ["--home", str(folder / "h"), *command], catch_exceptions=False)
    report: dict[str, Any] = json.loads(shown.stdout)
    assert list(report) == ["notes", "recordings", "reasons"]
    return report
