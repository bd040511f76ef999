"""A take from its samples to its verdicts."""

from recsys.arrays import F32
from recsys.audio.pitch import PitchTrack, track_pitch
from recsys.errors import InputError
from recsys.matching.tunes.melody import Melody
from recsys.practice.evidence import evidence_of, views
from recsys.practice.follow import follow
from recsys.practice.heard import HeardNote, heard_notes, novelty
from recsys.practice.judge import Judgement, judge
from recsys.practice.network import Networks

LEAST_HEARD = 4


def judge_sound(mono: F32, melody: Melody) -> tuple[Judgement, PitchTrack, list[HeardNote]]:
    """
    Judge a take against a melody.

    Args:
        mono: The take at 16 kHz, full scale -1..1, shape (n_samples,).
        melody: What is written.

    Raises:
        InputError: Hardly a note is heard.
    """
    return judge_track(mono, track_pitch(mono), melody)


def judge_track(mono: F32, track: PitchTrack, melody: Melody) -> tuple[Judgement, PitchTrack, list[HeardNote]]:
    """Judge a take whose pitch is known; otherwise as `judge_sound`."""
    heard = heard_notes(track, novelty(mono))
    if len(heard) < LEAST_HEARD:
        raise InputError(f"The take has {len(heard)} notes, expected {LEAST_HEARD} at least. Record one voice, near by")
    followed = follow(melody, heard)
    evidence = evidence_of(views(mono, track, melody, heard, followed), Networks.shipped())
    return judge(melody, track, heard, followed, evidence), track, heard
