"""
Train the scorer of tempo and the networks of key, chords and beats, and write their weights into the package.

They are trained on rendered tunes; those of key and chords also on tunes whose sound is only simulated. Takes two hours
on two cores. The weights contain no tune. `bench.audio` evaluates them on other tunes and other instruments.
"""

from collections.abc import Sequence
from pathlib import Path
from tempfile import mkdtemp
from typing import TYPE_CHECKING, NamedTuple

import click
import numpy as np

from bench.options import benchmark, size, size_argument
from recsys.arrays import F32
from recsys.audio.features.learned_scorers import FOLDER, Scorer

if TYPE_CHECKING:
    import torch

    from bench.audio.beat_training import BeatExample
    from bench.audio.harmony_training import Example
    from bench.audio.rendered import Piece, Truth
    from recsys.audio.features.harmony import HarmonyNetworks

HIDDEN, EPOCHS, BATCH, LEARNING_RATE, DECAY, SEED = 48, 24, 64, 3e-3, 1e-3, 7
BLUR = 1.5  # standard deviation of the tempo target around the true tempo, in bins of the tempo scale
HARMONY_SEEDS, HARMONY_EPOCHS, BEAT_EPOCHS = (1, 2, 3), 5, 24
LAST_EPOCHS, SIMULATED_SHARE, REPEATS = 0.5, 0.6, 3  # of the epochs; of the simulated pieces; of the rendered pieces

TempoExample = tuple[
    F32, F32
]  # descriptions of the candidates (n_candidates, n_inputs), target probabilities (n_candidates,)


class Rendered(NamedTuple):
    """
    What is measured of a rendered piece for training.

    Attributes:
        tempo: Training example for the tempo.
        harmony: Inputs of the networks of key and chords, shape (n_frames, 6, 12).
        onsets: Rises of power in bands, shape (n, 8).
        truth: Labels.
    """

    tempo: TempoExample
    harmony: F32
    onsets: F32
    truth: "Truth"


def rendered(piece: "Piece") -> Rendered | None:
    """Render a piece and measure it; None where it is silent."""
    from bench.audio.rendered import render_mono
    from recsys.audio.features import beats, rhythm
    from recsys.audio.features.tonality import Pitches
    from recsys.audio.spectrum import Spectrum

    mono, truth = render_mono(piece)
    spectrum = Spectrum.of(mono)
    pitches = None if spectrum is None else Pitches.of(spectrum)
    if spectrum is None or pitches is None:
        return None
    tempo = rhythm.candidates(*rhythm.tempograms(rhythm.onset_curves(spectrum)))
    true_bin = np.log2(truth.tempo_bpm / rhythm.SLOWEST_BPM) * rhythm.TEMPI_PER_OCTAVE
    target = np.exp(-0.5 * ((np.arange(rhythm.N_TEMPI) - true_bin) / BLUR) ** 2)
    tempo_example = (tempo, (target / target.sum()).astype(np.float32))
    return Rendered(tempo_example, pitches.inputs, beats.onset_bands(spectrum.mel), truth)


def simulated(piece: "Piece") -> "Example":
    """Return the training example for key and chords of a piece whose sound is only simulated."""
    from bench.audio.harmony_training import example
    from bench.audio.simulated import simulate
    from recsys.audio.features.harmony import profiles

    salience, power, truth = simulate(piece)
    return example(profiles(salience, power), truth)


def fit_harmony(
    train: Sequence["Example"], made: Sequence["Example"], validation: Sequence["Example"]
) -> "HarmonyNetworks":
    """Fit the networks of key and chords: the share of rendered pieces is larger in the second half of the epochs."""
    from bench.audio.harmony_training import calibrated, fit
    from recsys.audio.features.harmony import HarmonyNetworks

    members = []
    for seed in HARMONY_SEEDS:
        rng = np.random.default_rng(seed)
        epochs = []
        for epoch in range(HARMONY_EPOCHS):
            is_last = epoch >= HARMONY_EPOCHS * LAST_EPOCHS
            n_made = int(len(made) * (SIMULATED_SHARE if is_last else 1))
            epochs.append(
                [
                    *(made[row] for row in rng.permutation(len(made))[:n_made]),
                    *train,
                    *((REPEATS - 1) * is_last * list(train)),
                ]
            )
        members.append(fit(epochs, seed))
    return calibrated(HarmonyNetworks(tuple(members)), validation)


def beat_examples(pieces: Sequence[Rendered], networks: "HarmonyNetworks") -> list["BeatExample"]:
    """Return the training examples for beats: changes of harmony are those that the networks hear."""
    from bench.audio.beat_training import example
    from recsys.audio.features.beats import inputs
    from recsys.audio.features.tonality import harmonies

    heard = [harmonies(piece.harmony, networks.estimate(piece.harmony)) for piece in pieces]
    return [example(inputs(piece.onsets, own), piece.truth) for piece, own in zip(pieces, heard, strict=True)]


def fit_tempo(train: Sequence[TempoExample], validation: Sequence[TempoExample]) -> Scorer:
    """Fit the scorer of tempo and return it at the epoch with the best validation loss."""
    import torch
    from torch import nn

    torch.manual_seed(SEED)
    inputs, targets = (torch.from_numpy(np.stack(arrays)) for arrays in zip(*train, strict=True))
    unseen, unseen_targets = (torch.from_numpy(np.stack(arrays)) for arrays in zip(*validation, strict=True))
    mean, scale = inputs.flatten(0, 1).mean(dim=0), inputs.flatten(0, 1).std(dim=0) + 1e-3
    first = nn.Linear(inputs.shape[2], HIDDEN)
    second = nn.Linear(HIDDEN, 1, bias=False)
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
            accuracy = (error <= 3).float().mean()
            print(f"tempo: epoch {epoch + 1}, validation loss {loss_now:.3f}, accuracy {accuracy:.3f}")
    layers.load_state_dict(kept)
    arrays = (mean, scale, first.weight.T, first.bias, second.weight[0])
    return Scorer(*(array.detach().numpy().astype(np.float32) for array in arrays))


def _loss(scores: "torch.Tensor", targets: "torch.Tensor") -> "torch.Tensor":
    import torch

    return -(targets * torch.log_softmax(scores[..., 0], dim=1)).sum(dim=1).mean()


@benchmark(headline=r"beats: epoch \d+, training loss (\d+\.\d{4})")
@size_argument("n", default=6_000, smallest=10, type=click.IntRange(min=5))
@size("--simulated", "n_simulated", default=10_000, smallest=8, help="Pieces whose sound is simulated.")
@size(
    "--folder",
    type=click.Path(path_type=Path, file_okay=False),
    default=FOLDER,
    smallest=mkdtemp,
    help="Output folder.",
)
def main(n: int, n_simulated: int, folder: Path) -> None:
    """Render n training pieces and n / 5 validation pieces, fit scorer and networks, write their weights."""
    from bench.audio.beat_training import fit
    from bench.audio.harmony_training import example
    from bench.audio.rendered import map_in_parallel, pieces

    sizes = {"train": n, "validation": n // 5}
    train, validation = (
        [piece for piece in map_in_parallel(rendered, pieces(part, size)) if isinstance(piece, Rendered)]
        for part, size in sizes.items()
    )
    folder.mkdir(exist_ok=True)
    fit_tempo([piece.tempo for piece in train], [piece.tempo for piece in validation]).save(folder / "tempo.npz")
    made: list[Example] = map_in_parallel(simulated, pieces("train", n_simulated, seed=SEED + 1))  # type: ignore[assignment]
    by_part = [[example(piece.harmony, piece.truth) for piece in part] for part in (train, validation)]
    networks = fit_harmony(by_part[0], made, by_part[1])
    networks.save(folder / "harmony.npz")
    both = (beat_examples(part, networks) for part in (train, validation))
    fit(*both, epochs=BEAT_EPOCHS, seed=SEED).save(folder / "beats.npz")


if __name__ == "__main__":
    main()
