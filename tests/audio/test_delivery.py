"""Facts on the delivery of recordings, on signals whose facts are known by construction."""

import numpy as np
import pytest

from recsys.arrays import F32, F64
from recsys.audio.features import delivery as measured
from recsys.audio.features.delivery import DeliveryMeter, delivery
from recsys.audio.features.lossy_origin import excerpts_of, lossy_origin
from recsys.audio.features.spectral_balance import SpectrumMeter
from recsys.audio.signal import Signal, read_audio
from recsys.lake.measured import Delivery
from recsys.synth.arrange import Style, arrange
from recsys.synth.render import render
from recsys.synth.tune import compose

from .conftest import Encode

RATE_HZ = 44_100


def sine(seconds: float, hz: float = 441, peak: float = 0.5) -> F32:
    """A sine, shape (n,)."""
    return (peak * np.sin(2 * np.pi * hz * np.arange(int(seconds * RATE_HZ)) / RATE_HZ)).astype(np.float32)


def facts_of(*channels: F32, rate_hz: int = RATE_HZ) -> Delivery:
    """The facts of these channels."""
    return delivery(Signal(np.stack(channels), rate_hz, "pcm_s16le", 0.0))


def rounded(samples: F32 | F64) -> F32:
    """Samples rounded to 16 bits."""
    return np.rint(samples * 32_768).astype(np.float32) / np.float32(32_768)


@pytest.fixture(scope="module")
def music() -> F32:
    """Ten seconds of rendered music of 16 bits at 44.1 kHz, shape (2, n)."""
    rng = np.random.default_rng(3)
    style = Style(
        tempo_bpm=110, transpose=0, melody=30, harmony=50, bass=33, chords="block", has_bass=True, has_drums=True
    )
    played = render(arrange(compose("song", rng), style, rng, longest_s=10), longest_s=10)
    return np.asarray(np.rint(played * 30_000) / 32_768, np.float32)


def test_crest_factor_of_a_sine() -> None:
    """The peak of a sine is 3.01 dB over its root mean square."""
    assert facts_of(sine(1)).crest_db == pytest.approx(3.01, abs=0.01)


def test_a_constant_has_a_crest_factor_of_zero() -> None:
    """The peak of a constant is its root mean square, whatever the rounding."""
    for level in (0.3, 0.5, 0.9):
        assert facts_of(np.full(100_000, level, np.float32)).crest_db == pytest.approx(0, abs=1e-6)
        assert (facts_of(np.full(100_000, level, np.float32)).crest_db or 0) >= 0


def test_silence_has_no_facts() -> None:
    """Every fact of digital silence is unknown."""
    assert facts_of(np.zeros(RATE_HZ, np.float32)) == Delivery()


@pytest.mark.parametrize(("sign", "correlation"), [(1, 1.0), (-1, -1.0), (0, None)])
def test_correlation_of_channels(sign: int, correlation: float | None) -> None:
    """Equal channels have 1, an inverted channel -1, and beside a silent channel it is unknown."""
    found = facts_of(sine(1), sign * sine(1)).channel_correlation

    assert found == (None if correlation is None else pytest.approx(correlation, abs=1e-6))


def test_offset_is_that_of_the_worst_channel() -> None:
    """Of two channels, the mean that is furthest from 0 counts, with its sign."""
    assert facts_of(sine(1) + 0.01, sine(1) - 0.02).dc_offset == pytest.approx(-0.02, abs=1e-4)


def test_silence_at_the_ends() -> None:
    """A second before and half a second after the sound; noise below -60 dBFS counts as silence."""
    noise = 0.0005 * np.sign(sine(1))
    quiet = np.concatenate([noise, np.full(RATE_HZ, 0.5, np.float32), noise[: RATE_HZ // 2]])

    found = facts_of(quiet)

    assert found.silent_start_s == pytest.approx(1.0)
    assert found.silent_end_s == pytest.approx(0.5)


@pytest.mark.parametrize("gain", [1.0, 0.5])
def test_clipped_samples_are_counted_at_any_level(gain: float) -> None:
    """All samples of a sine that were cut off at its peak, also if its level was lowered later."""
    loud = sine(1, hz=100, peak=2.0)
    clipped = np.clip(loud, -1, 1) * np.float32(gain)

    assert facts_of(clipped).clipped_samples == pytest.approx(int((np.abs(loud) >= 1).sum()), rel=0.01)


@pytest.mark.parametrize("hz", [20, 100, 997])
def test_a_whole_sine_is_not_clipped(hz: float) -> None:
    """The flat top of a slow sine of 16 bits is no clipping."""
    whole = np.rint(sine(2, hz=hz, peak=0.999) * 32_767) / 32_768

    assert facts_of(whole.astype(np.float32)).clipped_samples == 0


@pytest.mark.parametrize(("bits", "found"), [(8, 8), (16, 16), (20, 20), (24, 24), (None, None)])
def test_bits_in_use(bits: int | None, found: int | None) -> None:
    """A file of 24 bits that holds 16 has 16; floating point has none."""
    noise = np.random.default_rng(5).uniform(-0.9, 0.9, RATE_HZ)
    rounded = noise if bits is None else np.rint(noise * 2 ** (bits - 1)) / 2 ** (bits - 1)

    assert facts_of(rounded.astype(np.float32) + np.float32(0 if bits else 1e-9)).effective_bits == found


def test_band_levels_of_noise_and_tone() -> None:
    """A tone of 1 kHz is in its octave alone; of two equal tones, each has half the power, -3 dB."""
    alone, both = facts_of(sine(2, hz=1000)), facts_of(sine(2, hz=250) + sine(2, hz=4000))

    assert alone.band_levels_db is not None
    assert both.band_levels_db is not None
    assert alone.band_levels_db[5] == pytest.approx(0, abs=0.01)
    assert max(level for n, level in enumerate(alone.band_levels_db) if n != 5) < -40
    assert [both.band_levels_db[n] for n in (3, 7)] == pytest.approx([-3.01, -3.01], abs=0.05)


def test_an_edge_of_the_spectrum_is_found() -> None:
    """Noise of 44.1 kHz in a file of 96 kHz ends at half its rate; noise of the whole width has no edge."""
    noise = np.random.default_rng(6).normal(0, 0.1, 4 * 96_000)
    spectrum = np.fft.rfft(noise)
    spectrum[(22_050 * 4) :] = 0
    raised = np.fft.irfft(spectrum).astype(np.float32)

    found, whole = facts_of(raised, rate_hz=96_000), facts_of(noise.astype(np.float32), rate_hz=96_000)

    assert found.bandwidth_hz == pytest.approx(22_050, abs=1_000)
    assert found.source_rate_hz == 44_100
    assert (whole.bandwidth_hz, whole.source_rate_hz) == (48_000, 96_000)


def test_spectrum_needs_a_frame() -> None:
    """Below 0.2 s there is neither a level nor an edge."""
    meter = SpectrumMeter(RATE_HZ)
    meter.add(sine(0.1)[None])

    assert meter.band_levels() is None
    assert meter.edge() is None


def test_a_decoded_mp3_is_recognised(music: F32, encode: Encode) -> None:
    """The same music is taken for lossy after MP3, and not before."""
    decoded = read_audio(encode("song.mp3", music)).samples

    assert (facts_of(*music).lossy_origin or 0) < 0.1
    assert (facts_of(*rounded(decoded)).lossy_origin or 0) > 0.9
    assert delivery(Signal(decoded, RATE_HZ, "mp3", 0.0)).lossy_origin is None, "of a lossy file it is no question"


@pytest.mark.parametrize("seed", [0, 1, 2, 3])
def test_clicks_are_not_taken_for_lossy(seed: int) -> None:
    """Scattered clicks in noise, which make one excerpt look coded, have a score below a half."""
    rng = np.random.default_rng(seed)
    samples = rng.normal(0, 0.01, (1, 16 * RATE_HZ))
    samples[:, rng.integers(0, 16 * RATE_HZ, 40)] = 0.9

    assert (facts_of(*rounded(samples)).lossy_origin or 0) < 0.5


@pytest.mark.parametrize("hz", [449, 1_024])
def test_plain_waves_are_not_taken_for_lossy(hz: int) -> None:
    """Square and sine waves, whose spectrum has few lines, have a score below a half."""
    phase = 2 * np.pi * hz * np.arange(12 * RATE_HZ) / RATE_HZ

    for wave in (np.sin(phase), np.sign(np.sin(phase))):
        assert (facts_of(*rounded(0.8 * wave[None])).lossy_origin or 0) < 0.5


def test_the_grid_of_aac_is_recognised(music: F32) -> None:
    """Music whose AAC coefficients are rounded, by the transform written out here, is taken for AAC."""
    n = np.arange(2048)
    window = np.sin(np.pi / 2048 * (n + 0.5))
    basis = np.cos(np.pi / 1024 * (n[:, None] + 512.5) * (np.arange(1024) + 0.5)) * np.sqrt(2 / 1024)
    mono, step = music[0], 0.01
    coded = np.zeros_like(mono)
    for start in range(0, len(mono) - 2048, 1024):
        lines = (mono[start : start + 2048] * window) @ basis
        coded[start : start + 2048] += window * (basis @ (step * np.rint(lines / step)))

    origin = lossy_origin(excerpts_of(coded[None].astype(np.float32), 0))

    assert origin is not None
    assert (origin.codec, origin.score > 0.9) == ("aac", True)


def test_pieces_give_the_facts_of_the_whole(music: F32, monkeypatch: pytest.MonkeyPatch) -> None:
    """A recording that is added in pieces has the same facts; only its spectrum has other frames."""
    monkeypatch.setattr(measured, "MAX_EXCERPTS", 3)
    whole, parts = DeliveryMeter("flac", RATE_HZ), DeliveryMeter("flac", RATE_HZ)
    whole.add(music)
    for start in range(0, music.shape[1], 100_000):
        parts.add(music[:, start : start + 100_000])

    one, other = whole.result(), parts.result()

    assert (one.clipped_samples, one.effective_bits) == (other.clipped_samples, other.effective_bits)
    assert [other.crest_db, other.dc_offset, other.channel_correlation, other.silent_start_s, other.silent_end_s] == (
        pytest.approx([one.crest_db, one.dc_offset, one.channel_correlation, one.silent_start_s, one.silent_end_s])
    )
