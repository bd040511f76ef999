"""Servers on this machine that speak SMTP and HTTPS, with a certificate that the tests trust."""

import socketserver
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any, cast

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from typing_extensions import override

from recsys.notify.message import Message


@dataclass
class Received:
    """
    What a server received.

    Attributes:
        lines: Commands of SMTP, or method and path of HTTP, in order.
        headers: Headers of HTTP.
        body: The e-mail, or the body of the request.
        was_encrypted: Whether the message came over an encrypted connection.
    """

    lines: list[str] = field(default_factory=list)
    headers: dict[str, str] = field(default_factory=dict)
    body: str = ""
    was_encrypted: bool = False


@dataclass
class Certificate:
    """A self-signed certificate of localhost."""

    path: Path

    def context(self) -> ssl.SSLContext:
        """Return the TLS context of a server that has it."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.path)
        return context


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    """A certificate with its key, valid for an hour."""
    key, name = (
        ec.generate_private_key(ec.SECP256R1()),
        x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")]),
    )
    now = datetime.now(UTC)
    signed = (
        x509.CertificateBuilder(name, name, key.public_key(), 1, now - timedelta(minutes=1), now + timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    private = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    path = tmp_path_factory.mktemp("tls") / "localhost.pem"
    path.write_bytes(private + signed.public_bytes(pem))
    return Certificate(path)


@pytest.fixture
def trusted(certificate: Certificate, monkeypatch: pytest.MonkeyPatch) -> Certificate:
    """The certificate, which programs of this process trust."""
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate.path))
    return certificate


@pytest.fixture
def message() -> Message:
    """A message of a run that failed."""
    return Message.of("failed", "The nightly run failed", "SetupError: the disk is full\nMore: recsys runs")


class _Smtp(socketserver.StreamRequestHandler):
    """As much of a mail server as a client that sends one e-mail needs; without STARTTLS if `offers` says so."""

    received: Received
    context: ssl.SSLContext
    offers = "STARTTLS"
    refuses = ""

    @override
    def handle(self) -> None:
        """Answer commands until QUIT."""
        self._say("220 localhost")
        while line := self.rfile.readline().decode().strip():
            self.received.lines.append(line)
            word = line.split()[0].upper()
            if word == self.refuses:
                self._say("550 anna@example.org is not known here")
            elif word == "EHLO":
                self._say(f"250-localhost\r\n250-AUTH PLAIN\r\n250 {self.offers}")
            elif word == "STARTTLS":
                self._say("220 go ahead")
                self._encrypt()
            elif word == "DATA":
                self._say("354 end with .")
                self.received.body = self._mail()
                self._say("250 taken")
            else:
                self._say({"AUTH": "235 ok", "QUIT": "221 bye"}.get(word, "250 ok"))

    def _say(self, line: str) -> None:
        self.wfile.write(f"{line}\r\n".encode())

    def _encrypt(self) -> None:
        self.request = self.context.wrap_socket(self.request, server_side=True)
        self.rfile, self.wfile = self.request.makefile("rb"), cast("Any", self.request.makefile("wb", 0))
        self.received.was_encrypted = True

    def _mail(self) -> str:
        lines = iter(lambda: self.rfile.readline().decode().rstrip("\r\n"), ".")
        return "\n".join(lines)


class _QuietTcp(socketserver.TCPServer):
    """A server that prints nothing about clients that do not trust it."""

    @override
    def handle_error(self, *_client: object) -> None:
        """Print nothing."""


class _Quiet(_QuietTcp, HTTPServer):
    """The same for HTTP."""


@contextmanager
def _served(server: socketserver.BaseServer) -> Iterator[None]:
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.fixture
def smtp(certificate: Certificate) -> Iterator[Callable[..., tuple[int, Received]]]:
    """Start a mail server on a free port of localhost; returns the port, and what it will have received."""
    with contextmanager(_started)(_smtp_server, certificate) as start:
        yield start


@pytest.fixture
def https(certificate: Certificate) -> Iterator[Callable[..., tuple[int, Received]]]:
    """Start an HTTPS server that answers with a status; returns the port, and what it will have received."""
    with contextmanager(_started)(_https_server, certificate) as start:
        yield start


def _started(create: Callable[..., Any], certificate: Certificate) -> Iterator[Callable[..., tuple[int, Received]]]:
    running: list[Any] = []

    def start(**options: Any) -> tuple[int, Received]:
        received = Received()
        server = create(certificate, received, **options)
        context = _served(server)
        context.__enter__()
        running.append(context)
        return server.server_address[1], received

    yield start
    for context in running:
        context.__exit__(None, None, None)


def _smtp_server(certificate: Certificate, received: Received, *, offers: str = "STARTTLS", refuses: str = "") -> Any:
    members = {"received": received, "context": certificate.context(), "offers": offers, "refuses": refuses}
    return _QuietTcp(("127.0.0.1", 0), type("Smtp", (_Smtp,), members))


def _https_server(certificate: Certificate, received: Received, *, status: int = 200, location: str = "") -> Any:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            received.lines.append(f"POST {self.path}")
            received.headers = {name.lower(): value for name, value in self.headers.items()}
            received.body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            self.send_response(status)
            if location:
                self.send_header("Location", location)
            self.send_header("Content-Length", "0")
            self.end_headers()

        @override
        def log_message(self, *_texts: object) -> None:
            """Print nothing."""

    server = _Quiet(("127.0.0.1", 0), Handler)
    server.socket = certificate.context().wrap_socket(server.socket, server_side=True)
    return server
