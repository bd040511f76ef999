"""
Four stems: what masks without training reach on real multitracks, as the bar for a network.

The only real multitracks of the development audio are four songs of fretsonfire-songs-muldjord, as the guitar and the
rest of the band (mono, 16 kHz). So of four stems, the rest that is neither drums, bass nor vocals can be measured, and
no other. Printed is the SDR of the guitar in the sum of both: of the sum itself; of the harmonic part by medians over
time and frequency (Fitzgerald, 2010) above the bass; and of the ratio mask of the true parts, the most that any mask
reaches. The bar for a network that is trained here is 3 dB above the medians, in the median of the songs.
"""

from typing import TYPE_CHECKING

import numpy as np

from bench.options import Missing, audio_folder, benchmark, size
from bench.studio.ratios import sdr_db
from recsys.arrays import F32, F64

if TYPE_CHECKING:
    from pathlib import Path

PACKAGE, SONGS = "fretsonfire-songs-muldjord", ("", "_1", "_2", "_3")
RATE_HZ, N_FFT, HOP = 16_000, 1_024, 256
MEDIAN_FRAMES, MEDIAN_BINS = 31, 31  # half a second, 484 Hz
BASS_HZ = 120.0
BAR_DB = 3.0


def harmonic_mask(magnitudes: F64) -> F64:
    """Return the share of the harmonic part in each bin, shape (n_bins, n_frames), without the bass."""
    from scipy.ndimage import median_filter

    harmonic, percussive = (median_filter(magnitudes, shape) ** 2 for shape in ((1, MEDIAN_FRAMES), (MEDIAN_BINS, 1)))
    mask = harmonic / (harmonic + percussive + 1e-12)
    mask[: round(BASS_HZ * N_FFT / RATE_HZ)] = 0
    return np.asarray(mask)


def masked(mix: F32, guitar: F32) -> tuple[F32, F32]:
    """Return the guitar by the harmonic mask, and by the ratio mask of the true parts."""
    from scipy.signal import istft, stft

    def transformed(mono: F32) -> np.ndarray:
        return np.asarray(stft(mono, nperseg=N_FFT, noverlap=N_FFT - HOP)[2])

    spectrum, own, rest = (transformed(part) for part in (mix, guitar, mix - guitar))
    ideal = np.abs(own) ** 2 / (np.abs(own) ** 2 + np.abs(rest) ** 2 + 1e-12)
    sounds = (
        istft(spectrum * mask, nperseg=N_FFT, noverlap=N_FFT - HOP)[1]
        for mask in (harmonic_mask(np.abs(spectrum)), ideal)
    )
    simple, best = (np.asarray(sound[: len(mix)], np.float32) for sound in sounds)
    return simple, best


def parts_of(audio: "Path", song: str, length_s: int) -> tuple[F32, F32]:
    """Return the guitar and the rest of the band."""
    from recsys.audio.signal import read_audio

    paths = [audio / "music" / f"{PACKAGE}__{part}{song}.opus" for part in ("guitar", "song")]
    if missing := [path.name for path in paths if not path.exists()]:
        raise Missing(f"{audio / 'music'} has no {missing[0]}. Fetch the development audio")
    guitar, rest = (read_audio(path).mono(RATE_HZ)[: length_s * RATE_HZ] for path in paths)
    n = min(len(guitar), len(rest))
    return guitar[:n], rest[:n]


@benchmark(headline=r"medians over time and frequency +(-?\d+\.\d+)")
@size("--songs", "n_songs", default=len(SONGS), smallest=1)
@size("--seconds", "length_s", default=30, smallest=3)
def main(n_songs: int, length_s: int) -> None:
    """Print the SDR of the guitar, median and of each song."""
    scores = []
    for song in SONGS[:n_songs]:
        guitar, rest = parts_of(audio_folder(), song, length_s)
        simple, best = masked(guitar + rest, guitar)
        scores.append([sdr_db(guitar, estimate) for estimate in (guitar + rest, simple, best)])
    names = ("the sum itself", "medians over time and frequency", "ratio mask of the true parts")
    print(f"SDR of the guitar in {n_songs} songs of {length_s} s [dB]: median, and of each song")
    for name, of_songs in zip(names, np.transpose(scores), strict=True):
        print(f"{name:<34}{np.median(of_songs):6.2f}   {'  '.join(f'{value:.2f}' for value in of_songs)}")
    print(f"bar for a network: {np.median(np.transpose(scores)[1]) + BAR_DB:.2f} dB, {BAR_DB:g} dB above the medians")


if __name__ == "__main__":
    main()
