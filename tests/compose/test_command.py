"""Tests of the command `recsys compose`: what is written, and that an answer is kept."""

import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result

from recsys.cli import main
from recsys.compose.likes import Preferences
from recsys.home import Home
from recsys.matching.tunes.reading import read_tunes
from recsys.rights.trainings import trained
from recsys.synth.abc import read_abc
from recsys.synth.notation import abc_text
from recsys.synth.tune import compose


def call(home: Path, *words: object) -> Result:
    """Run `recsys compose`."""
    return CliRunner().invoke(main, ["--home", str(home), "compose", *map(str, words)])


def test_suggestions_are_written_as_abc_midi_and_sound_and_can_be_liked(tmp_path: Path) -> None:
    """The MIDI has the melody of the ABC; liking the second is one answer."""
    out = tmp_path / "out"

    done = call(tmp_path, "melody", "--key", "Dm", "--metre", "3/4", "--bars", 4, "-n", 2, "--tempo", 200, "--out", out)

    assert done.exit_code == 0, done.output
    assert sorted(path.name for path in out.iterdir()) == [
        *("1.abc", "1.mid", "1.wav", "2.abc", "2.mid", "2.wav"),
        "suggestions.json",
    ]
    tune = read_abc((out / "2.abc").read_text(), "2")
    assert (tune.tonic, tune.mode, tune.metre, tune.length) == (2, "minor", (3, 4), 12)
    melody = read_tunes(out / "2.mid").melodies
    assert not melody or [note.pitch for note in tune.notes] == melody[0].pitch.tolist()
    assert call(tmp_path, "like", out / "2.wav").exit_code == 0
    assert Preferences.read(tmp_path / "compose" / "likes.npz").n_answers == 1
    assert "knobs" in json.loads((out / "suggestions.json").read_text())["2.abc"]


def test_chords_keep_the_melody(tmp_path: Path) -> None:
    """Of the file; only the chords are new."""
    own = compose("own", np.random.default_rng(4))
    (tmp_path / "own.abc").write_text(abc_text(own))

    done = call(tmp_path, "chords", tmp_path / "own.abc", "-n", 1, "--tempo", 300, "--out", tmp_path)

    assert done.exit_code == 0, done.output
    written = read_abc((tmp_path / "1.abc").read_text(), "1")
    assert [note.pitch for note in written.notes] == [note.pitch for note in own.notes]
    assert written.chords


@pytest.mark.parametrize(
    ("listed", "status", "message"),
    [
        ("not json", 3, "damaged"),
        ("[1]", 3, "damaged"),
        ('{"1.abc": {"knobs": {"pace": 1}}}', 3, "damaged"),
        ('{"1.abc": {"knobs": {"density": 9, "leaps": 0, "freedom": 0}}}', 2, "no suggested melody"),
        ('{"2.abc": {}}', 2, "no suggested melody"),
    ],
)
def test_only_a_suggestion_can_be_liked(tmp_path: Path, listed: str, status: int, message: str) -> None:
    """A damaged or foreign list is said to be one, and nothing is kept."""
    (tmp_path / "1.abc").write_text("X:1")
    (tmp_path / "suggestions.json").write_text(listed)

    done = call(tmp_path, "like", tmp_path / "1.abc")

    assert done.exit_code == status
    assert message in done.stderr
    assert not (tmp_path / "compose").exists()


HEAD = "X:1\nL:1/8\n"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("melody", "--chords", "C Cdim"), "found 'Cdim'"),
        (("melody", "--tempo", "nan"), "--tempo: found nan"),
        (("melody", "--seed", "-1"), "--seed"),
        (("melody", "--form", "AAB"), "found the form 'AAB' of 8 bars"),
        (("chords", "odd metre.abc"), "found the metre 7/3"),
        (("vary", "short.abc"), "no complete second bar"),
        (("texture", "--loudness", "nan"), "--loudness: found nan"),
        (("texture", "--out", "pad.mp3"), "no WAV file"),
        (("lines", "numbers.txt"), "found no word of the English dictionary"),
    ],
)
def test_odd_input_is_refused_before_anything_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...], message: str
) -> None:
    """Each with what was found, and without a traceback."""
    monkeypatch.chdir(tmp_path)
    given = {
        "odd metre.abc": f"{HEAD}M:7/3\nK:C\nCDEFGAB|\n", "short.abc": f"{HEAD}M:4/4\nK:C\nC\n", "numbers.txt": "1 2",
    }  # fmt: skip
    for name, text in given.items():
        (tmp_path / name).write_text(text)

    done = call(tmp_path / "home", *words)

    assert done.exit_code == 2, done.output
    assert message in done.stderr
    assert {path.name for path in tmp_path.iterdir()} == set(given)


def test_training_needs_consent(tmp_path: Path) -> None:
    """Without it nothing is read."""
    done = call(tmp_path, "train", tmp_path)

    assert done.exit_code == 2
    assert "needs the consent" in done.stderr


@pytest.mark.slow
def test_a_model_is_trained_on_ones_own_music(tmp_path: Path) -> None:
    """Its card counts the tunes, and the home uses it."""
    for number in range(4):
        tune = compose(f"own {number}", np.random.default_rng(number))
        (tmp_path / f"{number}.abc").write_text(abc_text(tune))

    done = call(tmp_path, "train", tmp_path, "--mine")

    assert done.exit_code == 0, done.output
    assert "Learnt from 4 tunes" in done.stdout
    rows = trained(Home(tmp_path))
    assert rows["track_id"].to_list() == [f"tune:{number}.abc" for number in range(4)]
    assert set(rows["role"]) == {"notes"}
    assert set(rows["consent"]) == {"granted"}
    card = json.loads((tmp_path / "compose" / "model" / "card.json").read_text())
    assert (card["n_tunes"], card["consent"]["granted"]) == (4, 4)
