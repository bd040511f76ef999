"""
Train a melody model and report what it memorised: what `recsys compose train` calls.

Training takes the consent of whoever wrote the music; the command asks for it, and the card counts it.
"""

from pathlib import Path

import numpy as np

from recsys.compose.controls import Controls
from recsys.compose.model import SHIPPED, MelodyModel
from recsys.compose.network import Training, bits_per_note, train
from recsys.compose.originality import KnownTunes
from recsys.compose.sketch import read_sketches
from recsys.compose.suggest import new_melody
from recsys.compose.tokens import encoded
from recsys.errors import InputError
from recsys.matching.tunes.melody import melody_of
from recsys.synth.tune import Tune

LEAST_TUNES, LEAST_NOTES = 3, 12
N_DRAWN, HELD_OUT_EVERY = 40, 10  # melodies for the memorisation report; every tenth tune is held out
EPOCHS, LEARNING_RATE = 12, 1e-3  # of further training on a writer's music


def learn(
    tunes: list[Tune],
    held_out: list[Tune],
    *,
    epochs: int,
    licence: str,
    source: str,
    further: MelodyModel | None = None,
) -> MelodyModel:
    """
    Train a model.

    Args:
        tunes: Tunes to learn from, at least one.
        held_out: Tunes that it is measured on; may be empty.
        epochs: Passes over the tunes.
        licence: Licence of the weights, for the card.
        source: What the tunes are, for the card.
        further: The model whose network is trained further, more gently; None begins anew.
    """
    training = Training(epochs=epochs, learning_rate=LEARNING_RATE) if further else Training(epochs=epochs)
    network = train([encoded(tune) for tune in tunes], training, further.network if further else None)
    learnt = tuple(melody_of(tune) for tune in tunes)
    card = {
        "learnt_from": source,
        "licence": licence,
        "n_tunes": len(tunes),
        "n_notes": sum(len(melody) for melody in learnt),
        "consent": {"granted": len(tunes), "unknown": 0, "denied": 0},
        "n_held_out": len(held_out),
        "bits_per_note": bits_per_note(network, [encoded(tune) for tune in held_out]) if held_out else None,
        "epochs": epochs,
    }
    model = MelodyModel(network, (*learnt, *(further.learnt if further else ())), card)
    return MelodyModel(network, model.learnt, card | {"memorisation": memorised(model)})


def memorised(model: MelodyModel) -> dict[str, float]:
    """Draw melodies without the gate, and return how many there are and the share of those with a copied run."""
    known, rng = KnownTunes(model.learnt), np.random.default_rng(0)
    drawn = [new_melody(model, Controls(n_bars=8), rng) for _ in range(N_DRAWN)]
    return {"n_drawn": N_DRAWN, "share_with_a_copy": sum(known.copies(tune) > 0 for tune in drawn) / N_DRAWN}


def learn_from_folder(folder: Path) -> tuple[MelodyModel, list[str]]:
    """
    Train the shipped model further on a writer's music.

    Returns:
        The model, and the names of the tunes that it learnt from.

    Raises:
        InputError: The folder has too few melodies.
    """
    tunes = [tune for tune in read_sketches(folder) if len(tune.notes) >= LEAST_NOTES]
    if len(tunes) < LEAST_TUNES:
        raise InputError(
            f"{folder}: found {len(tunes)} melodies of {LEAST_NOTES} notes or more, expected at least {LEAST_TUNES}. "
            "Add files of ABC, MIDI or MusicXML"
        )
    held_out = tunes[HELD_OUT_EVERY - 1 :: HELD_OUT_EVERY]
    kept = [tune for place, tune in enumerate(tunes) if (place + 1) % HELD_OUT_EVERY]
    licence = "the writer's own: the music was given by its writer with consent to training"
    shipped = MelodyModel.read(SHIPPED)
    model = learn(kept, held_out, epochs=EPOCHS, licence=licence, source="a writer's music", further=shipped)
    return model, [tune.name for tune in kept]
