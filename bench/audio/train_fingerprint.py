"""
Train the fingerprint network on real music and recorded noise, and write its weights into the package.

Takes about 35 minutes on two cores; an interrupted training resumes where it stopped. All recordings come from packages
of Debian's main archive, which accepts only licences that allow this use. The weights contain no recording.
`bench.matching` evaluates them on other packages and other noise.
"""

from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import click

import recsys.audio
from bench.audio.recordings import noises, recordings
from bench.options import audio_folder, benchmark, size, size_argument

DEFAULT_FOLDER = Path(recsys.audio.__file__).with_name("weights") / "fingerprint"


@benchmark(headline=r"loss (\d+\.\d{3})")
@size_argument("folder", type=click.Path(path_type=Path, file_okay=False), default=DEFAULT_FOLDER, smallest=mkdtemp)
@size("--recordings", "n", default=1_000, smallest=20, help="Training recordings, at most.")
@size("--epochs", "n_epochs", default=30, smallest=1, help="Training epochs.")
def main(folder: Path, n: int, n_epochs: int) -> None:
    """Train the network and print loss and accuracy after every epoch."""
    from recsys.audio.training.train import TrainingTrack, TrainSettings, train

    settings = TrainSettings(task="fingerprint", start="random", epochs=n_epochs, batch_size=20, learning_rate=1e-3)
    audio = audio_folder()
    tracks = [TrainingTrack(path, "granted") for path in recordings(audio)["train"][:n]]
    card = train(tracks, settings, folder, noises=noises(audio)["train"][:n], progress=_print_epoch)
    print(f"{card.version} in {folder}, trained on {card.n_trained} recordings for {n_epochs} epochs")


def _print_epoch(event: dict[str, Any]) -> None:
    print(
        f"epoch {event['epoch']}: loss {event['loss']:.3f}, "
        f"{event['score']:.1%} of distorted one-second windows find their original among 280",
        flush=True,
    )


if __name__ == "__main__":
    main()
