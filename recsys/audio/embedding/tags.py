"""
The tags that the pretrained networks predict, and the kind of each.

A confidence is the mean of a network's output over patches of 3 s. It ranks recordings for a given tag; it is not a
calibrated probability. Published accuracy (mean over tags, on the test part of each set): MSD .880 ROC AUC and .289 PR
AUC, MTT .907 and .384 (Pons, Serra, musicnn, ISMIR 2019). Tags are spelt as in the training sets.
"""

from typing import NamedTuple

import numpy as np

from recsys.arrays import F32

TRAINING_SETS = ("MSD", "MTT")  # Million Song Dataset with the tags of Last.fm; MagnaTagATune

_KINDS = {
    "MSD": {
        "genre": (
            "rock, pop, alternative, indie, electronic, dance, alternative rock, jazz, metal, classic rock, soul, "
            "indie rock, electronica, folk, punk, blues, hard rock, ambient, experimental, hip-hop, country, "
            "easy listening, funk, electro, heavy metal, progressive rock, rnb, indie pop, house"
        ),
        "mood": "beautiful, chillout, mellow, chill, party, sexy, catchy, sad, happy",
        "instrument": "acoustic, guitar",
        "vocal": "female vocalists, male vocalists, instrumental, female vocalist",
        "era": "00s, 80s, 90s, oldies, 70s, 60s",
    },
    "MTT": {
        "genre": (
            "classical, techno, electronic, rock, ambient, indian, opera, pop, classic, new age, dance, country, metal"
        ),
        "mood": "slow, fast, loud, quiet, soft, weird",
        "instrument": (
            "guitar, strings, drums, piano, beat, violin, synth, harpsichord, flute, sitar, solo, beats, harp, cello"
        ),
        "vocal": (
            "vocal, female, male, singing, vocals, no vocals, woman, male vocal, no vocal, man, choir, voice, "
            "male voice, female vocal, no voice, female voice, choral"
        ),
    },
}
# The order of each network's outputs.
_OUTPUTS = {
    "MSD": (
        "rock, pop, alternative, indie, electronic, female vocalists, dance, 00s, alternative rock, jazz, beautiful, "
        "metal, chillout, male vocalists, classic rock, soul, indie rock, mellow, electronica, 80s, folk, 90s, chill, "
        "instrumental, punk, oldies, blues, hard rock, ambient, acoustic, experimental, female vocalist, guitar, "
        "hip-hop, 70s, party, country, easy listening, sexy, catchy, funk, electro, heavy metal, progressive rock, "
        "60s, rnb, indie pop, sad, house, happy"
    ),
    "MTT": (
        "guitar, classical, slow, techno, strings, drums, electronic, rock, fast, piano, ambient, beat, violin, vocal, "
        "synth, female, indian, opera, male, singing, vocals, no vocals, harpsichord, loud, quiet, flute, woman, "
        "male vocal, no vocal, pop, soft, sitar, solo, man, classic, choir, voice, new age, dance, male voice, "
        "female vocal, beats, harp, cello, no voice, weird, country, metal, female voice, choral"
    ),
}


class Tag(NamedTuple):
    """A tag that a network can predict: the training set of the network, the tag in lower case, and its kind."""

    training_set: str
    name: str
    kind: str


def _tags() -> tuple[Tag, ...]:
    kinds = {
        (training_set, tag): kind
        for training_set, by_kind in _KINDS.items()
        for kind, tags in by_kind.items()
        for tag in tags.split(", ")
    }
    return tuple(
        Tag(training_set, tag, kinds[training_set, tag])
        for training_set in TRAINING_SETS
        for tag in _OUTPUTS[training_set].split(", ")
    )


TAGS = _tags()  # all 100, in the order of the networks' outputs
NO_VOICE = frozenset({"instrumental", "no vocal", "no vocals", "no voice"})  # vocal tags that say that there is none
VOICE_MARGIN = 0.02  # by which the highest vocal tag of an excerpt with a voice exceeds the highest of NO_VOICE


class PredictedTag(NamedTuple):
    """
    A tag that a network predicts for a recording; the fields are the columns of the table `audio_tags`.

    Attributes:
        tagger: The network: musicnn-msd, musicnn-mtt or rendered-instruments.
        tag: The tag, in lower case.
        kind: genre, mood, instrument, vocal or era.
        confidence: 0..1; it ranks recordings for a given tag.
        probability: Calibrated probability that the recording has the tag; None where the network is not calibrated.
    """

    tagger: str
    tag: str
    kind: str
    confidence: float
    probability: float | None = None


def predicted_tags(confidences: F32) -> tuple[PredictedTag, ...]:
    """Return the tags for the confidences of both networks, shape (100,), in the order of `TAGS`."""
    return tuple(
        PredictedTag(f"musicnn-{tag.training_set.lower()}", tag.name, tag.kind, float(confidence))
        for tag, confidence in zip(TAGS, confidences, strict=True)
    )


def voice_scores(confidences: F32) -> F32:
    """
    Return how clearly excerpts have a voice: the highest tag for a voice less the highest for none.

    Args:
        confidences: Of both networks for each excerpt, shape (n, 100), in the order of `TAGS`.

    Returns:
        -1..1, shape (n,); above VOICE_MARGIN, an excerpt counts as one with a voice.
    """
    without = np.array([tag.name in NO_VOICE for tag in TAGS])
    voice = np.array([tag.kind == "vocal" for tag in TAGS]) & ~without
    scores: F32 = confidences[:, voice].max(axis=1) - confidences[:, without].max(axis=1)
    return scores
