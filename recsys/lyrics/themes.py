"""
Themes of lyrics: which of a fixed set sections are about, by the meaning of their sentences, without training.

Each theme is described in several wordings (THEMES), and so is what is about none of them (OTHERS). A section is
compared with the mean vector of the wordings of each; how similar to it the wordings of all other themes are says
which similarity means nothing. A softmax makes shares of these scores, with a part for none; TEMPERATURE was chosen
on single lines of verses of our own (`python -m bench.lyrics`). Only sections with a vector have themes: those in a
language that the encoder was trained on. A bag of words has none, since it says too little of what a text is about.

The wordings are English; the encoder places other languages beside them.
"""

from collections.abc import Sequence
from functools import cache
from typing import NamedTuple

import numpy as np

from recsys.arrays import F32, F64
from recsys.lyrics.vectors import SectionVector
from recsys.text.encoder import encode

THEMES = {
    "love": (
        "a love song about being in love",
        "I love you and I want to hold you and kiss you",
        "falling in love with someone special, my heart beats for you",
        "you are my darling, be mine forever",
        "romance and desire between two lovers",
        "your eyes, your lips, your touch, I need you, baby",
        "I give you my heart and promise to marry you",
        "every day with you is sweeter, I adore you",
    ),
    "loss": (
        "a song about heartbreak and the end of a relationship",
        "you left me and now I am crying alone",
        "goodbye, you are gone and I miss you",
        "my heart is broken and the tears won't stop",
        "mourning somebody who died, standing at the grave",
        "the bed is empty since you went away",
        "grief, regret and loneliness after losing you",
        "we are over, there is nothing left of us",
    ),
    "party": (
        "a song about partying and dancing in the club",
        "turn up the music and get on the dance floor",
        "everybody put your hands up and dance",
        "drinks, friends and celebration, let's have fun this weekend",
        "the DJ plays our song and the crowd goes wild",
        "we are going to party and dance and never stop",
        "shake your body and move to the beat",
        "pour another glass and cheers, the bass is loud",
    ),
    "protest": (
        "a protest song against war and injustice",
        "the people march in the streets and demand freedom and justice",
        "politicians lie while the poor are dying",
        "stand up, fight the power and start a revolution",
        "stop the war, lay down your weapons",
        "we will not be silent, raise your fist against oppression",
        "workers on strike, equal rights for all",
        "the government, the police and the prisons keep us down",
    ),
    "faith": (
        "a gospel song about faith in God",
        "Lord, I pray to you, have mercy on my soul",
        "praise Jesus, hallelujah, amen",
        "heaven, angels and the holy spirit",
        "kneeling in church and asking God for forgiveness",
        "the Lord is my shepherd and He saved me by grace",
        "the Bible, the cross and salvation",
        "I believe and I am blessed, thank God for every day",
    ),
    "money": (
        "a song about money and getting rich",
        "cash, gold, diamonds and expensive cars",
        "I work all day to pay the bills and the rent",
        "I am broke, there is no dollar in my pocket",
        "millions in the bank, I count my money",
        "greed, wealth and fortune, everything has a price",
        "buying designer clothes and jewelry because I made it",
        "the boss pays low wages and I am in debt",
    ),
    "road": (
        "a song about travelling on the road",
        "driving down the highway, mile after mile",
        "I packed my suitcase and caught a train out of town",
        "the engine is running, the wheels are turning, the road goes on",
        "leaving home and moving on, a wanderer without a destination",
        "at the station with a ticket, the bus will take me far away",
        "a journey across borders, miles to go",
        "on the road again in an old truck, passing gas stations and motels",
    ),
    "nature": (
        "a song about nature",
        "mountains, rivers, forests and the wide sea",
        "birds are singing and flowers are blooming in spring",
        "the wind in the trees and the rain on the leaves",
        "the sun rises over the fields and the meadow",
        "waves on the shore, the sky and the ocean are blue",
        "snow is falling on the pines in winter",
        "animals of the forest, a deer, an eagle, a wolf",
    ),
    "family": (
        "a song about family",
        "my mother and my father raised me",
        "mama, thank you for everything you taught me",
        "my little son, my daughter, my child is growing up",
        "brothers and sisters around the kitchen table",
        "grandmother's house and stories of my grandfather",
        "daddy came home from work and held us",
        "I am going to be a parent, sleep my baby in the cradle",
    ),
    "city": (
        "a song about life in the big city",
        "skyscrapers, traffic and crowded sidewalks",
        "the subway, taxis and concrete streets downtown",
        "my neighborhood, my block, where I come from",
        "urban life between tower blocks and apartment windows",
        "this town with its avenues, bridges and corner shops",
        "strangers hurry through the streets of the metropolis",
        "sirens and neon signs above the boulevard",
    ),
    "night": (
        "a song about the night",
        "midnight, the moon and the stars are in the dark sky",
        "I can't sleep, it is three in the morning",
        "after dark when the lights go out",
        "the evening falls and shadows cover everything",
        "awake in the darkness until dawn",
        "moonlight on a sleeping world",
        "all night long, before the sun comes up",
    ),
    "dreams": (
        "a song about dreams and ambition",
        "follow your dream and never give up",
        "one day I will be a star and they will know my name",
        "believe in yourself, you can be anything you want",
        "I imagine a better future, I hope and I wish",
        "reach for the sky, the best is still to come",
        "I was only dreaming, I saw it in my sleep",
        "against all odds I rise and chase my goal",
    ),
}
OTHERS = (
    "a text about nothing in particular",
    "he said hello and I said okay, that is how it goes",
    "one two three four, la la la, oh yeah",
    "the machine has a button and a screen",
    "I forgot to call you back, it does not matter",
    "I am the best rapper, my rhymes are better than yours",
    "a funny story about a man and his hat",
    "coffee, breakfast and a newspaper",
)
TEMPERATURE = 0.6
MIN_SHARE = 0.1  # of a theme that is stored


class Theme(NamedTuple):
    """
    A theme of lyrics.

    Attributes:
        theme: One of THEMES.
        share: Share of the sections with a vector, weighted by their words, that is about it, 0..1.
    """

    theme: str
    share: float


class _Scale(NamedTuple):
    """Mean wordings of each theme, (n_themes + 1, 512); mean and standard deviation of other wordings beside them."""

    centres: F32
    means: F32
    stds: F32


def themes_of(vectors: Sequence[SectionVector], n_words: Sequence[int]) -> tuple[Theme, ...]:
    """
    Return the themes of lyrics, the largest share first; those below MIN_SHARE are left out.

    Args:
        vectors: Vectors of sections.
        n_words: Words of each of these sections, repetitions included.
    """
    if not sum(n_words):
        return ()
    of_sections = shares(np.stack([vector for _, vector in vectors]))[:, : len(THEMES)]
    of_text = np.average(of_sections, axis=0, weights=n_words)
    names = list(THEMES)
    order = np.argsort(-of_text, kind="stable")
    return tuple(Theme(names[n], round(float(of_text[n]), 4)) for n in order if of_text[n] >= MIN_SHARE)


def shares(vectors: F32) -> F64:
    """
    Return the shares of the themes in sections, in the order of THEMES, and last that of none.

    Args:
        vectors: Shape (n_sections, 512), of length 1.

    Returns:
        Shape (n_sections, n_themes + 1); rows sum to 1.
    """
    scale = _scale()
    scores = (vectors @ scale.centres.T - scale.means) / scale.stds / TEMPERATURE
    odds = np.exp(scores.astype(np.float64) - scores.max(axis=1, keepdims=True))
    return np.asarray(odds / odds.sum(axis=1, keepdims=True))


@cache
def _scale() -> _Scale:
    wordings = [encode(texts) for texts in (*THEMES.values(), OTHERS)]
    centres = np.stack([vectors.mean(axis=0) for vectors in wordings])
    beside = [
        np.concatenate([other for place, other in enumerate(wordings) if place != number]) @ centre
        for number, centre in enumerate(centres)
    ]
    return _Scale(centres, np.array([one.mean() for one in beside]), np.array([one.std() for one in beside]))
