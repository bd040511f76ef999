"""
Weights of networks as npz files: arrays by their name in the network, nothing of which can run code when it is read.

The weights of this package (`recsys/audio/weights/`), of encoders trained by `recsys audio train` and of interrupted
trainings are such files.
"""

from pathlib import Path
from typing import TypeVar
from zipfile import BadZipFile

import numpy as np
import torch
from torch import nn

from recsys import files
from recsys.errors import SetupError

Tensors = dict[str, torch.Tensor]
Network = TypeVar("Network", bound=nn.Module)


def save_tensors(path: Path, tensors: Tensors) -> None:
    """Write tensors by name atomically; equal tensors give equal bytes."""
    arrays = {name: tensor.numpy() for name, tensor in tensors.items()}

    def write(partial: Path) -> None:
        with partial.open("wb") as file:  # given a name, numpy would append its suffix
            np.savez(file, allow_pickle=False, **arrays)

    files.write_atomically(path, write)


def read_tensors(path: Path) -> Tensors:
    """
    Read tensors by name.

    Raises:
        SetupError: The file is missing, or not a whole file of `save_tensors`.
    """
    try:
        with np.load(path, allow_pickle=False) as arrays:
            return {name: torch.from_numpy(arrays[name]) for name in arrays.files}
    except (OSError, EOFError, ValueError, TypeError, BadZipFile) as error:
        raise SetupError(f"{path} is not a complete file of weights: {error}. {REPLACE}") from error


def with_weights(network: Network, path: Path) -> Network:
    """
    Load the weights in a file into a network; return it in inference mode.

    Raises:
        SetupError: The file is missing or damaged, or holds the weights of another network.
    """
    try:
        network.load_state_dict(read_tensors(path))
    except RuntimeError as error:
        raise SetupError(f"{path} holds the weights of another network: {error}. {REPLACE}") from error
    return network.eval()


REPLACE = "Install the package again, or train the encoder again (recsys audio train)"
