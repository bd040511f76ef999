"""The OpenAPI document of the service, from ROUTES and the types of their requests and answers."""

import re
from collections.abc import Iterable
from functools import cache
from typing import Any

import msgspec

from recsys import __version__
from recsys.serve import messages
from recsys.serve.examples import EXAMPLES
from recsys.serve.messages import Problem
from recsys.serve.routes import LISTENER_HEADER, ROUTES, Route

_REFERENCE = "#/components/schemas/{name}"
_ATTRIBUTE = re.compile(r"^        (\w+): (.*(?:\n {12}.*)*)", re.MULTILINE)  # of a docstring, as it is written
_ALWAYS = {
    "400": "The request cannot be read",
    "403": "The key may not ask this, or the Host is another machine",
    "422": "A value is not as expected",
    "429": "Too many requests; Retry-After says when",
    "500": "The service failed",
    "503": "The service is busy; Retry-After says when",
}
_OF_BODIES = {
    "408": "The body did not arrive in time",
    "413": "The request is too large",
    "415": "The body is not application/json",
}


def _errors(route: Route) -> dict[str, str]:
    """Return the statuses of errors that a route can answer with, and what they mean."""
    return {
        **_ALWAYS,
        **({"401": "The key is missing or unknown"} if route.scopes else {}),
        **({"404": "The release has no such thing"} if route.may_lack else {}),
        **(_OF_BODIES if route.method == "POST" else {}),
        **({"507": "The feedback cannot be kept now"} if route.is_write else {}),
    }


@cache
def encoded_document() -> bytes:
    """Return the document as JSON, which never changes while the service runs."""
    return msgspec.json.encode(document())


def document() -> dict[str, Any]:
    """Return the document."""
    types = [kind for route in ROUTES for kind in (route.request, route.answer)]
    kinds = [*types, Problem, messages.Event]
    _, components = msgspec.json.schema_components(kinds, ref_template=_REFERENCE)
    for name, component in components.items():
        _describe(component, getattr(messages, name))
    paths: dict[str, dict[str, Any]] = {}
    for route in ROUTES:
        paths.setdefault(route.path, {})[route.method.lower()] = _operation(route)
    return {
        "openapi": "3.1.0",
        "info": {"title": "recsys", "version": __version__, "description": "Lists of the current release."},
        "paths": paths,
        "components": {
            "schemas": components,
            "securitySchemes": {"key": {"type": "http", "scheme": "bearer"}},
        },
    }


def _describe(component: dict[str, Any], kind: type) -> None:
    """Give each field of a schema the description that the docstring of its type, or of an inherited one, has."""
    texts = {name: text for one in reversed(kind.__mro__) for name, text in _ATTRIBUTE.findall(one.__doc__ or "")}
    for name, schema in component.get("properties", {}).items():
        schema.setdefault("description", " ".join(texts[name].split()))
    component["description"] = str(kind.__doc__).strip().partition("\n\n")[0]


def _operation(route: Route) -> dict[str, Any]:
    request, response = EXAMPLES[route.method, route.path]
    described: dict[str, Any] = {
        "summary": route.summary,
        "operationId": f"{route.method.lower()}_{route.path.rpartition('/')[2]}",
        "security": [{"key": []}] if route.scopes else [],
        "parameters": list(_parameters(route, request)),
        "responses": {
            str(int(route.status)): {
                "description": route.status.phrase,
                "content": {
                    "application/json": {"schema": _ref(route.answer), "example": msgspec.to_builtins(response)}
                },
            },
            **{status: _error(text) for status, text in sorted(_errors(route).items())},
        },
    }
    if route.is_cached:
        described["responses"]["304"] = {"description": "The release has not changed since the ETag of If-None-Match"}
    if route.method == "POST":
        content = {"schema": _ref(route.request), "example": request}
        described["requestBody"] = {"required": True, "content": {"application/json": content}}
    return described


def _parameters(route: Route, example: dict[str, Any]) -> Iterable[dict[str, Any]]:
    if route.listener:
        yield {
            "name": LISTENER_HEADER.title(),
            "in": "header",
            "required": route.listener == "required",
            "schema": {"type": "string", "minLength": 1, "maxLength": 1_000},
            "example": "account-1234",
        }
    if route.method == "GET":
        schema = msgspec.json.schema(route.request)["$defs"][route.request.__name__]
        _describe(schema, route.request)
        for field in msgspec.structs.fields(route.request):
            given = {"example": example[field.name]} if field.name in example else {}
            own = _without_null(schema["properties"][field.name])
            yield {"name": field.name, "in": "query", "required": field.required, "schema": own, **given}


def _without_null(schema: dict[str, Any]) -> dict[str, Any]:
    """Return the schema of a parameter, which is absent instead of null."""
    kinds = [kind for kind in schema.get("anyOf", []) if kind != {"type": "null"}]
    own = dict(kinds[0]) if kinds else dict(schema)
    own.pop("default", None)
    own.setdefault("description", schema["description"])
    return own


def _error(text: str) -> dict[str, Any]:
    return {"description": text, "content": {"application/problem+json": {"schema": _ref(Problem)}}}


def _ref(kind: type[msgspec.Struct]) -> dict[str, str]:
    return {"$ref": _REFERENCE.format(name=kind.__name__)}
