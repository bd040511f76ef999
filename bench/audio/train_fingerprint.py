"""
Train the fingerprint network on real music, recorded noise and speech, and write its weights into the package.

It starts from the shipped weights, or from random ones, which takes more epochs. An epoch takes about three minutes on
one core; an interrupted training resumes where it stopped. All recordings come from packages of Debian's main archive,
which accepts only licences that allow this use; eSpeak NG makes the speech. The weights contain no recording.
`bench.matching` evaluates them on other packages, other noise and other speech.
"""

from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory, mkdtemp
from typing import Any, Literal

import click

import recsys.audio
from bench.audio.recordings import noises, recordings
from bench.audio.speech import make_speech
from bench.options import audio_folder, benchmark, size, size_argument

DEFAULT_FOLDER = Path(recsys.audio.__file__).with_name("weights") / "fingerprint"
BATCH_SIZE, N_SPEECH = 24, 120
LEARNING_RATES = {"pretrained": 7e-4, "random": 1e-3}


@benchmark(headline=r"loss (\d+\.\d{3})")
@size_argument("folder", type=click.Path(path_type=Path, file_okay=False), default=DEFAULT_FOLDER, smallest=mkdtemp)
@size("--recordings", "n", default=1_000, smallest=6, help="Training recordings, at most.")
@size("--epochs", "n_epochs", default=8, smallest=1, help="Training epochs.")
@click.option("--start", type=click.Choice(["pretrained", "random"]), default="pretrained", help="Initial weights.")
def main(folder: Path, n: int, n_epochs: int, start: Literal["pretrained", "random"]) -> None:
    """Train the network and print loss and accuracy after every epoch."""
    from recsys.audio.training.train import TrainingTrack, TrainSettings, train

    settings = TrainSettings(
        task="fingerprint",
        start=start,
        epochs=n_epochs,
        batch_size=min(n, BATCH_SIZE),
        learning_rate=LEARNING_RATES[start],
    )
    audio = audio_folder()
    tracks = [TrainingTrack(path, "granted") for path in recordings(audio)["train"][:n]]
    with TemporaryDirectory() as speech:
        sounds = [*noises(audio)["train"][:n], *make_speech(Path(speech), "train", min(n, N_SPEECH))]
        card = train(
            tracks, settings, folder, noises=sounds, progress=partial(_print_epoch, n_windows=14 * settings.batch_size)
        )
    print(f"{card.version} in {folder}, trained on {card.n_trained} recordings for {n_epochs} epochs")


def _print_epoch(event: dict[str, Any], n_windows: int) -> None:
    print(
        f"epoch {event['epoch']}: loss {event['loss']:.3f}, "
        f"{event['score']:.1%} of distorted one-second windows find their original among {n_windows}",
        flush=True,
    )


if __name__ == "__main__":
    main()
