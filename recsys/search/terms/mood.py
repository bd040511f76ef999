"""
Moods: words for calm or energetic music, from tags and energy.

A mood that is no tag of the catalogue: recordings that have one of the related tags, or whose energy is among the
lower (calm) or upper (energetic) two fifths; the slower (calm) or faster (energetic), the better. Energy is a formula
of the sound, not a judgement of listeners.
"""

from recsys.search.catalogue import Catalogue, tag_key
from recsys.search.condition import Condition, Row, any_of, rule
from recsys.search.grammar import Node, text_of
from recsys.search.places import alternatives
from recsys.search.terms.tag import tagged

EXAMPLES = ("calm", "relaxing", "energetic", "uplifting")
MOODS = {
    "calm": ("calm", "mellow", "chill", "chillout", "relaxing", "soft", "quiet", "peaceful", "gentle", "soothing"),
    "energetic": ("energetic", "energy", "upbeat", "driving", "powerful", "party", "uplifting", "lively", "intense"),
}
SLOW_BPM, FAST_BPM = 80.0, 140.0
GRAMMAR = rule("mood", 20, rf"(?:{alternatives([word for words in MOODS.values() for word in words])})(?!\w)")


def condition(node: Node, catalogue: Catalogue) -> Condition:
    """Return the condition of a mood."""
    word = text_of(node).lower()
    mood = next(name for name, words in MOODS.items() if word in words)
    related = tuple(tag for key in map(tag_key, MOODS[mood]) for tag in catalogue.spellings.get(key, ()))
    where, of_energy = catalogue.quantiles["energy"].side("t.energy", is_high=mood == "energetic")
    of_tempo = f"least(1.0, greatest(0.0, (t.tempo_bpm - {SLOW_BPM}) / {FAST_BPM - SLOW_BPM}))"
    score = f"({of_energy} + coalesce({of_tempo if mood == 'energetic' else f'1.0 - {of_tempo}'}, 0.5)) / 2"
    felt = Condition(
        text=f"{word} ({'high' if mood == 'energetic' else 'low'} energy)",
        where=where,
        score=score,
        values={"energy": "t.energy", "tempo_bpm": "t.tempo_bpm"},
        reason=_reason,
        is_flexible=True,
    )
    if not related:
        return felt
    return any_of([felt, tagged(related, f"tagged {mood}", catalogue)])


def _reason(row: Row) -> str:
    tempo = f" at {row['tempo_bpm']:.0f} bpm" if row["tempo_bpm"] is not None else ""
    return f"energy {row['energy']:.2f}{tempo}"
