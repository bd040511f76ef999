"""
Which noise a recording has, how loud it is, and which cures it gets.

Each channel is measured in windows from all over the recording, and has cures of its own. Each kind of noise has a
condition of its own, and the report says why something that was found is not cured. Every window is heard, until one is
no speech: a single passage of music rules out the denoiser of voices.
"""

from dataclasses import dataclass, field
from typing import Literal, TypeAlias

import numpy as np

from recsys.arrays import F32, F64
from recsys.audio import mel
from recsys.audio.denoise.clicks import find_clicks
from recsys.audio.denoise.detector import VoiceDetector
from recsys.audio.denoise.hiss import MIN_GAIN_DB, Floor, Hiss, find_hiss, mean_power, measure_floor
from recsys.audio.denoise.hum import Hum, find_hum, low_spectrum
from recsys.audio.denoise.voice import VoiceDenoiser
from recsys.audio.sandbox import report_progress
from recsys.audio.signal import SampleStream, resample
from recsys.audio.windows import WINDOW_S, windows_of

Cure: TypeAlias = Literal["clicks", "hum", "hiss", "voice"]

CURES: tuple[Cure, ...] = ("clicks", "hum", "hiss", "voice")

N_MEASURED = 40  # at most about so many windows of a recording are measured
N_TRIED = 3  # windows that sound least like speech, on which the denoiser of voices is tried
MIN_CLICKS_PER_MINUTE = 2.0  # that make a recording one with clicks
MIN_NOISE_DB = -75.0  # of broadband noise on a voice that is worth removing, relative to full scale
MAX_VOICE_SNR_DB = 30.0  # of a voice over its noise, above which it is left as it is
MAX_EXCESS_DB = 6.0  # by which what is taken from a voice may exceed the noise between its words
MAX_LOSS_DB = 10.0  # by which the voice that remains may be below the sound; applause and rain leave next to nothing


@dataclass(frozen=True, eq=False)
class ChannelReport:
    """
    What was measured in a channel.

    Attributes:
        is_voice: Whether all of it is speech, with or without noise; None where it is silent or shorter than a second.
        hum: A hum, if there is one.
        clicks_per_minute: Clicks per minute.
        hiss: A hiss on music, if there is one.
        noise_db: Level of broadband noise between the words of a voice, relative to full scale [dB]; None for music.
        cures: What is to be done, in this order.
        reasons: Why something that was found is not cured.
    """

    is_voice: bool | None
    hum: Hum | None
    clicks_per_minute: float
    hiss: Hiss | None
    noise_db: float | None
    cures: tuple[Cure, ...]
    reasons: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class NoiseReport:
    """
    What was measured.

    Attributes:
        channels: Of each channel, at least one.
        duration_s: Length of the recording as it was decoded [s].
    """

    channels: tuple[ChannelReport, ...]
    duration_s: float

    @property
    def is_voice(self) -> bool | None:
        """Whether all channels that can be judged are speech; None if none can."""
        heard = [channel.is_voice for channel in self.channels if channel.is_voice is not None]
        return all(heard) if heard else None

    @property
    def hum(self) -> Hum | None:
        """The loudest hum of a channel."""
        hums = [channel.hum for channel in self.channels if channel.hum]
        return max(hums, key=lambda hum: hum.level_db, default=None)

    @property
    def clicks_per_minute(self) -> float:
        """Clicks per minute in the channel with most."""
        return max(channel.clicks_per_minute for channel in self.channels)

    @property
    def hiss(self) -> Hiss | None:
        """The loudest hiss of a channel."""
        hisses = [channel.hiss for channel in self.channels if channel.hiss]
        return max(hisses, key=lambda hiss: hiss.level_db, default=None)

    @property
    def noise_db(self) -> float | None:
        """Level of the noise on the voice in the channel with most [dB]."""
        return max((channel.noise_db for channel in self.channels if channel.noise_db is not None), default=None)

    @property
    def cures(self) -> tuple[Cure, ...]:
        """What is done in at least one channel."""
        return tuple(cure for cure in CURES if any(cure in channel.cures for channel in self.channels))

    @property
    def reasons(self) -> tuple[str, ...]:
        """Why something that was found is not cured in a channel, each reason once."""
        return tuple(dict.fromkeys(reason for channel in self.channels for reason in channel.reasons))


@dataclass
class _Channel:
    """What the windows of a channel gave."""

    rate_hz: int
    spectra: list[F64] = field(default_factory=list)
    floors: list[Floor] = field(default_factory=list)
    powers: list[F64] = field(default_factory=list)
    n_clicks: int = 0
    n_samples: int = 0
    is_voice: bool | None = None
    has_speech: bool = False
    tried: list[tuple[float, F32]] = field(default_factory=list)  # score and window of what is least like speech

    def measure(self, window: F32) -> None:
        """Measure a window, shape (n,)."""
        self.n_samples += len(window)
        self.n_clicks += len(find_clicks(window, self.rate_hz))
        spectrum = low_spectrum(window, self.rate_hz)
        if spectrum is not None:
            self.spectra.append(spectrum)
        floor = measure_floor(window, self.rate_hz)
        if floor is not None:
            self.floors.append(floor)
            self.powers.append(mean_power(window, self.rate_hz))

    def classify(self, window: F32, detector: VoiceDetector) -> None:
        """Judge a window, shape (n,), as long as all before it are speech."""
        if self.is_voice is False:
            return
        score = detector.score(resample(window, self.rate_hz, mel.RATE_HZ))
        if score is not None:
            self.is_voice = score > 0
            self.has_speech = self.has_speech or self.is_voice
            self.tried = sorted([*self.tried, (score, window)], key=lambda it: it[0])[:N_TRIED]


def analyse(stream: SampleStream, detector: VoiceDetector, denoiser: VoiceDenoiser) -> NoiseReport:
    """Measure the noise of a recording, and decide on the cures of each channel."""
    rate_hz = stream.rate_hz
    channels = [_Channel(rate_hz) for _ in range(stream.n_channels)]
    n_window, n_measured, n_samples = WINDOW_S * rate_hz, 0, 0
    stride = max(1, round(stream.declared_s / (WINDOW_S * N_MEASURED)))
    for number, (window, _is_last) in enumerate(windows_of(stream.blocks, n_window=n_window, n_hop=n_window)):
        is_measured = number % stride == 0 and n_measured < 2 * N_MEASURED
        for channel, samples in zip(channels, window, strict=True):
            if is_measured:
                channel.measure(samples)
            channel.classify(samples, detector)
        n_measured += is_measured
        n_samples += window.shape[1]
        report_progress(0.0)
    return NoiseReport(tuple(_report_on(channel, denoiser) for channel in channels), n_samples / rate_hz)


def _report_on(channel: _Channel, denoiser: VoiceDenoiser) -> ChannelReport:
    """Decide on the cures of a channel."""
    hum = find_hum(channel.spectra)
    clicks_per_minute = 60 * channel.n_clicks * channel.rate_hz / max(1, channel.n_samples)
    hiss = None if channel.is_voice else find_hiss(channel.floors, channel.powers, channel.rate_hz)
    noise_db = _noise_db(channel) if channel.is_voice else None
    refusals: dict[Cure, str | None] = {}
    if clicks_per_minute:
        is_rare = clicks_per_minute < MIN_CLICKS_PER_MINUTE
        refusals["clicks"] = f"fewer than {MIN_CLICKS_PER_MINUTE:g} clicks per minute may be music" if is_rare else None
    if hum:
        refusals["hum"] = None
    if hiss:
        too_little = f"the filter of hiss would gain less than {MIN_GAIN_DB:g} dB by its own estimate"
        refusals["hiss"] = None if hiss.is_curable else too_little
    if noise_db is not None:
        refusals["voice"] = _voice_refusal(channel, denoiser, noise_db)
    elif channel.has_speech:
        refusals["voice"] = "the denoiser of voices would take away what is not speech in it"
    cures = tuple(cure for cure, reason in refusals.items() if reason is None)
    reasons = tuple(reason for reason in refusals.values() if reason is not None)
    return ChannelReport(channel.is_voice, hum, clicks_per_minute, hiss, noise_db, cures, reasons)


def _noise_db(channel: _Channel) -> float:
    """Return the level of the noise between the words of a channel that is speech in all its windows [dB]."""
    return float(np.median([floor.level_db for floor in channel.floors]))


def _voice_refusal(channel: _Channel, denoiser: VoiceDenoiser, noise_db: float) -> str | None:
    """Return why a voice is left as it is, or None."""
    snr_db = float(10 * np.log10(np.mean([power.sum() for power in channel.powers]) + 1e-20)) - noise_db
    if noise_db < MIN_NOISE_DB or snr_db > MAX_VOICE_SNR_DB:
        return "the noise on the voice is too faint to be worth removing"
    windows = [window for _, window in channel.tried]
    kept = [denoiser.clean(window[None], channel.rate_hz)[0] for window in windows]
    taken = [window - voice for window, voice in zip(windows, kept, strict=True)]
    if _power_db(taken) > noise_db + MAX_EXCESS_DB:
        return "more than the noise between the words would be taken away"
    if _power_db(kept) < _power_db(windows) - MAX_LOSS_DB:
        return "next to nothing would remain, so it is probably no voice"
    return None


def _power_db(windows: list[F32]) -> float:
    """Return the mean power of windows, each of shape (n,), relative to full scale [dB]."""
    return float(10 * np.log10(np.mean([np.square(window, dtype=np.float64).mean() for window in windows]) + 1e-20))
