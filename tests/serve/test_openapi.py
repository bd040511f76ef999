"""The OpenAPI document and the page for integrators: every example is one that the service itself reads or writes."""

import json
import re
from pathlib import Path

import msgspec

from recsys.serve.examples import EXAMPLES
from recsys.serve.openapi import document
from recsys.serve.routes import ROUTES

PAGE = Path(__file__).parents[2] / "docs" / "service.md"


def test_every_route_has_examples_of_its_types() -> None:
    """Requests decode as the route decodes them, answers encode to what their type reads."""
    assert {(route.method, route.path) for route in ROUTES} == set(EXAMPLES)
    for route in ROUTES:
        request, response = EXAMPLES[route.method, route.path]
        assert msgspec.convert(request, route.request)
        assert isinstance(response, route.answer)
        assert msgspec.json.decode(msgspec.json.encode(response), type=route.answer) == response


def test_the_document_describes_all_routes_and_resolves() -> None:
    """Each reference leads to a schema; each route says which key it needs, unless it needs none."""
    whole = document()
    described = {(method.upper(), path) for path, methods in whole["paths"].items() for method in methods}

    assert described == {(route.method, route.path) for route in ROUTES}
    named = set(re.findall(r"#/components/schemas/(\w+)", json.dumps(whole)))
    assert named <= set(whole["components"]["schemas"])
    assert [path for path, methods in whole["paths"].items() for one in methods.values() if not one["security"]] == [
        "/health"
    ]


def test_the_document_describes_every_field_and_the_statuses_of_each_route() -> None:
    """No field without a description; errors of bodies, keys, disks and missing things only where they can occur."""
    whole = document()
    for name, schema in whole["components"]["schemas"].items():
        assert [field for field, one in schema.get("properties", {}).items() if not one.get("description")] == [], name
    statuses = {key: set(one["responses"]) for path, of in whole["paths"].items() for key, one in of.items()
                for key in [(key.upper(), path)]}  # fmt: skip
    assert {key for key, found in statuses.items() if "507" in found} == {("POST", "/v1/feedback")}
    assert {key for key, found in statuses.items() if "401" not in found} == {("GET", "/health")}
    assert all(("408" in found) == ("415" in found) == (key[0] == "POST") for key, found in statuses.items())
    assert {key[1] for key, found in statuses.items() if "304" not in found and key[0] == "GET"} == {"/health"}
    assert ("GET", "/v1/recommendations") not in {key for key, found in statuses.items() if "404" in found}


def test_the_page_has_every_route_and_its_examples() -> None:
    """The table lists method, path and scopes; the JSON on the page is that of the examples."""
    text = PAGE.read_text(encoding="utf-8")
    rows = re.findall(r"^\| `(GET|POST) (/\S+?)` \| ([^|]*) \|", text, re.MULTILINE)

    assert rows == [(route.method, route.path, " or ".join(route.scopes) or "none") for route in ROUTES]
    shown = [json.loads(block) for block in re.findall(r"```json\n(.*?)```", text, re.DOTALL)]
    known = [msgspec.to_builtins(part) for pair in EXAMPLES.values() for part in pair]
    assert len(shown) >= 3
    assert [block for block in shown if block not in known] == []
