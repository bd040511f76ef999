"""
Vocals of a window of sound: the networks' masks, refined by a multichannel Wiener filter.

`recsys.audio.windows` applies it to recordings of any length.
"""

from dataclasses import dataclass
from typing import Self

import numpy as np
import torch
from torch.nn import functional

from recsys.arrays import F32
from recsys.audio.separation.unet import HOP, N_BINS, N_FFT, N_FRAMES, RATE_HZ, UNet
from recsys.audio.signal import resample

GAINS = (1.0, 2.0)  # at which the networks hear the mix; at the second with its sides exchanged
MASK_EXPONENT = 0.6
EXTENSION_BIN = 800  # the mask above 11 kHz is the mean of the mask from this bin (8.6 kHz) on
MIN_POWER = 1e-10  # of a bin, below -100 dB of full scale; added where a ratio could be 0 / 0
REGULARIZATION = 1e-6  # of the covariance of the mix, relative to its trace
DIFFUSE = 0.02  # share of each stem that comes from everywhere, whatever its measured direction


@dataclass(frozen=True, eq=False)
class Separator:
    """
    The two trained networks.

    Attributes:
        vocals_network: Estimates the magnitudes of the vocals.
        accompaniment_network: Estimates those of everything else.
    """

    vocals_network: UNet
    accompaniment_network: UNet

    @classmethod
    def load(cls) -> Self:
        """Load the trained networks; raises SetupError if the package with their weights is not installed."""
        return cls(UNet.load("vocals"), UNet.load("accompaniment"))

    def vocals(self, window: F32, rate_hz: int) -> F32:
        """
        Estimate the vocals in a window of sound.

        Args:
            window: At most `WINDOW_S`, shape (n_channels, n). Two channels are stereo. One channel is heard as both
                sides of a stereo sound. Of more channels, the networks hear the quadratic mean of the magnitudes, and
                one mask applies to all.
            rate_hz: Its sampling rate [Hz]. Above 22 kHz, nothing is vocals.

        Returns:
            The vocals in every channel, shape (n_channels, n), float32.
        """
        if not window.any():
            return np.zeros_like(window)
        mix = torch.from_numpy(np.stack([resample(channel, rate_hz, RATE_HZ) for channel in window]))
        with torch.inference_mode():
            spectra = _spectra(mix)
            mask = self._mask(spectra)
            stem = _stereo_wiener(spectra, mask) if len(window) == 2 else _wiener(spectra, mask)
            vocals = torch.istft(stem, N_FFT, HOP, window=_hann(), length=mix.shape[1]).numpy()
        n = window.shape[1]
        return np.stack([resample(channel, RATE_HZ, rate_hz)[:n] for channel in vocals])

    def _mask(self, spectra: torch.Tensor) -> torch.Tensor:
        """Return the share of the vocals in each bin, 0..1, shape (2 or 1, 2049, n_frames)."""
        magnitudes = spectra[:, :N_BINS].abs()
        if len(magnitudes) != 2:
            magnitudes = magnitudes.square().mean(dim=0).sqrt().expand(2, -1, -1)
        vocals = self._estimate(self.vocals_network, magnitudes) ** MASK_EXPONENT
        accompaniment = self._estimate(self.accompaniment_network, magnitudes) ** MASK_EXPONENT
        mask = (vocals + MIN_POWER / 2) / (vocals + accompaniment + MIN_POWER)
        if len(spectra) != 2:
            mask = mask.mean(dim=0, keepdim=True)
        above = mask[:, EXTENSION_BIN:].mean(dim=1, keepdim=True)
        extended: torch.Tensor = torch.cat([mask, above.expand(-1, N_FFT // 2 + 1 - N_BINS, -1)], dim=1)
        return extended

    @staticmethod
    def _estimate(network: UNet, magnitudes: torch.Tensor) -> torch.Tensor:
        """Return the mean of a network's estimates at both gains, shape (2, n_bins, n_frames)."""
        n_frames = magnitudes.shape[2]
        padded = functional.pad(magnitudes, (0, N_FRAMES - n_frames)).transpose(1, 2)  # (2, 512, 1024)
        plain, exchanged = (
            network((gain * sides)[None].contiguous(memory_format=torch.channels_last))[0] / gain
            for gain, sides in zip(GAINS, (padded, padded.flip(0)), strict=True)
        )
        mean: torch.Tensor = ((plain + exchanged.flip(0)) / 2)[:, :n_frames].transpose(1, 2)
        return mean


def _hann() -> torch.Tensor:
    return torch.hann_window(N_FFT)


def _spectra(samples: torch.Tensor) -> torch.Tensor:
    """Return the spectra of channels, shape (n_channels, 2049, n_frames), complex."""
    return torch.stft(samples, N_FFT, HOP, window=_hann(), center=True, pad_mode="constant", return_complex=True)


def _wiener(mix: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    """Filter spectra by the ratio of the powers that a mask gives; one mask may apply to all channels."""
    vocals, others = mask.square(), (1 - mask).square()
    return mix * (vocals / (vocals + others))


def _stereo_wiener(mix: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    """
    Refine stereo vocals by a multichannel Wiener filter: where in the stereo image a stem is, also tells it apart.

    Both stems are Gaussian, with the power of their masked spectra (the mean of the channels) in each bin, and one
    spatial covariance per frequency for the whole window.

    Args:
        mix: Spectra of the mix, shape (2, n_frequencies, n_frames), complex.
        mask: Share of the vocals, of the same shape, 0..1.

    Returns:
        Spectra of the vocals, of the same shape.

    Source:
        Nugraha, Liutkus, Vincent, "Multichannel audio source separation with deep neural networks", IEEE/ACM TASLP 24
        (2016), one iteration.
    """
    vocals, others = _Source.of(mix * mask), _Source.of(mix * (1 - mask))
    left, right, cross = (
        vocals.power * vocals_part + others.power * others_part
        for vocals_part, others_part in zip(vocals.covariance, others.covariance, strict=True)
    )
    added = REGULARIZATION * (left + right) + MIN_POWER
    left, right = left + added, right + added
    scale = vocals.power / (left * right - cross.abs().square())
    whitened = (right * mix[0] - cross * mix[1]) * scale, (left * mix[1] - cross.conj() * mix[0]) * scale
    own_left, own_right, own_cross = vocals.covariance
    return torch.stack(
        [
            own_left * whitened[0] + own_cross * whitened[1],
            own_cross.conj() * whitened[0] + own_right * whitened[1],
        ]
    )


@dataclass(frozen=True, eq=False)
class _Source:
    """
    Gaussian model of a stem.

    Attributes:
        power: Per bin, the mean of both channels. Shape (n_frequencies, n_frames).
        covariance: Of left, of right (both real) and of left with right (complex), relative to the power. Each of shape
            (n_frequencies, 1).
    """

    power: torch.Tensor
    covariance: tuple[torch.Tensor, torch.Tensor, torch.Tensor]

    @classmethod
    def of(cls, stem: torch.Tensor) -> Self:
        """Estimate the model from spectra of shape (2, n_frequencies, n_frames)."""
        powers = stem.abs().square()
        power = powers.mean(dim=0)
        total = power.sum(dim=1, keepdim=True) + MIN_POWER
        left, right = (1 - DIFFUSE) * powers.sum(dim=2, keepdim=True) / total + DIFFUSE
        cross = (1 - DIFFUSE) * (stem[0] * stem[1].conj()).sum(dim=1, keepdim=True) / total
        return cls(power, (left, right, cross))
