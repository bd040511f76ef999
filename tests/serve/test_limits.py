"""Limits per name: what is forgotten, and what counts as one client."""

import pytest

from recsys.serve.limits import RateLimit, network_of


def test_full_buckets_are_forgotten() -> None:
    """A name costs memory only while its bucket is not full; one that is empty still waits."""
    seconds = [0.0]
    limit = RateLimit(5, lambda: seconds[0])
    for n in range(1_000):
        limit.wait_s(f"address {n}")
    seconds[0] = 1.9
    assert [limit.wait_s("busy") for _ in range(11)] == [0] * 10 + [pytest.approx(0.2)]
    seconds[0] = 2.0

    assert limit.wait_s("busy") > 0
    assert len(limit._buckets) == 1


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("testclient", "testclient"),
    ],
)
def test_a_client_of_ipv6_is_a_network(address: str, network: str) -> None:
    """Who has a /64 has all its addresses."""
    assert network_of(address) == network
