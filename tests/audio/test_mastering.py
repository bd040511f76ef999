"""Mastering of a file: facts, platforms, balance, equaliser, limiter, dither and the copy."""

from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from scipy.signal import freqz, resample
from soundfile import info, read, write

from recsys.arrays import F32
from recsys.audio.features.spectral_balance import CENTRES_HZ
from recsys.audio.mastering import chain
from recsys.audio.mastering.balance import Comparison, Reference
from recsys.audio.mastering.chain import Plan, for_copy, plan, processed, write_copy
from recsys.audio.mastering.dither import dithered
from recsys.audio.mastering.equaliser import MAX_CHANGE_DB, corrections, linear_phase
from recsys.audio.mastering.excerpt import excerpt
from recsys.audio.mastering.facts import measure
from recsys.audio.mastering.limiter import limited
from recsys.audio.mastering.platforms import PLATFORMS, platform_named, playback
from recsys.audio.mastering.wording import done, remarks, rows
from recsys.audio.signal import Piece
from recsys.errors import InputError

RATE_HZ = 44_100
FLAT = (-10.0,) * 10


def noise(seconds: float, level: float = 0.1, seed: int = 4) -> F32:
    """Stereo noise with a common part, shape (2, n)."""
    rng = np.random.default_rng(seed)
    common, own = (
        rng.normal(0, level, (1, int(seconds * RATE_HZ))),
        rng.normal(0, level / 4, (2, int(seconds * RATE_HZ))),
    )
    return np.asarray(common + own, np.float32)


def file_of(folder: Path, samples: F32, subtype: str = "PCM_16", rate_hz: int = RATE_HZ) -> Path:
    """A WAV file of these samples."""
    path = folder / "song.wav"
    write(path, samples.T, rate_hz, subtype)
    return path


def true_peak(samples: F32) -> float:
    """The peak of the eight times oversampled waveform [dBTP], by Fourier transform."""
    padded = np.pad(samples.astype(np.float64), ((0, 0), (2000, 2000)))
    return float(20 * np.log10(np.abs(resample(padded, 8 * padded.shape[1], axis=1)).max()))


@pytest.mark.parametrize(
    ("name", "lufs", "peak", "gain_db", "missing_lu", "is_over"),
    [
        ("spotify", -9.0, -1.5, -5.0, 0.0, True),  # louder than the target: -2 dBTP is steps for
        ("spotify", -20.0, -4.0, 3.0, 3.0, False),  # its peak leaves 3 dB of room
        ("spotify", -20.0, -0.5, 0.0, 6.0, True),  # no room at all, and never turned down for the peak
        ("youtube", -20.0, -10.0, 0.0, 6.0, False),  # quiet recordings stay quiet
        ("apple", -14.0, -1.0, -2.0, 0.0, False),
        ("broadcast", -23.0, -3.0, 0.0, 0.0, False),
    ],
)
def test_what_a_platform_does(
    name: str, lufs: float, peak: float, gain_db: float, missing_lu: float, *, is_over: bool
) -> None:
    """Gain, shortfall and warning follow from target, ceiling and whether it turns recordings up."""
    found = playback(PLATFORMS[name], lufs, peak)

    assert (found.gain_db, found.missing_lu, found.is_over) == (gain_db, missing_lu, is_over)
    assert found.loudness_lufs == lufs + gain_db


def test_an_unknown_platform_is_refused() -> None:
    """The message lists the platforms and suggests one."""
    with pytest.raises(InputError, match="Did you mean 'spotify'"):
        platform_named("spotfy")


def test_the_moved_band_is_named() -> None:
    """A band 3 dB above a single reference is named with its difference; the overall level does not count."""
    levels = tuple(level + 5 + 3 * (n == 4) for n, level in enumerate(FLAT))

    found = Comparison.of(levels, Reference("it", np.array([FLAT])))

    assert np.flatnonzero(found.is_named).tolist() == [4]
    assert found.difference_db.tolist() == pytest.approx([0] * 4 + [3] + [0] * 5)
    assert found.sentences() == ["500 Hz: 3.0 dB above it"]


def test_a_band_within_the_spread_is_not_named() -> None:
    """Where the references differ by 4 dB, a difference of 3 dB says nothing, and this is what the user reads."""
    others = np.array([FLAT, FLAT, FLAT])
    others[:, 4] += (-4, 0, 4)
    usual_db = 2.5 * (np.array([4 * 3.5**2 + 2 * 0, 4 * 3.5**2 + 2 * 4**2]) / 6 * 4 / 3) ** 0.5

    found = Comparison.of(tuple(np.array(FLAT) + 3 * (np.arange(10) == 4)), Reference("them", others))

    assert found.reference.std[4] == pytest.approx(4)
    assert found.reference.usual_db[[0, 4]] == pytest.approx(usual_db)
    assert not found.is_named.any()
    none, untold = found.sentences()
    assert none == "No octave differs from them by more than is usual among them."
    assert "differences up to 8 to 11 dB are usual" in untold
    assert "another master of the same recording" in untold


def test_a_band_that_is_unusual_among_the_references_is_named() -> None:
    """A difference beyond what is usual is named with its size; a third of it is not."""
    others = np.array([FLAT, FLAT, FLAT])
    apart = tuple(np.array(FLAT) + 12 * (np.arange(10) == 4))

    found = Comparison.of(apart, Reference("them", others))

    assert found.sentences()[0] == "500 Hz: 12.0 dB above them, where up to 8.2 dB are usual"
    assert not Comparison.of(tuple(np.array(FLAT) + 4 * (np.arange(10) == 4)), Reference("them", others)).is_named.any()


def test_corrections_stay_within_the_limits() -> None:
    """A band 20 dB too loud is lowered by 4 dB at most, an even balance not at all."""
    found = Comparison.of(tuple(np.array(FLAT) + 20 * (np.arange(10) == 2)), Reference("it", np.array([FLAT])))

    assert corrections(found)[2] == -MAX_CHANGE_DB
    assert np.count_nonzero(corrections(found)) == 1
    assert not corrections(Comparison.of(FLAT, found.reference)).any()


def test_the_equaliser_has_linear_phase_and_the_wanted_gains() -> None:
    """The filter is symmetric, and within 0.3 dB of the gain at the centre of each octave above 60 Hz."""
    gains = np.array([0, 0, 2, -3, 0, 1, 0, 4, -4, 0.0])

    taps = linear_phase(gains, RATE_HZ)

    _, response = freqz(taps, worN=2 * np.pi * np.array(CENTRES_HZ) / RATE_HZ)
    assert np.allclose(taps, taps[::-1])
    assert 20 * np.log10(np.abs(response[1:])) == pytest.approx(gains[1:], abs=0.3)


@pytest.mark.parametrize("kind", ["noise", "clicks", "square"])
def test_the_limiter_stays_below_the_ceiling(kind: str, tmp_path: Path) -> None:
    """The copy's true peak, measured by Fourier transform, is at most -1 dBTP, and it is as loud as that allows."""
    samples = noise(2, level=0.5)
    if kind == "clicks":
        samples = noise(2, level=0.02)
        samples[:, ::5_000] = 1
    if kind == "square":
        samples = np.sign(np.sin(2 * np.pi * 200 * np.arange(2 * RATE_HZ) / RATE_HZ))[None].astype(np.float32)
    source, copy = file_of(tmp_path, samples, "FLOAT"), tmp_path / "copy.wav"

    write_copy(source, copy, Plan(gain_db=6, ceiling_dbtp=-1.0, n_bits=16))

    limited_samples = read(copy, dtype="float32", always_2d=True)[0].T
    assert limited_samples.shape == samples.shape
    assert -1.5 < true_peak(limited_samples) <= -1.0


def test_the_limiter_leaves_quiet_music_alone() -> None:
    """Music below the ceiling passes unchanged; after a peak, the gain is back within two seconds."""
    quiet, loud = noise(3, level=0.05), noise(3, level=0.05)
    loud[:, 1000] = 1.4

    released = limited(loud, RATE_HZ, -1.0)

    assert limited(quiet, RATE_HZ, -1.0) is quiet
    assert released[:, 1000].max() < 0.9
    assert np.allclose(released[:, -RATE_HZ // 2 :], loud[:, -RATE_HZ // 2 :], rtol=1e-5)


def test_dither_is_unbiased_and_seeded() -> None:
    """A level of a third of a step survives in the mean; equal seeds give equal samples; silence stays silent."""
    third = np.full((1, 90_000), 1 / 3 / 32_768, np.float32)

    first, again = (dithered(third, 16, np.random.default_rng(1), third != 0) for _ in range(2))

    assert first.mean() == pytest.approx(1 / 3, abs=0.02)
    assert np.array_equal(first, again)
    assert not dithered(np.zeros((2, 100), np.float32), 16, np.random.default_rng(1), np.zeros((2, 100), bool)).any()


def test_nothing_asked_gives_the_same_bytes(tmp_path: Path) -> None:
    """Without a target and a reference, the copy has the bytes of the file."""
    source, copy = file_of(tmp_path, noise(1)), tmp_path / "copy.wav"
    facts = measure(source)
    decided = for_copy(plan(source, facts, None, None, None), source, copy, facts, None)

    write_copy(source, copy, decided)

    assert decided.is_exact
    assert copy.read_bytes() == source.read_bytes()


@pytest.mark.parametrize(
    ("suffix", "n_bits", "is_exact", "subtype"),
    [
        (".wav", None, True, "PCM_24"),
        (".wav", 24, True, "PCM_24"),
        (".wav", 16, False, "PCM_16"),
        (".flac", None, False, "PCM_24"),
    ],
)
def test_only_a_copy_of_the_same_format_and_bits_is_exact(
    suffix: str, n_bits: int | None, subtype: str, tmp_path: Path, *, is_exact: bool
) -> None:
    """With nothing to change, a copy of other bits or of another format is still written as asked."""
    source, copy = file_of(tmp_path, noise(1), "PCM_24"), (tmp_path / "copy").with_suffix(suffix)
    facts = measure(source)

    decided = for_copy(plan(source, facts, None, None, n_bits), source, copy, facts, n_bits)
    write_copy(source, copy, decided)

    assert decided.is_exact == is_exact
    assert (info(copy).subtype, info(copy).format) == (subtype, suffix[1:].upper())
    assert ("exact copy" in done(decided, None)) == is_exact


@pytest.mark.parametrize(("subtype", "is_same"), [("PCM_16", True), ("PCM_24", True), ("FLOAT", False)])
def test_a_copy_of_another_format_has_the_samples_of_the_file(subtype: str, tmp_path: Path, *, is_same: bool) -> None:
    """With nothing to change, a FLAC copy of a WAV file is not dithered; one of float, which FLAC cannot hold, is."""
    source, copy = file_of(tmp_path, noise(1), subtype), tmp_path / "copy.flac"
    facts = measure(source)

    decided = for_copy(plan(source, facts, None, None, None), source, copy, facts, None)
    write_copy(source, copy, decided)

    assert np.array_equal(read(copy)[0], read(source)[0]) == is_same
    assert ("the same samples" in done(decided, None)) == is_same


def test_the_limiter_takes_no_loudness_that_gain_can_give_back(tmp_path: Path) -> None:
    """A click per second costs 0.3 LU with the gain that the music alone would need; the copy meets its target."""
    samples = noise(4, level=0.05)
    samples[:, ::RATE_HZ] = 0.9
    source, copy = file_of(tmp_path, samples, "PCM_24"), tmp_path / "copy.wav"
    decided = plan(source, measure(source), None, PLATFORMS["apple"], None)

    write_copy(source, copy, decided)

    after = measure(copy)
    assert after.loudness.loudness_lufs == pytest.approx(-16, abs=0.1)
    assert "target" not in done(decided, after)


def test_gain_is_not_raised_where_the_limiter_takes_it_all(tmp_path: Path) -> None:
    """Between clicks 0.2 s apart the gain cannot recover: more of it would lower the clicks, and nothing is louder."""
    samples = noise(4, level=0.05)
    samples[:, ::8_000] = 0.9
    source = file_of(tmp_path, samples, "PCM_24")
    before = measure(source)
    assert before.loudness.loudness_lufs is not None

    decided = plan(source, before, None, PLATFORMS["apple"], None)

    assert decided.gain_db == pytest.approx(-16 - before.loudness.loudness_lufs)


def test_a_missed_target_is_stated(tmp_path: Path) -> None:
    """Clicks 30 dB above the music would need too much limiting: peaks are lowered by 12 dB, and the rest is stated."""
    samples = noise(4, level=0.01)
    samples[:, ::4_000] = 0.9
    source, copy = file_of(tmp_path, samples, "PCM_24"), tmp_path / "copy.wav"
    before = measure(source)
    decided = plan(source, before, None, PLATFORMS["spotify"], None)

    write_copy(source, copy, decided)

    after, peak = measure(copy), before.loudness.true_peak_dbtp
    assert after.loudness.loudness_lufs is not None
    assert peak is not None
    assert decided.gain_db == pytest.approx(-1 + 12 - peak)
    missing = -14 - after.loudness.loudness_lufs
    assert f"It stays {missing:.1f} LU below the target: the limiter took it" in done(decided, after)


def test_a_peak_is_limited_where_loudness_is_unknown(tmp_path: Path) -> None:
    """A recording of 0.3 s has no loudness, but a true peak that the platform does not want."""
    source, copy = file_of(tmp_path, np.clip(noise(0.3, level=0.8), -1, 1)), tmp_path / "copy.wav"

    write_copy(source, copy, plan(source, measure(source), None, PLATFORMS["spotify"], None))

    assert true_peak(read(copy, dtype="float32")[0].T) <= -1.0


def test_a_copy_that_fails_leaves_no_file(tmp_path: Path) -> None:
    """FLAC holds at most eight channels: the message says so, and nothing remains beside the source."""
    source = file_of(tmp_path, np.repeat(noise(0.5)[:1], 9, axis=0))

    with pytest.raises(InputError, match="9 channels, FLAC holds at most 8"):
        write_copy(source, tmp_path / "copy.flac", Plan(gain_db=1))

    assert list(tmp_path.iterdir()) == [source]


def test_silent_channels_and_passages_stay_silent(tmp_path: Path) -> None:
    """After gain, equaliser and dither, a silent channel and the silence before the music have no sample but 0."""
    samples = noise(2)
    samples[1] = 0
    samples[:, :RATE_HZ] = 0
    source, copy = file_of(tmp_path, samples), tmp_path / "copy.wav"

    write_copy(source, copy, Plan(gain_db=1, bands_db=(0.0,) * 5 + (3.0,) + (0.0,) * 4, n_bits=16))

    left, right = read(copy, dtype="int16")[0].T
    assert not right.any()
    assert not left[: RATE_HZ - 6_000].any()
    assert left[RATE_HZ:].any()


@pytest.mark.parametrize(("rate_hz", "in_player_hz"), [(44_100, 44_100), (96_000, 48_000), (192_000, 48_000)])
def test_players_get_at_most_48_khz(rate_hz: int, in_player_hz: int, tmp_path: Path) -> None:
    """A tone keeps its frequency and level in the excerpt, whatever the rate of the file."""
    tone = 0.5 * np.sin(2 * np.pi * 1_000 * np.arange(rate_hz) / rate_hz)
    source = file_of(tmp_path, tone[None].astype(np.float32), rate_hz=rate_hz)

    found, found_hz = read(BytesIO(excerpt(source, 0.25)), dtype="float64")

    spectrum = np.abs(np.fft.rfft(found[: in_player_hz // 2])) / (in_player_hz // 4)
    assert found_hz == in_player_hz
    assert spectrum.argmax() == 500
    assert spectrum.max() == pytest.approx(0.5, abs=0.01)


def test_a_reference_of_several_recordings_does_not_move_the_balance(tmp_path: Path) -> None:
    """Recordings differ from each other; only a single file, such as another master, is followed."""
    source = file_of(tmp_path, noise(1))
    facts = measure(source)
    levels = np.array([facts.delivery.band_levels_db]) - 3 * (np.arange(10) == 6)
    one, several = (
        Comparison.of(tuple(facts.delivery.band_levels_db or ()), Reference("it", np.repeat(levels, n, axis=0)))
        for n in (1, 2)
    )

    assert plan(source, facts, one, None, None).bands_db[6] < -2
    assert plan(source, facts, several, None, None) == Plan(n_bits=16)


def test_a_copy_meets_its_target(tmp_path: Path) -> None:
    """The copy has the loudness of the target within 0.2 LU, the file's 16 bits, and twice the same bytes."""
    source, copy, again = file_of(tmp_path, noise(3, level=0.05)), tmp_path / "copy.flac", tmp_path / "again.flac"
    decided = plan(source, measure(source), None, PLATFORMS["apple"], None)

    write_copy(source, copy, decided)
    write_copy(source, again, decided)

    facts = measure(copy)
    assert facts.loudness.loudness_lufs == pytest.approx(-16, abs=0.2)
    assert facts.delivery.effective_bits == decided.n_bits == 16
    assert copy.read_bytes() == again.read_bytes()


def test_the_copy_moves_towards_the_reference(tmp_path: Path) -> None:
    """A band 3 dB above the reference is within 1.5 dB of it in the copy."""
    source, copy = file_of(tmp_path, noise(3, level=0.05)), tmp_path / "copy.wav"
    facts = measure(source)
    assert facts.delivery.band_levels_db is not None
    reference = Reference("it", np.array([facts.delivery.band_levels_db]) - 3 * (np.arange(10) == 6))
    before = Comparison.of(facts.delivery.band_levels_db, reference)

    write_copy(source, copy, plan(source, facts, before, None, None))

    after = measure(copy).delivery.band_levels_db
    assert after is not None
    assert before.is_named[6]
    assert abs(Comparison.of(after, reference).difference_db[6]) < 1.5


def test_pieces_leave_no_seam(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    At its seams, a file that is processed in pieces has the samples of one that is processed whole within 1e-4.

    Elsewhere they may be 0.005 apart, as at its start: of noise that reaches half the sampling rate, the waveform
    between samples depends a little on where oversampled blocks end, and so does the gain.
    """
    source = file_of(tmp_path, noise(2, level=0.3), "FLOAT")
    steps = Plan(gain_db=3, bands_db=(0.0,) * 5 + (3.0,) + (0.0,) * 4)
    whole = np.concatenate([piece.samples for piece in processed(source, steps, -1.0)], axis=1)
    decoded = read(source, dtype="float32")[0].T
    pieces = [Piece(decoded[:, start : start + 30_000], RATE_HZ, "made") for start in range(0, 2 * RATE_HZ, 30_000)]
    monkeypatch.setattr(chain, "channel_pieces", lambda _path: iter(pieces))

    parts = np.concatenate([piece.samples for piece in processed(source, steps, -1.0)], axis=1)

    assert parts.shape == whole.shape
    errors = np.abs(parts - whole).max(axis=0)
    assert max(errors[seam - 100 : seam + 100].max() for seam in (30_000, 60_000)) < 1e-4
    assert errors.max() < 0.005


def test_the_file_itself_is_not_overwritten(tmp_path: Path) -> None:
    """A copy under the file's own name, or in a format that is not written, is refused."""
    source = file_of(tmp_path, noise(1))

    with pytest.raises(InputError, match="the file itself"):
        write_copy(source, source, Plan(gain_db=1))
    with pytest.raises(InputError, match=r"expected \.wav or \.flac"):
        write_copy(source, tmp_path / "copy.mp3", Plan(gain_db=1))


ODD = {
    "silence": (np.zeros((2, RATE_HZ), np.float32), RATE_HZ, "silent"),
    "a tenth of a second": (noise(0.1), RATE_HZ, "at least 0.4 s"),
    "one sample": (noise(1)[:, :1], RATE_HZ, "at least 0.4 s"),
    "offset": (noise(2) + np.float32(0.2), RATE_HZ, "off zero by 0.200"),
    "an inverted channel": (noise(2)[:1] * np.array([[1], [-1]], np.float32), RATE_HZ, "probably inverted"),
    "a silent channel": (noise(2) * np.array([[1], [0]], np.float32), RATE_HZ, "One of the two channels is silent"),
    "six channels": (np.repeat(noise(1)[:1], 6, axis=0), RATE_HZ, "There are 6 channels"),
    "192 kHz": (np.repeat(noise(4)[:1], 2, axis=0), 192_000, ""),
    "clipped": (np.clip(noise(2, level=1.0), -1, 1), RATE_HZ, "flat tops"),
    "no numbers at all": (np.full((1, RATE_HZ), np.nan), RATE_HZ, "44,100 samples are not numbers"),
    "not numbers": (np.where(np.arange(RATE_HZ) % 1_000, noise(1), np.nan), RATE_HZ, "90 samples are not numbers"),
}


@pytest.mark.parametrize("kind", ODD)
def test_odd_files_are_measured_and_described(kind: str, tmp_path: Path) -> None:
    """Each odd file has a table of facts, and a sentence that says what is odd; its copy is written, too."""
    samples, rate_hz, words = ODD[kind]
    source = file_of(tmp_path, samples.astype(np.float32), "FLOAT", rate_hz)

    facts = measure(source)
    write_copy(source, tmp_path / "copy.wav", plan(source, facts, None, PLATFORMS["spotify"], 24))

    assert words in " ".join(remarks(facts))
    assert len(rows(facts)) == 19
    assert (tmp_path / "copy.wav").stat().st_size > 0
