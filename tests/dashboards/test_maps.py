"""Maps of countries: the outline, the colours of countries, and what is not on the map."""

import json
from collections.abc import Callable
from itertools import accumulate
from typing import Any

import polars as pl
import pycountry
import pytest

from dashboards import charts, maps, outlines, parts

Point = tuple[float, float]
CITIES = {  # longitude, latitude
    "DE": (13.4, 52.5),
    "BR": (-47.9, -15.8),
    "JP": (138.5, 36.2),
    "ZA": (28.2, -25.8),
    "XK": (21.1, 42.6),
    "US": (-95.4, 39.0),
    "AU": (135.0, -25.0),
    "FR": (2.3, 46.5),
}


@pytest.fixture
def captions(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The captions of pages; figures are drawn, but not shown."""
    found = list[str]()
    monkeypatch.setattr(parts, "figure", lambda *_, **__: None)
    monkeypatch.setattr(parts, "caption", found.append)
    return found


def rings(topology: dict[str, Any], geometry: dict[str, Any]) -> list[list[Point]]:
    """Decode the outer rings of a country: arcs are differences of whole numbers, and ~n is arc n backwards."""
    (scale_x, scale_y), (x0, y0) = topology["transform"]["scale"], topology["transform"]["translate"]

    def arc(number: int) -> list[Point]:
        steps = accumulate(topology["arcs"][max(number, ~number)], lambda a, b: [a[0] + b[0], a[1] + b[1]])
        points = [(x * scale_x + x0, y * scale_y + y0) for x, y in steps]
        return points if number >= 0 else points[::-1]

    polygons = [geometry["arcs"]] if geometry["type"] == "Polygon" else geometry["arcs"]
    return [[point for number in polygon[0] for point in arc(number)] for polygon in polygons]


def is_inside(point: Point, ring: list[Point]) -> bool:
    """Count the edges that a ray to the east crosses."""
    x, y = point
    edges = zip(ring, ring[1:] + ring[:1], strict=True)
    return (
        sum((y1 > y) != (y2 > y) and x < (x2 - x1) * (y - y1) / (y2 - y1) + x1 for (x1, y1), (x2, y2) in edges) % 2 == 1
    )


def test_a_city_is_inside_its_country_alone() -> None:
    """Codes belong to the right shapes, also of a country without a number."""
    topology = outlines.topology()
    shapes = {one["id"]: rings(topology, one) for one in topology["objects"][outlines.LAYER]["geometries"]}

    for code, city in CITIES.items():
        assert [found for found, of_country in shapes.items() if any(is_inside(city, ring) for ring in of_country)] == [
            code
        ]


def test_codes_of_the_outline_are_those_of_countries() -> None:
    """Each once; only two areas have no code, and Antarctica is left out."""
    ids = [one["id"] for one in outlines.topology()["objects"][outlines.LAYER]["geometries"]]

    known = {one.alpha_2 for one in pycountry.countries} | {"XK"}
    assert ids.count("") == 2
    assert len(set(ids)) == len(ids) - 1 == 175
    assert outlines.drawn_codes() == set(ids) - {""}
    assert outlines.drawn_codes() <= known
    assert not {"AQ", "SG"} & outlines.drawn_codes()


def drawn(rows: pl.DataFrame, unit: str = "%") -> dict[str, Any]:
    """Return the specification of a map."""
    return dict(charts.world(rows, "country", "value", "name", unit=unit).to_dict())


def rows_of(*values: tuple[str | None, float | None]) -> pl.DataFrame:
    """Return rows of a map."""
    table = pl.DataFrame(values, {"country": pl.String, "value": pl.Float64}, orient="row")
    return table.with_columns(name=pl.col("country").fill_null("unknown"))


def test_a_map_draws_the_countries_of_the_outline() -> None:
    """Unknown and small countries are left out, and nothing is read from another server."""
    chart = drawn(rows_of(("DE", 0.5), (None, 0.3), ("SG", 0.2)))

    assert list(chart["datasets"].values()) == [[{"country": "DE", "value": 0.5, "name": "DE"}]]
    outline, shapes = (layer["data"] for layer in chart["layer"])
    assert json.loads(outline["values"]) == outlines.topology()
    assert shapes == {name: outline[name] for name in ("name", "format")}
    assert "'url'" not in str(chart)


def test_a_country_without_a_value_is_grey() -> None:
    """It differs from one without a row, which is not drawn above the outline."""
    chart = drawn(rows_of(("DE", None), ("FR", 0.5)))

    outline, shapes = chart["layer"]
    colour = shapes["encoding"]["color"]
    assert shapes["transform"][1] == {"filter": "isValid(datum['name'])"}
    assert colour["value"] == charts.NO_VALUE[False] != outline["mark"]["fill"]
    assert colour["condition"]["test"] == "isValid(datum['value'])"


@pytest.mark.parametrize("values", [[], [("DE", None)], [("DE", 0.0)], [(None, 1.0)]])
def test_a_map_without_values_is_drawn(values: list[tuple[str | None, float | None]]) -> None:
    """With no rows, no value, nothing but 0 or unknown countries alone, colours still have a scale."""
    for unit in ("%", "times"):
        scale = drawn(rows_of(*values), unit)["layer"][1]["encoding"]["color"]["condition"]["scale"]

        assert scale["domain"] == ([0, 1] if unit == "%" else [0.25, 1, 4])


def test_what_is_not_on_the_map_is_said(captions: list[str]) -> None:
    """Unknown and small countries, with their share; nothing where all are drawn."""
    show: Callable[[pl.DataFrame], None] = lambda rows: maps.figure(  # noqa: E731
        "Countries", rows, "share", share="share", key="world", note="", alt_text=""
    )
    rows = pl.DataFrame({"country": ["DE", "unknown", "SG"], "share": [0.5, 0.3, 0.2]})

    show(maps.with_names(rows))
    show(maps.with_names(rows.head(1)))

    assert captions == ["Not on the map: unknown (30.0% of plays), Singapore (20.0% of plays)."]


def test_a_map_in_the_dark_has_colours_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """Greater shares are lighter on dark pages."""
    light = drawn(rows_of(("DE", 0.5)))
    monkeypatch.setattr(charts, "_is_dark", lambda: True)

    dark = drawn(rows_of(("DE", 0.5)))

    ranges = [one["layer"][1]["encoding"]["color"]["condition"]["scale"]["range"] for one in (light, dark)]
    assert [_lightness(first) < _lightness(last) for first, last in ranges] == [False, True]


def _lightness(colour: str) -> int:
    return sum(bytes.fromhex(colour.removeprefix("#")))


def test_a_ratio_of_few_listeners_is_left_out() -> None:
    """The shares of the country stay, also of one that is not on the map."""
    rows = pl.DataFrame(
        {"country": ["DE", "unknown"], "n_listeners": [10, 9], "play_share": [0.9, 0.1], "ratio": [1.2, 0.4]}
    )

    shown = maps.without_small(maps.with_names(rows))

    assert shown.select("name", "play_share", "ratio").rows() == [("Germany", 0.9, 1.2), ("unknown", 0.1, None)]


@pytest.mark.parametrize(
    ("low", "expected"),
    [([1.1, 1.2, 1.3, 1.4, 1.5], ["FR", "ES", "IT"]), ([0.9, 1.2, 1.0, 0.9, 1.5], ["ES"]), ([0.5] * 5, [])],
)
def test_countries_stand_out_if_their_interval_is_above_1(low: list[float], expected: list[str]) -> None:
    """At most three, the greatest ratios first; an unknown country is none."""
    countries = ["DE", "ES", "FR", "IT", None]
    rows = pl.DataFrame({"country": countries, "low": low, "ratio": [2.0, 4.0, 5.0, 3.0, 9.0]})

    assert maps.standing_out(rows)["country"].to_list() == expected
