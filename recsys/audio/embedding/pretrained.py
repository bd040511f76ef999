"""
The encoder with the weights that the authors of musicnn trained; `recsys/audio/weights/musicnn/CARD.md` describes them.

There are two sets of weights: MSD, trained on the Million Song Dataset with tags by Last.fm listeners; and MTT, trained
on MagnaTagATune with tags by players of a game.
"""

from pathlib import Path

from recsys.audio.embedding.encoder import Encoder
from recsys.audio.weights_file import with_weights

FOLDER = Path(__file__).parents[1] / "weights" / "musicnn"  # written by bench/audio/convert_musicnn.py


def pretrained(training_set: str) -> Encoder:
    """Return the encoder with the weights of a training set ('MSD', 'MTT'), in inference mode."""
    return with_weights(Encoder(), FOLDER / f"{training_set.lower()}.npz")
