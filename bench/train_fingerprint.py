"""
Train the fingerprint on real music and recorded noise, and write its weights into the package.

Takes some 35 minutes on two cores; stopped and started again, it goes on where it was. All recordings come from
packages of Debian's main archive, whose rules ask for licences that allow this. The weights hold no recording;
`bench.matching` judges them on other packages and other noise.
"""

from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import click

import recsys.audio
from bench.options import audio_folder, benchmark, size, size_argument
from bench.recordings import noises, recordings

DEFAULT_FOLDER = Path(recsys.audio.__file__).with_name("weights") / "fingerprint"


@benchmark(headline=r"loss (\d+\.\d{3})")
@size_argument("folder", type=click.Path(path_type=Path, file_okay=False), default=DEFAULT_FOLDER, smallest=mkdtemp)
@size("--recordings", "n", default=1_000, smallest=20, help="To learn from, at most.")
@size("--epochs", "n_epochs", default=30, smallest=1, help="Times that every recording is heard.")
def main(folder: Path, n: int, n_epochs: int) -> None:
    """Train, and say after every epoch how it went."""
    from recsys.audio.training.train import TrainingTrack, TrainSettings, train

    settings = TrainSettings(task="fingerprint", start="random", epochs=n_epochs, batch_size=20, learning_rate=1e-3)
    audio = audio_folder()
    tracks = [TrainingTrack(path, "granted") for path in recordings(audio)["train"][:n]]
    card = train(tracks, settings, folder, noises=noises(audio)["train"][:n], progress=_say)
    print(f"{card.version} in {folder}, learned from {card.n_trained} recordings in {n_epochs} epochs")


def _say(event: dict[str, Any]) -> None:
    print(
        f"epoch {event['epoch']}: loss {event['loss']:.3f}, "
        f"{event['score']:.1%} of distorted seconds are found among 280",
        flush=True,
    )


if __name__ == "__main__":
    main()
