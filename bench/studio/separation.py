"""
Separation: SDR of vocals and accompaniment, beside a plain rebuild of Spleeter with the same weights; speed and memory.

Mixes are of real music and voices with the same power (`bench.studio.mixes`); with --originals, of music at full rate
and of recorded voices beside those of eSpeak NG. The half "tune" set the constants of `recsys.audio.separation`, the
half "test" influenced nothing. SDR is the power of a true part over that of the error, in dB. The plain rebuild takes
segments of 512 frames without overlap, the mask of the squared estimates, and its mean above 11 kHz.

--multitrack is the recording in the wheel of stempeg (pip download --no-deps stempeg), non-commercial and for
development only: whether the networks are rebuilt correctly shows there. The AUC is that of the share of power that
vocals have in a second, for whether the voice sounds in it, over the mixes and their music alone. Speed and memory are
those of one process with one thread that separates a file of --minutes.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, NamedTuple

import click
import numpy as np

from bench.options import benchmark, size
from bench.studio.ratios import sdr_db
from recsys.arrays import F32, F64

if TYPE_CHECKING:
    from bench.studio.mixes import Half, Mix
    from recsys.audio.separation.separator import Separator

N_SPLIT_S = 30  # of a long file, written at a time
MEASURED_AT = (1 / 6, 1 / 2)  # shares of a long file
SILENT_DB = -40  # relative to the loudest second of a voice, below which it does not sound


def plain_vocals(separator: "Separator", mix: F32) -> F32:
    """Estimate the vocals of 44.1 kHz stereo, shape (2, n), as Spleeter does."""
    import torch
    from torch.nn import functional

    from recsys.audio.separation.unet import HOP, N_BINS, N_FFT, N_FRAMES

    window = torch.hann_window(N_FFT)
    with torch.inference_mode():
        spectra = torch.stft(torch.from_numpy(mix), N_FFT, HOP, window=window, pad_mode="constant", return_complex=True)
        magnitudes, n = spectra[:, :N_BINS].abs().transpose(1, 2), spectra.shape[2]
        segments = torch.split(functional.pad(magnitudes, (0, 0, 0, -n % N_FRAMES)), N_FRAMES, dim=1)
        vocals, others = (
            torch.cat([network(segment[None])[0] for segment in segments], dim=1)[:, :n].transpose(1, 2).square()
            for network in (separator.vocals_network, separator.accompaniment_network)
        )
        mask = (vocals + 5e-11) / (vocals + others + 1e-10)
        above = mask.mean(dim=1, keepdim=True).expand(-1, N_FFT // 2 + 1 - N_BINS, -1)
        stem = spectra * torch.cat([mask, above], dim=1)
        return np.asarray(torch.istft(stem, N_FFT, HOP, window=window, length=mix.shape[1]).numpy(), np.float32)


def own_vocals(separator: "Separator", mix: F32) -> F32:
    """Estimate the vocals of 44.1 kHz stereo as `recsys separate` does."""
    from bench.studio.mixes import RATE_HZ
    from recsys.audio.windows import HOP_S, WINDOW_S, crossfaded

    pairs = crossfaded(
        [mix], partial(separator.vocals, rate_hz=RATE_HZ), n_window=WINDOW_S * RATE_HZ, n_hop=HOP_S * RATE_HZ
    )
    return np.concatenate([vocals for _, vocals in pairs], axis=1)


def multitrack(path: Path, estimates: Mapping[str, Callable[[F32], F32]]) -> None:
    """Print the SDR of both stems of the multitrack, for each way to estimate vocals."""
    import av

    tracks: list[F32] = []
    for number in range(5):
        with av.open(str(path)) as container:
            frames = [frame.to_ndarray() for frame in container.decode(container.streams.audio[number])]
        tracks.append(np.concatenate(frames, axis=1).astype(np.float32))
    mix, vocals, accompaniment = tracks[0], tracks[4], tracks[1] + tracks[2] + tracks[3]
    print(f"Six-second multitrack: vocals {sdr_db(vocals, mix):.1f}, accompaniment {sdr_db(accompaniment, mix):.1f} dB")
    for name, estimate in estimates.items():
        own = estimate(mix)
        print(f"  {name:<15} vocals {sdr_db(vocals, own):.2f}, accompaniment {sdr_db(accompaniment, mix - own):.2f} dB")
    print("  bar for the plain rebuild: vocals 4.6, accompaniment 10.8")


class Scores(NamedTuple):
    """Of a mix: kind of its voice, and the SDR of the vocals by the plain rebuild and by ours [dB]."""

    kind: str
    plain_db: float
    own_db: float


def on_mixes(half: "Half", mixes: Sequence["Mix"], estimates: Mapping[str, Callable[[F32], F32]]) -> None:
    """Print the SDR of the vocals, and the AUC of the share of vocals per second."""
    from sklearn.metrics import roc_auc_score

    scores, truths, shares = [], [], []
    for mix in mixes:
        plain, own = (estimate(mix.sound) for estimate in estimates.values())
        scores.append(Scores(mix.kind, sdr_db(mix.voice, plain), sdr_db(mix.voice, own)))
        power = _by_second(mix.voice)
        truths += [power > power.max() * 10 ** (SILENT_DB / 10), np.zeros(len(power), bool)]
        music = [*estimates.values()][1](mix.music)
        shares += [_by_second(own) / _by_second(mix.sound), _by_second(music) / _by_second(mix.music)]
    length_s = mixes[0].sound.shape[1] / 44_100
    print(f"\nMixes at 0 dB, half '{half}': {len(mixes)} of {length_s:.0f} s; SDR of vocals, median")
    print("voice             n     plain     ours     gain, median   gain, lowest")
    for kind in (*sorted({score.kind for score in scores}), ""):
        _row(kind or "all", [score for score in scores if kind in {"", score.kind}])
    print("bar: a gain of .3 dB in the median of all")
    auc = roc_auc_score(np.concatenate(truths), np.concatenate(shares))
    print(f"AUC of the share of vocals in a second, {sum(map(len, truths))} seconds: {auc:.3f}")


def _by_second(stereo: F32) -> F64:
    """Return the mean power of every second, shape (n_seconds,)."""
    n = stereo.shape[1] // 44_100
    return (
        np.asarray(np.square(stereo[:, : n * 44_100], dtype=np.float64).mean(axis=0).reshape(n, -1).mean(axis=1)) + 1e-9
    )


def _row(name: str, scores: Sequence[Scores]) -> None:
    plain, own = np.array([score.plain_db for score in scores]), np.array([score.own_db for score in scores])
    gains = own - plain
    cells = f"{np.median(plain):9.2f}{np.median(own):9.2f}{np.median(gains):15.2f}{gains.min():15.2f}"
    print(f"{name:<14}{len(scores):5}{cells}")


def speed(mix: F32, minutes: int) -> None:
    """Print speed and memory of the separation of a long file: the peak after a sixth, a half and all of it."""
    from bench.studio.measured import Measured, peak_of_children
    from recsys.audio.sandbox import Workers
    from recsys.audio.separation.stems import STEMS, SeparateFile

    print()
    peaks: dict[float, int] = {}

    def note(_path: Path, done: float) -> None:
        peaks.update({share: peak_of_children() for share in MEASURED_AT if share not in peaks and done >= share})

    with TemporaryDirectory() as folder:
        path = Path(folder) / "long.wav"
        _write_long(path, mix, 60 * minutes)
        task = SeparateFile({path: {stem: path.with_suffix(f".{stem}") for stem in STEMS}}, "wav")
        with Workers(Measured(task), n_workers=1, limit_s=600, limit_bytes=8 << 30) as workers:
            ((_, (cpu_s, peaks[1.0])),) = workers.map([path], note)  # type: ignore[misc]
    print(f"{minutes} minutes in one process: {60 * minutes / cpu_s:.1f} x real time (CPU, with loading)")
    for share, peak_bytes in peaks.items():
        print(f"  peak memory after {share * minutes:4.0f} minutes: {peak_bytes / 2**20:,.0f} MiB")
    print("bar: 12 x real time, and the same memory")


def _write_long(path: Path, mix: F32, length_s: int) -> None:
    """Write a mix again and again."""
    from bench.studio.mixes import RATE_HZ
    from recsys.audio.writing import AudioWriter

    with AudioWriter(path, "wav", RATE_HZ, 2, "float", declared_s=length_s, source=path) as writer:
        for start_s in range(0, length_s, N_SPLIT_S):
            n = min(N_SPLIT_S, length_s - start_s) * RATE_HZ
            writer.write(np.tile(mix, n // mix.shape[1] + 1)[:, :n])


@benchmark(headline=r"all +\d+ +\S+ +\S+ +(-?\d+\.\d+)")
@click.option("--originals", type=click.Path(path_type=Path), help="Folder with a folder per unpacked Debian package.")
@click.option("--multitrack", "stems", type=click.Path(path_type=Path), help="The .stem.mp4 of the wheel of stempeg.")
@click.option("--half", type=click.Choice(["tune", "test"]), default="test", show_default=True)
@size("--mixes", "n", type=click.IntRange(min=1), default=36, smallest=1)
@size("--seconds", "length_s", type=click.IntRange(min=2), default=20, smallest=3)
@size("--minutes", type=click.IntRange(min=0), default=60, smallest=0, help="Length of the long file; 0 measures none.")
def main(originals: Path | None, stems: Path | None, half: "Half", n: int, length_s: int, minutes: int) -> None:
    """Print all tables."""
    import torch

    from bench.studio.mixes import mixes
    from recsys.audio.separation.separator import Separator

    torch.set_num_threads(1)
    separator = Separator.load()
    estimates = {"plain rebuild": partial(plain_vocals, separator), "ours": partial(own_vocals, separator)}
    if stems:
        multitrack(stems, estimates)
    drawn = list(mixes(half, n, length_s, originals))
    on_mixes(half, drawn, estimates)
    if minutes:
        speed(drawn[0].sound, minutes)


if __name__ == "__main__":
    main()
