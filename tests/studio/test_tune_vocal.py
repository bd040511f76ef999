"""Takes are corrected towards a key or a score; what is no single voice is refused, and odd files are handled."""

import json
import re
from pathlib import Path

import numpy as np
import pytest
import soundfile
from click.testing import CliRunner

from bench.studio.tune_vocal import frame_cents
from recsys.arrays import F32
from recsys.audio.pitch import FRAME_S, track_pitch
from recsys.audio.signal import UnreadableAudio, resample
from recsys.cli import main
from recsys.errors import InputError
from recsys.library.settings import AudioSettings
from recsys.studio import files
from recsys.studio.tune_vocal import TuneFile, TuneReport, tune_vocal
from recsys.studio.voice.scores import Key, Score, ScoreNote
from recsys.studio.voice.tune import Limits, tune

from .conftest import A3, RATE_HZ, voice

A_MAJOR = Key((1, 2, 4, 6, 8, 9, 11))


def test_notes_move_to_their_targets(take: F32) -> None:
    """Notes 40 cents sharp and 60 flat are within 5 cents of the key afterwards; so they are by a score."""
    score = Score((ScoreNote(0, 1, A3 + 12), ScoreNote(1, 2, A3 + 14)))

    for target in (A_MAJOR, score):
        notes = tune(take, RATE_HZ, target, Limits()).notes
        assert [note.note for note in notes] == ["A3", "B3"]
        assert [note.cents_before for note in notes] == pytest.approx([40, -60], abs=5)
        assert [note.cents_after for note in notes] == pytest.approx([0, 0], abs=5)


@pytest.mark.parametrize("target", [A_MAJOR, Score((ScoreNote(0, 1, A3 + 12), ScoreNote(1, 2, A3 + 14)))])
def test_notes_sound_at_their_targets(target: Key | Score, take: F32) -> None:
    """By a sum of harmonics, which the tool does not use, notes are 40 and -60 cents off before and near 0 after."""
    tuned = tune(take, RATE_HZ, target, Limits()).samples

    for start_s, midi, cents in ((0.3, A3, 40), (1.4, A3 + 2, -60)):
        before, after = (
            np.median(frame_cents(it[0], RATE_HZ, start_s + 0.15, start_s + 0.65, midi)) for it in (take, tuned)
        )
        assert before == pytest.approx(cents, abs=10)
        assert after == pytest.approx(0, abs=10)


def test_what_is_unvoiced_stays_bit_exact_and_vibrato_is_kept(take: F32) -> None:
    """The noise before, between and after the notes is the same; the vibrato's extent is, within a tenth."""
    result = tune(take, RATE_HZ, A_MAJOR, Limits()).samples

    changed = (result != take)[0]
    starts = [0, round(1.1 * RATE_HZ), round(2.2 * RATE_HZ)]
    assert all(not changed[start : start + round(0.3 * RATE_HZ)].any() for start in starts)
    inside = slice(round(1.6 / FRAME_S), round(2.1 / FRAME_S))
    before, after = (track_pitch(resample(it[0], RATE_HZ, 16_000)).midi[inside] for it in (take, result))
    assert np.nanstd(after) == pytest.approx(np.nanstd(before), rel=0.1)


def test_a_glide_keeps_its_pitch() -> None:
    """Between two notes that are 40 cents sharp, the frames of a glide of .2 s have the pitch that was sung."""
    n_note, n_glide = round(0.6 * RATE_HZ), round(0.2 * RATE_HZ)
    midi = np.concatenate([np.full(n_note, 57.4), np.linspace(57.4, 64.4, n_glide), np.full(n_note, 64.4)])
    sung = voice(midi)

    tuned = tune(sung, RATE_HZ, A_MAJOR, Limits())

    before, after = (track_pitch(resample(it[0], RATE_HZ, 16_000)).midi for it in (sung, tuned.samples))
    middle = slice(round(0.65 / FRAME_S), round(0.75 / FRAME_S))
    assert after[middle] == pytest.approx(before[middle], abs=0.1)
    assert [note.cents_after for note in tuned.notes if note.end_s - note.start_s > 0.3] == pytest.approx([0, 0], abs=5)


def test_amount_and_speed_limit_the_correction(take: F32) -> None:
    """Half the amount leaves half the distance; no amount changes nothing; a slow correction leaves the beginning."""
    half = tune(take, RATE_HZ, A_MAJOR, Limits(amount=0.5)).notes
    none = tune(take, RATE_HZ, A_MAJOR, Limits(amount=0)).samples
    fast, slow = (tune(take, RATE_HZ, A_MAJOR, Limits(speed_ms=ms)).samples for ms in (0, 250))

    assert [note.cents_after for note in half] == pytest.approx([20, -30], abs=5)
    assert np.array_equal(none, take)
    first = slice(round(0.32 * RATE_HZ), round(0.4 * RATE_HZ))
    assert np.abs((slow - take)[0, first]).mean() < 0.5 * np.abs((fast - take)[0, first]).mean()


@pytest.mark.parametrize(("subtype", "n_channels"), [("PCM_16", 1), ("PCM_24", 2), ("FLOAT", 6)])
def test_rate_length_channels_and_format_are_kept_and_the_difference_adds_up(
    take: F32, subtype: str, n_channels: int, tmp_path: Path
) -> None:
    """The source plus the difference is the result, in whole numbers exactly; inverted channels do not matter."""
    source, out, difference = (tmp_path / name for name in ("take.wav", "out.wav", "difference.wav"))
    signs = np.array([1, -1, 1, 1, 1, 1])[:n_channels]
    soundfile.write(source, (take * signs[:, None]).T, RATE_HZ, subtype=subtype)

    report = TuneFile(None, "A", Limits(), out, difference)(source)

    (before, _), (after, rate_hz), (rest, _) = (soundfile.read(path) for path in (source, out, difference))
    assert (rate_hz, after.shape, soundfile.info(out).subtype) == (RATE_HZ, before.shape, subtype)
    assert np.abs(before + rest - after).max() <= (1e-7 if subtype == "FLOAT" else 0)
    assert report.n_channels == n_channels
    assert [note.cents_after for note in report.corrected] == pytest.approx([0, 0], abs=6)


NOT_ONE_VOICE = {
    "noise": 0.1 * np.random.default_rng(4).standard_normal((1, RATE_HZ)),
    "two voices": voice(np.full(RATE_HZ, 57.0)) + voice(np.full(RATE_HZ, 62.3)),
    "a tenth of a second": voice(np.full(RATE_HZ // 10, np.nan)),
    "a square wave out of reach": np.sign(np.sin(2 * np.pi * 20 * np.arange(RATE_HZ) / RATE_HZ))[None],
}


@pytest.mark.parametrize("name", NOT_ONE_VOICE)
def test_what_is_not_one_voice_is_refused(name: str) -> None:
    """The message says in how much of the time the pitch is sure, and what to give."""
    with pytest.raises(InputError, match=r"The pitch is sure in \d+% of the sounding time, expected 50% at least"):
        tune(NOT_ONE_VOICE[name].astype(np.float32), RATE_HZ, A_MAJOR, Limits())


@pytest.mark.parametrize("level", [0.0, 0.3])
def test_silence_and_dc_are_refused(level: float, tmp_path: Path) -> None:
    """Neither has a voice; nothing is written."""
    source, out = tmp_path / "silent.wav", tmp_path / "out.wav"
    soundfile.write(source, np.full(RATE_HZ, level), RATE_HZ)

    with pytest.raises(InputError, match=r"The take is silent|The pitch is sure in 0%"):
        TuneFile(None, "A", Limits(), out, None)(source)
    assert not list(tmp_path.glob("*out*"))


def test_a_high_rate_and_samples_that_are_no_numbers_are_taken(tmp_path: Path) -> None:
    """At 192 kHz the notes are corrected; what is not finite is 0, and its length is reported."""
    source, rate_hz = tmp_path / "take.wav", 192_000
    samples = voice(np.full(rate_hz // 2, A3 + 0.4), rate_hz=rate_hz)[0]
    samples[1_000:1_192] = np.nan
    soundfile.write(source, samples, rate_hz, subtype="FLOAT")

    report = TuneFile(None, "A", Limits(), tmp_path / "out.wav", None)(source)

    assert report.lost_s == pytest.approx(0.001)
    assert report.notes[0].cents_after == pytest.approx(0, abs=5)
    assert np.isfinite(soundfile.read(tmp_path / "out.wav")[0]).all()


def test_a_clipped_square_wave_is_corrected_and_what_is_clipped_is_counted(tmp_path: Path) -> None:
    """A square wave at full scale moves to A3; its overshoots are counted, and the result fits the format."""
    source, out = tmp_path / "square.wav", tmp_path / "out.wav"
    square = np.sign(np.sin(2 * np.pi * 225 * np.arange(RATE_HZ) / RATE_HZ))
    soundfile.write(source, square, RATE_HZ, subtype="PCM_16")

    report = TuneFile(None, "A", Limits(), out, None)(source)

    assert report.notes[0].cents_after == pytest.approx(0, abs=5)
    assert report.n_clipped > 0
    assert np.abs(soundfile.read(out)[0]).max() <= 1


def test_a_file_that_is_too_long_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The message has the limit, an hour, and says what to do."""
    source = tmp_path / "long.wav"
    soundfile.write(source, np.zeros(2 * 8_000, np.float32), 8_000, subtype="PCM_16")
    assert files.LONGEST_S == 3_600
    monkeypatch.setattr(files, "LONGEST_S", 1)

    with pytest.raises(UnreadableAudio, match=r"longer than 1 s \(cut it into pieces\)"):
        TuneFile(None, "A", Limits(), tmp_path / "out.wav", None)(source)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"key": "A", "out": Path("take.wav")}, r"take\.wav would be replaced"),
        ({"key": "A", "report": Path("take.wav")}, r"take\.wav would be replaced"),
        ({"score": Path("tune.abc"), "report": Path("tune.abc")}, r"tune\.abc would be replaced"),
        ({"key": "A", "out": Path("out.mp3")}, r"found the ending '\.mp3', expected \.wav or \.flac"),
        ({"key": "A", "difference": Path("take.tuned.wav")}, "would be written twice"),
    ],
)
def test_names_of_files_to_write_are_checked(
    options: dict[str, Path], message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The source is never replaced, and other formats are refused before any work."""
    monkeypatch.chdir(tmp_path)

    with pytest.raises(InputError, match=message):
        tune_vocal(Path("take.wav"), AudioSettings(), **options)  # type: ignore[arg-type]


def test_the_command_prints_notes_and_writes_a_report(take: F32, tmp_path: Path) -> None:
    """The table has each note with its cents, and the report says the same; a text file is refused with exit 2."""
    source, report = tmp_path / "take.wav", tmp_path / "report.json"
    soundfile.write(source, take.T, RATE_HZ)
    (tmp_path / "notes.wav").write_text("no sound")

    shown = CliRunner().invoke(
        main, ["--home", str(tmp_path), "tune-vocal", str(source), "--key", "A", "--report", str(report)]
    )
    words = ["--home", str(tmp_path), "tune-vocal", str(tmp_path / "notes.wav"), "--key", "A"]
    refused = CliRunner().invoke(main, words)

    assert shown.exit_code == 0, shown.output
    assert re.search(r"Median distance from the target: (4[78]|50) cents before, [0-4] after", shown.stdout)
    assert "take.tuned.wav" in shown.stdout
    written = json.loads(report.read_text())
    assert [note["note"] for note in written["notes"]] == ["A3", "B3"]
    assert written.keys() == TuneReport.__dataclass_fields__.keys()
    assert refused.exit_code == 2
    assert "not an audio file we can decode" in refused.stderr
