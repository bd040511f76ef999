"""Names of countries and languages in a search: English names, adjectives and codes."""

import re
from functools import cache

import pycountry

from recsys.errors import InputError
from recsys.ingest.countries import country_code, country_names

ADJECTIVES = {
    "american": "US", "argentine": "AR", "argentinian": "AR", "australian": "AU", "austrian": "AT", "belgian": "BE",
    "brazilian": "BR", "british": "GB", "bulgarian": "BG", "canadian": "CA", "chilean": "CL", "chinese": "CN",
    "colombian": "CO", "croatian": "HR", "cuban": "CU", "czech": "CZ", "danish": "DK", "dutch": "NL", "egyptian": "EG",
    "english": "GB", "estonian": "EE", "finnish": "FI", "french": "FR", "german": "DE", "ghanaian": "GH", "greek": "GR",
    "hungarian": "HU", "icelandic": "IS", "indian": "IN", "indonesian": "ID", "irish": "IE", "israeli": "IL",
    "italian": "IT", "jamaican": "JM", "japanese": "JP", "kenyan": "KE", "korean": "KR", "malian": "ML",
    "mexican": "MX", "moroccan": "MA", "new zealand": "NZ", "nigerian": "NG", "norwegian": "NO", "peruvian": "PE",
    "polish": "PL", "portuguese": "PT", "romanian": "RO", "russian": "RU", "scottish": "GB", "senegalese": "SN",
    "serbian": "RS", "slovak": "SK", "slovenian": "SI", "south african": "ZA", "spanish": "ES", "swedish": "SE",
    "swiss": "CH", "thai": "TH", "turkish": "TR", "ukrainian": "UA", "vietnamese": "VN", "welsh": "GB",
}  # fmt: skip
_OTHER_LANGUAGES = {"greek": "el", "mandarin": "zh", "cantonese": "zh", "farsi": "fa"}


@cache
def languages() -> dict[str, str]:
    """Return the two-letter code of each language that has one, by its English name in lower case."""
    named = {re.sub(r"\s*[(,].*", "", language.name).lower(): language.alpha_2 for language in _with_code()}
    return named | _OTHER_LANGUAGES


def _with_code() -> list[pycountry.db.Data]:
    return [language for language in pycountry.languages if hasattr(language, "alpha_2")]


@cache
def country_pattern(*, with_adjectives: bool) -> str:
    """Return a regular expression of country names, longest first, and of adjectives such as Brazilian."""
    return alternatives([*country_names(), *(ADJECTIVES if with_adjectives else ())])


@cache
def language_pattern() -> str:
    """Return a regular expression of language names, longest first."""
    return alternatives(list(languages()))


def alternatives(names: list[str]) -> str:
    """Return a regular expression of names, longest first; spaces match any white space or a hyphen."""
    ordered = sorted(set(names), key=lambda name: (-len(name), name))
    return "|".join(r"[\s-]+".join(re.escape(word) for word in name.split()) for name in ordered)


def country_of(name: str) -> str | None:
    """Return the code of a country's name, adjective or code; None if it is none."""
    plain = " ".join(re.findall(r"\w+", name.lower()))
    return ADJECTIVES.get(plain) or country_names().get(plain) or country_code(name)


def country_named(name: str) -> str:
    """Return the code of a country as `country_of` reads it; raises InputError if there is no such country."""
    code = country_of(name)
    if code is None:
        raise InputError(f"{name!r} names no country. Write an English name or an ISO 3166 code, such as Germany or DE")
    return code


def language_of(name: str) -> str | None:
    """Return the code of a language's name or its two-letter code; None if it is none."""
    plain = " ".join(re.findall(r"\w+", name.lower()))
    return languages().get(plain) or (plain if plain in languages().values() else None)


def language_named(name: str) -> str:
    """Return the code of a language as `language_of` reads it; raises InputError if there is no such language."""
    code = language_of(name)
    if code is None:
        raise InputError(f"{name!r} names no language. Write an English name or an ISO 639 code, such as French or fr")
    return code
