"""Start the service: one process of uvicorn, on this machine's own address unless there are keys."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from time import monotonic
from typing import Any

import uvicorn

from recsys.errors import SetupError
from recsys.home import Home
from recsys.ingest.pseudonym import listener_key
from recsys.login import LOOPBACK
from recsys.serve.app import Service
from recsys.serve.current import Current
from recsys.serve.inbox import FeedbackInbox
from recsys.serve.keys import Keys
from recsys.serve.limits import FAILURES_PER_S, KEYLESS_PER_S, RateLimit
from recsys.serve.protocol import GuardedProtocol
from recsys.serve.telemetry import Telemetry


@dataclass(frozen=True)
class Limits:
    """What an operator sets: requests per second of each consumer, and bytes of feedback that may wait."""

    per_s: float
    quota_bytes: int


def service(
    home: Home, address: str, limits: Limits, *, today: Callable[[], date], now: Callable[[], datetime]
) -> Service:
    """
    Open a home for the service.

    Args:
        home: The home.
        address: The address that it will listen on.
        limits: What an operator sets.
        today: Returns the current day in the market's time zone.
        now: Returns the current instant.

    Raises:
        SetupError: The address can be reached from elsewhere and there are no keys, or there is no release with lists.
    """
    is_loopback = address in LOOPBACK
    if not is_loopback and not Keys.read(home).consumers:
        raise SetupError(
            f"--address is {address}, and there are no keys: everybody who can reach it would see all lists. Make a "
            "key first: recsys serve-key add NAME --scope lists; or omit --address to serve this machine only"
        )
    return Service(
        Current.of(home, is_loopback=is_loopback),
        listener_key(home.key_file),
        FeedbackInbox.of(home, limits.quota_bytes, monotonic),
        Telemetry(now),
        today,
        RateLimit(limits.per_s, monotonic),
        RateLimit(FAILURES_PER_S, monotonic),
        RateLimit(KEYLESS_PER_S, monotonic),
    )


def serve(app: Service, address: str, port: int, **options: Any) -> None:
    """Serve until the process is ended; requests that have begun are answered first."""
    app.address = f"{address}:{port}"
    uvicorn.run(
        app,
        host=address,
        port=port,
        http=GuardedProtocol,
        ws="none",
        lifespan="on",
        log_config=None,
        access_log=False,
        proxy_headers=False,
        server_header=False,
        timeout_graceful_shutdown=30,
        **options,
    )
