"""Training of encoders: consent, learning, interruption, and use of the result."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from typing_extensions import override

from recsys.audio.embedding.embed import Embedder
from recsys.audio.training.tasks import contrastive
from recsys.audio.training.train import TrainingTrack, TrainSettings, train
from recsys.errors import InputError

from .conftest import recording

SETTINGS = TrainSettings(epochs=2, batch_size=4, learning_rate=1e-3, start="random")


@pytest.fixture
def tracks(encode: Callable[..., Path]) -> list[TrainingTrack]:
    """Nine chords of 3 s; consent: five granted, two unknown, one denied, one granted but unreadable."""
    t = np.arange(3 * 16_000) / 16_000
    consents = ["granted"] * 5 + ["unknown"] * 2 + ["denied", "granted"]
    made = []
    for number, consent in enumerate(consents):
        wave = sum(np.sin(2 * np.pi * hz * t) for hz in (110 * 1.3**number, 150 * 1.3**number))
        path = encode(f"t{number}.flac", (0.2 * np.asarray(wave))[None].astype(np.float32), 16_000)
        made.append(TrainingTrack(path, consent))  # type: ignore[arg-type]
    made[-1].path.write_bytes(b"no music")
    return made


@pytest.mark.slow
def test_only_recordings_with_consent_are_used(tracks: list[TrainingTrack], tmp_path: Path) -> None:
    """The model card counts consents; recordings of unknown consent are added by choice, denied ones never."""
    strict = train(tracks, replace(SETTINGS, epochs=1), tmp_path / "strict")
    wide = train(tracks, replace(SETTINGS, epochs=1, with_unknown=True), tmp_path / "wide")

    assert (strict.n_granted, strict.n_unknown, strict.n_denied) == (6, 2, 1)
    assert (strict.n_trained, strict.n_unreadable) == (5, 1)
    assert wide.n_trained == 7
    assert json.loads((tmp_path / "strict" / "card.json").read_text())["n_denied"] == 1


def test_too_few_recordings_are_refused(tracks: list[TrainingTrack], tmp_path: Path) -> None:
    """Contrastive training needs a batch of recordings to compare."""
    with pytest.raises(InputError, match="found 0 readable recordings with consent, expected at least 4"):
        train(tracks[5:8], SETTINGS, tmp_path)


@pytest.mark.slow
def test_interrupted_training_ends_with_the_same_weights(tracks: list[TrainingTrack], tmp_path: Path) -> None:
    """It continues with the next epoch, and training is reproducible."""

    def stop(_event: object) -> None:
        raise KeyboardInterrupt

    whole = train(tracks, SETTINGS, tmp_path / "whole")
    with pytest.raises(KeyboardInterrupt):
        train(tracks, SETTINGS, tmp_path / "cut", progress=stop)
    events: list[dict[str, object]] = []
    resumed = train(tracks, SETTINGS, tmp_path / "cut", progress=events.append)

    assert resumed.version == whole.version
    assert resumed.losses == whole.losses
    assert [event["epoch"] for event in events] == [2]


@pytest.mark.slow
def test_a_trained_encoder_is_loaded_by_its_folder(tracks: list[TrainingTrack], tmp_path: Path) -> None:
    """Its vectors have its own version; the tags are those of the pretrained networks."""
    card = train(tracks, replace(SETTINGS, epochs=1, start="pretrained"), tmp_path / "own")
    own, default = Embedder.load(str(tmp_path / "own")), Embedder.load("musicnn")
    noise = (0.1 * np.random.default_rng(7).standard_normal(50_000)).astype(np.float32)

    first, second = own.embed(recording(noise)), default.embed(recording(noise))

    assert own.version == card.version != default.version
    assert first is not None
    assert second is not None
    assert first.vector.tolist() != second.vector.tolist()
    assert first.tags == second.tags


def test_the_loss_falls_with_similarity() -> None:
    """It is near 0 if the pieces of each recording have equal vectors, and above 1 for random vectors."""

    class Fixed(torch.nn.Module):
        def __init__(self, vectors: torch.Tensor) -> None:
            super().__init__()
            self.vectors = vectors

        @override
        def forward(self, _batch: torch.Tensor) -> object:
            return type("Output", (), {"mean": self.vectors})()

    rng = np.random.default_rng(7)
    paired = torch.from_numpy(rng.standard_normal((4, 16)).astype(np.float32)).repeat(2, 1)
    unpaired = torch.from_numpy(rng.standard_normal((8, 16)).astype(np.float32))

    assert float(contrastive.loss(Fixed(paired), torch.zeros(8))) < 0.2  # type: ignore[arg-type]
    assert contrastive.score(Fixed(paired), torch.zeros(8)) == 1  # type: ignore[arg-type]
    assert float(contrastive.loss(Fixed(unpaired), torch.zeros(8))) > 1  # type: ignore[arg-type]


def test_batches_hold_two_pieces_of_each_recording() -> None:
    """Every recording once, short ones repeated; the same seed gives the same pieces."""
    mels = [torch.full((n, 96), float(number + 1)).half() for number, n in enumerate((50, 187, 400, 1_000))]

    (batch,) = contrastive.batches(mels, 4, np.random.default_rng(7))
    (again,) = contrastive.batches(mels, 4, np.random.default_rng(7))

    assert batch.shape == (8, 187, 96)
    assert torch.equal(batch, again)
    levels = batch.flatten(1).median(dim=1).values
    assert (levels[:4].round() == levels[4:].round()).all()
    assert sorted(levels[:4].round().tolist()) == [1, 2, 3, 4]
