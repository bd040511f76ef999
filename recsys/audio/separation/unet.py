"""
Spleeter's two U-Nets, and the mask of the vocals that their estimates give.

Each network estimates the magnitudes of its stem from those of the mix. They were trained on stereo at 44.1 kHz:
spectra of 4,096 samples every 1,024, of which the lowest 1,024 bins (to 11 kHz) are their input, in segments of 512
frames.

Source: Hennequin, Khlif, Voituret, Moussallam, "Spleeter: a fast and efficient music source separation tool", JOSS 5
(2020); Jansson et al., "Singing voice separation with deep U-Net convolutional networks", ISMIR (2017).
"""

from itertools import pairwise
from typing import TYPE_CHECKING, Self

import torch
from torch import nn
from typing_extensions import override

from recsys.audio.separation.checkpoint import read_weights

if TYPE_CHECKING:
    from recsys.audio.weights_file import Tensors

RATE_HZ = 44_100
N_FFT, HOP = 4_096, 1_024  # of the spectra [samples]
N_BINS = 1_024  # that the networks read and mask, to 11 kHz
N_FRAMES = 512  # of a segment
DOWN_CHANNELS = (2, 16, 32, 64, 128, 256, 512)
UP_CHANNELS = (256, 128, 64, 32, 16, 1)


class UNet(nn.Module):
    """One network: magnitudes of the mix, shape (n, 2, 512, 1024), to those of its stem, of the same shape."""

    def __init__(self) -> None:
        super().__init__()
        for number, (n_in, n_out) in enumerate(pairwise(DOWN_CHANNELS), 1):
            padded = nn.Sequential(nn.ZeroPad2d((1, 2, 1, 2)), nn.Conv2d(n_in, n_out, 5, stride=2))
            self.add_module(f"down{number}_conv", padded)
            self.add_module(f"down{number}_act", nn.Sequential(nn.BatchNorm2d(n_out, eps=1e-3), nn.LeakyReLU(0.2)))
        n_in = DOWN_CHANNELS[-1]
        for number, (n_out, n_skipped) in enumerate(zip(UP_CHANNELS, DOWN_CHANNELS[-2::-1], strict=True), 1):
            norm = nn.BatchNorm2d(n_out, eps=1e-3)
            up = nn.Sequential(nn.ConvTranspose2d(n_in, n_out, 5, stride=2), _Cut(), nn.ReLU(), norm)
            self.add_module(f"up{number}", up)
            n_in = n_out + n_skipped
        self.up7 = nn.Sequential(nn.Conv2d(1, 2, 4, dilation=2, padding=3), nn.Sigmoid())

    @classmethod
    def load(cls, stem: str) -> Self:
        """Return the trained network of a stem, vocals or accompaniment; raises SetupError without its package."""
        network = cls()
        counts: Tensors = {
            name: tensor for name, tensor in network.state_dict().items() if name.endswith("num_batches_tracked")
        }
        network.load_state_dict(read_weights(stem) | counts)
        for parameter in network.parameters():
            if parameter.dim() == 4:
                parameter.data = parameter.data.contiguous(memory_format=torch.channels_last)  # a third faster
        return network.eval()

    @override
    def forward(self, magnitudes: torch.Tensor) -> torch.Tensor:
        """Estimate the magnitudes of the stem."""
        skipped, features = [], magnitudes
        for number in range(1, len(DOWN_CHANNELS)):
            convolved = self.get_submodule(f"down{number}_conv")(
                features
            )  # (n, 16 * 2**(number - 1), 512 / 2**number, ..)
            features = self.get_submodule(f"down{number}_act")(convolved)
            skipped.append(convolved)
        features = skipped.pop()
        for number in range(1, len(UP_CHANNELS) + 1):
            up = self.get_submodule(f"up{number}")(features)
            features = torch.cat([skipped.pop(), up], dim=1) if skipped else up
        mask: torch.Tensor = self.up7(features)
        return mask * magnitudes


class _Cut(nn.Module):
    """Cuts off what the transposed convolution adds at the borders."""

    @override
    def forward(self, features: torch.Tensor) -> torch.Tensor:
        return features[:, :, 1:-2, 1:-2]
