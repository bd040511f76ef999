"""
Key and mode: a key with the compatible keys, a key alone, or a mode.

Key or mode. A key also takes the compatible keys, ranked lower: the relative key, and those a fifth above and below
(the neighbours on the Camelot wheel). `exactly` takes the key alone.
"""

import re

from recsys.search.catalogue import Catalogue
from recsys.search.condition import Condition, literal, rule
from recsys.search.grammar import Node, text_of

EXAMPLES = ("A minor", "key of F major", "exactly C# minor", "Bbm", "Camelot 8A", "minor")
_TONIC = r"[A-G](?:\s*[#♯b♭]|[\s-]?(?:sharp|flat))?"
GRAMMAR = rule(
    "key",
    55,
    r"(?:in\s+)?an?\s+(?:major|minor)\s+key\b",
    rf"(?:exactly\s+)?(?:(?:in|key)\s+(?:of\s+)?|key\s*:\s*)?{_TONIC}\s*-?(?:major|minor|maj|min)\b",
    r"(?:(?<!\w\s)|(?<=\bor\s)|(?<=\bnot\s))(?-i:[A-G][#b]?m)(?!\w)",
    r"camelot\s+(?:1[0-2]|[1-9])[AB]\b",
    r"(?:major|minor)(?:\s+(?:key|mode))?\b(?!\s+label)",
)
PITCHES = ("C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B")
NATURAL = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}
COMPATIBLE_SCORE = 0.5
_NOTE = re.compile(
    r"(?:^|\s|:)([a-g])\s*(#|♯|b(?!\w)|♭|[\s-]?sharp|[\s-]?flat|b(?=m|\s))?\s*-?(major|maj|minor|min|m)\b",
    re.IGNORECASE,
)
_CAMELOT = re.compile(r"camelot\s+(\d+)([ab])", re.IGNORECASE)
CAMELOT_TONICS = (8, 3, 10, 5, 0, 7, 2, 9, 4, 11, 6, 1)  # tonic of 1A, 2A ... as a pitch class: 1A is G# minor


def condition(node: Node, _catalogue: Catalogue) -> Condition:
    """Return the condition of a key or a mode."""
    text = text_of(node)
    if key := key_of(text):
        return _of_key(*key, is_exact=text.lower().startswith("exactly"))
    mode = "minor" if "minor" in text.lower() else "major"
    return Condition(
        text=f"mode {mode}",
        where=f"t.mode = {literal(mode)}",
        values={"key": "t.key", "mode": "t.mode"},
        reason=lambda row: f"key {row['key'] or ''} {row['mode']}".replace("  ", " "),
        is_flexible=True,
    )


def key_of(text: str) -> tuple[int, str] | None:
    """Return the pitch class of the tonic, 0 for C, and the mode that a text names; None if it names no tonic."""
    if found := _CAMELOT.search(text):
        minor = CAMELOT_TONICS[int(found[1]) - 1]
        return (minor, "minor") if found[2].lower() == "a" else ((minor + 3) % 12, "major")
    if re.match(r"(?:in\s+)?an?\s+(?:major|minor)\s+key", text, re.IGNORECASE) or not (found := _NOTE.search(text)):
        return None
    accidental = (found[2] or "").strip(" -").lower()
    shift = 1 if accidental in {"#", "♯", "sharp"} else -1 if accidental else 0
    mode = "minor" if found[3].lower() in {"minor", "min", "m"} else "major"
    return (NATURAL[found[1].upper()] + shift) % 12, mode


def compatible_keys(tonic: int, mode: str) -> dict[tuple[int, str], str]:
    """Return the keys that mix well with a key, and how each relates to it."""
    relative = ((tonic + 3) % 12, "major") if mode == "minor" else ((tonic - 3) % 12, "minor")
    return {relative: "relative", ((tonic + 7) % 12, mode): "a fifth above", ((tonic - 7) % 12, mode): "a fifth below"}


def _of_key(tonic: int, mode: str, *, is_exact: bool) -> Condition:
    name = f"{PITCHES[tonic]} {mode}"
    related = {} if is_exact else {f"{PITCHES[t]} {m}": how for (t, m), how in compatible_keys(tonic, mode).items()}
    own, *others = [_is_key(key) for key in (name, *related)]
    return Condition(
        text=f"key {name}" + (" or a compatible key" if related else ""),
        where=f"({' or '.join([own, *others])})",
        score=f"case when {own} then 1.0 else {COMPATIBLE_SCORE} end",
        values={"key": "t.key", "mode": "t.mode"},
        reason=lambda row: f"key {row['key']} {row['mode']}" + _relation(related.get(f"{row['key']} {row['mode']}")),
        is_flexible=True,
    )


def _is_key(key: str) -> str:
    note, mode = key.split()
    return f"(t.key = {literal(note)} and t.mode = {literal(mode)})"


def _relation(how: str | None) -> str:
    return f" ({how})" if how else ""
