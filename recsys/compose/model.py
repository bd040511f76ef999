"""
A melody model as a folder: the network's weights, the tunes that it learnt from, and its card.

The shipped one learnt from tunes that our own generator made up; `recsys compose train` trains one on a writer's music.
The tunes are kept because no suggestion may copy them.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np

from recsys.compose import network as networks
from recsys.compose.network import MelodyNetwork
from recsys.compose.tokens import TICKS
from recsys.errors import SetupError
from recsys.files import new_folder, write_text
from recsys.matching.tunes.melody import Melody

SHIPPED = Path(__file__).parent / "weights"
WEIGHTS, TUNES, CARD = "melody.npz", "tunes.npz", "card.json"


@dataclass(frozen=True)
class MelodyModel:
    """
    A trained network, and what it learnt from.

    Attributes:
        network: The network.
        learnt: The melodies that it learnt from.
        card: The model card: counts, figures and licence.
    """

    network: MelodyNetwork
    learnt: tuple[Melody, ...]
    card: dict[str, Any]

    @classmethod
    def read(cls, folder: Path) -> Self:
        """
        Read a model.

        Raises:
            SetupError: A file is missing or damaged.
        """
        try:
            card = json.loads((folder / CARD).read_text(encoding="utf-8"))
            with np.load(folder / TUNES, allow_pickle=False) as arrays:
                learnt = _unpacked(arrays["name"], arrays["n_notes"], arrays["pitch"], arrays["ticks"])
        except (OSError, ValueError, KeyError) as error:
            raise SetupError(
                f"{folder} is not a complete melody model: {error}. Train it again, or reinstall"
            ) from error
        return cls(networks.load(folder / WEIGHTS), learnt, card)

    def write(self, folder: Path) -> None:
        """Write the model as a folder, which replaces any other there."""
        with new_folder(folder) as partial:
            networks.save(self.network, partial / WEIGHTS)
            np.savez_compressed(partial / TUNES, allow_pickle=False, **_packed(self.learnt))
            write_text(partial / CARD, json.dumps(self.card, indent=1) + "\n")


def _packed(melodies: tuple[Melody, ...]) -> dict[str, Any]:
    """Return melodies as arrays: names, numbers of notes, and the pitches and lengths [ticks] of all notes."""
    return {
        "name": np.array([melody.name for melody in melodies]),
        "n_notes": np.array([len(melody) for melody in melodies], np.int32),
        "pitch": np.concatenate([melody.pitch for melody in melodies]).astype(np.uint8),
        "ticks": np.concatenate([np.round(melody.iois * TICKS) for melody in melodies])
        .clip(1, 65535)
        .astype(np.uint16),
    }


def _unpacked(names: Any, n_notes: Any, pitch: Any, ticks: Any) -> tuple[Melody, ...]:
    ends = np.cumsum(n_notes)
    return tuple(
        _melody(str(name), pitch[end - n : end].astype(np.int64), ticks[end - n : end] / TICKS)
        for name, n, end in zip(names, n_notes.tolist(), ends.tolist(), strict=True)
    )


def _melody(name: str, pitch: Any, lengths: Any) -> Melody:
    onset = np.cumsum(lengths) - lengths
    return Melody(name, onset, lengths, pitch, (onset // 4).astype(np.int64) + 1)
