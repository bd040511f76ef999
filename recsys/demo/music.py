"""
Audio of the tracks that have a recording: a tune is composed, arranged by the track's sound, and rendered.

Recordings are FLAC, as labels deliver them, and re-uploads MP3.

Some recordings are planted for matching: covers (the same tune by another artist, in another key and tempo with other
instruments), remixes (the same melody faster or slower, with another accompaniment) and re-uploads (the same recording,
trimmed and quieter). Two files are damaged.
"""

from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from scipy.signal import butter, sosfilt

from recsys.demo.sounds import Sounds
from recsys.demo.world import Truth, World
from recsys.synth.arrange import Arrangement, Style, arrange
from recsys.synth.render import render, write_audio
from recsys.synth.tune import Tune, compose

RATE_HZ = 22_050
LENGTH_S = 10.0
PITCHES = ("C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B")
MELODIES = (89, 91, 48, 42, 40, 73, 24, 0, 11, 65, 56, 80, 81)  # General MIDI programs, dark to bright
HARMONIES = (89, 19, 48, 25, 4, 0)
SHARES = {"cover": 0.07, "remix": 0.05, "reupload": 0.07}  # of the recordings
CUTOFF_HZ = 2_000.0  # of a mix of brightness 0; one octave per unit of brightness
PEAK = 0.95  # peak level of mastered records
TRIM_S, REUPLOAD_GAIN = 1.0, 0.6  # seconds cut off and gain of a re-upload


@dataclass(frozen=True)
class Recording:
    """A track's recording: arrangement, cut-off of its low-pass filter, and whether it is a re-upload."""

    track_id: str
    arrangement: Arrangement
    cutoff_hz: float
    is_copy: bool = False

    @property
    def file(self) -> str:
        """The name of its file."""
        return f"{self.track_id}.{'mp3' if self.is_copy else 'flac'}"


def write_recordings(world: World, track_ids: np.ndarray, sounds: Sounds, folder: Path) -> list[Truth]:
    """
    Write the recordings as <track_id>.flac or <track_id>.mp3, and return their ground truth.

    Args:
        world: Settings, including the seed.
        track_ids: Id of every track row.
        sounds: Tracks that have a recording, and their audio qualities.
        folder: Output folder, created if missing; recordings of an earlier world are removed.
    """
    folder.mkdir(exist_ok=True)
    for old in (*folder.glob("*.flac"), *folder.glob("*.mp3")):
        old.unlink()
    ids = [str(name) for name in track_ids[sounds.rows]]
    planned, truths = _planned(ids, sounds, world.rng("tunes"))
    paths = [folder / recording.file for recording in planned]
    with ProcessPoolExecutor(2) as pool:
        list(pool.map(_write, planned, paths, chunksize=8))
    return [*truths, *_damaged(paths[:2])]


def _planned(ids: list[str], sounds: Sounds, rng: np.random.Generator) -> tuple[list[Recording], list[Truth]]:
    recordings: list[Recording] = []
    tunes: list[tuple[Tune, Style]] = []
    truths: list[Truth] = []
    kinds = iter(_kinds(len(ids), rng))
    for track_id, qualities in zip(ids, sounds.qualities, strict=True):
        kind, of = next(kinds)
        tune, style = _played(track_id, qualities, rng) if kind == "own" else _derived(kind, *tunes[of], rng)
        is_copy = kind == "reupload"
        arrangement = recordings[of].arrangement if is_copy else arrange(tune, style, rng, longest_s=LENGTH_S)
        cutoff_hz = recordings[of].cutoff_hz if is_copy else float(CUTOFF_HZ * 2 ** np.clip(qualities[2], -2, 2))
        recordings.append(Recording(track_id, arrangement, cutoff_hz, is_copy))
        tunes.append((tune, style))
        truths.append(_sound_truth(track_id, arrangement))
        if kind != "own":
            truths.append(Truth(kind, track_id, None, {"of": ids[of]}))
    return recordings, truths


def _kinds(n: int, rng: np.random.Generator) -> Iterator[tuple[str, int]]:
    """Yield the kind of each recording, and the number of its original (its own number for an original)."""
    names = ["own", *SHARES]
    drawn = rng.choice(names, n, p=[1 - sum(SHARES.values()), *SHARES.values()])
    originals: list[int] = []
    for number, kind in enumerate(drawn):
        if kind == "own" or not originals:
            originals.append(number)
            yield "own", number
        else:
            yield str(kind), int(rng.choice(originals))


def _played(name: str, qualities: np.ndarray, rng: np.random.Generator) -> tuple[Tune, Style]:
    """Compose a tune and draw a style with these qualities: fast, dense, bright and minor if above 0."""
    fast, dense, bright, minor = qualities
    share = 1 / (1 + np.exp(-1.2 * bright))
    tune = compose(name, rng, mode="minor" if minor > 0 else "major")
    style = Style(
        tempo_bpm=float(np.round(110 * 2 ** np.clip(0.35 * fast, -0.8, 0.7), 1)),
        transpose=int(rng.integers(-6, 6)),
        melody=MELODIES[int(share * (len(MELODIES) - 1))],
        harmony=HARMONIES[int(share * (len(HARMONIES) - 1))],
        bass=33 if bright > 0 else 32,
        chords="arpeggio" if dense > 0.8 else "off-beat" if dense > 0 else "block",
        has_bass=dense > -0.5,
        has_drums=dense > 0.2,
    )
    return tune, style


def _derived(kind: str, tune: Tune, style: Style, rng: np.random.Generator) -> tuple[Tune, Style]:
    if kind == "cover":
        return tune, style.for_cover(rng)
    if kind == "remix":
        tempo_bpm = float(np.round(style.tempo_bpm * rng.choice([0.9, 1.12]), 1))
        return tune, replace(style, tempo_bpm=tempo_bpm, has_drums=not style.has_drums, chords="arpeggio")
    return tune, style


def _sound_truth(track_id: str, arrangement: Arrangement) -> Truth:
    style = arrangement.style
    return Truth(
        "sound",
        track_id,
        None,
        {
            "tempo_bpm": arrangement.tempo_bpm,
            "key": PITCHES[arrangement.tonic],
            "mode": "minor" if arrangement.is_minor else "major",
            "melody_program": style.melody,
            "has_drums": style.has_drums,
        },
    )


def _write(recording: Recording, path: Path) -> None:
    played = render(recording.arrangement, rate_hz=RATE_HZ, longest_s=LENGTH_S)
    played = sosfilt(butter(2, recording.cutoff_hz, fs=RATE_HZ, output="sos"), played, axis=1).astype(np.float32)
    samples = played * (PEAK / max(float(np.abs(played).max()), 1e-3))
    if recording.is_copy:
        samples = REUPLOAD_GAIN * samples[:, int(TRIM_S * RATE_HZ) :]
    write_audio(path, samples, RATE_HZ)


def _damaged(paths: list[Path]) -> list[Truth]:
    """Truncate one file and fill another with text."""
    if len(paths) < 2:
        return []
    cut, garbage = paths
    cut.write_bytes(cut.read_bytes()[: cut.stat().st_size // 3])
    garbage.write_text(f"{garbage.name} was music once\n" * 100)
    return [
        Truth("dirt", f"audio/{cut.name}", None, {"table": "audio", "fault": "cut_off", "rows": 1}),
        Truth("dirt", f"audio/{garbage.name}", None, {"table": "audio", "fault": "no_music", "rows": 1}),
    ]
