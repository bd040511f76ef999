"""
What the deals of a release notification (ERN 4) permit: uses, territories and periods.

Deals for orders before the release permit nothing. ERN has no term of its own for training: a deal with a use type, or
a user-defined one, that names training or data mining is one for the use `training`.

Source: DDEX, Data Dictionary, DealTerms.
"""

import re
from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from typing import NamedTuple, TypeAlias
from xml.etree.ElementTree import Element

from recsys.ingest.countries import all_codes
from recsys.ingest.territories import by_territory
from recsys.ingest.xml_records import text_of, texts_of
from recsys.lake.contract import WORLD

Values: TypeAlias = dict[str, str | None]  # column -> text
_DAY = re.compile(r"\d{4}-\d\d-\d\d")
_MIDNIGHT = re.compile(r"T00:00(:00(\.0+)?)?(Z|[+-]\d\d:\d\d)?$")
_USES = (  # what the name of a use type has in it -> the use; the first that fits
    (re.compile("stream$"), "stream"),
    (re.compile("download$"), "download"),
    (re.compile("(?<!cons)(?<!res)training|datamining"), "training"),
    (re.compile("broadcast"), "broadcast"),
    (re.compile("synchroni"), "synchronisation"),
    (re.compile("identification"), "identification"),
)


# What a name has in it that refuses training, such as NoTraining.
_REFUSAL = re.compile("^no|not|non|exclu|except|without|optout|reserv|prohibit|den(y|ied)|forbid|disallow")


class Term(NamedTuple):
    """
    What a deal permits.

    Attributes:
        line: Line of the deals of its release.
        uses: Values of `use_type` in the table `licences`.
        territories: Country or WORLD -> whether it is permitted there; WORLD wherever a country is not named.
        first_day, last_day: Period as texts, both included; None without a limit.
    """

    line: int
    uses: tuple[str, ...]
    territories: Mapping[str, bool]
    first_day: str | None
    last_day: str | None

    def has_ended(self, day: str) -> bool:
        """Whether it no longer holds on a day, or whether its end cannot be read."""
        return self.last_day is not None and not (_DAY.fullmatch(self.last_day) and self.last_day >= day)

    def has_begun(self, day: str) -> bool:
        """Whether it holds on a day or did before; False if its beginning cannot be read."""
        return self.first_day is None or bool(_DAY.fullmatch(self.first_day) and self.first_day <= day)


def terms_of_deal(line: int, element: Element) -> Iterator[Term]:
    """Yield a term per period of a deal; without a period it always holds."""
    uses = dict.fromkeys(_use(named) for named in element.iterfind("UseType"))
    excluded = [(False, code, True) for code in texts_of(element, "ExcludedTerritoryCode")]
    included = [(True, code, True) for code in texts_of(element, "TerritoryCode")]
    territories = by_territory([*(included or [(True, WORLD, True)]), *excluded], nothing=False)
    for period in element.findall("ValidityPeriod") or [Element("ValidityPeriod")]:
        first_day = text_of(period, "StartDate") or text_of(period, "StartDateTime")
        last_day = text_of(period, "EndDate") or text_of(period, "EndDateTime")
        yield Term(line, tuple(uses) or ("other",), territories, first_day and first_day[:10], _last_day(last_day))


def _use(element: Element) -> str:
    """Return the use that a use type belongs to; a user-defined one is read by its own name."""
    named = (element.text or "").strip()
    name = (element.get("UserDefinedValue") or "") if named == "UserDefined" else named
    letters = re.sub(r"[\W_]", "", name).lower()
    use = next((use for pattern, use in _USES if pattern.search(letters)), "other")
    return "other" if use == "training" and _REFUSAL.search(letters) else use


def rows_of(number: int, term: Term) -> Iterator[Values]:
    """Yield the rows of the table `licences` for a term, without whose and of which recording it is."""
    for use in term.uses:
        for territory, is_granted in _shortest(term.territories).items():
            yield {
                "term_no": str(number),
                "use_type": use,
                "territory": None if territory == WORLD else territory,
                "is_granted": str(is_granted).lower(),
                "valid_from": term.first_day,
                "valid_until": term.last_day,
            }


def n_rows_of(term: Term) -> int:
    """Return how many rows `rows_of` yields."""
    return len(term.uses) * len(_shortest(term.territories))


def _shortest(territories: Mapping[str, bool]) -> Mapping[str, bool]:
    """Return a list of most countries as the world without the others."""
    others = all_codes() - territories.keys()
    if WORLD in territories or len(others) >= len(territories):
        return territories
    return {WORLD: True} | dict.fromkeys(sorted(others), False)


def permissions(terms: list[Term], day: str) -> Values:
    """
    Return where a recording may be streamed, from when on it may not, and whether it may be trained on.

    A list of countries has no days: it has those of every deal that has not ended. The licences have the days, and a
    recording is listed where one of them permits it on the day.

    Args:
        terms: What its deals permit.
        day: The day of the message; deals that ended before it permit nothing.
    """
    streams = [term for term in terms if "stream" in term.uses and any(term.territories.values())]
    current = [term for term in streams if not term.has_ended(day)]
    ends = [term.last_day for term in current or streams]
    is_open = bool(current) and None in ends
    last_day = max((end for end in ends if end and _DAY.fullmatch(end)), default=None)
    return {
        "available_in": _countries(current),
        "withdrawn_at": None if is_open else _next_day(last_day) or day,
        "training_consent": _consent([term for term in terms if "training" in term.uses], day),
    }


def _countries(terms: list[Term]) -> str | None:
    """Return the countries in which any of the terms permits, None for all; unknown ones only if there is no other."""
    permitted: set[str] = set()
    for term in terms:
        is_world = term.territories.get(WORLD, False)
        permitted |= {code for code in all_codes() if term.territories.get(code, is_world)}
    if terms and not permitted:
        return "|".join(sorted({name for term in terms for name in term.territories}))
    return None if permitted == all_codes() else "|".join(sorted(permitted)) or None


def _consent(terms: list[Term], day: str) -> str | None:
    """Return granted by what holds now and has no end, since a consent has no days; denied if all has ended."""
    if terms and all(term.has_ended(day) for term in terms):
        return "denied"
    lasting = [term for term in terms if term.last_day is None and term.has_begun(day)]
    return "granted" if lasting and _countries(lasting) is None else None


def _last_day(text: str | None) -> str | None:
    """Return the last day of a period: a time of midnight ends the day before."""
    if text is None or not _MIDNIGHT.search(text):
        return text and text[:10]
    try:
        return str(date.fromisoformat(text[:10]) - timedelta(days=1))
    except (ValueError, OverflowError):
        return text[:10]


def _next_day(text: str | None) -> str | None:
    try:
        return str(date.fromisoformat(text or "") + timedelta(days=1))
    except (ValueError, OverflowError):
        return None
