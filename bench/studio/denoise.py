"""
Denoising: hum, clicks and hiss put on real music, noise put on voices, and whether music is refused as a voice.

Music is that of the half "test" of `bench.studio.mixes`, the left channel, a minute each; the half "tune", and cuts of
the development audio, set the constants of `recsys.audio.denoise`. A hum has eight harmonics, and is 20 dB below the
music. Clicks are pulses of noise of up to a millisecond, 10 to 24 dB over the music's RMS; false ones are also counted
in rendered music, half of it with drums. Hiss is white, pink, or like a tape's (rising from 2 kHz, falling from 9 kHz),
5 to 30 dB below the music; beside it, what the same filter gains if it knows the noise. Music without hiss, rendered
and real, also 40 dB softer, is to stay as it is. Voices are those of eSpeak NG, under white noise at 0 and 10 dB. The
gain is that of the scale-invariant SDR; for hiss, of the SDR, over all recordings, also those that are left as they
are. Sounds for the voice detector are those of the test part (`bench.studio.voices`); whole analyses are of 12 s of its
speech before music of the same level, and of 55 s of speech (of several speakers), both with white noise 20 dB below
the speech.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import click
import numpy as np

from bench.options import benchmark, size
from bench.studio.ratios import sdr_db, si_sdr_db
from recsys.arrays import F32
from recsys.audio.windows import WINDOW_S

if TYPE_CHECKING:
    from recsys.audio.denoise.hiss import Hiss
    from recsys.audio.denoise.hum import Hum

RATE_HZ = 44_100
WINDOW = WINDOW_S * RATE_HZ
INTRO_S, TALK_S = 12, 55  # of speech before music, and of speech alone
CLICKS_PER_MINUTE = 60
KINDS = ("white", "pink", "tape")  # of hiss


def at_level(noise: np.ndarray, music: F32, level_db: float) -> F32:
    """Return a noise with a power relative to that of music [dB]."""
    scale = np.sqrt(np.square(music).mean() / np.square(noise).mean()) * 10 ** (level_db / 20)
    return np.asarray(scale * noise, np.float32)


def windows(mono: F32) -> Iterator[F32]:
    """Yield whole windows of a sound."""
    for start in range(0, len(mono) - WINDOW + 1, WINDOW):
        yield mono[start : start + WINDOW]


def hum_in(mono: F32) -> "Hum | None":
    """Find a hum in a recording."""
    from recsys.audio.denoise.hum import find_hum, low_spectrum

    spectra = (low_spectrum(window, RATE_HZ) for window in windows(mono))
    return find_hum([spectrum for spectrum in spectra if spectrum is not None])


def hums(songs: Sequence[F32]) -> None:
    """Print how many hums are found, how far they are lowered, and what music loses."""
    from recsys.audio.denoise.hum import remove_hum

    lowered, changed, n_false = [], [], 0
    for number, song in enumerate(songs):
        frequency_hz = (50.02, 59.97)[number % 2]
        harmonics = np.arange(1, 9)[:, None]
        waves = np.sin(harmonics * (2 * np.pi * frequency_hz * np.arange(len(song)) / RATE_HZ + 1))
        hum = at_level((waves * 10 ** (-3 * harmonics / 20)).sum(axis=0), song, -20)
        n_false += hum_in(song) is not None
        found = hum_in(song + hum)
        if found is not None:
            rest = remove_hum(hum, RATE_HZ, found)
            lowered.append(10 * np.log10(np.square(hum).sum() / np.square(rest).sum()))
            kept = remove_hum(song, RATE_HZ, found)
            changed.append(10 * np.log10(np.square(kept).sum() / np.square(song).sum()))
    print(f"Hum, {len(songs)} recordings: found {len(lowered)}, and {n_false} in music as it is")
    if lowered:
        tenth = np.percentile(lowered, 10)
        print(f"  lower by {np.median(lowered):.1f} dB (median), {tenth:.1f} dB (10th percentile); bar 20")
        print(f"  music changes by {np.median(changed):.2f} dB (median), {min(changed):.2f} dB at most; bar .5")


def clicks(songs: Sequence[F32], rng: np.random.Generator) -> None:
    """Print the share of clicks found, false ones, and by how much repairs lower the error."""
    from recsys.audio.denoise.clicks import find_clicks, repair

    n_planted, n_found, n_false, gains = 0, 0, 0, []
    for song in songs:
        n = max(1, CLICKS_PER_MINUTE * len(song) // (60 * RATE_HZ))
        places = np.sort(rng.choice(np.arange(2_000, len(song) - 2_000, 2_000), n, replace=False))
        noisy = song.copy()
        for place in places:
            pulse = rng.standard_normal(rng.integers(2, RATE_HZ // 1000))
            height = np.sqrt(np.square(song).mean()) * 10 ** (rng.uniform(10, 24) / 20)
            noisy[place : place + len(pulse)] += (height * pulse / np.abs(pulse).max()).astype(np.float32)
        found = find_clicks(noisy, RATE_HZ)
        n_planted += n
        n_found += sum(bool(np.any((found[:, 0] - 3 <= place) & (place <= found[:, 1]))) for place in places)
        n_false += len(find_clicks(song, RATE_HZ))
        gains.append(sdr_db(song, repair(noisy, RATE_HZ, found)) - sdr_db(song, noisy))
    minutes = sum(map(len, songs)) / RATE_HZ / 60
    print(f"\nClicks, {n_planted} in {minutes:.0f} minutes: found {n_found / n_planted:.3f} (bar .9), error lower by")
    print(f"  {np.median(gains):.1f} dB (median); in music as it is {n_false / minutes:.2f} per minute (bar 1)")


def hiss_of(kind: str, n: int, rng: np.random.Generator) -> np.ndarray:
    """Return noise of a kind."""
    hz = np.fft.rfftfreq(n, 1 / RATE_HZ)
    shapes = {
        "white": np.ones_like(hz),
        "pink": np.maximum(hz, 44) ** -0.5,
        "tape": np.sqrt(1 + (hz / 2_000) ** 2) / (1 + (hz / 9_000) ** 4),
    }
    return np.asarray(np.fft.irfft(np.fft.rfft(rng.standard_normal(n)) * shapes[kind], n))


def hiss_in(sound: F32) -> "Hiss | None":
    """Return the hiss that is found in a sound, and would be removed."""
    from recsys.audio.denoise.hiss import find_hiss, mean_power, measure_floor

    parts = list(windows(sound))
    floors = [floor for part in parts if (floor := measure_floor(part, RATE_HZ)) is not None]
    hiss = find_hiss(floors, [mean_power(part, RATE_HZ) for part in parts], RATE_HZ)
    return hiss if hiss is not None and hiss.is_curable else None


def hisses(songs: Sequence[F32], rng: np.random.Generator) -> None:
    """Print by how much the error falls by level, and by how much if the filter knows the noise."""
    from recsys.audio.denoise.hiss import Hiss, mean_power, remove_hiss

    print(f"\nHiss, {len(songs)} recordings of 33 s     gain, median   lowest   left as they are   known noise")
    for level_db in (-10, -20, -5, -30):
        gains: dict[str, list[float]] = {kind: [] for kind in KINDS}
        limits, n_left = [], 0
        for number, song in enumerate(songs):
            music, kind = song[: 3 * WINDOW], KINDS[number % len(KINDS)]
            noise = at_level(hiss_of(kind, len(music), rng), music, level_db)
            sound, found = music + noise, hiss_in(music + noise)
            n_left += found is None
            before = sdr_db(music, sound)
            gains[kind].append(0.0 if found is None else sdr_db(music, remove_hiss(sound, RATE_HZ, found)) - before)
            known = Hiss(0.0, mean_power(noise, RATE_HZ), 0.0)
            limits.append(sdr_db(music, remove_hiss(sound, RATE_HZ, known)) - before)
        every = [gain for values in gains.values() for gain in values]
        cells = f"{np.median(every):16.1f}{min(every):9.1f}{n_left:19}{np.median(limits):17.1f}"
        kinds = ", ".join(f"{kind} {np.median(values):.1f}" for kind, values in gains.items() if values)
        print(f"{-level_db:>2} dB below the music{'':6}{cells}   {kinds}", flush=True)
    print("bar: 4 dB")


def untouched(songs: Sequence[F32], made: Sequence[F32]) -> None:
    """Print how much music without hiss is left as it is, and how many clicks are found in rendered music."""
    from recsys.audio.denoise.clicks import find_clicks

    print("\nMusic without hiss")
    for name, sounds in {"real": songs, "rendered": made}.items():
        for softer_db in (0, 40):
            n_kept = sum(hiss_in(np.float32(10 ** (-softer_db / 20)) * sound[: 3 * WINDOW]) is None for sound in sounds)
            print(f"{name}, {softer_db} dB softer: {n_kept} of {len(sounds)} left as they are")
    minutes = sum(map(len, made)) / RATE_HZ / 60
    n_false = sum(len(find_clicks(sound, RATE_HZ)) for sound in made)
    print(f"Clicks in {minutes:.0f} minutes of rendered music: {n_false / minutes:.2f} per minute (bar 1)")


def voices(n: int, rng: np.random.Generator) -> None:
    """Print by how much the denoiser of voices raises the SI-SDR."""
    from bench.audio.speech import make_speech
    from recsys.audio.denoise.voice import VoiceDenoiser
    from recsys.audio.signal import read_audio

    denoiser = VoiceDenoiser.load()
    print(f"\nWhite noise on {n} voices of eSpeak NG    SI-SDR gain, median   lowest")
    with TemporaryDirectory() as folder:
        lines = [read_audio(path).mono(48_000)[: 10 * 48_000] for path in make_speech(Path(folder), "test", n)]
    for level_db, bar in ((0, 8), (-10, 4)):
        gains = []
        for line in lines:
            sound = line + at_level(rng.standard_normal(len(line)), line, level_db)
            cleaned = denoiser.clean(sound[None], 48_000)[0]
            gains.append(si_sdr_db(line, cleaned) - si_sdr_db(line, sound))
        print(f"{-level_db:>3} dB{np.median(gains):43.1f}{min(gains):9.1f}   bar {bar}")


def refusals(n: int, originals: Path | None) -> None:
    """Print the shares of speech and music that the voice detector accepts."""
    from bench.studio.voices import sounds
    from recsys.audio.denoise.detector import VoiceDetector

    detector = VoiceDetector.load()
    accepted: dict[str, list[bool]] = {}
    music: list[bool] = []
    speech: list[bool] = []
    for sound in sounds("test", n, originals):
        score = detector.score(sound.mono)
        is_accepted = score is not None and score > 0
        accepted.setdefault(sound.kind, []).append(is_accepted)
        (speech if sound.is_voice else music).append(is_accepted)
    print("\nVoice detector                n    accepted as a voice")
    for kind, values in sorted(accepted.items()):
        print(f"{kind:<24}{len(values):7}{100 * np.mean(values):21.1f} %")
    print(f"speech accepted: {100 * np.mean(speech):.1f} % of {len(speech)}")
    print(f"music refused: {100 * (1 - np.mean(music)):.1f} % of {len(music)} (bar 98 %)")


def intros(songs: Sequence[F32], originals: Path | None, rng: np.random.Generator) -> None:
    """Print how often the denoiser of voices is refused on music after a spoken intro, and used on speech alone."""
    from bench.studio.voices import RATE_HZ as VOICE_HZ
    from bench.studio.voices import sounds
    from recsys.audio.denoise.analysis import analyse
    from recsys.audio.denoise.detector import VoiceDetector
    from recsys.audio.denoise.voice import VoiceDenoiser
    from recsys.audio.signal import SampleStream, resample

    detector, denoiser = VoiceDetector.load(), VoiceDenoiser.load()
    speech = [it.mono for it in sounds("test", 4 * len(songs), originals) if it.kind == "speech"]
    n_used = {"music after a spoken intro": 0, "speech alone": 0}
    for number, song in enumerate(songs):
        talk = np.concatenate([speech[(number + part) % len(speech)] for part in range(7)])[: TALK_S * VOICE_HZ]
        talk = talk + at_level(rng.standard_normal(len(talk)), talk, -20)
        music = resample(song, RATE_HZ, VOICE_HZ)
        music = at_level(music[: (TALK_S - INTRO_S) * VOICE_HZ], talk, 0)
        for name, sound in zip(n_used, (np.concatenate([talk[: INTRO_S * VOICE_HZ], music]), talk), strict=True):
            stream = SampleStream(VOICE_HZ, 1, "float", len(sound) / VOICE_HZ, iter([sound[None]]))
            n_used[name] += "voice" in analyse(stream, detector, denoiser).cures
    print(f"\nDenoiser of voices on {len(songs)} recordings of {TALK_S} s with noise, by the whole analysis")
    for name, n in n_used.items():
        print(f"{name:<34}used on {n}")


@benchmark(headline=r"music refused: (\d+\.\d)")
@click.option("--originals", type=click.Path(path_type=Path), help="Folder with a folder per unpacked Debian package.")
@size("--recordings", "n", type=click.IntRange(min=2), default=40, smallest=2)
@size("--seconds", "length_s", type=click.IntRange(min=33), default=60, smallest=33)
@size("--voices", "n_voices", type=click.IntRange(min=1), default=20, smallest=1)
@size("--sounds", "n_sounds", type=click.IntRange(min=3), default=200, smallest=3)
def main(originals: Path | None, n: int, length_s: int, n_voices: int, n_sounds: int) -> None:
    """Print all tables."""
    import torch

    from bench.studio.mastered import rendered
    from bench.studio.mixes import music_of

    torch.set_num_threads(1)
    songs = [np.ascontiguousarray(stereo[0]) for stereo in music_of("test", n, length_s, originals)]
    rng = np.random.default_rng(9)
    hums(songs)
    clicks(songs, rng)
    hisses(songs, np.random.default_rng(10))
    untouched(songs, [sound.mean(axis=0) for sound in rendered(n, 33.0)])
    voices(n_voices, rng)
    refusals(n_sounds, originals)
    intros(songs, originals, rng)


if __name__ == "__main__":
    main()
