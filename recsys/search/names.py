"""SQL that finds words in titles and names, whatever their case and accents."""

from recsys.search.condition import literal

# Name of a field -> its SQL and how much a word in it counts.
FIELDS = {
    "title": ("t.title", 1.0),
    "artist": ("t.artist_name", 0.8),
    "release": ("t.release_title", 0.6),
    "label": ("t.label_name", 0.4),
    "id": ("concat_ws(' ', t.track_id, t.isrc)", 0.9),
}
PART_SCORE = 0.7  # of a word that is found within a longer one, or of a part of a name


def plain(sql: str) -> str:
    """Return the SQL of a text in lower case and without accents."""
    return f"replace(lower(strip_accents({sql})), 'ß', 'ss')"


def exact_or_part(column: str, name: str) -> tuple[str, str]:
    """Return the predicate that a name contains a text, and the score: 1 where it is the name."""
    own, asked = plain(column), plain(literal(name))
    return f"contains({own}, {asked})", f"case when {own} = {asked} then 1.0 else {PART_SCORE} end"


def words_in_names(words: tuple[str, ...]) -> tuple[str, str, dict[str, str]]:
    """
    Return how to find words that must all be in the names of a track.

    Returns:
        The predicate; the score, the mean of the words' best fields; per field, `in_<field>`: whether it has a word.
    """
    asked = [plain(literal(word)) for word in words]
    where = " and ".join(f"contains(t.names, {word})" for word in asked) or "true"
    scores = [f"greatest({', '.join(_score(sql, weight, word) for sql, weight in FIELDS.values())})" for word in asked]
    values = {f"in_{name}": _has_any(sql, asked) for name, (sql, _) in FIELDS.items()}
    return f"({where})", f"(({' + '.join(scores) or '1.0'}) / {max(len(words), 1)})", values


def _has_any(sql: str, words: list[str]) -> str:
    return f"({' or '.join(f'coalesce(contains({plain(sql)}, {word}), false)' for word in words) or 'false'})"


def _score(sql: str, weight: float, word: str) -> str:
    own = plain(sql)
    padded = f"concat(' ', regexp_replace({own}, '[^\\p{{L}}\\p{{N}}]+', ' ', 'g'), ' ')"
    whole = f"contains({padded}, concat(' ', {word}, ' '))"
    return f"case when {whole} then {weight} when contains({own}, {word}) then {weight * PART_SCORE:g} else 0 end"
