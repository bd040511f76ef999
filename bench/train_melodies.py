"""
Train the melody model that is shipped, on tunes that our own generator made up, and write it with its card.

    python -m bench.train_melodies --out recsys/compose/weights

Nothing else is learnt from, so the weights have the licence of this package.
"""

from pathlib import Path
from tempfile import mkdtemp

import click
import numpy as np

from bench.options import benchmark, size
from recsys.synth.tune import SCALES, Tune, compose

SEED, HELD_OUT = 33, 0.1  # share of tunes that are not learnt from
PLAIN_SHARE = 0.25  # of tunes by `recsys.synth.tune`; the others are those of bench/audio/made_up.py
LICENCE = "that of this package: all tunes were made up by its own generators"


def generated(n: int, seed: int) -> list[Tune]:
    """Make up n tunes."""
    from bench.audio.made_up import made_up

    rng = np.random.default_rng(seed)
    tunes = []
    for number in range(n):
        name, mode = f"made up {number}", list(SCALES)[number % len(SCALES)]
        tunes.append(compose(name, rng, mode=mode) if rng.random() < PLAIN_SHARE else made_up(name, rng, mode))
    return tunes


@benchmark(headline=r"([\d.]+) bits per note")
@size("--tunes", "n_tunes", default=1_500, smallest=20, help="Tunes to make up.")
@size("--epochs", default=6, smallest=1, help="Passes over them.")
@click.option("--out", type=click.Path(path_type=Path), help="Folder to write to. [default: a temporary one]")
def main(n_tunes: int, epochs: int, out: Path | None) -> None:
    """Train, measure on tunes that were held out, write."""
    from recsys.compose.model import MelodyModel
    from recsys.compose.train import learn

    tunes = generated(n_tunes, SEED)
    n_held_out = int(n_tunes * HELD_OUT)
    model = learn(tunes[n_held_out:], tunes[:n_held_out], epochs=epochs, licence=LICENCE, source="made-up tunes")
    folder = out or Path(mkdtemp())
    MelodyModel.write(model, folder)
    print(f"{model.card['bits_per_note']:.3f} bits per note of held-out tunes; copies {model.card['memorisation']}")
    print(folder)


if __name__ == "__main__":
    main()
