"""
Convert the trained weights of the package musicnn 0.1.0 to the layout of our encoder, and write them into our package.

Needed once, and again only if the encoder's layers change. TensorFlow reads the checkpoints of the package, in an
environment of its own (bench/peers/tensorflow.txt); values are copied without change. The commands are in
recsys/audio/weights/musicnn/CARD.md.
"""

from collections.abc import Iterator, Mapping
from hashlib import sha256
from pathlib import Path
from tempfile import mkdtemp
from typing import TYPE_CHECKING

import click

import recsys
from bench.options import Missing, benchmark, require, size_argument
from bench.peers.environments import installation

if TYPE_CHECKING:
    from recsys.arrays import F32

OUR_FOLDER = Path(recsys.__file__).parent / "audio" / "weights" / "musicnn"
DATA = ".data-00000-of-00001"
CONVOLUTIONS = (  # in the order of their numbers
    "timbral.0",
    "timbral.1",
    *(f"{part}.{number}" for part in ("temporal", "middle") for number in range(3)),
)
NORMS = ("norm", *(f"{layer}.norm" for layer in CONVOLUTIONS), "pool_norm", "dense_norm")
NORM_VALUES = {"weight": "gamma", "bias": "beta", "running_mean": "moving_mean", "running_var": "moving_variance"}
AXES = {4: (3, 2, 0, 1), 3: (2, 1, 0), 2: (1, 0)}  # of our kernels, by number of dimensions

Tensors = Mapping[str, "F32"]


@benchmark(headline=r"(\d+) tensors")
@size_argument("package", type=click.Path(path_type=Path), default="musicnn-0.1.0/musicnn", smallest="musicnn")
@size_argument("folder", type=click.Path(path_type=Path, file_okay=False), default=OUR_FOLDER, smallest=mkdtemp)
def main(package: Path, folder: Path) -> None:
    """Convert both networks; print the SHA-256 of every file read and written."""
    require("tensorflow", installation("tensorflow"))
    import numpy as np

    for training_set in ("MSD", "MTT"):
        source, target = package / f"{training_set}_musicnn" / DATA, folder / f"{training_set.lower()}.npz"
        state = dict(converted(_tensors(source)))
        np.savez(target, allow_pickle=False, **state)
        if training_set == "MSD":  # its vectors are stored in homes
            (folder / "version.txt").write_text(f"musicnn-msd-{_hash(source)[:8]}\n", encoding="utf-8")
        print(f"{source}  {_hash(source)}\n{target}  {_hash(target)}  {len(state)} tensors")


def _tensors(data: Path) -> Tensors:
    from tensorflow.compat.v1.train import NewCheckpointReader

    if not data.exists():
        raise Missing(f"{data} does not exist. Unpack the wheel of musicnn 0.1.0 and name its folder musicnn")
    reader = NewCheckpointReader(f"{data.parent}/")
    return {name: reader.get_tensor(name) for name in reader.get_variable_to_shape_map()}


def _hash(path: Path) -> str:
    return sha256(path.read_bytes()).hexdigest()


def converted(tensors: Tensors) -> Iterator[tuple[str, "F32"]]:
    """Yield names and values of the state of `recsys.audio.embedding.encoder`; the optimiser's tensors are left out."""
    import numpy as np

    for number, layer in enumerate(NORMS):
        for ours, theirs in NORM_VALUES.items():
            yield f"{layer}.{ours}", tensors[f"{_numbered('batch_normalization', number)}/{theirs}"]
        yield f"{layer}.num_batches_tracked", np.zeros((), np.int64)
    layers = {f"{layer}.conv": _numbered("conv2d", number) for number, layer in enumerate(CONVOLUTIONS)}
    for layer, name in {**layers, "dense": "dense", "tags": "dense_1"}.items():
        kernel = tensors[f"{name}/kernel"]  # (frames, bands, 1, n_out); in the middle layers, bands are channels
        squeezed = kernel[:, :, 0] if layer.startswith("middle") else kernel
        yield f"{layer}.weight", np.ascontiguousarray(squeezed.transpose(AXES[squeezed.ndim]))
        yield f"{layer}.bias", tensors[f"{name}/bias"]


def _numbered(name: str, number: int) -> str:
    return f"{name}_{number}" if number else name


if __name__ == "__main__":
    main()
