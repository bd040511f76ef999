"""
Mood of the lyrics, by the words of English ones; where it is not known, a recording is neither.

Happy or sad words, calm or excited ones, whatever the sound is like: happy words have a probability of at least .6,
sad ones of at most .4; of calm and excited ones the mean rating is below -.1 or above .1. Hopeful, optimistic,
sorrowful and heartbroken mean the lyrics also without the word.
"""

from recsys.search.catalogue import Catalogue
from recsys.search.condition import Condition, rule
from recsys.search.grammar import Node, text_of
from recsys.search.places import alternatives

EXAMPLES = ("happy lyrics", "sad words", "hopeful", "emotion: calm", "not sad lyrics")
OF_LYRICS = {"happy": ("hopeful", "optimistic"), "sad": ("sorrowful", "heartbroken", "hopeless")}
MOODS = {
    "happy": ("happy", "joyful", "cheerful", "positive", *OF_LYRICS["happy"]),
    "sad": ("sad", "melancholic", "melancholy", "gloomy", "dark", "negative", *OF_LYRICS["sad"]),
    "calm": ("calm", "gentle", "quiet", "peaceful"),
    "excited": ("excited", "energetic", "wild", "angry"),
}
_MOOD_OF = {word: mood for mood, words in MOODS.items() for word in words}
GRAMMAR = rule(
    "emotion",
    42,
    rf"(?:{alternatives(list(_MOOD_OF))})[\s-]+(?:lyrics|words)\b",
    rf"emotion\s*:?\s+(?:{alternatives(list(_MOOD_OF))})(?!\w)",
    rf"(?:{alternatives([word for words in OF_LYRICS.values() for word in words])})(?!\w)",
)
_PROBABILITY, _AROUSAL = "t.happy_probability", "(t.arousal + 1) / 2"
_SIDES = {  # predicate and score
    "happy": (f"{_PROBABILITY} >= 0.6", _PROBABILITY),
    "sad": (f"{_PROBABILITY} <= 0.4", f"1 - {_PROBABILITY}"),
    "calm": ("t.arousal < -0.1", f"1 - {_AROUSAL}"),
    "excited": ("t.arousal > 0.1", _AROUSAL),
}


def condition(node: Node, _catalogue: Catalogue) -> Condition:
    """Return the condition of the mood of the words."""
    listed = text_of(node).lower().replace("-", " ").replace(":", " ").split()
    mood = next(_MOOD_OF[word] for word in listed if word in _MOOD_OF)
    where, score = _SIDES[mood]
    return Condition(
        text=f"{mood} lyrics",
        where=where,
        score=score,
        values={f"{mood}_words": score},
        reason=lambda row: f"{mood} words {row[f'{mood}_words']:.2f}",
        is_flexible=True,
    )
