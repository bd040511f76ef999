"""
Train an encoder on a catalogue, from random weights or from the pretrained ones.

Only recordings whose rights holders have granted consent are used; the settings may also allow recordings with unknown
consent, but never with denied consent. The state is saved after each epoch, from which an interrupted training is
continued. The same recordings, settings and number of threads give the same weights.
"""

import json
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from hashlib import sha256
from math import cos, pi
from pathlib import Path
from types import ModuleType
from typing import Any, Literal

import numpy as np
import torch
from torch import nn

from recsys import files
from recsys.audio.embedding.embed import VERSION, WEIGHTS
from recsys.audio.weights_file import Tensors, read_tensors, save_tensors
from recsys.errors import InputError
from recsys.installation.plugins import plugin

STATE, CARD = "state.npz", "card.json"
TASKS = "recsys.audio.training.tasks"
Event = dict[str, Any]


@dataclass(frozen=True)
class TrainingTrack:
    """A candidate for training: its file, and the consent of its rights holder."""

    path: Path
    consent: Literal["granted", "denied", "unknown"]


@dataclass(frozen=True)
class TrainSettings:
    """
    How an encoder is trained.

    Attributes:
        task: Name of a module of `recsys.audio.training.tasks`.
        start: Initial weights.
        epochs: Number of passes over the recordings.
        batch_size: Recordings per batch.
        learning_rate: Learning rate of Adam in the first epoch; it decays to 0 along a cosine.
        with_unknown: Whether to use recordings with unknown consent too.
        seed: Seed of the weights and of the excerpts.
    """

    task: str = "contrastive"
    start: Literal["pretrained", "random"] = "pretrained"
    epochs: int = 10
    batch_size: int = 16
    learning_rate: float = 1e-4
    with_unknown: bool = False
    seed: int = 7


@dataclass(frozen=True)
class ModelCard:
    """
    Data and settings of a trained encoder.

    Attributes:
        version: Version of the weights, a hash of their values.
        n_granted, n_unknown, n_denied: Recordings by consent.
        n_trained: Recordings that were trained on.
        n_unreadable: Recordings with consent that cannot be decoded or are too short.
        losses: Mean loss per epoch.
        settings: The `TrainSettings`, as a dictionary.
    """

    version: str
    n_granted: int
    n_unknown: int
    n_denied: int
    n_trained: int
    n_unreadable: int
    losses: list[float]
    settings: Event


def train(
    tracks: Sequence[TrainingTrack],
    settings: TrainSettings,
    folder: Path,
    *,
    noises: Sequence[Path] = (),
    progress: Callable[[Event], None] = lambda _event: None,
) -> ModelCard:
    """
    Train an encoder; an interrupted training in `folder` with the same settings is continued.

    Args:
        tracks: Candidates; recordings without consent are counted and not used.
        settings: Task, initial weights and hyper-parameters.
        folder: Output folder for weights, version and model card.
        noises: Files of recorded noise, for tasks that mix it in.
        progress: Called after each epoch with epoch, loss and score.

    Returns:
        The model card.

    Raises:
        InputError: Fewer readable recordings have consent than a batch needs.
    """
    allowed = {"granted", "unknown"} if settings.with_unknown else {"granted"}
    task = plugin(TASKS, settings.task)
    inputs = [data for track in tracks if track.consent in allowed if (data := task.prepare(track.path)) is not None]
    if len(inputs) < settings.batch_size:
        raise InputError(
            f"training: found {len(inputs)} readable recordings with consent, expected at least {settings.batch_size}. "
            "Deliver training_consent with the tracks, or lower batch_size"
        )
    noise = [data for path in noises if (data := task.prepare(path)) is not None]
    losses, encoder = _fit(_Data(task, inputs, noise, settings), folder, progress)
    version = f"own-{_weights_hash(encoder)}-{task.FORMAT}"
    counts = {
        consent: sum(track.consent == consent for track in tracks) for consent in ("granted", "unknown", "denied")
    }
    n_allowed = sum(counts[consent] for consent in allowed)
    card = ModelCard(
        version=version,
        n_granted=counts["granted"],
        n_unknown=counts["unknown"],
        n_denied=counts["denied"],
        n_trained=len(inputs),
        n_unreadable=n_allowed - len(inputs),
        losses=losses,
        settings=asdict(settings),
    )
    save_tensors(folder / WEIGHTS, encoder.state_dict())
    files.write_text(folder / VERSION, version + "\n")
    files.write_json(folder / CARD, asdict(card))
    files.remove(folder / STATE)
    return card


@dataclass(frozen=True, eq=False)
class _Data:
    """Prepared recordings and noise, with the task and settings that make batches of them."""

    task: ModuleType
    inputs: Sequence[torch.Tensor]
    noises: Sequence[torch.Tensor]
    settings: TrainSettings

    def batches(self, *seed: int) -> Iterator[Any]:
        rng = np.random.default_rng([self.settings.seed, *seed])
        batches: Iterator[Any] = self.task.batches(self.inputs, self.settings.batch_size, rng, noises=self.noises)
        return batches


def _fit(data: _Data, folder: Path, progress: Callable[[Event], None]) -> tuple[list[float], nn.Module]:
    task, settings = data.task, data.settings
    torch.manual_seed(settings.seed)
    encoder: nn.Module = task.network(settings.start)
    optimizer = torch.optim.Adam(encoder.parameters(), settings.learning_rate)
    losses = _resume(folder / STATE, settings, encoder, optimizer)
    for epoch in range(len(losses), settings.epochs):
        optimizer.param_groups[0]["lr"] = settings.learning_rate * (1 + cos(pi * epoch / settings.epochs)) / 2
        encoder.train()
        batch_losses = [_step(task, encoder, optimizer, batch) for batch in _prefetched(data.batches(epoch))]
        encoder.eval()
        losses.append(float(np.mean(batch_losses)))
        _save_state(folder / STATE, settings, losses, encoder, optimizer)
        progress({"epoch": epoch + 1, "loss": losses[-1], "score": task.score(encoder, next(data.batches()))})
    return losses, encoder.eval()


def _prefetched(batches: Iterator[Any]) -> Iterator[Any]:
    """Prepare the next batch in a thread while the network trains on the current one."""
    with ThreadPoolExecutor(1) as worker:
        pending = worker.submit(next, batches, None)
        while (batch := pending.result()) is not None:
            pending = worker.submit(next, batches, None)
            yield batch


def _step(task: ModuleType, encoder: nn.Module, optimizer: torch.optim.Optimizer, batch: Any) -> float:
    loss = task.loss(encoder, batch)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return float(loss.detach())


def _save_state(
    path: Path, settings: TrainSettings, losses: list[float], encoder: nn.Module, optimizer: torch.optim.Optimizer
) -> None:
    steps = optimizer.state_dict()["state"].items()
    save_tensors(
        path,
        {
            "settings": _as_tensor(settings),
            "losses": torch.tensor(losses, dtype=torch.float64),
            **{f"encoder/{name}": value for name, value in encoder.state_dict().items()},
            **{f"steps/{number}/{name}": value for number, values in steps for name, value in values.items()},
        },
    )


def _resume(path: Path, settings: TrainSettings, encoder: nn.Module, optimizer: torch.optim.Optimizer) -> list[float]:
    """Load the state of an interrupted training with the same settings; return the losses of its finished epochs."""
    if not path.exists():
        return []
    tensors = read_tensors(path)
    if not torch.equal(tensors["settings"], _as_tensor(settings)):
        return []
    encoder.load_state_dict(_part(tensors, "encoder/"))
    steps: dict[int, Tensors] = {}
    for name, value in _part(tensors, "steps/").items():
        number, quantity = name.split("/")
        steps.setdefault(int(number), {})[quantity] = value
    optimizer.load_state_dict(optimizer.state_dict() | {"state": steps})
    losses: list[float] = tensors["losses"].tolist()
    return losses


def _part(tensors: Tensors, prefix: str) -> Tensors:
    return {name.removeprefix(prefix): value for name, value in tensors.items() if name.startswith(prefix)}


def _as_tensor(settings: TrainSettings) -> torch.Tensor:
    """Return settings as the bytes of their JSON text, to be stored beside tensors, shape (n_bytes,), uint8."""
    return torch.tensor(list(json.dumps(asdict(settings)).encode()), dtype=torch.uint8)


def _weights_hash(encoder: nn.Module) -> str:
    """Return eight hex digits of the SHA-256 of the weights."""
    values = b"".join(value.numpy().tobytes() for value in encoder.state_dict().values())
    return sha256(values).hexdigest()[:8]
