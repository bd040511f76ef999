"""
Train the networks that judge takes (`recsys.practice.network`), and write them with their card.

    python -m bench.train_practice --out recsys/practice/weights

They learn from tunes that our own generator made up, played by instruments and in rooms of their own
(`bench.practice.takes`, part `train`), with planted errors, so their weights have the licence of this package. Nothing
is learnt from folk tunes, or from the instruments of `bench.practice`. A tenth of the takes is held out.
"""

import json
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from tempfile import mkdtemp
from typing import TYPE_CHECKING, NamedTuple

import click
import numpy as np

from bench.options import benchmark, size
from bench.practice.score import EXTRA_S

if TYPE_CHECKING:
    import torch

    from recsys.arrays import F32, F64
    from recsys.practice.network import NoteNetwork

Loss = Callable[["torch.Tensor", "F64"], "torch.Tensor"]
SEED, N_NOTES, HELD_OUT, CLEAN = 91, 56, 0.1, 0.15  # share of takes that are held out, and that have no errors
ERRORS = 1.6  # times the usual share of planted errors
BATCH, LEARNING_RATE, WEIGHT_DECAY = 256, 2e-3, 1e-2
BLUR = 0.7  # of answers about time [bins]
LATE_WEIGHT, ONSET_WEIGHT = 0.5, 0.25  # of their losses, beside that of the verdict
GAIN, GROWTH = (0.75, 1.3), (0.7, 1.4)  # by which what sounds and its growth are multiplied
LICENCE = "that of this package: all tunes were made up by its own generators"


class Examples(NamedTuple):
    """Examples of takes: what the network gets (n, *SHAPE) and (n, n_traits), and the truth (n, n_answers)."""

    around: "F32"
    traits: "F32"
    truth: "F64"


def examples_of(number: int) -> tuple[Examples, Examples] | None:
    """
    Make a take, and return its examples of written notes and of sounds; None if hardly a note is heard.

    The truth of a note is right, wrong or missing (0 to 2), how much later than due by the tempo curve it is, and when
    it begins beside its place in the alignment [s]; NaN: missing. That of a sound is whether it is an extra note.
    """
    from bench.practice.takes import make_take, passage
    from bench.train_melodies import generated
    from recsys.audio.pitch import RATE_HZ, track_pitch
    from recsys.audio.signal import resample
    from recsys.matching.tunes.melody import melody_of
    from recsys.practice.evidence import views
    from recsys.practice.follow import follow
    from recsys.practice.heard import heard_notes, novelty
    from recsys.practice.take import LEAST_HEARD
    from recsys.synth.tune import SCALES

    rng = np.random.default_rng([SEED, number])
    errors = 0.0 if rng.random() < CLEAN else ERRORS
    take = make_take(
        passage(melody_of(generated(len(SCALES), SEED + number)[number % len(SCALES)]), N_NOTES),
        "train",
        rng,
        errors=errors,
    )
    mono = resample(take.mono, take.rate_hz, RATE_HZ)
    track = track_pitch(mono)
    heard = heard_notes(track, novelty(mono))
    if len(heard) < LEAST_HEARD:
        return None
    seen = views(mono, track, take.melody, heard, follow(take.melody, heard))
    verdict = np.where(take.is_missing, 2, np.where(take.is_wrong, 1, 0))
    of_notes = np.stack([verdict, take.off_s, take.start_s - seen.due_s], axis=1)
    distance_s = np.abs(np.array([note.start_s for note in seen.heard])[:, None] - take.extra_s)
    is_extra = np.zeros(len(seen.heard))
    for place, nearest in enumerate(distance_s.argmin(axis=0).tolist()):
        is_extra[nearest] = float(is_extra[nearest] or distance_s[nearest, place] < EXTRA_S)
    return Examples(*seen.notes, of_notes), Examples(*seen.sounds, is_extra[:, None])


def joined(parts: list[Examples]) -> Examples:
    """Join the examples of several takes."""
    return Examples(*(np.concatenate(arrays) for arrays in zip(*parts, strict=True)))


def in_bins(times_s: "F64", edges_s: "F64") -> "torch.Tensor":
    """Return the share of each time in bins, blurred; none of NaN. Shape (n, len(edges_s) + 1)."""
    import torch

    places = np.digitize(times_s, edges_s)[:, None]
    shares = np.exp(-0.5 * ((np.arange(len(edges_s) + 1) - places) / BLUR) ** 2)
    shares *= ~np.isnan(times_s)[:, None] / shares.sum(axis=1, keepdims=True)
    return torch.from_numpy(shares).float()


def loss_of_notes(answers: "torch.Tensor", truth: "F64") -> "torch.Tensor":
    """Return the loss of a batch of answers for written notes."""
    import torch
    from torch.nn.functional import cross_entropy

    from recsys.practice.network import LATE_EDGES_S, LATE_S, ONSET_EDGES_S, VERDICTS

    n, m = len(VERDICTS), len(LATE_S)
    verdict = cross_entropy(answers[:, :n], torch.from_numpy(truth[:, 0]).long())
    late = cross_entropy(answers[:, n : n + m], in_bins(truth[:, 1], LATE_EDGES_S))
    onset = cross_entropy(answers[:, n + m :], in_bins(truth[:, 2], ONSET_EDGES_S))
    return verdict + LATE_WEIGHT * late + ONSET_WEIGHT * onset


def loss_of_sounds(answers: "torch.Tensor", truth: "F64") -> "torch.Tensor":
    """Return the loss of a batch of answers for sounds."""
    import torch
    from torch.nn.functional import binary_cross_entropy_with_logits

    return binary_cross_entropy_with_logits(answers, torch.from_numpy(truth).float())


def train(network: "NoteNetwork", examples: Examples, loss_of: Loss, epochs: int) -> None:
    """Train a network with AdamW; the step size rises and falls once."""
    import torch

    network.mean.copy_(torch.from_numpy(examples.traits.mean(axis=0)))
    network.std.copy_(torch.from_numpy(examples.traits.std(axis=0) + 1e-3))
    optimiser = torch.optim.AdamW(network.parameters(), LEARNING_RATE, weight_decay=WEIGHT_DECAY)
    starts = range(0, max(1, len(examples.around) - BATCH + 1), BATCH)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, LEARNING_RATE, total_steps=epochs * len(starts) + 1)
    rng = np.random.default_rng(SEED)
    network.train()
    for epoch in range(epochs):
        order, losses = rng.permutation(len(examples.around)), []
        for start in starts:
            batch = order[start : start + BATCH]
            around = torch.from_numpy(_varied(examples.around[batch].astype(np.float32), rng))
            loss = loss_of(network(around, torch.from_numpy(examples.traits[batch])), examples.truth[batch])
            optimiser.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            optimiser.step()
            schedule.step()
            losses.append(float(loss.detach()))
        print(f"epoch {epoch + 1}: loss {np.mean(losses):.4f}", flush=True)
    network.eval()


def _varied(around: "F32", rng: np.random.Generator) -> "F32":
    """Make what sounds louder or softer."""
    n = len(around)
    around[:, :2] *= rng.uniform(*GAIN, (n, 1, 1, 1)).astype(np.float32)
    around[:, 4] *= rng.uniform(*GROWTH, (n, 1, 1)).astype(np.float32)
    return around


def share_right(network: "NoteNetwork", examples: Examples) -> float:
    """Return the share of examples whose most probable verdict is right."""
    from recsys.practice.network import VERDICTS

    answers = network.logits(examples.around.astype(np.float32), examples.traits)
    is_one = answers.shape[1] == 1
    found = answers[:, 0] > 0 if is_one else answers[:, : len(VERDICTS)].argmax(axis=1)
    return float((found == examples.truth[:, 0]).mean())


@benchmark(headline=r"held out: ([\d.]+) of the verdicts")
@size("--takes", "n_takes", default=600, smallest=6, help="Takes to make.")
@size("--epochs", default=14, smallest=1, help="Passes over them.")
@click.option("--out", type=click.Path(path_type=Path), help="Folder to write to. [default: a temporary one]")
def main(n_takes: int, epochs: int, out: Path | None) -> None:
    """Train, measure on takes that were held out, write."""
    import torch

    from recsys.audio.weights_file import save_tensors
    from recsys.practice.network import CARD, NOTES, SOUNDS, Networks

    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool:
        made = [_small(one) for one in pool.map(examples_of, range(n_takes)) if one is not None]
    n_held_out = max(1, int(len(made) * HELD_OUT))
    torch.manual_seed(SEED)
    networks, folder = Networks.untrained(), out or Path(mkdtemp())
    folder.mkdir(exist_ok=True)
    figures: dict[str, object] = {"learnt_from": "made-up tunes with planted errors", "licence": LICENCE}
    figures |= {"n_takes": len(made) - n_held_out, "n_held_out": n_held_out, "epochs": epochs, "seed": SEED}
    for place, (name, network, loss_of) in enumerate(
        [(NOTES, networks.notes, loss_of_notes), (SOUNDS, networks.sounds, loss_of_sounds)]
    ):
        examples = joined([one[place] for one in made[n_held_out:]])
        train(network, examples, loss_of, epochs)
        held_out = joined([one[place] for one in made[:n_held_out]])
        figures[name] = {"n_examples": len(examples.around), "right_of_held_out": share_right(network, held_out)}
        save_tensors(folder / name, {key: _halved(value) for key, value in network.state_dict().items()})
        print(f"held out: {share_right(network, held_out):.4f} of the verdicts are right ({name})")
    (folder / CARD).write_text(json.dumps(figures, indent=1) + "\n")
    print(folder)


def _small(parts: tuple[Examples, Examples]) -> tuple[Examples, Examples]:
    """Keep what sounds in 16 bits."""
    notes, sounds = (one._replace(around=one.around.astype(np.float16)) for one in parts)
    return notes, sounds


def _halved(tensor: "torch.Tensor") -> "torch.Tensor":
    return tensor.half() if tensor.is_floating_point() else tensor


if __name__ == "__main__":
    main()
