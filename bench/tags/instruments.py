"""
Instruments of rendered pieces: the family of the program that plays the melody, under chords, bass and drums.

Test pieces use tunes and programs that training never met (`bench.audio.rendered`). Pieces last ten seconds. The
vectors of pieces are kept in the folder given by --cache, since rendering and encoding takes most of the time.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from bench.audio.rendered import Piece, pieces, recorded
from recsys import files
from recsys.arrays import F32, I64
from recsys.audio.mel import RATE_HZ
from recsys.synth.arrange import FAMILIES, MELODY, Style, arrange

PIECE_S = 10.0
RENDER_RATE_HZ = 22_050


@dataclass(frozen=True, eq=False)
class Rendered:
    """
    Rendered pieces.

    Attributes:
        vectors: Embeddings by the default encoder. Shape (n, 753).
        mfcc: Means and standard deviations of 20 MFCCs. Shape (n, 40).
        family: Number of the melody's family in `MELODY`. Shape (n,).
        tune: Name of the tune. Shape (n,).
    """

    vectors: F32
    mfcc: F32
    family: I64
    tune: np.ndarray

    @property
    def has_family(self) -> F32:
        """1 for the family of each piece, 0 for others. Shape (n, n_families)."""
        hot: F32 = np.eye(len(MELODY), dtype=np.float32)[self.family]
        return hot


def rendered(part: str, n: int, cache: Path | None) -> Rendered:
    """Return n pieces of a part ('train', 'validation' or 'test'), from the cache if it has them."""
    path = None if cache is None else cache / f"{part}-{n}-tunes.npz"
    if path is None or not path.exists():
        arrays = _render(part, n)
        if path is not None:
            files.write_atomically(path, lambda partial: _save(partial, arrays))
    else:
        with np.load(path, allow_pickle=False) as stored:
            arrays = {name: stored[name] for name in stored.files}
    family = np.array([MELODY.index(str(name)) for name in arrays["family"]])
    return Rendered(arrays["vectors"], arrays["mfcc"], family, arrays["tune"])


def _save(path: Path, arrays: dict[str, np.ndarray]) -> None:
    with path.open("wb") as file:
        np.savez(file, allow_pickle=False, **arrays)


def _render(part: str, n: int) -> dict[str, np.ndarray]:
    from bench.audio.__main__ import by_encoder, mfcc_statistics
    from recsys.audio.embedding.pretrained import pretrained

    embed = by_encoder(pretrained("MSD"))
    drawn = pieces(part, n, balanced_modes=False)
    sounds = [_sound(piece) for piece in drawn]
    return {
        "vectors": np.stack([embed(mono) for mono, _ in sounds]),
        "mfcc": np.stack([mfcc_statistics(mono) for mono, _ in sounds]),
        "family": np.array([family for _, family in sounds]),
        "tune": np.array([piece.tune.name for piece in drawn]),
    }


def _sound(piece: Piece) -> tuple[F32, str]:
    """Return a piece as 16 kHz mono, and the family of its melody."""
    from recsys.audio.signal import Signal
    from recsys.synth.render import render

    rng = np.random.default_rng(piece.seed)
    style = Style.random(rng, programs=piece.programs)
    played = arrange(piece.tune, style, rng, longest_s=PIECE_S)
    samples = recorded(render(played, rate_hz=RENDER_RATE_HZ, longest_s=PIECE_S), rng)
    family = next(name for name, programs in FAMILIES.items() if style.melody in programs)
    return Signal(samples, RENDER_RATE_HZ, "rendered", 0.0).mono(RATE_HZ), family
