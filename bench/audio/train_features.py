"""
Train the scorers of tempo and key on rendered tunes, and write their weights into the package.

Takes half an hour on two cores. The weights hold no tune. `bench.audio` judges them on other tunes and other
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
BLUR = 1.5  # bins of the tempo scale that count as right beside the true one

Arrays = tuple[F32, F32]


def described(piece: "Piece") -> tuple[Arrays, Arrays] | None:
    """Return candidates and the chances that would be right, for tempo and for key."""
    from bench.audio.rendered import mono_of
    from recsys.audio.features import rhythm, tonality
    from recsys.audio.spectrum import Spectrum

    mono, truth = mono_of(piece)
    spectrum = Spectrum.of(mono)
    if spectrum is None:
        return None
    tempo = rhythm.candidates(*rhythm.tempograms(rhythm.onset_curves(spectrum)))
    place = np.log2(truth.tempo_bpm / rhythm.SLOWEST_BPM) * rhythm.TEMPI_AN_OCTAVE
    right_tempo = np.exp(-0.5 * ((np.arange(rhythm.N_TEMPI) - place) / BLUR) ** 2)
    found = tonality.peaks(spectrum.long)
    key = tonality.candidates(tonality.profiles(found, tonality.tuning_cents(found)))
    right_key = np.eye(24)[2 * truth.tonic + truth.is_minor]
    return (tempo, (right_tempo / right_tempo.sum()).astype(np.float32)), (key, right_key.astype(np.float32))


def fitted(name: str, train: list[Arrays], validation: list[Arrays]) -> Scorer:
    """Fit one scorer; the epoch with the best validation loss is kept."""
    import torch
    from torch import nn

    torch.manual_seed(SEED)
    inputs, right = (torch.from_numpy(np.stack(each)) for each in zip(*train, strict=True))
    unseen, unseen_right = (torch.from_numpy(np.stack(each)) for each in zip(*validation, strict=True))
    mean, scale = inputs.flatten(0, 1).mean(dim=0), inputs.flatten(0, 1).std(dim=0) + 1e-3
    first = nn.Linear(inputs.shape[2], HIDDEN[name])
    second = nn.Linear(HIDDEN[name], 1, bias=False)
    layers = nn.Sequential(first, nn.ReLU(), nn.Dropout(0.1), second)
    steps = torch.optim.AdamW(layers.parameters(), LEARNING_RATE, weight_decay=DECAY)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(steps, EPOCHS)
    best, kept = np.inf, layers.state_dict()
    for epoch in range(EPOCHS):
        layers.train()
        for rows in torch.split(torch.randperm(len(inputs)), BATCH):
            loss = _loss(layers((inputs[rows] - mean) / scale), right[rows])
            steps.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            steps.step()
        schedule.step()
        layers.eval()
        with torch.no_grad():
            scores = layers((unseen - mean) / scale)
        loss_now = float(_loss(scores, unseen_right))
        if loss_now < best:
            best, kept = loss_now, {key: value.clone() for key, value in layers.state_dict().items()}
        if epoch % 20 == 19:
            hits = (scores[..., 0].argmax(dim=1) - unseen_right.argmax(dim=1)).abs() <= (3 if name == "tempo" else 0)
            print(f"{name}: epoch {epoch + 1}, validation loss {loss_now:.3f}, right {hits.float().mean():.3f}")
    layers.load_state_dict(kept)
    arrays = (mean, scale, first.weight.T, first.bias, second.weight[0])
    return Scorer(*(each.detach().numpy().astype(np.float32) for each in arrays))


def _loss(scores: "torch.Tensor", right: "torch.Tensor") -> "torch.Tensor":
    import torch

    return -(right * torch.log_softmax(scores[..., 0], dim=1)).sum(dim=1).mean()


@benchmark(headline=r"key: epoch \d+, validation loss (\d+\.\d{3})")
@size_argument("n", default=6_000, smallest=15, type=click.IntRange(min=5))
@size(
    "--folder", type=click.Path(path_type=Path, file_okay=False), default=FOLDER, smallest=mkdtemp, help="For weights."
)
def main(n: int, folder: Path) -> None:
    """Render n pieces to learn from and a fifth as many to validate on, fit, write."""
    from bench.audio.rendered import in_parallel, pieces

    made = {part: in_parallel(described, pieces(part, size)) for part, size in (("train", n), ("validation", n // 5))}
    folder.mkdir(exist_ok=True)
    for at, name in enumerate(("tempo", "key")):
        parts = [[each[at] for each in some if each] for some in made.values()]  # type: ignore[index]
        fitted(name, *parts).save(folder / f"{name}.npz")


if __name__ == "__main__":
    main()
