"""What one consumer may ask of the service: requests per second, bytes of a request, seconds to send it."""

from collections.abc import Callable
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv6Network, ip_address

HEADER_BYTES = 16 * 1024  # of the request line and all headers
HEADER_S = 10.0  # in which they must arrive
BODY_BYTES = 512 * 1024
BODY_S = 10.0
BURST_S = 2.0  # seconds' worth of requests that may come at once
MAX_WAITING = 64  # requests that wait for a thread; more are turned away
MAX_WAITING_EACH = 32  # of one consumer, so that another finds a place
CONNECTIONS = 1_000
FAILURES_PER_S = 5.0  # requests without a valid key, per address
KEYLESS_PER_S = 20.0  # requests for what needs no key, per address


@dataclass
class RateLimit:
    """
    A token bucket per name; one that is full again is forgotten.

    Attributes:
        per_s: Requests per second that are allowed in the long run.
        clock: Seconds from any start on, such as those of a monotonic clock.
    """

    per_s: float
    clock: Callable[[], float]
    _buckets: dict[str, tuple[float, float]] = field(default_factory=dict)
    _swept: float = 0.0

    def wait_s(self, name: str) -> float:
        """Take a token; return 0, or the seconds until there is one."""
        now, full = self.clock(), max(1.0, self.per_s * BURST_S)
        self._forget(now, full / self.per_s)
        tokens, since = self._buckets.get(name, (full, now))
        tokens = min(full, tokens + (now - since) * self.per_s)
        is_allowed = tokens >= 1
        self._buckets[name] = (tokens - is_allowed, now)
        return 0.0 if is_allowed else (1 - tokens) / self.per_s

    def _forget(self, now: float, full_s: float) -> None:
        """Drop the buckets that are full, at most once per the time that an empty one takes to fill."""
        if now - self._swept >= full_s:
            self._swept = now
            self._buckets = {name: found for name, found in self._buckets.items() if now - found[1] < full_s}


def network_of(address: str) -> str:
    """Return what requests of an address are counted under: the address, or the /64 of IPv6, which one client has."""
    try:
        found = ip_address(address)
    except ValueError:  # of a socket without addresses
        return address
    if isinstance(found, IPv4Address):
        return address
    return str(found.ipv4_mapped or IPv6Network((found, 64), strict=False))
