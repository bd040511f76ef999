"""
The trained weights of the package `musicnn`, loaded into the encoder of this project.

There are two sets of weights: MSD, trained on the Million Song Dataset with tags by Last.fm listeners; and MTT, trained
on MagnaTagATune with tags by players of a game.
"""

from collections.abc import Mapping
from functools import cache
from hashlib import sha256
from pathlib import Path

import numpy as np
import torch

from recsys.arrays import F32
from recsys.audio.embedding.checkpoint import read_checkpoint
from recsys.audio.embedding.encoder import Encoder
from recsys.installation import extras

PACKAGE = "musicnn"
LAYERS = ("timbral.0", "timbral.1", "temporal.0", "temporal.1", "temporal.2", "middle.0", "middle.1", "middle.2")
Tensors = Mapping[str, F32]


def checkpoint(training_set: str) -> Path:
    """Return the checkpoint folder of a training set ('MSD', 'MTT'); raises SetupError if it is not installed."""
    return extras.package_folder(PACKAGE) / f"{training_set}_musicnn"


def pretrained(training_set: str) -> Encoder:
    """Return the encoder with the weights of a training set ('MSD', 'MTT'), in inference mode."""
    encoder = Encoder()
    encoder.load_state_dict(_state(read_checkpoint(checkpoint(training_set))))
    return encoder.eval()


@cache
def weights_hash(training_set: str) -> str:
    """Return eight hex digits of the SHA-256 of a training set's weights."""
    data = checkpoint(training_set) / ".data-00000-of-00001"
    return sha256(data.read_bytes()).hexdigest()[:8]


def _state(tensors: Tensors) -> dict[str, torch.Tensor]:
    """Convert TensorFlow's tensors to the encoder's layer names and PyTorch's order of dimensions."""
    state = _norm(tensors, "norm", 0) | _norm(tensors, "pool_norm", 9) | _norm(tensors, "dense_norm", 10)
    for number, layer in enumerate(LAYERS):
        own = f"conv2d_{number}" if number else "conv2d"
        kernel = tensors[f"{own}/kernel"]  # (frames, bands, 1, n_out); in the middle layers, bands are channels
        by_output = kernel.transpose(3, 2, 0, 1) if number < 5 else kernel[:, :, 0].transpose(2, 1, 0)
        state[f"{layer}.conv.weight"] = torch.from_numpy(np.ascontiguousarray(by_output))
        state[f"{layer}.conv.bias"] = torch.from_numpy(tensors[f"{own}/bias"])
        state |= _norm(tensors, f"{layer}.norm", number + 1)
    for layer, own in (("dense", "dense"), ("tags", "dense_1")):
        state[f"{layer}.weight"] = torch.from_numpy(np.ascontiguousarray(tensors[f"{own}/kernel"].T))
        state[f"{layer}.bias"] = torch.from_numpy(tensors[f"{own}/bias"])
    return state


def _norm(tensors: Tensors, layer: str, number: int) -> dict[str, torch.Tensor]:
    own = f"batch_normalization_{number}" if number else "batch_normalization"
    names = {"weight": "gamma", "bias": "beta", "running_mean": "moving_mean", "running_var": "moving_variance"}
    state = {f"{layer}.{ours}": torch.from_numpy(tensors[f"{own}/{theirs}"]) for ours, theirs in names.items()}
    return state | {f"{layer}.num_batches_tracked": torch.tensor(0)}
