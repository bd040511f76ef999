"""
The ASGI application: who asks, how much, what; then the answer, or a problem.

In this order: route, host, key, scope, rate, size, content. An answer is made from one release and names it. What an
unexpected error says goes to the log without its message, which might quote somebody's data.
"""

import asyncio
import hashlib
import re
from collections import Counter
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import date
from functools import cache, lru_cache
from http import HTTPStatus
from time import perf_counter
from typing import Any
from urllib.parse import parse_qsl

import msgspec
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from recsys import __version__
from recsys.errors import InputError, UnknownIds
from recsys.ingest.pseudonym import pseudonym
from recsys.lake.field import MAX_CHARS
from recsys.login import LOOPBACK
from recsys.serve.current import Current
from recsys.serve.inbox import FeedbackInbox
from recsys.serve.keys import Consumer
from recsys.serve.limits import BODY_BYTES, BODY_S, MAX_WAITING, MAX_WAITING_EACH, RateLimit, network_of
from recsys.serve.openapi import encoded_document
from recsys.serve.problems import PROBLEM_TYPE, RefusedRequest, place_of
from recsys.serve.routes import LISTENER_HEADER, ROUTES, Context, Route
from recsys.serve.telemetry import METRICS_TYPE, Telemetry

REFRESH_S = 1.0
THREADS = 4  # for answers that take longer than a list that is stored
MAX_PARAMETERS = 600
QUERIES = 1_024  # parsed ones that are kept
METRICS, OPENAPI = "/metrics", "/openapi.json"
_JSON = "application/json"
_HOST = re.compile(r"(\[[0-9a-f:]+\]|[^\[\]:]+)(?::\d+)?")
_NOBODY = Consumer("-", ())
_FAILED = RefusedRequest(HTTPStatus.INTERNAL_SERVER_ERROR, "The service failed. Its log says where")
_BY_PATH = {path: {route.method: route for route in ROUTES if route.path == path} for path in {r.path for r in ROUTES}}
_DECODERS = {route: msgspec.json.Decoder(route.request) for route in ROUTES}


@dataclass
class Exchange:
    """A request on its way: what is known of it so far, for the log."""

    request: Request
    headers: dict[str, str]
    route: str = "unknown"
    consumer: Consumer = _NOBODY
    release: str = ""


@dataclass
class Service:
    """
    The application.

    Attributes:
        current: The open release and the keys.
        key: The home's key of listeners.
        inbox: Where feedback goes.
        telemetry: Log and metrics.
        today: Returns the current day in the market's time zone.
        rate: The limit per consumer.
        failures: The limit of requests without a valid key, per address.
        keyless: The limit of requests for what needs no key, per address.
        address: Where it listens, for the log.
        refresh_s: Seconds between two looks at the home.
    """

    current: Current
    key: bytes
    inbox: FeedbackInbox
    telemetry: Telemetry
    today: Callable[[], date]
    rate: RateLimit
    failures: RateLimit
    keyless: RateLimit
    address: str = "-"
    refresh_s: float = REFRESH_S
    _threads: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(THREADS, "answer"))
    _writers: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(1, "feedback"))
    _waiting: Counter[str] = field(default_factory=Counter)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or begin and end with the server."""
        if scope["type"] == "lifespan":
            await self._live(receive, send)
            return
        started, exchange = perf_counter(), Exchange(Request(scope, receive), _headers_of(scope))
        response = await self._response(exchange)
        await response(scope, receive, send)
        method = exchange.request.method if exchange.request.method in {"GET", "POST"} else "other"
        self.telemetry.request(
            method=method,
            route=exchange.route,
            status=response.status_code,
            seconds=perf_counter() - started,
            consumer=exchange.consumer.name,
            release=exchange.release,
        )

    async def _live(self, receive: Receive, send: Send) -> None:
        """Look at the home every second from the server's start to its end."""
        await receive()
        self.telemetry.note("start", f"{self.address}, release {self.current.release.name}, {self._keys()}")
        watching = asyncio.create_task(self._watch())
        await send({"type": "lifespan.startup.complete"})
        await receive()
        watching.cancel()
        for threads in (self._threads, self._writers):
            threads.shutdown()
        self._hand_over()
        self.telemetry.flush()
        await send({"type": "lifespan.shutdown.complete"})

    async def _watch(self) -> None:
        while True:
            await asyncio.to_thread(self.refresh)
            await asyncio.sleep(self.refresh_s)

    def refresh(self) -> None:
        """Look at the home once, hand over feedback, and log what was done or failed; raises nothing."""
        for note in self.current.refresh():
            self.telemetry.note("home", note)
        self._hand_over(only_old=True)
        self.telemetry.state(self.current.release.name, is_stale=self.current.problem is not None)

    def _hand_over(self, *, only_old: bool = False) -> None:
        """Make the feedback that came a file of the inbox, if it may be."""
        try:
            self.inbox.rotate() if only_old else self.inbox.close()
        except Exception as error:  # noqa: BLE001 - tried again; the service must not stop looking
            self.telemetry.note("feedback", place_of(error))

    def _keys(self) -> str:
        """Say whether keys are needed."""
        return "keys are needed" if self.current.needs_key else "no keys: every program of this machine may ask"

    async def _response(self, exchange: Exchange) -> Response:
        try:
            return await self._answer(exchange)
        except RefusedRequest as refused:
            return _problem(refused)
        except (UnknownIds, InputError) as error:
            is_missing = isinstance(error, UnknownIds)
            status = HTTPStatus.NOT_FOUND if is_missing else HTTPStatus.UNPROCESSABLE_ENTITY
            return _problem(RefusedRequest(status, str(error)))
        except ClientDisconnect:
            return _problem(RefusedRequest(HTTPStatus.BAD_REQUEST, "The request ended before its body was complete"))
        except Exception as error:  # noqa: BLE001 - answered without its message
            self.telemetry.note("failure", place_of(error))
            return _problem(_FAILED)

    async def _answer(self, exchange: Exchange) -> Response:
        scope, headers = exchange.request.scope, exchange.headers
        path, methods = scope["path"], _BY_PATH.get(scope["path"], {})
        if path in {METRICS, OPENAPI}:
            return self._own(exchange, path)
        route = methods.get(scope["method"])
        if route is None:
            raise _not_routed(methods)
        exchange.route = route.path
        self._admit(exchange, route.scopes)
        listener = self._listener(headers) if route.listener else None
        release = self.current.release
        exchange.release = release.name
        etag = _etag(release.version, scope, listener, exchange.consumer)
        if route.is_cached and _names(headers.get("if-none-match", ""), etag):
            return Response(status_code=HTTPStatus.NOT_MODIFIED, headers=_headers(etag))
        given = await self._given(exchange, route)
        requester = (exchange.consumer, listener, self._pseudonym)
        context = Context(release, self.current, *requester, self.inbox, self.today, self.telemetry)
        answer = route.quick(context, given) if route.quick else None
        if answer is None:
            answer = await self._in_thread(route, context, given)
        own = _headers(etag) if route.is_cached else {"cache-control": "no-store"}
        return Response(msgspec.json.encode(answer), route.status, own, _JSON)

    def _own(self, exchange: Exchange, path: str) -> Response:
        """Answer with the metrics or the OpenAPI document."""
        exchange.route = path
        if exchange.request.method != "GET":
            raise _not_routed({"GET": None})
        if path == OPENAPI:
            _refuse_above(self.keyless, _network(exchange))
            return Response(encoded_document(), media_type=_JSON)
        self._admit(exchange, ("operations",))
        return Response(self.telemetry.metrics(), media_type=METRICS_TYPE)

    def _admit(self, exchange: Exchange, scopes: tuple[str, ...]) -> None:
        """Raise RefusedRequest unless the request comes from a consumer with one of the scopes, within its rate."""
        headers = exchange.headers
        if not self.current.needs_key and not _is_for_this_machine(headers):
            raise RefusedRequest(
                HTTPStatus.FORBIDDEN, "Without keys, the service answers to its own machine's names only"
            )
        if not scopes:
            _refuse_above(self.keyless, _network(exchange))
            return
        consumer = self.current.consumer(headers.get("authorization"))
        if consumer is None:
            _refuse_above(self.failures, _network(exchange))
            detail = "The key is missing or unknown. Send it as Authorization: Bearer KEY"
            raise RefusedRequest(HTTPStatus.UNAUTHORIZED, detail, www_authenticate="Bearer")
        exchange.consumer = consumer
        _refuse_above(self.rate, consumer.name)
        if not set(scopes) & set(consumer.scopes):
            raise RefusedRequest(HTTPStatus.FORBIDDEN, f"The key lacks the scope for this: {' or '.join(scopes)}")

    def _listener(self, headers: Mapping[str, str]) -> str | None:
        given = headers.get(LISTENER_HEADER)
        return None if given is None else self._pseudonym(_utf8(given))

    def _pseudonym(self, account: str) -> str:
        """Return the pseudonym of an account, as ingest makes it."""
        name = account.strip()
        if not 0 < len(name) <= MAX_CHARS:
            detail = f"The listener's id is empty or longer than {MAX_CHARS:,} characters"
            raise RefusedRequest(HTTPStatus.UNPROCESSABLE_ENTITY, detail)
        return pseudonym(name, self.key)

    async def _given(self, exchange: Exchange, route: Route) -> msgspec.Struct:
        """Return the query or the body in the type of the route."""
        try:
            if route.method == "GET":
                return _query(route, exchange.request.scope["query_string"])
            given: msgspec.Struct = _DECODERS[route].decode(await _body(exchange))
        except (msgspec.ValidationError, RecursionError) as invalid:
            raise RefusedRequest(HTTPStatus.UNPROCESSABLE_ENTITY, str(invalid)) from None
        except (msgspec.DecodeError, UnicodeError):
            raise RefusedRequest(HTTPStatus.BAD_REQUEST, "The body is not JSON in UTF-8") from None
        return given

    async def _in_thread(self, route: Route, context: Context, given: msgspec.Struct) -> msgspec.Struct:
        name = context.consumer.name
        if self._waiting.total() >= MAX_WAITING or self._waiting[name] >= MAX_WAITING_EACH:
            raise RefusedRequest(HTTPStatus.SERVICE_UNAVAILABLE, "Too many requests are waiting", retry_after="1")
        self._waiting[name] += 1
        threads = self._writers if route.is_write else self._threads
        try:
            return await asyncio.get_running_loop().run_in_executor(threads, route.handle, context, given)
        finally:
            self._waiting[name] -= 1


def _refuse_above(limit: RateLimit, name: str) -> None:
    if wait_s := limit.wait_s(name):
        detail = f"More than {limit.per_s:g} requests per second. Wait as long as Retry-After says"
        raise RefusedRequest(HTTPStatus.TOO_MANY_REQUESTS, detail, retry_after=str(int(wait_s) + 1))


def _network(exchange: Exchange) -> str:
    client = exchange.request.client
    return network_of(client.host) if client else "-"


def _headers_of(scope: Scope) -> dict[str, str]:
    """Return the headers by their name in lower case; one that was sent twice is joined, so that it names nobody."""
    found: dict[str, str] = {}
    for name, value in scope["headers"]:
        key, text = name.decode("latin-1"), value.decode("latin-1")
        found[key] = f"{found[key]}, {text}" if key in found else text
    return found


def _is_for_this_machine(headers: Mapping[str, str]) -> bool:
    """Return whether the host in a request is this machine; a page in a browser can name another that leads here."""
    name = _HOST.fullmatch(headers.get("host", ""))
    return name is not None and name[1].strip("[]") in LOOPBACK


def _not_routed(methods: Mapping[str, Any]) -> RefusedRequest:
    if methods:
        allow = ", ".join(sorted(methods))
        return RefusedRequest(HTTPStatus.METHOD_NOT_ALLOWED, f"Expected the method {allow}", allow=allow)
    return RefusedRequest(HTTPStatus.NOT_FOUND, "There is no such path; GET /openapi.json describes all")


@cache
def _repeatable(route: Route) -> frozenset[str]:
    """Return the parameters of a route that have several values."""
    fields = msgspec.structs.fields(route.request)
    return frozenset(field.name for field in fields if isinstance(field.default, tuple))


@lru_cache(maxsize=QUERIES)
def _query(route: Route, query: bytes) -> msgspec.Struct:
    """Return a query in the type of the route; the same filters are asked for again and again."""
    try:
        pairs = parse_qsl(query.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=MAX_PARAMETERS)
    except ValueError:  # UnicodeError is one
        detail = f"The query is not UTF-8 in percent-encoding, or has more than {MAX_PARAMETERS} parameters"
        raise RefusedRequest(HTTPStatus.BAD_REQUEST, detail) from None
    given: dict[str, Any] = {}
    for name, value in pairs:
        if name in _repeatable(route):
            given.setdefault(name, []).append(value)
        elif name in given:
            raise RefusedRequest(HTTPStatus.UNPROCESSABLE_ENTITY, f"{route.path}: a parameter was sent twice")
        else:
            given[name] = value
    return msgspec.convert(given, route.request, strict=False)


async def _body(exchange: Exchange) -> bytes:
    """Return the body; raises RefusedRequest if it is no JSON, too large or too slow."""
    if exchange.headers.get("content-type", "").partition(";")[0].strip().lower() != _JSON:
        raise RefusedRequest(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "Expected the header Content-Type: application/json")
    too_large = RefusedRequest(
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
        f"The body has more than {BODY_BYTES:,} bytes. Send it in parts",
        connection="close",
    )
    stated = exchange.headers.get("content-length", "")
    if stated.isdecimal() and int(stated) > BODY_BYTES:
        raise too_large
    body = bytearray()
    try:
        async with asyncio.timeout(BODY_S):
            async for part in exchange.request.stream():
                body += part
                if len(body) > BODY_BYTES:
                    raise too_large
    except TimeoutError:
        detail = f"The body did not arrive within {BODY_S:g} s"
        raise RefusedRequest(HTTPStatus.REQUEST_TIMEOUT, detail, connection="close") from None
    return bytes(body)


def _etag(version: str, scope: Scope, listener: str | None, consumer: Consumer) -> str:
    """Return what changes with the release, the question and who asks."""
    question = (__version__.encode(), version.encode(), scope["path"].encode(), scope["query_string"])
    asker = ((listener or "").encode(), (consumer.label_id or "").encode())
    digest = hashlib.blake2b(b"\x00".join((*question, *asker)), digest_size=12).hexdigest()
    return f'"{digest}"'


def _names(validators: str, etag: str) -> bool:
    """Return whether a header If-None-Match names a validator: `*`, or a list of weak or strong ones."""
    return any(one.strip().removeprefix("W/") in {etag, "*"} for one in validators.split(","))


def _headers(etag: str) -> dict[str, str]:
    return {"etag": etag, "cache-control": "private, no-cache", "vary": "Authorization, X-Listener-Id"}


def _problem(refused: RefusedRequest) -> Response:
    headers = {"cache-control": "no-store", **refused.headers}
    return Response(refused.body(), refused.status, headers, PROBLEM_TYPE)


def _utf8(header: str) -> str:
    """Return a header as text in UTF-8; Starlette reads Latin-1."""
    try:
        return header.encode("latin-1").decode("utf-8")
    except UnicodeDecodeError:
        raise RefusedRequest(HTTPStatus.BAD_REQUEST, "The header X-Listener-Id is not UTF-8") from None
