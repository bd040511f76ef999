"""
A webhook: an https request with the message as JSON.

The address is resolved once, checked, and connected to as checked, so that a name cannot lead elsewhere between the
check and the connection. Redirects are not followed, and proxies of the environment are not used.
"""

import http.client
import ipaddress
import json
import socket
import ssl
from urllib.parse import SplitResult, urlsplit

from typing_extensions import override

from recsys.errors import SetupError
from recsys.notify.message import Message
from recsys.notify.secrets import Secrets
from recsys.notify.settings import NotifySettings

TIMEOUT_S = 20
_HTTPS = 443
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")  # the last 32 bits are an IPv4 address
_LOCAL_NAT64 = ipaddress.IPv6Network("64:ff9b:1::/48")


def send(message: Message, settings: NotifySettings, secrets: Secrets) -> None:
    """
    Post a message to the webhook.

    Raises:
        SetupError: The address is not https, not on the recipe's host or not public, or the host cannot be reached, has
            no valid certificate or does not accept the message. The address is not repeated, since it is a secret.
    """
    host, url = settings.webhook_host, _checked(secrets.webhook_url, settings.webhook_host)
    address = _address(host, url.port or _HTTPS, may_be_private=settings.webhook_is_private)
    headers = {"Content-Type": "application/json"}
    if secrets.webhook_token:
        headers["Authorization"] = f"Bearer {secrets.webhook_token}"
    connection = _Pinned(host, url.port or _HTTPS, address)
    try:
        target = f"{url.path or '/'}?{url.query}" if url.query else url.path or "/"
        connection.request("POST", target, json.dumps(message.as_dict()), headers)
        status = connection.getresponse().status
    except ssl.SSLCertVerificationError as untrusted:
        raise SetupError(f"{host} has no valid certificate ({untrusted.verify_message})") from None
    except (http.client.HTTPException, OSError, ValueError) as failed:
        raise SetupError(f"{host} could not be used ({type(failed).__name__})") from None
    finally:
        connection.close()
    if not http.client.OK <= status < http.client.MULTIPLE_CHOICES:
        raise SetupError(f"{host} answered with status {status}; expected 200 to 299. Redirects are not followed")


class _Pinned(http.client.HTTPSConnection):
    """A connection to one address, whose certificate must be valid for the host's name."""

    def __init__(self, host: str, port: int, address: str) -> None:
        self._context_of_host = ssl.create_default_context()
        super().__init__(host, port, timeout=TIMEOUT_S, context=self._context_of_host)
        self._address = address

    @override
    def connect(self) -> None:
        """Connect to the address that was checked."""
        plain = socket.create_connection((self._address, self.port), TIMEOUT_S)
        self.sock = self._context_of_host.wrap_socket(plain, server_hostname=self.host)


def _checked(address: str, host: str) -> SplitResult:
    try:
        url = urlsplit(address)
        given, _port = url.hostname, url.port
    except ValueError:
        raise SetupError("webhook_url in notify.toml is not an address") from None
    if url.scheme != "https" or url.username is not None:
        raise SetupError("webhook_url in notify.toml must begin with https:// and contain no user name")
    if given != host.lower():
        raise SetupError(f"webhook_url in notify.toml is not on {host}, the webhook_host of the recipe")
    return url


def _address(host: str, port: int, *, may_be_private: bool) -> str:
    """Resolve a host; raises SetupError if any of its addresses is not public, unless it may be private."""
    try:
        found = {str(info[4][0]) for info in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)}
    except OSError:
        raise SetupError(f"{host} has no address. Correct webhook_host") from None
    if not may_be_private and not all(map(_is_public, found)):
        raise SetupError(
            f"{host} is in a private network or on this machine. Give a public host, or set webhook_is_private = true"
        )
    return min(found)


def _is_public(text: str) -> bool:
    """Return whether an address is public; one that embeds an IPv4 address is public if that one is."""
    address = ipaddress.ip_address(text.partition("%")[0])
    if isinstance(address, ipaddress.IPv6Address):
        embedded = _embedded(address)
        return address not in _LOCAL_NAT64 and _is_global(embedded or address)
    return _is_global(address)


def _embedded(address: ipaddress.IPv6Address) -> ipaddress.IPv4Address | None:
    """Return the IPv4 address that an IPv6 address stands for; None if it stands for none."""
    if address in _NAT64:
        return ipaddress.IPv4Address(int(address) & 0xFFFF_FFFF)
    return address.ipv4_mapped or address.sixtofour or (address.teredo[1] if address.teredo else None)


def _is_global(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
    return address.is_global and not address.is_multicast
