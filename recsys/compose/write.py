"""Write suggestions: notes as ABC and MIDI, their sound as WAV, and a list of them that `recsys compose like` reads."""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from recsys.arrays import F32
from recsys.compose.controls import MOODS, Knobs
from recsys.compose.originality import Neighbour
from recsys.files import new_files, write_json
from recsys.synth.arrange import Style, arrange
from recsys.synth.notation import abc_text, midi_bytes
from recsys.synth.render import render, write_audio
from recsys.synth.tune import Tune

LIST = "suggestions.json"
RATE_HZ, LONGEST_S = 44_100, 120.0
SOUNDS = {  # mood -> General MIDI programs of melody, harmony and bass, and the chords' pattern
    "happy": (73, 24, 32, "off-beat"),
    "calm": (71, 0, 32, "arpeggio"),
    "sad": (40, 0, 42, "block"),
    "tense": (68, 48, 38, "arpeggio"),
    "energetic": (27, 4, 33, "off-beat"),
}


@dataclass(frozen=True)
class Idea:
    """
    A suggestion, ready to be written.

    Attributes:
        tune: Its melody and chords.
        style: How it is played.
        nearest: The known tune that its melody resembles most; None where it is the writer's own or nothing is known.
        knobs: How the sampler leaned; None where it was not asked.
    """

    tune: Tune
    style: Style
    nearest: Neighbour | None = None
    knobs: Knobs | None = None


def style_of(mood: str, tempo_bpm: float | None, *, has_band: bool = False) -> Style:
    """Return how a mood is played, at its own tempo or at one that is asked for [beats/min]."""
    melody, harmony, bass, chords = SOUNDS[mood]
    return Style(
        tempo_bpm=tempo_bpm or MOODS[mood].tempo_bpm,
        transpose=0,
        melody=melody,
        harmony=harmony,
        bass=bass,
        chords=chords,
        has_bass=has_band,
        has_drums=has_band,
    )


def write_ideas(ideas: list[Idea], folder: Path, seed: int) -> list[Path]:
    """Write each idea as ABC, MIDI and WAV, numbered from 1, and the list; return the ABC files."""
    written = [folder / f"{number}.abc" for number in range(1, len(ideas) + 1)]
    for number, (path, idea) in enumerate(zip(written, ideas, strict=True), start=1):
        with new_files([path, path.with_suffix(".mid"), path.with_suffix(".wav")]) as (notes, midi, sound):
            notes.write_text(abc_text(idea.tune, idea.style.tempo_bpm), encoding="utf-8")
            midi.write_bytes(midi_bytes(idea.tune, idea.style))
            write_audio(sound, _sound(idea, np.random.default_rng([seed, number])), RATE_HZ, "WAV")
    write_json(folder / LIST, {path.name: _described(idea) for path, idea in zip(written, ideas, strict=True)})
    return written


def _sound(idea: Idea, rng: np.random.Generator) -> F32:
    length_s = idea.tune.length * 60 / idea.style.tempo_bpm / idea.tune.beat
    arrangement = arrange(idea.tune, idea.style, rng, longest_s=min(length_s, LONGEST_S))
    return render(arrangement, rate_hz=RATE_HZ, longest_s=LONGEST_S)


def _described(idea: Idea) -> dict[str, Any]:
    return {
        "tempo_bpm": idea.style.tempo_bpm,
        "nearest": asdict(idea.nearest) if idea.nearest else None,
        "knobs": idea.knobs._asdict() if idea.knobs else None,
    }
