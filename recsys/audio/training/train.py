"""
Train an encoder on a catalogue: from nothing, or from the pretrained weights on.

Only recordings whose holder has granted training are heard; a caller may add those of whom nothing is known, never
those who denied it. Training goes on where it was cut off: after every epoch all of it is on disk. The same recordings,
settings and threads give the same weights.
"""

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
from recsys.errors import InputError
from recsys.installation.plugins import plugin

STATE, CARD = "state.pt", "card.json"
TASKS = "recsys.audio.training.tasks"
Event = dict[str, Any]


@dataclass(frozen=True)
class TrainingTrack:
    """A recording that could be learned from: its file, and whether its holder allows it."""

    path: Path
    consent: Literal["granted", "denied", "unknown"]


@dataclass(frozen=True)
class TrainSettings:
    """
    How an encoder is trained.

    Attributes:
        task: A module of `recsys.audio.training.tasks`.
        start: From the pretrained weights, or from random ones.
        epochs: Times that every recording is heard.
        batch_size: Recordings compared at a time.
        learning_rate: Of Adam in the first epoch; it falls to nothing along a cosine.
        with_unknown: Whether recordings of whose consent nothing is known are heard too.
        seed: Of weights and pieces.
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
    What an encoder was trained on, and how.

    Attributes:
        version: Names its weights.
        n_granted, n_unknown, n_denied: Recordings by consent.
        n_heard: Those that were learned from.
        n_unreadable: Those that would have been, but cannot be decoded.
        losses: Mean loss of each epoch.
        settings: How.
    """

    version: str
    n_granted: int
    n_unknown: int
    n_denied: int
    n_heard: int
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
    Train an encoder; what `folder` holds of an interrupted training with these settings is gone on from.

    Args:
        tracks: Candidates; those without consent are counted and left out.
        settings: How.
        folder: Where the encoder is written: weights, version, model card.
        noises: Recorded noise, for tasks that mix it in.
        progress: Called after every epoch with epoch, loss and score.

    Raises:
        InputError: Fewer recordings than a batch may be heard.
    """
    allowed = {"granted", "unknown"} if settings.with_unknown else {"granted"}
    task = plugin(TASKS, settings.task)
    heard = [sound for track in tracks if track.consent in allowed if (sound := task.prepare(track.path)) is not None]
    if len(heard) < settings.batch_size:
        raise InputError(
            f"{len(heard)} recordings may be learned from, at least {settings.batch_size} expected. "
            "Is training_consent delivered with the tracks? A smaller batch_size needs fewer"
        )
    around = [sound for path in noises if (sound := task.prepare(path)) is not None]
    losses, encoder = _learned(_Lesson(task, heard, around, settings), folder, progress)
    version = f"own-{_fingerprint(encoder)}-{task.FORMAT}"
    counts = {
        consent: sum(track.consent == consent for track in tracks) for consent in ("granted", "unknown", "denied")
    }
    n_asked = sum(counts[consent] for consent in allowed)
    card = ModelCard(
        version=version,
        n_granted=counts["granted"],
        n_unknown=counts["unknown"],
        n_denied=counts["denied"],
        n_heard=len(heard),
        n_unreadable=n_asked - len(heard),
        losses=losses,
        settings=asdict(settings),
    )
    files.write_atomically(folder / WEIGHTS, lambda path: torch.save(encoder.state_dict(), path))
    files.write_text(folder / VERSION, version + "\n")
    files.write_json(folder / CARD, asdict(card))
    files.remove(folder / STATE)
    return card


@dataclass(frozen=True, eq=False)
class _Lesson:
    """What is learned, from what, and how."""

    task: ModuleType
    heard: Sequence[torch.Tensor]
    noises: Sequence[torch.Tensor]
    settings: TrainSettings

    def batches(self, *seed: int) -> Iterator[Any]:
        rng = np.random.default_rng([self.settings.seed, *seed])
        batches: Iterator[Any] = self.task.batches(self.heard, self.settings.batch_size, rng, noises=self.noises)
        return batches


def _learned(lesson: _Lesson, folder: Path, progress: Callable[[Event], None]) -> tuple[list[float], nn.Module]:
    task, settings = lesson.task, lesson.settings
    torch.manual_seed(settings.seed)
    encoder: nn.Module = task.network(settings.start)
    steps = torch.optim.Adam(encoder.parameters(), settings.learning_rate)
    losses = _resumed(folder / STATE, settings, encoder, steps)
    for epoch in range(len(losses), settings.epochs):
        steps.param_groups[0]["lr"] = settings.learning_rate * (1 + cos(pi * epoch / settings.epochs)) / 2
        encoder.train()
        found = [_step(task, encoder, steps, batch) for batch in _ahead(lesson.batches(epoch))]
        encoder.eval()
        losses.append(float(np.mean(found)))
        state = {
            "settings": asdict(settings),
            "losses": losses,
            "encoder": encoder.state_dict(),
            "steps": steps.state_dict(),
        }
        files.write_atomically(folder / STATE, lambda path, state=state: torch.save(state, path))  # type: ignore[misc]
        progress({"epoch": epoch + 1, "loss": losses[-1], "score": task.score(encoder, next(lesson.batches()))})
    return losses, encoder.eval()


def _ahead(batches: Iterator[Any]) -> Iterator[Any]:
    """Make the next batch while the network learns from this one."""
    with ThreadPoolExecutor(1) as worker:
        coming = worker.submit(next, batches, None)
        while (batch := coming.result()) is not None:
            coming = worker.submit(next, batches, None)
            yield batch


def _step(task: ModuleType, encoder: nn.Module, steps: torch.optim.Optimizer, batch: Any) -> float:
    loss = task.loss(encoder, batch)
    steps.zero_grad()
    loss.backward()
    steps.step()
    return float(loss.detach())


def _resumed(path: Path, settings: TrainSettings, encoder: nn.Module, steps: torch.optim.Optimizer) -> list[float]:
    """Take up an interrupted training of the same settings; return the losses of its epochs."""
    if not path.exists():
        return []
    state = torch.load(path, weights_only=True)
    if state["settings"] != asdict(settings):
        return []
    encoder.load_state_dict(state["encoder"])
    steps.load_state_dict(state["steps"])
    return list(state["losses"])


def _fingerprint(encoder: nn.Module) -> str:
    """Name weights by their values: eight hex digits."""
    values = b"".join(value.numpy().tobytes() for value in encoder.state_dict().values())
    return sha256(values).hexdigest()[:8]
