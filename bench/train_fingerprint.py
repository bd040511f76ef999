"""
Train the fingerprint on real music and recorded noise, and write its weights into the package.

    RECSYS_AUDIO=... python -m bench.train_fingerprint [folder]

Takes some 35 minutes on two cores; stopped and started again, it goes on where it was. All recordings come from
packages of Debian's main archive, whose rules ask for licences that allow this. The weights hold no recording;
`bench.matching` judges them on other packages and other noise.
"""

import os
import sys
from pathlib import Path

from bench.recordings import noises, recordings
from recsys.audio.fingerprint import SHIPPED
from recsys.audio.train import Event, TrainingTrack, TrainSettings, train

SETTINGS = TrainSettings(task="fingerprint", start="random", epochs=30, batch_size=20, learning_rate=1e-3)


def main() -> None:
    """Train, and say after every epoch how it went."""
    audio = Path(os.environ["RECSYS_AUDIO"])
    tracks = [TrainingTrack(path, "granted") for path in recordings(audio)["train"]]
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else SHIPPED
    card = train(tracks, SETTINGS, folder, noises=noises(audio)["train"], progress=_say)
    print(f"{card.version} in {folder}, learned from {card.n_heard} recordings")


def _say(event: Event) -> None:
    print(
        f"epoch {event['epoch']} of {SETTINGS.epochs}: loss {event['loss']:.3f}, "
        f"{event['score']:.1%} of distorted seconds are found among 280",
        flush=True,
    )


if __name__ == "__main__":
    main()
