"""
Mixes of real music and voices with known parts, for the benchmarks of separation and of denoising.

Music and recorded voices come from Debian packages of the development audio (`ORIGINALS`), unpacked at full rate into
one folder per package; without such a folder, from the cuts in RECSYS_AUDIO, which are mono at 16 kHz. Speech is made
by eSpeak NG, each word on a pitch of its own, which is as near to singing as it comes. Packages, voices and words for
tuning are not those for testing.
"""

import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Literal

import numpy as np
from scipy.signal import fftconvolve

from bench.audio import speech
from bench.options import Missing
from recsys.arrays import F32
from recsys.audio.signal import read_audio, resample

Half = Literal["tune", "test"]

RATE_HZ = 44_100
ORIGINALS: dict[Half, tuple[str, ...]] = {
    "tune": ("wesnoth-1.16-music", "colobot-common-sounds", "fillets-ng-data", "frozen-bubble-data"),
    "test": (
        *("warmux-data", "hedgewars-data", "planetblupi-music-ogg", "extremetuxracer-data"),
        *("enigma-data", "lincity-ng-data"),
    ),
}
PACKS: dict[Half, tuple[str, ...]] = {  # of voices in hedgewars-data
    "tune": ("British", "Default_es", "Default_ru", "HillBilly", "Mobster", "Default_pl", "Robot"),
    "test": ("Classic", "Default", "Default_uk", "Pirate", "Russian", "Singer", "Surfer"),
}
ESPEAK: dict[Half, tuple[str, ...]] = {
    "tune": ("en+m1", "de+f2", "fr+m3", "es+f1", "it+f4", "pl+m4"),
    "test": ("en-us+f5", "pt+m6", "sv+f3", "nl+m7", "da+f5", "en+m8"),
}
WORDS: dict[Half, str] = {
    "tune": "the river runs below the silver moon and I will wait for you until the morning comes again",
    "test": "every window in the city holds a light and somewhere in the rain I hear you calling out my name",
}
MIN_BYTES = 600_000  # of a file of music; smaller ones are effects and voices
REVERB_S, REVERB_SHARE = 0.18, 0.35  # decay to 1/e, and amplitude relative to the direct sound


@dataclass(frozen=True, eq=False)
class Mix:
    """
    A voice and music, both stereo at 44.1 kHz, shape (2, n), with the same power.

    Attributes:
        voice: The voice, with its reverberation if it has any.
        music: The music.
        kind: Where the voice comes from: espeak, hedgewars or fillets.
    """

    voice: F32
    music: F32
    kind: str

    @property
    def sound(self) -> F32:
        """The mix."""
        return self.voice + self.music


def mixes(half: Half, n: int, length_s: int, originals: Path | None) -> Iterator[Mix]:
    """Yield at most n mixes of a length, the same at every call."""
    if not speech.is_installed():
        raise Missing("espeak-ng is not on the PATH. Install it (Debian: espeak-ng), and run again")
    rng = np.random.default_rng({"tune": 5, "test": 6}[half])
    for number, music in enumerate(music_of(half, n, length_s, originals)):
        kind, voice = _voice(half, number, length_s, rng, originals)
        pan = np.float32(0.25 if number % 3 == 2 else 0)
        stereo = np.stack([(1 - pan) * voice, (1 + pan) * voice])
        if number % 2:
            stereo = _reverberant(stereo, rng)
        scale = np.sqrt(np.square(music).mean() / (np.square(stereo).mean() + 1e-9))
        peak = np.abs(stereo * scale + music).max()
        yield Mix(np.float32(0.9 * scale / peak) * stereo, np.float32(0.9 / peak) * music, kind)


def _reverberant(stereo: F32, rng: np.random.Generator) -> F32:
    """Add an exponentially decaying reverberation that differs between the channels."""
    decay = np.exp(-np.arange(int(5 * REVERB_S * RATE_HZ)) / (REVERB_S * RATE_HZ))
    tails = rng.standard_normal((2, len(decay))) * decay
    tails *= REVERB_SHARE / np.sqrt(np.square(tails).sum(axis=1, keepdims=True))
    tails[:, 0] += 1
    return np.asarray(fftconvolve(stereo, tails, axes=1)[:, : stereo.shape[1]], np.float32)


def music_of(half: Half, n: int, length_s: int, originals: Path | None) -> Iterator[F32]:
    """Yield at most n stereo excerpts at 44.1 kHz, from a third into their recordings, going round the packages."""
    excerpts = (_excerpt(path, length_s) for path in _music_files(half, originals))
    yield from (music for music, _ in zip((it for it in excerpts if it is not None), range(n), strict=False))


def _music_files(half: Half, originals: Path | None) -> list[Path]:
    if originals is None:
        from bench.audio.__main__ import part, real_tracks

        own_part = {"tune": "train", "test": "test"}[half]
        paths = [track.path for track in real_tracks() if part(track) == own_part]
        return [paths[place] for place in np.random.default_rng(3).permutation(len(paths))]
    folders = []
    for package in ORIGINALS[half]:
        found = sorted(path for path in (originals / package).rglob("*.ogg") if _is_music(path))
        if not found:
            raise Missing(f"{originals / package} has no music. Unpack: apt-get download {package}; dpkg-deb -x ...")
        folders.append([found[place] for place in np.random.default_rng(3).permutation(len(found))])
    return [path for group in zip_longest(*folders) for path in group if path is not None]


def _is_music(path: Path) -> bool:
    return path.stat().st_size > MIN_BYTES and "voices" not in path.as_posix().lower()


def _excerpt(path: Path, length_s: int) -> F32 | None:
    """Return a stereo excerpt; None if the recording is shorter or almost silent there."""
    samples = stereo_of(path)
    n = length_s * RATE_HZ
    start = min(samples.shape[1] // 3, samples.shape[1] - n)
    if start < 0 or np.square(samples[:, start : start + n]).mean() < 1e-4:
        return None
    return samples[:, start : start + n]


def stereo_of(path: Path) -> F32:
    """Decode a recording as 44.1 kHz stereo."""
    signal = read_audio(path)
    sides = signal.samples[:2] if signal.n_channels > 1 else np.repeat(signal.samples, 2, axis=0)
    return np.stack([resample(side, signal.rate_hz, RATE_HZ) for side in sides])


def _voice(half: Half, number: int, length_s: int, rng: np.random.Generator, originals: Path | None) -> tuple[str, F32]:
    kind = ("hedgewars", "espeak", "hedgewars", "espeak", "fillets", "espeak")[number % 6] if originals else "espeak"
    if kind == "espeak":
        voice = sung(ESPEAK[half][number // 2 % 6], 3 * WORDS[half].split(), rng)
    else:
        assert originals is not None  # noqa: S101 - recorded voices come with the originals
        voice = _recorded(half, kind, number, rng, originals)
    return kind, np.resize(voice, length_s * RATE_HZ).astype(np.float32)


def _recorded(half: Half, kind: str, number: int, rng: np.random.Generator, originals: Path) -> F32:
    """Concatenate spoken lines of a pack, each at the same level, with pauses."""
    if kind == "hedgewars":
        paths = sorted((originals / "hedgewars-data").rglob(f"voices/{PACKS[half][number // 2 % 7]}/*.ogg"))
    else:
        paths = sorted((originals / "fillets-ng-data").rglob("en/*.ogg"))[("tune", "test").index(half) :: 2]
    if not paths:
        raise Missing(f"{originals} has no voices of {kind}. Unpack hedgewars-data and fillets-ng-data there")
    parts: list[F32] = []
    for place in rng.permutation(len(paths))[:30]:
        line = stereo_of(paths[place]).mean(axis=0)
        parts += [
            line / (np.sqrt(np.square(line).mean()) + 1e-6),
            np.zeros(int(RATE_HZ * rng.uniform(0.1, 0.8)), np.float32),
        ]
    return np.concatenate(parts).astype(np.float32)


def sung(voice: str, words: list[str], rng: np.random.Generator) -> F32:
    """Return words by eSpeak NG, 44.1 kHz mono, slow and each on a pitch of its own."""
    pitches, rates = rng.choice([-40, -20, 0, 15, 30, 50, 70], len(words)), rng.choice([45, 60, 75], len(words))
    marked = " ".join(
        f'<prosody pitch="{pitch}%" rate="{rate}%">{word}</prosody>'
        for word, pitch, rate in zip(words, pitches, rates, strict=True)
    )
    return spoken(voice, f"<speak>{marked}</speak>")


def spoken(voice: str, text: str) -> F32:
    """Return a text, or SSML, by eSpeak NG, 44.1 kHz mono, at a tenth of full scale (RMS)."""
    with NamedTemporaryFile(suffix=".wav") as file:
        subprocess.run(["espeak-ng", "-v", voice, "-m", "-w", file.name, text], check=True)  # noqa: S607
        mono = stereo_of(Path(file.name))[0]
    return np.asarray(0.1 * mono / (np.sqrt(np.square(mono).mean()) + 1e-6), np.float32)
