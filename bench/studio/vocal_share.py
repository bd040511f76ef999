"""
How well can a scan tell windows of 3 s with a voice from those without, and at what cost? Three ways are compared.

Sounds are 12 s of a real recording, in whose second and last quarter words by eSpeak NG are sung, -9 to 3 dB below or
above the music. Recordings, voices and words of the test are not those of the training (`bench.audio.recordings`,
`bench.studio.mixes`). The ways: the highest vocal tag of the pretrained taggers less the highest tag for none, from
which the column `vocal_share` is made; a logistic regression on the vectors of both taggers, fitted on the sounds of
the training; the share of power that `recsys separate` gives to vocals. Printed are the AUC of windows, with 95 %
intervals bootstrapped over recordings, and the CPU time per recording: the first two use what the scan has computed,
the last separates three excerpts of 6 s.

eSpeak NG is no singer. So the windows without it are a second test: where the separator, which was trained on singers,
gives vocals more than a quarter of the power of a recording, somebody probably sings; where less than a fiftieth,
nobody does. Recordings may have singing of their own, which the first test counts as music.
"""

from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from time import process_time
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from bench.audio import speech
from bench.options import Missing, audio_folder, benchmark, size
from bench.studio.mixes import ESPEAK, WORDS, Half, sung
from bench.studio.voices import MUSIC_PARTS
from recsys.arrays import F32, F64, Bool

if TYPE_CHECKING:
    from sklearn.linear_model import LogisticRegression

    from recsys.audio.separation.separator import Separator

RATE_HZ, WINDOW_S, N_WINDOWS = 16_000, 3, 4
N_WINDOW = 47_984  # samples of a patch of 187 frames of the taggers
VOICE_DB = (-9, 3)  # of the voice over the music
SUNG, NOT_SUNG = 0.25, 0.02  # share of power of vocals, by the separator
REGULARIZATION = 0.01  # inverse strength, of scikit-learn
N_SCANNED = 3  # excerpts of 6 s
N_DRAWN = 500  # of the bootstrap


class Window(NamedTuple):
    """
    3 s of a recording.

    Attributes:
        recording: Number of the recording.
        has_voice: Whether words were added.
        vector: Of both taggers, shape (1506,).
        tags: Highest vocal tag less the highest one for none.
        share: Share of power of the separator's vocals; NaN where it was not asked.
    """

    recording: int
    has_voice: bool
    vector: F32
    tags: float
    share: float


def windows(half: Half, n: int, separator: "Separator | None") -> Iterator[Window]:
    """Yield the windows of n sounds, the same at every call."""
    from bench.audio.recordings import recordings

    rng = np.random.default_rng([8, *half.encode()])
    real = recordings(audio_folder())
    paths = [path for part in MUSIC_PARTS[half] for path in real[part]]
    for number, place in enumerate(rng.permutation(len(paths))[:n]):
        sound, has_voice = _sound(half, number, paths[place], rng)
        shares = _shares(separator, sound) if separator else np.full(N_WINDOWS, np.nan)
        for window, voice, share in zip(np.split(sound, N_WINDOWS), has_voice, shares, strict=True):
            yield Window(number, voice, *described(window), float(share))


def _sound(half: Half, number: int, path: Path, rng: np.random.Generator) -> tuple[F32, list[bool]]:
    """Return music with a voice in every second window."""
    from bench.matching.queries import read_sound

    n = N_WINDOWS * N_WINDOW
    music = np.resize(read_sound(path)[len(read_sound(path)) // 3 :], n).astype(np.float32)
    has_voice = [window % 2 == 1 for window in range(N_WINDOWS)]
    voice = np.resize(_voice(half, number % len(ESPEAK[half])), n) * np.repeat(has_voice, N_WINDOW)
    level = np.sqrt(np.square(music).mean()) / (np.sqrt(np.square(voice[voice != 0]).mean()) + 1e-9)
    mix = music + np.float32(level * 10 ** (rng.uniform(*VOICE_DB) / 20)) * voice
    return np.asarray(mix / (np.abs(mix).max() + 1e-6) * 0.9, np.float32), has_voice


@cache
def _voice(half: Half, number: int) -> F32:
    from recsys.audio.signal import resample

    return resample(sung(ESPEAK[half][number], WORDS[half].split(), np.random.default_rng(number)), 44_100, RATE_HZ)


def described(mono: F32) -> tuple[F32, float]:
    """Return the vector of a window, and what its vocal tags say."""
    import torch

    from recsys.audio.embedding.embed import encode, patches_of, standardised_mean
    from recsys.audio.embedding.tags import voice_scores

    patches = patches_of(mono)
    if patches is None:
        return np.zeros(1506, np.float32), 0.0
    outputs = {tagger: encode(tagger, patches) for tagger in _taggers()}
    vector = np.concatenate([standardised_mean(tagger, output) for tagger, output in outputs.items()])
    confidences = torch.cat([torch.sigmoid(output.logits) for output in outputs.values()], dim=1)
    return vector, float(voice_scores(confidences.numpy())[0])


@cache
def _taggers() -> tuple:  # type: ignore[type-arg]
    from recsys.audio.embedding.pretrained import pretrained
    from recsys.audio.embedding.tags import TRAINING_SETS

    return tuple(pretrained(name) for name in TRAINING_SETS)


def _shares(separator: "Separator", mono: F32) -> F64:
    """Return the share of power of the vocals in each window."""
    from bench.matching.accompaniment import accompaniment

    vocals = mono - accompaniment(separator, mono)
    powers = [np.square(part, dtype=np.float64).reshape(N_WINDOWS, -1).mean(axis=1) for part in (vocals, mono)]
    return np.asarray(powers[0] / (powers[1] + 1e-9))


def _auc(is_voice: Bool, scores: F64, recordings: F64) -> str:
    """Return the AUC with its interval, for printing."""
    from sklearn.metrics import roc_auc_score

    rng, drawn = np.random.default_rng(1), []
    rows = [np.flatnonzero(recordings == recording) for recording in np.unique(recordings)]
    for _ in range(N_DRAWN):
        chosen = np.concatenate([rows[place] for place in rng.integers(len(rows), size=len(rows))])
        if len(set(is_voice[chosen])) == 2:
            drawn.append(roc_auc_score(is_voice[chosen], scores[chosen]))
    if not drawn:
        return "unknown"
    low, high = np.quantile(drawn, [0.025, 0.975])
    return f"{roc_auc_score(is_voice, scores):.3f} [{low:.3f}, {high:.3f}]"


def _table(title: str, is_voice: Bool, scores: Mapping[str, F64], recordings: F64) -> None:
    print(
        f"\n{title}: {len(is_voice)} windows of {len(np.unique(recordings))} recordings, {is_voice.sum()} with a voice"
    )
    for name, values in scores.items():
        print(f"  {name:<22}AUC {_auc(is_voice, values, recordings)}")


def _at_the_margin(is_voice: Bool, tags: F64) -> None:
    """Print what the shipped column `vocal_share` counts as voice."""
    from recsys.audio.embedding.tags import VOICE_MARGIN

    counted = tags > VOICE_MARGIN
    found, false = (f"{counted[of].sum()} of {of.sum()}" for of in (is_voice, ~is_voice))
    print(f"  as in vocal_share: a voice is heard in {found} windows with one, and in {false} without")


def trained(n: int) -> "LogisticRegression":
    """Return a regression fitted on the windows of n sounds of the training."""
    from sklearn.linear_model import LogisticRegression

    training = list(windows("tune", n, None))
    regression = LogisticRegression(C=REGULARIZATION, max_iter=2_000)
    return regression.fit(np.stack([it.vector for it in training]), [it.has_voice for it in training])


@benchmark(headline=r"regression +AUC (\d\.\d+)")
@size("--training", "n_training", default=160, smallest=4, help="Sounds of the training.")
@size("--sounds", "n", default=70, smallest=4, help="Sounds of the test.")
def main(n_training: int, n: int) -> None:
    """Print AUCs and costs."""
    if not speech.is_installed():
        raise Missing("espeak-ng is not on the PATH. Install it (Debian: espeak-ng), and run again")
    import torch

    from recsys.audio.separation.separator import Separator

    torch.set_num_threads(1)
    separator, regression = Separator.load(), trained(n_training)
    test = list(windows("test", n, separator))
    scores = {
        "vocal tags": np.array([it.tags for it in test]),
        "regression": regression.decision_function(np.stack([it.vector for it in test])),
        "separator": np.array([it.share for it in test]),
    }
    recordings, has_voice = (np.array([getattr(it, name) for it in test]) for name in ("recording", "has_voice"))
    _table("words by eSpeak NG over music", has_voice, scores, recordings)
    _at_the_margin(has_voice, scores["vocal tags"])
    shares = scores.pop("separator")
    is_clear = ~has_voice & ((shares > SUNG) | (shares < NOT_SUNG))
    own = {name: values[is_clear] for name, values in scores.items()}
    _table("recordings as they are, by the separator", shares[is_clear] > SUNG, own, recordings[is_clear])
    _at_the_margin(shares[is_clear] > SUNG, own["vocal tags"])
    print(f"\nCPU time per recording: tags and regression below .01 s; separator {_separator_s(separator):.2f} s")


def _separator_s(separator: "Separator") -> float:
    noise = np.random.default_rng(2).standard_normal((2, 6 * 44_100)).astype(np.float32) * np.float32(0.1)
    started = process_time()
    for _ in range(N_SCANNED):
        separator.vocals(noise, 44_100)
    return process_time() - started


if __name__ == "__main__":
    main()
