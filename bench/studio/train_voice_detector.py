"""
Train the voice detector on speech and music, print what it refuses of both, and write its weights into the package.

The point of decision lets one of two hundred sounds of music of the training pass. Figures on the test part
(`bench.studio.voices`) are those that `bench.studio.denoise` prints.
"""

from pathlib import Path
from tempfile import mkdtemp

import click
import numpy as np

from bench.options import benchmark, size

REGULARIZATION = 0.1  # inverse strength, of scikit-learn
MAX_PASSED = 0.005  # share of music in the training that may pass


@benchmark(headline=r"of music (\d+\.\d+) %")
@click.option("--originals", type=click.Path(path_type=Path), help="Folder with a folder per unpacked Debian package.")
@size("--sounds", "n", type=click.IntRange(min=6), default=300, smallest=6)
@size(
    "--folder", type=click.Path(path_type=Path, file_okay=False), default=None, smallest=mkdtemp, help="Of the weights."
)
def main(originals: Path | None, n: int, folder: Path | None) -> None:
    """Fit on half of the speech and of the music, write, and print shares that pass in the test half."""
    import torch
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import cross_val_predict

    from bench.studio.voices import sounds
    from recsys.audio.denoise.detector import ENCODER, PATH, VoiceDetector, vector_of
    from recsys.audio.embedding.pretrained import pretrained

    torch.set_num_threads(1)
    encoder = pretrained(ENCODER)
    drawn = [(vector_of(encoder, sound.mono), sound.is_voice) for sound in sounds("tune", n, originals)]
    vectors = np.stack([vector for vector, _ in drawn if vector is not None])
    is_voice = np.array([voice for vector, voice in drawn if vector is not None])
    regression = LogisticRegression(C=REGULARIZATION, max_iter=1_000)
    held_out = cross_val_predict(regression, vectors, is_voice, cv=3, method="decision_function")
    threshold = max(0.0, float(np.quantile(held_out[~is_voice], 1 - MAX_PASSED)))
    regression.fit(vectors, is_voice)
    weights = torch.from_numpy(regression.coef_[0].astype(np.float32))
    detector = VoiceDetector(encoder, weights, float(regression.intercept_[0]) - threshold)
    detector.save((folder or PATH.parent) / PATH.name)
    passed = held_out > threshold
    print(f"{len(drawn)} sounds, passed as voice in cross-validation: of speech {100 * passed[is_voice].mean():.1f} %,")
    print(f"of music {100 * passed[~is_voice].mean():.1f} %")


if __name__ == "__main__":
    main()
