"""
Train the scorers of tempo and key on rendered tunes, and write their weights into the package.

Takes half an hour on two cores. The weights contain no tune. `bench.audio` evaluates them on other tunes and other
instruments.
"""

from pathlib import Path
from tempfile import mkdtemp
from typing import TYPE_CHECKING

import click
import numpy as np

from bench.options import benchmark, size, size_argument
from recsys.arrays import F32
from recsys.audio.features.learned_scorers import FOLDER, Scorer

if TYPE_CHECKING:
    import torch

    from bench.audio.rendered import Piece

HIDDEN = {"tempo": 48, "key": 48}
EPOCHS, BATCH, LEARNING_RATE, DECAY, SEED = 120, 64, 3e-3, 1e-3, 7
BLUR = 1.5  # standard deviation of the tempo target around the true tempo, in bins of the tempo scale

Example = tuple[
    F32, F32
]  # descriptions of the candidates (n_candidates, n_inputs), target probabilities (n_candidates,)


def examples(piece: "Piece") -> tuple[Example, Example] | None:
    """Return the training examples of a piece for tempo and for key; None where it is silent."""
    from bench.audio.rendered import render_mono
    from recsys.audio.features import rhythm, tonality
    from recsys.audio.spectrum import Spectrum

    mono, truth = render_mono(piece)
    spectrum = Spectrum.of(mono)
    if spectrum is None:
        return None
    tempo = rhythm.candidates(*rhythm.tempograms(rhythm.onset_curves(spectrum)))
    true_bin = np.log2(truth.tempo_bpm / rhythm.SLOWEST_BPM) * rhythm.TEMPI_PER_OCTAVE
    tempo_target = np.exp(-0.5 * ((np.arange(rhythm.N_TEMPI) - true_bin) / BLUR) ** 2)
    find_peaks = tonality.find_peaks(spectrum.long)
    key = tonality.candidates(tonality.profiles(find_peaks, tonality.tuning_cents(find_peaks)))
    key_target = np.eye(24)[2 * truth.tonic + truth.is_minor]
    return (tempo, (tempo_target / tempo_target.sum()).astype(np.float32)), (key, key_target.astype(np.float32))


def fit(name: str, train: list[Example], validation: list[Example]) -> Scorer:
    """Fit the scorer `name` ('tempo' or 'key') and return it at the epoch with the best validation loss."""
    import torch
    from torch import nn

    torch.manual_seed(SEED)
    inputs, targets = (torch.from_numpy(np.stack(arrays)) for arrays in zip(*train, strict=True))
    unseen, unseen_targets = (torch.from_numpy(np.stack(arrays)) for arrays in zip(*validation, strict=True))
    mean, scale = inputs.flatten(0, 1).mean(dim=0), inputs.flatten(0, 1).std(dim=0) + 1e-3
    first = nn.Linear(inputs.shape[2], HIDDEN[name])
    second = nn.Linear(HIDDEN[name], 1, bias=False)
    layers = nn.Sequential(first, nn.ReLU(), nn.Dropout(0.1), second)
    optimizer = torch.optim.AdamW(layers.parameters(), LEARNING_RATE, weight_decay=DECAY)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, EPOCHS)
    best, kept = np.inf, layers.state_dict()
    for epoch in range(EPOCHS):
        layers.train()
        for rows in torch.split(torch.randperm(len(inputs)), BATCH):
            loss = _loss(layers((inputs[rows] - mean) / scale), targets[rows])
            optimizer.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            optimizer.step()
        schedule.step()
        layers.eval()
        with torch.no_grad():
            scores = layers((unseen - mean) / scale)
        loss_now = float(_loss(scores, unseen_targets))
        if loss_now < best:
            best, kept = loss_now, {key: value.clone() for key, value in layers.state_dict().items()}
        if epoch % 20 == 19:
            error = (scores[..., 0].argmax(dim=1) - unseen_targets.argmax(dim=1)).abs()
            accuracy = (error <= (3 if name == "tempo" else 0)).float().mean()
            print(f"{name}: epoch {epoch + 1}, validation loss {loss_now:.3f}, accuracy {accuracy:.3f}")
    layers.load_state_dict(kept)
    arrays = (mean, scale, first.weight.T, first.bias, second.weight[0])
    return Scorer(*(array.detach().numpy().astype(np.float32) for array in arrays))


def _loss(scores: "torch.Tensor", targets: "torch.Tensor") -> "torch.Tensor":
    import torch

    return -(targets * torch.log_softmax(scores[..., 0], dim=1)).sum(dim=1).mean()


@benchmark(headline=r"key: epoch \d+, validation loss (\d+\.\d{3})")
@size_argument("n", default=6_000, smallest=15, type=click.IntRange(min=5))
@size(
    "--folder",
    type=click.Path(path_type=Path, file_okay=False),
    default=FOLDER,
    smallest=mkdtemp,
    help="Output folder.",
)
def main(n: int, folder: Path) -> None:
    """Render n training pieces and n / 5 validation pieces, fit both scorers, write their weights."""
    from bench.audio.rendered import map_in_parallel, pieces

    sizes = {"train": n, "validation": n // 5}
    rendered = [map_in_parallel(examples, pieces(part, size)) for part, size in sizes.items()]
    folder.mkdir(exist_ok=True)
    for column, name in enumerate(("tempo", "key")):
        parts = [[pair[column] for pair in pairs if pair] for pairs in rendered]  # type: ignore[index]
        fit(name, *parts).save(folder / f"{name}.npz")


if __name__ == "__main__":
    main()
