"""
Mastering facts against other measurements and planted truth.

Loudness against pyloudnorm and true peak against the waveform oversampled eight times by Fourier transform. Lossy
origin: rendered pieces (tunes and instruments that nothing was tuned on) coded as MP3 and AAC and decoded to 16 bits,
against the same pieces uncoded, steeply low-passed, and plain waves; real cuts of 16 kHz, which have no treble, are
printed apart. Upsampling: pieces raised to 96 kHz. A band moved by 3 dB: against the piece itself, against its other
half, against another master of it (6 dB louder, peaks rounded), and against the other recordings of the same package,
which is what an artist's own releases are; and how many octaves are named where none was moved. Limiter: copies
of loud music, noise and clicks, peaks measured by Fourier transform. Costs: CPU time of the columns of a scan, and the
memory of files of different length.
"""

import resource
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from time import process_time
from typing import NamedTuple

import numpy as np
from scipy.signal import resample, resample_poly

from bench.options import audio_folder, benchmark, size
from bench.studio.ratios import wilson
from recsys.arrays import F32

SEED = 11
PADDING = 4096  # samples of silence at both ends before a Fourier transform
PIECE_S = 24.0
HEARD_DB = -40.0  # a band below this level is not moved


class Peak(NamedTuple):
    """A limited copy: what it was made of, and its true peak over the ceiling [dB]."""

    kind: str
    over_db: float


def true_peak_by_fft(samples: F32) -> float:
    """Return the peak of the eight times oversampled waveform [dBTP], by Fourier transform in parts."""
    highest = 0.0
    for start in range(0, samples.shape[1], 1 << 18):
        part = samples[:, max(0, start - PADDING) : start + (1 << 18) + PADDING].astype(np.float64)
        padded = np.pad(part, ((0, 0), (PADDING, PADDING)))
        wave = np.abs(resample(padded, 8 * padded.shape[1], axis=1))[:, 8 * PADDING : -8 * PADDING]
        inner = slice(8 * (start - max(0, start - PADDING)), 8 * (start - max(0, start - PADDING) + (1 << 18)))
        highest = max(highest, float(wave[:, inner].max()))
    return float(20 * np.log10(highest))


def levels(n: int) -> None:
    """Print the greatest differences of loudness and true peak."""
    import pyloudnorm

    from bench.studio.mastered import RATE_HZ, rendered
    from recsys.audio.features.loudness import loudness
    from recsys.audio.signal import Signal

    lufs, peaks = [], []
    for samples in rendered(n, PIECE_S):
        found = loudness(Signal(samples, RATE_HZ, "pcm_s16le", 0.0))
        other = pyloudnorm.Meter(RATE_HZ, filter_class="DeMan").integrated_loudness(samples.T.astype(np.float64))
        lufs.append(abs((found.loudness_lufs or 0) - other))
        peaks.append(abs((found.true_peak_dbtp or 0) - true_peak_by_fft(samples)))
    print(f"loudness against pyloudnorm, {n} pieces: at most {max(lufs):.3f} LU apart")
    print(f"true peak against a Fourier transform, {n} pieces: at most {max(peaks):.3f} dB apart")


def origin_of(samples: F32) -> float:
    """Return the score of a lossy origin that a scan finds."""
    from bench.studio.mastered import RATE_HZ
    from recsys.audio.features.delivery import delivery
    from recsys.audio.signal import Signal

    return delivery(Signal(samples, RATE_HZ, "pcm_s16le", 0.0)).lossy_origin or 0.0


def origins(n: int, n_real: int) -> None:
    """Print how many coded pieces are listed, and how many others are."""
    from bench.studio.mastered import CODECS, WAVES, coded, cuts, low_passed, raised, rendered, wave
    from recsys.audio.mastering.wording import PROBABLE

    found: dict[str, list[bool]] = {}
    false: dict[str, list[bool]] = {}

    def judge(kind: str, samples: F32, into: dict[str, list[bool]]) -> None:
        into.setdefault(kind, []).append(origin_of(samples) >= PROBABLE)

    for samples in rendered(n, PIECE_S):
        judge("lossless", samples, false)
        judge("low-passed at 16 kHz", low_passed(samples, 16_000), false)
        judge("low-passed at 5 kHz", low_passed(samples, 5_000), false)
        for codec, container, kbps in CODECS:
            judge(f"{container.replace('adts', 'aac')} {kbps}", coded(samples, codec, container, kbps), found)
    rng = np.random.default_rng(SEED)
    for kind in WAVES:
        for hz in rng.uniform(50, 2_000, max(1, n // 4)):
            judge("plain waves", wave(kind, hz, 12), false)
    paths = [path for _, path in cuts(audio_folder())]
    for number in rng.choice(len(paths), n_real, replace=False):
        samples = raised(paths[number], PIECE_S)
        for codec, container, kbps in CODECS:
            kind = f"no treble, {container.replace('adts', 'aac')} {kbps}"
            judge(kind, coded(samples, codec, container, kbps), found)
    for kind, values in found.items():
        print(f"lossy origin, {kind}: {np.mean(values):.3f} of {len(values)} found")
    for kind, values in false.items():
        print(f"no lossy origin, {kind}: {np.mean(values):.3f} of {len(values)} taken for lossy")


def upsampled(n: int) -> None:
    """Print how many raised pieces are found, and how many others are taken for raised."""
    from bench.studio.mastered import RATE_HZ, rendered, to_96_khz
    from recsys.audio.features.delivery import delivery
    from recsys.audio.signal import Signal

    def is_raised(samples: F32, rate_hz: int) -> bool:
        return (delivery(Signal(samples, rate_hz, "pcm_s16le", 0.0)).source_rate_hz or rate_hz) < rate_hz

    raised, plain = [], []
    for samples in rendered(n, 8.0):
        plain.append(is_raised(samples, RATE_HZ))
        raised.append(is_raised(to_96_khz(samples), 96_000))
    print(f"upsampled from 44.1 to 96 kHz: {np.mean(raised):.3f} of {n} found")
    print(f"not upsampled, 44.1 kHz: {np.mean(plain):.3f} of {n} taken for upsampled")


def levels_of(samples: F32, rate_hz: int) -> tuple[float, ...]:
    """Return the band levels of samples."""
    from recsys.audio.features.spectral_balance import SpectrumMeter

    meter = SpectrumMeter(rate_hz)
    meter.add(samples)
    return meter.band_levels() or ()


class Named(NamedTuple):
    """What comparisons say of a recording: whether its moved band is named, how many others; and unmoved, how many."""

    is_right: bool
    n_others: int
    n_unmoved: int

    @classmethod
    def shares(cls, found: list["Named"]) -> str:
        """Return the figures of several comparisons in words, with 95 % intervals."""
        right = wilson(sum(it.is_right for it in found), len(found))
        unmoved = wilson(sum(it.n_unmoved > 0 for it in found), len(found))
        others = np.mean([it.n_others for it in found])
        return f"named in {right} of {len(found)}, with {others:.1f} other octaves; unmoved, one is named in {unmoved}"


def named(samples: F32, rate_hz: int, reference: list[tuple[float, ...]], rng: np.random.Generator) -> Named:
    """Move a band by 3 dB, and say whether the comparison names it, as it is shown, and which others."""
    from bench.studio.mastered import moved
    from recsys.audio.features.spectral_balance import CENTRES_HZ
    from recsys.audio.mastering.balance import Comparison, Reference

    own = levels_of(samples, rate_hz)
    heard = [n for n, level in enumerate(own) if level > HEARD_DB and 1.4 * CENTRES_HZ[n] < rate_hz / 2]
    band = int(rng.choice(heard))
    gain_db = float(rng.choice([-3, 3]))
    changed = moved(samples, rate_hz, CENTRES_HZ[band] / 2**0.5, CENTRES_HZ[band] * 2**0.5, gain_db)
    references = Reference("it", np.array(reference))
    compared = Comparison.of(levels_of(changed, rate_hz), references)
    is_right = bool(compared.is_named[band]) and bool(np.sign(compared.difference_db[band]) == np.sign(gain_db))
    n_others = int(compared.is_named.sum()) - int(compared.is_named[band])
    return Named(is_right, n_others, int(Comparison.of(own, references).is_named.sum()))


def remastered(samples: F32) -> F32:
    """Return another master: 6 dB louder than full scale would allow, with rounded peaks."""
    return np.asarray(np.tanh(2 * samples / (np.abs(samples).max() + 1e-9)), np.float32)


def bands(n: int) -> None:
    """Print how often the moved band is named, how many others are, and how many where none was moved."""
    from bench.studio.mastered import RATE_HZ, cuts_by_package, rendered
    from recsys.audio.signal import read_audio

    rng = np.random.default_rng(SEED)
    found: dict[str, list[Named]] = {}
    for samples in rendered(max(1, n // 4), PIECE_S):
        _against_itself("rendered", samples, RATE_HZ, found, rng)
    n_done = 0
    for paths in cuts_by_package(audio_folder(), 5).values():
        signals = [read_audio(path) for path in paths[: max(5, min(8, n // 10))]]
        cuts = [signal.samples[:, : int(PIECE_S * signal.rate_hz)] for signal in signals]
        known = [levels_of(cut, signal.rate_hz) for cut, signal in zip(cuts, signals, strict=True)]
        for number, signal in enumerate(signals):
            _against_itself("real", cuts[number], signal.rate_hz, found, rng)
            others = [row for place, row in enumerate(known) if place != number]
            of_releases = named(cuts[number], signal.rate_hz, others, rng)
            found.setdefault("real, against others of its package", []).append(of_releases)
        n_done += len(signals)
        if n_done >= n:
            break
    for what, values in found.items():
        print(f"a band moved by 3 dB, {what}: {Named.shares(values)}")


def _against_itself(
    kind: str, samples: F32, rate_hz: int, found: dict[str, list[Named]], rng: np.random.Generator
) -> None:
    """Judge a recording against itself, another master of it, and its other half."""
    half = samples.shape[1] // 2
    pairs = {
        "itself": (samples, samples),
        "another master of it": (samples, remastered(samples)),
        "its other half": (samples[:, :half], samples[:, half:]),
    }
    for what, (judged, reference) in pairs.items():
        values = named(judged, rate_hz, [levels_of(reference, rate_hz)], rng)
        found.setdefault(f"{kind}, against {what}", []).append(values)


def loud_music(n: int) -> Iterator[tuple[str, F32, int]]:
    """Yield music, noise and clicks with peaks up to 14 dB over full scale, at three sampling rates."""
    from bench.studio.mastered import RATE_HZ, rendered

    rng = np.random.default_rng(SEED)
    for number, samples in enumerate(rendered(n, 6.0)):
        kind, gain = ("music", "music", "noise", "clicks")[number % 4], 10 ** (rng.uniform(0, 14) / 20)
        made = samples
        if kind == "noise":
            made = rng.standard_normal(samples.shape).astype(np.float32) * np.float32(0.3)
        if kind == "clicks":
            made = samples.copy()
            made[:, rng.integers(0, samples.shape[1], 40)] = rng.choice([-1, 1])
        rate_hz = (RATE_HZ, 48_000, 96_000)[number % 3]
        if rate_hz == 96_000:
            made = resample_poly(made, 320, 147, axis=1).astype(np.float32)
        yield kind, np.asarray(made * gain, np.float32), rate_hz


def limits(n: int, folder: Path) -> None:
    """Print how many limited copies exceed the ceiling."""
    from soundfile import read, write

    from recsys.audio.mastering.chain import Plan, write_copy

    rng, peaks = np.random.default_rng(SEED), []
    for kind, samples, rate_hz in loud_music(n):
        source, copy = folder / "loud.wav", folder / "limited.wav"
        write(source, samples.T, rate_hz, "FLOAT")
        ceiling = float(rng.choice([-0.3, -1.0, -2.0]))
        write_copy(source, copy, Plan(ceiling_dbtp=ceiling, n_bits=int(rng.choice([16, 24]))))
        peaks.append(Peak(kind, true_peak_by_fft(read(copy, dtype="float32", always_2d=True)[0].T) - ceiling))
    over = [peak for peak in peaks if peak.over_db > 0]
    print(f"limiter: {len(over)} of {n} copies over the ceiling, the highest {max(peaks, key=lambda p: p.over_db)}")


def costs(folder: Path, minutes: int) -> None:
    """Print the share of the new columns in a scan, and the memory that files of different length need."""
    from soundfile import SoundFile

    from bench.studio.mastered import RATE_HZ, rendered
    from recsys.audio.analyse import Analyse
    from recsys.audio.features.delivery import delivery
    from recsys.audio.signal import read_audio

    music = np.concatenate(list(rendered(8, PIECE_S)), axis=1)
    analyse, path = Analyse("musicnn"), folder / "music.wav"
    for seconds in (30, min(180, 60 * minutes)):
        with SoundFile(path, "w", RATE_HZ, 2, "PCM_16") as file:
            file.write(np.resize(music.T, (seconds * RATE_HZ, 2)))
        analyse(path)
        started = process_time()
        analyse(path)
        whole, signal = process_time() - started, read_audio(path)
        started = process_time()
        delivery(signal)
        own = process_time() - started
        print(f"columns of a scan, {seconds} s: {own:.2f} of {whole:.2f} CPU-s ({own / whole:.0%})")
    for length in sorted({1, minutes}):
        with SoundFile(path, "w", RATE_HZ, 2, "PCM_16") as file:
            for _ in range(length * 60 * RATE_HZ // music.shape[1] + 1):
                file.write(music.T)
        code = f"""
import resource, sys
from pathlib import Path
from recsys.audio.mastering.facts import measure
from recsys.audio.mastering.chain import Plan, write_copy
path = Path({str(path)!r})
facts = measure(path)
write_copy(path, path.with_name("copy.flac"), Plan(gain_db=3, bands_db=(0.0,) * 9 + (2.0,), ceiling_dbtp=-1.0))
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)
"""
        started = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
        spent = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime - started
        print(f"facts and a copy of {length} min: {int(done.stdout):,} MiB, {spent:.0f} CPU-s", flush=True)


@benchmark(headline=r"lossy origin, mp3 320: ([\d.]+) of")
@size("--pieces", default=80, smallest=1, help="Rendered pieces for level and origin.")
@size("--real", default=30, smallest=1, help="Real cuts for the origin.")
@size("--moved", default=120, smallest=2, help="Real cuts with a moved band.")
@size("--limited", default=200, smallest=4, help="Copies by the limiter.")
@size("--minutes", default=60, smallest=1, help="Length of the long file.")
def main(pieces: int, real: int, moved: int, limited: int, minutes: int) -> None:
    """Run all parts."""
    levels(max(1, pieces // 4))
    origins(pieces, real)
    upsampled(max(1, pieces // 4))
    bands(moved)
    with TemporaryDirectory() as folder:
        limits(limited, Path(folder))
        costs(Path(folder), minutes)


if __name__ == "__main__":
    main()
