"""
Territories of claims: CISAC territory numbers (TIS), ISO 3166 codes and names of countries, included and excluded.

A claim is stored as one row per territory: WORLD holds wherever the claim has no row of its own, and a country that is
excluded from the world has a row with the share 0. A group of countries is stored as its countries of today.

Source: CISAC, Territory Information System (TIS); ISO 3166-1. Groups whose members are not certain are not known here.
"""

from collections.abc import Iterable, Mapping
from functools import cache
from typing import TypeAlias, TypeVar

from recsys.ingest.countries import country_code, country_of_number
from recsys.lake.contract import WORLD

Step: TypeAlias = tuple[bool, str]  # whether a territory is included, and its code, number or name
S = TypeVar("S")

_TIS_DIGITS = 4
_UNKNOWN = "is no territory"
_WORLD_CODES = {"2136", "2WL", WORLD, "WORLD", "WORLDWIDE"}
_BALTIC, _SCANDINAVIA, _GSA, _BENELUX = "EE LV LT", "DK NO SE", "AT CH DE", "BE LU NL"
_ANTILLES = "AG BB CU DM DO GD HT JM KN LC PR TT VC"
_CENTRAL_AMERICA = "BZ CR GT HN NI PA SV"
_SOUTH_AMERICA = "AR BO BR CL CO EC GY PE PY SR UY VE"
_NORTH_AFRICA = "DZ EG LY MA TN"
_CONTINENT = (
    f"{_BALTIC} {_SCANDINAVIA} {_GSA} {_BENELUX} AD AL BA BG BY CZ ES FI FR GR HR HU IT LI MC MD ME MK PL PT RO RS RU "
    "SI SK SM UA VA"
)
_GROUPS = {
    "2100": f"{_NORTH_AFRICA} AO BF BI BJ BW CD CF CG CI CM CV DJ ER ET GA GH GM GN GQ GW KE KM LR LS MG ML MR MU MW "
    "MZ NA NE NG RW SC SD SL SN SO SS ST SZ TD TG TZ UG ZA ZM ZW",
    "2101": f"{_ANTILLES} {_CENTRAL_AMERICA} {_SOUTH_AMERICA} BS CA MX US",
    "2102": f"{_CENTRAL_AMERICA} {_SOUTH_AMERICA} CA MX US",
    "2103": _ANTILLES,
    "2107": "AU FJ NC NZ SB VU",
    "2108": "AL BA BG GR HR ME MK RO RS SI",
    "2109": _BALTIC,
    "2110": _BENELUX,
    "2111": "GB IE",
    "2113": _CENTRAL_AMERICA,
    "2119": f"{_BALTIC} AL BG BY CZ HU MD PL RO RU SK UA",
    "2120": f"{_CONTINENT} CY GB IE IS MT",
    "2122": _CONTINENT,
    "2123": "AT BE BG CY CZ DE DK EE ES FI FR GR HR HU IE IT LT LU LV MT NL PL PT RO SE SI SK",
    "2124": _GSA,
    "2126": "CA MX US",
    "2127": f"{_SCANDINAVIA} FI IS",
    "2128": _NORTH_AFRICA,
    "2131": _SCANDINAVIA,
    "2132": _SOUTH_AMERICA,
    "2133": "BN ID KH LA MM MY PH SG TH TL VN",
    "2134": f"{_ANTILLES} BS",
}


@cache
def countries_of(name: str) -> tuple[str, ...]:
    """
    Return the ISO codes of a territory; WORLD alone for the world.

    A text that is no known territory is returned in lower case, so that the contract refuses its row.

    >>> countries_of("2131"), countries_of("0826"), countries_of("World"), countries_of("2999")
    (('DK', 'NO', 'SE'), ('GB',), ('WW',), ('2999 is no territory',))
    """
    text = name.strip().upper()
    number = text.zfill(_TIS_DIGITS) if text.isdigit() else ""
    if text in _WORLD_CODES:
        return (WORLD,)
    if number in _GROUPS:
        return tuple(sorted(_GROUPS[number].split()))
    code = country_of_number(number[1:]) if number.startswith("0") else country_code(name)
    return (code or f"{name.strip().lower()} {_UNKNOWN}",)


def steps_of(text: str | None) -> list[Step]:
    """
    Return the steps of a list of territories: separated by `|`, `,` or `;`, an excluded one after a minus sign.

    >>> steps_of("2136 | -US"), steps_of(None)
    ([(True, '2136'), (False, 'US')], [(True, 'WW')])
    """
    names = [part.strip() for part in (text or WORLD).replace(";", "|").replace(",", "|").split("|")]
    steps = [(not name.startswith("-"), name.removeprefix("-").strip()) for name in names if name]
    return steps or [(True, "an empty list")]


def by_territory(steps: Iterable[tuple[bool, str, S]], nothing: S) -> Mapping[str, S]:
    """
    Return what is claimed in each territory.

    Args:
        steps: Whether a territory is included, its name, and what is claimed in it; later steps override earlier ones.
        nothing: What is claimed in an excluded territory.

    Returns:
        Country or WORLD -> what is claimed; WORLD holds wherever a country is not named. If any territory is unknown,
        only that one, so that the contract refuses the claim instead of widening it.
    """
    claimed: dict[str, S] = {}
    for is_included, name, share in steps:
        territories = countries_of(name)
        if territories[0].endswith(_UNKNOWN):
            return {territories[0]: share}
        if territories == (WORLD,):
            claimed.clear()
        claimed.update(dict.fromkeys(territories, share if is_included else nothing))
    if claimed.get(WORLD, nothing) == nothing:
        return {territory: share for territory, share in claimed.items() if share != nothing}
    return claimed
