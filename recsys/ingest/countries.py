"""
ISO 3166-1 alpha-2 codes of countries as people and old exports write them.

The names are those of the ISO lists (pycountry: names, common and official names, alpha-3 codes) and the former and
colloquial names below. A name of two countries (Korea, Virgin Islands) has no code.
"""

import re
import unicodedata
from collections import Counter
from functools import cache

import polars as pl
import pycountry

# Codes without a current entry in ISO 3166-1 that stay in use: Kosovo, and states dissolved without one successor.
_OTHER_CODES = ("XK", "AN", "CS", "DD", "SU", "YU")
_ABBREVIATED = ("uk", "usa", "uae")
_EVERYWHERE = ("worldwide", "world", "ww")
_OTHER_NAMES = {
    "AE": ("UAE", "Emirates"),
    "AN": ("Netherlands Antilles",),
    "BA": ("Bosnia",),
    "BF": ("HV", "Upper Volta"),
    "BJ": ("DY", "Dahomey"),
    "BN": ("Brunei",),
    "BY": ("Byelorussia", "White Russia"),
    "CD": ("ZR", "Zaire", "DR Congo", "DRC", "Congo-Kinshasa", "Democratic Republic of Congo"),
    "CG": ("Congo-Brazzaville", "Congo Republic", "Republic of Congo"),
    "CI": ("Ivory Coast",),
    "CS": ("Serbia and Montenegro", "Czechoslovakia"),
    "CV": ("Cape Verde",),
    "CZ": ("Czech Republic",),
    "DD": ("East Germany", "GDR", "German Democratic Republic"),
    "DE": ("West Germany", "Deutschland"),
    "ES": ("Espana",),
    "FK": ("Falkland Islands", "Falklands", "Malvinas"),
    "FR": ("FX",),
    "GB": ("UK", "Great Britain", "Britain", "England", "Scotland", "Wales", "Northern Ireland"),
    "GR": ("EL",),
    "IE": ("Republic of Ireland", "Eire"),
    "KH": ("Kampuchea",),
    "KR": ("Republic of Korea",),
    "LK": ("Ceylon",),
    "MK": ("Macedonia", "FYROM", "Former Yugoslav Republic of Macedonia"),
    "MM": ("BU", "Burma"),
    "MO": ("Macau",),
    "NL": ("Holland",),
    "PF": ("Tahiti",),
    "PS": ("Palestinian Territory", "Palestinian Territories", "Occupied Palestinian Territory"),
    "RU": ("Russia",),
    "SH": ("Saint Helena",),
    "SU": ("USSR", "Soviet Union"),
    "SZ": ("Swaziland",),
    "TL": ("TP", "East Timor"),
    "TR": ("Turkey",),
    "US": ("U.S.", "America"),
    "VA": ("Vatican", "Vatican City"),
    "VG": ("British Virgin Islands",),
    "VI": ("US Virgin Islands", "United States Virgin Islands"),
    "VN": ("VD",),
    "VU": ("NH", "New Hebrides"),
    "WS": ("Western Samoa",),
    "XK": ("Kosovo",),
    "YE": ("YD", "South Yemen"),
    "YU": ("Yugoslavia",),
    "ZW": ("RH", "Rhodesia"),
}


def country_codes(texts: pl.Series) -> pl.Series:
    """Return the code of each country name or code (String; null = missing); null where there is none."""
    distinct = texts.drop_nulls().unique()
    codes = pl.Series([country_code(text) for text in distinct], dtype=pl.String)
    return texts.replace_strict(distinct, codes, return_dtype=pl.String)


def territories(texts: pl.Series) -> pl.Series:
    """
    Return lists of countries as lists of codes (`a|b`), also where they are separated by commas or semicolons.

    A territory that is no country is kept as it is written, and its row is refused. `Worldwide` is no restriction:
    a missing list.
    """
    distinct = texts.drop_nulls().unique()
    codes = pl.Series([_territories(text) for text in distinct], dtype=pl.String)
    return texts.replace_strict(distinct, codes, return_dtype=pl.String)


def _territories(text: str) -> str | None:
    if _key(text) in _EVERYWHERE:
        return None
    names = [name.strip() for name in (text.split("|") if "|" in text else re.split("[,;]", text))]
    return "|".join(country_code(name) or _no_code(name) for name in names)


def _no_code(name: str) -> str:
    """Return a name that is no code; two capital letters that are none of a country would look like one."""
    return name.lower()


def country_code(text: str) -> str | None:
    """
    Return the ISO 3166-1 alpha-2 code of a country; None for a text that names no country, or two.

    >>> country_code("Cote D'Ivoire"), country_code("uk"), country_code("Netherlands Antilles"), country_code("ZZ")
    ('CI', 'GB', 'AN', None)
    """
    return _codes().get(_key(text))


def country_name(code: str) -> str:
    """
    Return the common English name of a country; a text that is no code of one is returned unchanged.

    >>> country_name("TZ"), country_name("unknown")
    ('Tanzania', 'unknown')
    """
    country = pycountry.countries.get(alpha_2=code) if len(code) == 2 else None
    if country is None:
        return code
    return str(getattr(country, "common_name", country.name))


def country_names() -> dict[str, str]:
    """Return the code of each name of a country, with letters and digits only and in lower case; without the codes."""
    return {name: code for name, code in _codes().items() if len(name) > len("deu") or name in _ABBREVIATED}


@cache
def all_codes() -> frozenset[str]:
    """Return all codes that `country_code` may return."""
    return frozenset(_codes().values())


def country_of_number(number: str) -> str | None:
    """
    Return the alpha-2 code of a country's ISO 3166-1 number; None if there is no such country.

    >>> country_of_number("276"), country_of_number("000")
    ('DE', None)
    """
    country = pycountry.countries.get(numeric=number)
    return None if country is None else str(country.alpha_2)


@cache
def _codes() -> dict[str, str]:
    """Return the code of each known name; a shortened name of several countries is left out."""
    exact, short = {}, []
    for country in pycountry.countries:
        for kind in ("alpha_2", "alpha_3", "name", "common_name", "official_name"):
            name = getattr(country, kind, None)
            if name:
                exact[_key(name)] = country.alpha_2
                short.append((_key(name.partition(",")[0]), country.alpha_2))
    n_countries = Counter(name for name, _ in set(short))
    own = {_key(name): code for code, names in _OTHER_NAMES.items() for name in names}
    unique = {name: code for name, code in short if n_countries[name] == 1}
    return unique | exact | own | {code.lower(): code for code in _OTHER_CODES}


def _key(name: str) -> str:
    """Reduce a name to what is compared: letters and digits without accents and case, without a leading article."""
    letters = "".join(c for c in unicodedata.normalize("NFKD", name) if not unicodedata.combining(c)).casefold()
    words = re.findall(r"[^\W_]+", re.sub("['’.]", "", letters.replace("&", " and ")))  # noqa: RUF001 - as names have it
    full = ["saint" if word == "st" else word for word in words]
    return " ".join(full[1:] if full[:1] == ["the"] else full)
