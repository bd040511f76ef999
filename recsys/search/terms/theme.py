"""
Themes of the lyrics, by the meaning of their sections; where they are not known, a recording is neither.

Love, loss, party, protest, faith, money, road, nature, family, city, night and dreams, or words for them such as
heartbreak or travelling; anything else is found by meaning (`about`). A recording counts if at least a fifth of its
words is about the theme; the more, the better.
"""

from recsys.search.catalogue import Catalogue
from recsys.search.condition import Condition, literal, name_of, rule
from recsys.search.grammar import Node, text_of
from recsys.search.places import alternatives

EXAMPLES = ("theme: love", "theme road", "not theme: money")
NAMES = {
    "love": ("love", "being in love", "romance"),
    "loss": ("loss", "heartbreak", "breaking up", "a breakup", "goodbye", "grief", "loneliness", "missing someone"),
    "party": ("party", "parties", "partying", "dancing", "a party", "celebrating"),
    "protest": ("protest", "war", "injustice", "politics", "freedom", "revolution"),
    "faith": ("faith", "god", "religion", "prayer", "heaven"),
    "money": ("money", "wealth", "getting rich", "being broke"),
    "road": ("road", "the road", "travel", "travelling", "traveling", "driving", "leaving home", "leaving town"),
    "nature": ("nature", "the sea", "the ocean", "mountains", "rivers", "spring", "winter"),
    "family": ("family", "mothers", "fathers", "my mother", "my father", "children", "parents"),
    "city": ("city", "the city", "city life", "streets"),
    "night": ("night", "the night", "the moon", "midnight"),
    "dreams": ("dreams", "dreaming", "ambition", "hope", "success"),
}
MIN_SHARE = 0.2
_THEME_OF = {name: theme for theme, names in NAMES.items() for name in names}
GRAMMAR = rule("theme", 43, rf"themes?\s*:?\s+(?:{alternatives(list(_THEME_OF))})(?!\w)")


def condition(node: Node, _catalogue: Catalogue) -> Condition:
    """Return the condition of a theme."""
    words = " ".join(text_of(node).lower().replace("-", " ").replace(":", ": ").split())
    theme = next(_THEME_OF[name] for name in sorted(_THEME_OF, key=len, reverse=True) if words.endswith(f" {name}"))
    alias = name_of("theme", theme)
    share = f"{alias}.share"
    return Condition(
        text=f"theme {theme}",
        where=f"case when {share} >= {MIN_SHARE} then true when t.has_themes then false end",
        score=f"least(1.0, {share})",
        values={f"{alias}_share": share},
        joins={alias: f"select row, share from themes where theme = {literal(theme)}"},
        reason=lambda row: f"{row[f'{alias}_share']:.0%} about {theme}",
        is_flexible=True,
    )
