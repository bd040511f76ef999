"""
Train the head of instruments on rendered pieces, and write its weights into the package.

The regularisation is chosen on pieces with programs (MIDI instruments) that training never met. Probabilities are
calibrated on held-out scores: of training pieces by heads that were trained on other tunes, and of as many validation
pieces as there are programs that nobody has met among all. A tag whose calibration fails on the half of the tunes that
was not used to fit is left out, with the reason. `bench.tags` has the test. The weights contain no tune.
"""

from pathlib import Path
from tempfile import mkdtemp

import click

from bench.options import audio_folder, benchmark, data_folder, size


@benchmark(headline=r"(\d+) instruments")
@size("--pieces", "n_pieces", default=1_200, smallest=20, help="Rendered pieces to train on; half for validation.")
@size(
    "--out",
    type=click.Path(path_type=Path),
    default=None,
    smallest=lambda: f"{mkdtemp()}/head.npz",
    help="File; without it, that of the package.",
)
@size("--real", "n_real", default=120, smallest=2, help="Real recordings to tell rendered pieces from.")
@click.option("--cache", type=click.Path(path_type=Path), help="Folder that keeps the vectors of rendered pieces.")
def main(n_pieces: int, out: Path | None, n_real: int, cache: Path | None) -> None:
    """Render pieces, train the head and write it."""
    from bench.tags.instrument_training import train
    from bench.tags.instruments import real_recordings, rendered
    from recsys.audio.embedding.instruments import PATH

    data_folder(), audio_folder()  # raise before any work
    pieces, unseen = rendered("train", n_pieces, cache), rendered("validation", n_pieces // 2, cache)
    head = train(pieces, unseen, real_recordings(n_real, cache))
    head.save(out or PATH)
    print(f"{len(head.tags)} instruments: {', '.join(head.tags)}")


if __name__ == "__main__":
    main()
