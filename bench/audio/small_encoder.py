"""
Train a small encoder on made-up tunes, and write it as an operator would bring one: an ONNX file with its description.

Excerpts of the same rendered tune get similar vectors, others dissimilar ones. The encoder is no competitor of musicnn:
it shows what a folder for the setting `encoder` contains. `python -m bench.audio --encoder FOLDER` compares any such
folder with the default.
"""

import warnings
from pathlib import Path
from tempfile import mkdtemp
from typing import TYPE_CHECKING

import click
import numpy as np
from typing_extensions import override

from bench.options import benchmark, size, size_argument
from recsys.arrays import F32

if TYPE_CHECKING:
    import torch

RATE_HZ, WINDOW_S = 22_050, 5.0
N_FFT, HOP, N_BANDS, N_CHANNELS, N_DIMENSIONS = 1024, 512, 64, 96, 64
BATCH_SIZE, TEMPERATURE, LEARNING_RATE, SEED = 16, 0.1, 1e-3, 7
TUNE_S = 2 * WINDOW_S
DESCRIPTION = f"""\
licence = "MIT"
card = "CARD.md"
rate_hz = {RATE_HZ}
window_s = {WINDOW_S}
"""
CARD = """\
# A small encoder

Trained by `python -m bench.audio.small_encoder` on {n_tunes} tunes that were composed at random and rendered with
General MIDI instruments, for {n_epochs} epochs, so that two excerpts of a tune have similar vectors. No recording of
anybody was used. It knows nothing of singing, of genres or of real productions: use it to try the setting, not for
search.
"""


def render_tune(seed: int) -> F32:
    """Compose, arrange and render a tune, shape (n_samples,), float32."""
    from recsys.synth.arrange import Style, arrange
    from recsys.synth.render import render
    from recsys.synth.tune import compose

    rng = np.random.default_rng([SEED, seed])
    played = arrange(compose(f"tune {seed}", rng), Style.random(rng), rng, longest_s=TUNE_S)
    return np.resize(render(played, rate_hz=RATE_HZ, longest_s=TUNE_S).mean(axis=0), round(TUNE_S * RATE_HZ))


def network() -> "torch.nn.Module":
    """Return the network: audio, shape (n_windows, n_samples) -> vectors, shape (n_windows, 64)."""
    import torch
    from librosa.filters import mel
    from torch import nn

    class SmallEncoder(nn.Module):
        """Mel bands of a Fourier transform that is a convolution, two layers, mean and maximum over time."""

        def __init__(self) -> None:
            super().__init__()
            angles = 2 * np.pi * np.outer(np.arange(N_FFT // 2 + 1), np.arange(N_FFT)) / N_FFT
            waves = np.concatenate([np.cos(angles), np.sin(angles)]) * np.hanning(N_FFT)
            self.waves = nn.Buffer(torch.tensor(waves[:, None], dtype=torch.float32))
            self.bands = nn.Buffer(torch.tensor(mel(sr=RATE_HZ, n_fft=N_FFT, n_mels=N_BANDS)))
            self.layers = nn.Sequential(
                nn.Conv1d(N_BANDS, N_CHANNELS, 5, padding=2), nn.ReLU(), nn.BatchNorm1d(N_CHANNELS),
                nn.Conv1d(N_CHANNELS, N_CHANNELS, 5, padding=2), nn.ReLU(), nn.BatchNorm1d(N_CHANNELS),
            )  # fmt: skip
            self.last = nn.Linear(2 * N_CHANNELS, N_DIMENSIONS)

        @override
        def forward(self, audio: torch.Tensor) -> torch.Tensor:
            waves = nn.functional.conv1d(audio[:, None], self.waves, stride=HOP)
            real, imaginary = waves.chunk(2, dim=1)
            power = real.square() + imaginary.square()  # (B,513,T)
            channels = self.layers(torch.log1p(100 * (self.bands @ power)))
            vectors: torch.Tensor = self.last(torch.cat([channels.mean(dim=2), channels.amax(dim=2)], dim=1))
            return vectors

    torch.manual_seed(SEED)
    return SmallEncoder()


def train(encoder: "torch.nn.Module", tunes: F32, n_epochs: int) -> None:
    """Train on tunes, shape (n_tunes, n_samples), and print the loss after every epoch."""
    import torch

    from recsys.audio.training.tasks.contrastive import pairwise_cosines

    rng = np.random.default_rng(SEED)
    optimizer = torch.optim.Adam(encoder.parameters(), LEARNING_RATE)
    length = round(WINDOW_S * RATE_HZ)
    for epoch in range(n_epochs):
        losses = []
        order = rng.permutation(len(tunes))
        for rows in np.split(order, range(BATCH_SIZE, len(order), BATCH_SIZE)):
            starts = rng.integers(tunes.shape[1] - length + 1, size=(2, len(rows)))
            pairs = [tunes[row, start : start + length] for of in starts for row, start in zip(rows, of, strict=True)]
            vectors = torch.nn.functional.normalize(encoder(torch.from_numpy(np.stack(pairs))), dim=1)
            cosines, other = pairwise_cosines(vectors)
            loss = torch.nn.functional.cross_entropy(cosines / TEMPERATURE, other)
            optimizer.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            optimizer.step()
            losses.append(float(loss.detach()))
        print(f"epoch {epoch + 1}: loss {np.mean(losses):.3f}", flush=True)


@benchmark(headline=r"loss (\d+\.\d{3})")
@size_argument("folder", type=click.Path(path_type=Path, file_okay=False), default="encoder", smallest=mkdtemp)
@size("--tunes", "n_tunes", default=800, smallest=BATCH_SIZE, help="Tunes to train on.")
@size("--epochs", "n_epochs", default=12, smallest=1, help="Training epochs.")
def main(folder: Path, n_tunes: int, n_epochs: int) -> None:
    """Render tunes, train the encoder, write the folder, and load it as the setting does."""
    import torch

    from recsys.audio.embedding import onnx_encoder

    warnings.filterwarnings("ignore", category=DeprecationWarning)  # torch's newer exporter needs two packages more
    folder.mkdir(parents=True, exist_ok=True)
    encoder = network()
    train(encoder, np.stack([render_tune(seed) for seed in range(n_tunes)]), n_epochs)
    torch.onnx.export(
        encoder.eval(),
        (torch.zeros(1, round(WINDOW_S * RATE_HZ)),),
        folder / onnx_encoder.NETWORK,
        dynamo=False,
        input_names=["audio"],
        output_names=["vector"],
        dynamic_axes={"audio": {0: "windows"}},
    )
    (folder / onnx_encoder.DESCRIPTION).write_text(DESCRIPTION, encoding="utf-8")
    (folder / "CARD.md").write_text(CARD.format(n_tunes=n_tunes, n_epochs=n_epochs), encoding="utf-8")
    print(f"{onnx_encoder.OnnxEncoder.load(folder).version} in {folder}")


if __name__ == "__main__":
    main()
