"""
The outline of countries that maps draw: a file of the package (`assets/world-atlas`), so that no server is asked.

Countries have their ISO 3166-1 alpha-2 code as id, as in the marts. Antarctica, where nobody listens, is left out.
"""

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from recsys.ingest.countries import country_code, country_of_number

FILE = Path(__file__).parent / "assets" / "world-atlas" / "countries-110m.json"
LAYER = "countries"  # object of the topology
_LEFT_OUT = "AQ"


@cache
def topology() -> dict[str, Any]:
    """Return the outline as a TopoJSON topology, with codes as ids; it must not be changed."""
    content: dict[str, Any] = json.loads(FILE.read_text(encoding="utf-8"))
    countries = [_with_code(geometry) for geometry in content["objects"][LAYER]["geometries"]]
    shown = [geometry for geometry in countries if geometry["id"] != _LEFT_OUT]
    return {
        **{key: content[key] for key in ("type", "transform", "arcs")},
        "objects": {LAYER: {"type": "GeometryCollection", "geometries": shown}},
    }


@cache
def topology_json() -> str:
    """Return the outline as JSON: through data of other types, Altair walks value by value, for half a second."""
    return json.dumps(topology(), separators=(",", ":"))


@cache
def drawn_codes() -> frozenset[str]:
    """Return the codes of the countries that the outline has; small ones are not part of it."""
    return frozenset(one["id"] for one in topology()["objects"][LAYER]["geometries"] if one["id"])


def _with_code(geometry: Mapping[str, Any]) -> dict[str, Any]:
    """Return a country with its code: by its number, or by its name if it has no number; '' if it has no code."""
    number, name = geometry.get("id"), geometry["properties"]["name"]
    code = country_of_number(number) if number else country_code(name)
    return {"type": geometry["type"], "arcs": geometry["arcs"], "id": code or ""}
