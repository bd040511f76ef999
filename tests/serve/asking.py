"""Ask a service without a server: one request in, status, headers and body out."""

import asyncio
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from recsys.home import Home
from recsys.ingest.pseudonym import listener_key
from recsys.serve.app import Service
from recsys.serve.current import Current
from recsys.serve.inbox import FeedbackInbox
from recsys.serve.limits import RateLimit
from recsys.serve.telemetry import Telemetry

TODAY = date(2026, 7, 1)


@dataclass(frozen=True)
class Answer:
    """An answer of the service."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def value(self) -> Any:
        """The body as JSON."""
        return json.loads(self.body)


def service_of(home: Home, inbox: Path, log: Path, current: Current | None = None) -> Service:
    """Return a service of a home whose clock stands still; its log is written to a file."""
    return Service(
        current or Current.of(home, is_loopback=True),
        listener_key(home.key_file),
        FeedbackInbox(inbox, 10_000, lambda: 0.0, listener_key(home.key_file)),
        Telemetry(lambda: datetime(2026, 7, 1, tzinfo=UTC), log.open("ab", buffering=0)),
        lambda: TODAY,
        RateLimit(1e6, lambda: 0.0),
        RateLimit(5, lambda: 0.0),
        RateLimit(5, lambda: 0.0),
    )


def answer_of(
    service: Service,
    path: str,
    *,
    method: str = "GET",
    headers: Mapping[str, str] | None = None,
    body: Any = None,
    **query: Any,
) -> Answer:
    """Ask a service; a body that is not bytes is sent as JSON."""
    sent = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
    given = {"host": "localhost:8600", **({"content-type": "application/json"} if body is not None else {})}
    given |= headers or {}
    scope = {
        "type": "http",
        "method": method,
        "path": path,
        "query_string": urlencode(query, doseq=True).encode(),
        "headers": [(name.encode(), os.fsencode(value)) for name, value in given.items()],
        "client": ("127.0.0.1", 1),
    }
    return asyncio.run(_answered(service, scope, sent))


async def _answered(service: Service, scope: dict[str, Any], body: bytes) -> Answer:
    sent: list[Any] = []

    async def receive() -> dict[str, Any]:
        await asyncio.sleep(0)
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: Any) -> None:
        await asyncio.sleep(0)
        sent.append(message)

    await service(scope, receive, send)
    headers = {name.decode(): value.decode() for name, value in sent[0]["headers"]}
    return Answer(sent[0]["status"], headers, b"".join(part.get("body", b"") for part in sent[1:]))
