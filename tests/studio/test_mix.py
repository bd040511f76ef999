"""Facts of stems equal what was built into them, planted faults are named first, and without a fault nothing is."""

import json
import re
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
import soundfile
from click.testing import CliRunner
from scipy.signal import butter, sosfilt

from recsys.arrays import F32
from recsys.cli import main
from recsys.errors import InputError
from recsys.library.settings import AudioSettings
from recsys.studio.files import Recording
from recsys.studio.mix.bands import BROAD, band_powers, broad_of_bands, covered_shares
from recsys.studio.mix.facts import Stem, n_clipped, pairs_of, stem_of
from recsys.studio.mix_stems import MeasureMix, MixReport, mix

RATE_HZ = 22_050
N = 4 * RATE_HZ
RNG = np.random.default_rng(7)


def noise(low_hz: float, high_hz: float, level: float) -> F32:
    """Noise in a band, in bursts of random loudness, as stereo; shape (2, N)."""
    sections = butter(4, (low_hz, high_hz), "bandpass", fs=RATE_HZ, output="sos")
    loud = np.repeat(RNG.uniform(0.3, 1, 40), N // 40)
    mono = sosfilt(sections, RNG.standard_normal(N)) * loud
    return np.asarray(np.stack([mono, mono]) / np.abs(mono).max() * level, np.float32)


STEMS = {
    "bass": noise(60, 350, 0.2),
    "chords": noise(200, 3_500, 0.15),
    "vocals": noise(150, 6_000, 0.2),
    "drums": noise(80, 9_000, 0.2),
}


def measured(folder: Path, stems: Mapping[str, F32], reference: Mapping[str, F32] | F32 | None = None) -> MixReport:
    """Write stems and measure them as the command does."""
    own, other = folder / "own", folder / "reference"
    for place, content in ((own, stems), (other, reference if isinstance(reference, Mapping) else {})):
        place.mkdir(exist_ok=True)
        for name, samples in content.items():
            soundfile.write(place / f"{name}.wav", samples.T, RATE_HZ, subtype="FLOAT")
    if isinstance(reference, np.ndarray):
        other = folder / "mix.wav"
        soundfile.write(other, reference.T, RATE_HZ, subtype="FLOAT")
    return MeasureMix(None if reference is None else other)(own)


def stem(samples: F32, name: str = "stem", rate_hz: int = RATE_HZ) -> Stem:
    """Measure samples."""
    return stem_of(name, Recording(samples, rate_hz, "float", 0.0))


def test_facts_are_those_of_the_signal() -> None:
    """A sine of 1 kHz at half of full scale, louder on the right: peak, crest, place, balance, DC."""
    wave = np.sin(2 * np.pi * 1_500 * np.arange(N) / RATE_HZ)
    facts = stem(np.stack([0.25 * wave, 0.5 * wave + 0.01]).astype(np.float32)).facts

    assert facts.crest_db == pytest.approx(10 * np.log10(2) + 10 * np.log10(2 / 1.25), abs=0.05)
    assert facts.true_peak_dbtp == pytest.approx(20 * np.log10(0.51), abs=0.1)  # and its sudden ends
    assert facts.position == pytest.approx((0.25 - 0.0625) / (0.25 + 0.0625), abs=1e-3)
    assert facts.dc == pytest.approx(0.01, abs=1e-4)
    assert facts.balance_db is not None
    assert BROAD[int(np.argmax(facts.balance_db))] == (1_000, 4_000)
    assert max(facts.balance_db) == pytest.approx(0, abs=0.01)


@pytest.mark.parametrize("rate_hz", [8_000, 44_100, 192_000])
def test_band_powers_add_up_to_the_power_of_the_signal(rate_hz: int) -> None:
    """A sine at half of full scale has a mean square of 0.125, whatever the rate."""
    wave = 0.5 * np.sin(2 * np.pi * 1_000 * np.arange(rate_hz) / rate_hz)

    powers = band_powers(wave[None].astype(np.float32), rate_hz)

    assert powers.sum(axis=1) == pytest.approx(0.125, rel=0.01)


def test_a_louder_stem_covers_its_band_and_more_above_it() -> None:
    """Noise of 400 to 1,000 Hz covers a tone in its band and a little above it, not far below and above."""
    masker = band_powers(noise(400, 1_000, 0.5), RATE_HZ)
    times = np.arange(N) / RATE_HZ
    tones = {hz: (0.01 * np.sin(2 * np.pi * hz * times))[None].astype(np.float32) for hz in (80, 700, 1_200, 7_000)}

    shares = {hz: np.nanmax(covered_shares(band_powers(tone, RATE_HZ), masker)) for hz, tone in tones.items()}

    assert broad_of_bands().sum(axis=0).max() == 1
    assert shares[700] == 1
    assert shares[1_200] > 0.2
    assert max(shares[80], shares[7_000]) < 0.01


def test_the_lag_between_stems_is_found() -> None:
    """The second stem is the first 5 ms later and inverted: correlation -1 at 5 ms."""
    first, late = STEMS["drums"], -np.roll(STEMS["drums"], round(0.005 * RATE_HZ), axis=1)

    (pair,) = pairs_of([stem(first, "first"), stem(late, "second")])

    assert pair.best_lag_ms == pytest.approx(5, abs=0.13)
    assert pair.best_correlation < -0.9


@pytest.mark.parametrize("rate_hz", [RATE_HZ, 44_100])
def test_flat_tops_are_counted(rate_hz: int) -> None:
    """A sine of 100 Hz that is clipped has two per period; one that is not has none."""
    wave = np.sin(2 * np.pi * 100.3 * np.arange(rate_hz) / rate_hz).astype(np.float32)[None]

    assert n_clipped(np.clip(1.3 * wave, -1, 1)) == pytest.approx(200, abs=3)
    assert n_clipped(wave) <= 2


def test_without_a_fault_nothing_is_advised(tmp_path: Path) -> None:
    """Neither alone nor beside themselves or their sum."""
    assert measured(tmp_path, STEMS).advice == ()
    assert measured(tmp_path, STEMS, STEMS).advice == ()
    assert measured(tmp_path, STEMS, np.asarray(sum(STEMS.values()), np.float32)).advice == ()


@pytest.mark.parametrize("kind", ["stems", "mix"])
def test_a_stem_that_is_too_quiet_is_named_first(kind: str, tmp_path: Path) -> None:
    """Vocals 6 dB down against the same stems, and against a mix of the same takes: up by 6 dB, with the reason."""
    quieter = STEMS | {"vocals": STEMS["vocals"] * np.float32(0.5)}
    reference = STEMS if kind == "stems" else np.asarray(sum(STEMS.values()), np.float32)

    report = measured(tmp_path, quieter, reference)

    first = report.advice[0]
    assert (first.kind, first.stem) == ("level", "vocals")
    assert first.change_db == pytest.approx(6, abs=0.3)
    assert first.text.startswith("Turn vocals up by about 6 dB: ")
    assert len(report.advice) == 1


def test_a_stem_that_is_far_too_quiet_is_noted_and_harms_no_other(tmp_path: Path) -> None:
    """Vocals 20 dB down are another arrangement: a note has the difference, and no other stem seems to differ."""
    report = measured(tmp_path, STEMS | {"vocals": STEMS["vocals"] * np.float32(0.1)}, STEMS)

    assert report.advice == ()
    (text,) = report.too_large
    assert text.startswith("vocals is 20 dB quieter beside the other stems than in the reference")
    assert report.n_compared > 0


@pytest.mark.parametrize("kind", ["stems", "mix"])
def test_a_silent_reference_is_refused(kind: str, tmp_path: Path) -> None:
    """Neither its stems nor a mix can be compared with."""
    silence = np.zeros((2, N), np.float32)

    with pytest.raises(InputError, match=r"is silent\. Give a reference with sound"):
        measured(tmp_path, STEMS, {"bass": silence, "vocals": silence} if kind == "stems" else silence)


@pytest.mark.parametrize(
    ("own", "reference", "expected"),
    [
        (("bass", "vocals"), ("bass", "vocals"), "no fault, and no difference from the reference"),
        (("vocals",), ("vocals",), "No level could be compared with the reference Nothing to try: no fault"),
    ],
)
def test_no_difference_is_said_only_of_what_was_compared(
    own: tuple[str, ...], reference: tuple[str, ...], expected: str, tmp_path: Path
) -> None:
    """One stem alone has no level beside others, so that nothing is known of it."""
    measured(tmp_path, {name: STEMS[name] for name in own}, {name: STEMS[name] for name in reference})

    words = ["--home", str(tmp_path), "mix", str(tmp_path / "own"), "--reference", str(tmp_path / "reference")]
    shown = CliRunner().invoke(main, words)

    assert " ".join(shown.stdout.split()).endswith(expected)


def test_files_beside_stems_are_skipped_with_a_note(tmp_path: Path) -> None:
    """Those of a sequencer are named, pictures and subfolders are not."""
    for name in ("vocals.wav.asd", "song.mid", "cover.jpg", "more/other.wav"):
        path = tmp_path / "own" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()

    report = measured(tmp_path, STEMS)

    assert [it.name for it in report.stems] == sorted(STEMS)
    assert report.notes == ("Skipped, since their endings are not those of audio: song.mid, vocals.wav.asd",)


def test_a_report_never_replaces_what_is_read(tmp_path: Path) -> None:
    """Neither a stem nor a reference, by whatever name, is overwritten."""
    measured(tmp_path, STEMS, STEMS)
    (tmp_path / "link.json").symlink_to(tmp_path / "reference" / "bass.wav")

    for report in (tmp_path / "own" / "bass.wav", tmp_path / "link.json"):
        with pytest.raises(InputError, match="would be replaced"):
            mix(tmp_path / "own", AudioSettings(), tmp_path / "reference", report)
    assert soundfile.info(tmp_path / "own" / "bass.wav").frames == N


def test_a_band_that_covers_others_is_named_first(tmp_path: Path) -> None:
    """Chords 9 dB louder between 1 and 4 kHz: the advice has the band, and whom they cover more than before."""
    spectrum, frequency = np.fft.rfft(STEMS["chords"], axis=1), np.fft.rfftfreq(N, 1 / RATE_HZ)
    gains = np.where((frequency >= 1_000) & (frequency < 4_000), 10 ** (9 / 20), 1.0)
    louder = STEMS | {"chords": np.fft.irfft(spectrum * gains, N).astype(np.float32)}

    first = measured(tmp_path, louder, STEMS).advice[0]

    assert (first.kind, first.stem, first.band_hz) == ("band", "chords", (1_000, 4_000))
    assert first.change_db == pytest.approx(-9, abs=1)
    assert re.search(r"it covers (vocals|drums) there in \d+% of the time, in the reference in \d+%", first.text)


def test_polarity_is_found_with_a_mix_and_between_microphones(tmp_path: Path) -> None:
    """Bass inverted against a mix of the same takes; a second microphone of the drums inverted, without a reference."""
    inverted = measured(tmp_path, STEMS | {"bass": -STEMS["bass"]}, np.asarray(sum(STEMS.values()), np.float32))
    room = -0.5 * np.roll(STEMS["drums"], 60, axis=1) + 0.02 * RNG.standard_normal((2, N))
    (between, *others) = measured(tmp_path, STEMS | {"room": room.astype(np.float32)}).advice

    assert [(it.kind, it.stem) for it in inverted.advice] == [("polarity", "bass")]
    assert (between.kind, others) == ("polarity", [])
    assert {"drums", "room"} <= set(re.findall(r"\w+", between.text))


def test_faults_are_named_without_a_reference(tmp_path: Path) -> None:
    """Silence, an inverted channel, clipping, DC, and a sum above full scale, the gravest first."""
    left, right = STEMS["vocals"]
    faulty = {
        "silent": np.zeros((2, N), np.float32),
        "wide": np.stack([left, -left]),
        "clipped": np.clip(10 * STEMS["drums"], -0.9, 0.9),
        "offset": np.stack([left, right]) + np.float32(0.05),
        "loud": 4 * STEMS["bass"],
    }

    report = measured(tmp_path, faulty)

    kinds = [(it.kind, it.stem) for it in report.advice]
    assert kinds[:2] == [("silent", "silent"), ("polarity", "wide")]
    assert ("clipped", "clipped") in kinds
    assert ("dc", "offset") in kinds
    assert ("overload", "") in kinds


def test_odd_stems_are_measured(tmp_path: Path) -> None:
    """A tenth of a second at 192 kHz, six channels and values that are not numbers: facts, notes, and what is lost."""
    own = tmp_path / "own"
    own.mkdir()
    bad = STEMS["bass"].copy()
    bad[:, :50] = np.nan
    soundfile.write(own / "short.wav", 0.1 * RNG.standard_normal(19_200), 192_000)
    soundfile.write(own / "six.wav", 0.1 * RNG.standard_normal((RATE_HZ, 6)), RATE_HZ)
    soundfile.write(own / "bad.wav", bad.T, RATE_HZ, subtype="FLOAT")

    report = MeasureMix(None)(own)

    assert [(it.name, it.n_channels) for it in report.stems] == [("bad", 2), ("short", 1), ("six", 6)]
    assert report.advice[0].kind == "lost"
    assert any("differ in length" in note for note in report.notes)
    json.dumps([vars(it) for it in report.stems], allow_nan=False)


def test_what_are_no_stems_is_refused(tmp_path: Path) -> None:
    """An empty folder, a text with an audio name, and a reference without any shared name."""
    for name in ("empty", "text", "own", "other"):
        (tmp_path / name).mkdir()
    (tmp_path / "text" / "a.wav").write_text("no sound")
    soundfile.write(tmp_path / "own" / "a.wav", STEMS["bass"].T, RATE_HZ)
    soundfile.write(tmp_path / "other" / "b.wav", STEMS["bass"].T, RATE_HZ)

    for folder, reference, message in (
        ("empty", None, "found 0 audio files, expected 1 to 64"),
        ("text", None, "not an audio file we can decode"),
        ("nowhere", None, "is not a folder"),
        ("own", "other", "no stem has the name of one of yours"),
    ):
        with pytest.raises(InputError, match=message):
            MeasureMix(tmp_path / reference if reference else None)(tmp_path / folder)


def test_the_command_prints_facts_and_advice(tmp_path: Path) -> None:
    """Each stem has its line, and the advice its number; the report is JSON."""
    measured(tmp_path, STEMS | {"vocals": STEMS["vocals"] * np.float32(0.5)}, STEMS)
    words = [str(tmp_path / "own"), "--reference", str(tmp_path / "reference"), "--report", str(tmp_path / "r.json")]

    shown = CliRunner().invoke(main, ["--home", str(tmp_path), "mix", *words])

    assert shown.exit_code == 0, shown.output
    assert "1. Turn vocals up by about 6 dB" in shown.stdout
    assert all(name in shown.stdout for name in STEMS)
    assert json.loads((tmp_path / "r.json").read_text())["advice"][0]["stem"] == "vocals"
