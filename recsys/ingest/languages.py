"""ISO 639 codes of languages, as in deliveries, in words."""

from functools import cache

import pycountry

KINDS_OF_CODES = ("alpha_2", "alpha_3", "bibliographic")


@cache
def language_name(code: str) -> str:
    """
    Return the common English name of a language; a text that is no code of one is returned unchanged.

    Args:
        code: ISO 639-1 (two letters), or ISO 639-2 or 639-3 (three letters).

    >>> language_name("pt"), language_name("ger"), language_name("el"), language_name("unknown")
    ('Portuguese', 'German', 'Modern Greek', 'unknown')
    """
    found = (pycountry.languages.get(**{kind: code}) for kind in KINDS_OF_CODES if len(code) <= len("deu"))
    language = next(filter(None, found), None)
    return code if language is None else str(getattr(language, "common_name", language.name)).partition(" (")[0]
