"""A real server: clients that are slow, large or malformed, and thousands of requests made from its own OpenAPI."""

import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from importlib.util import find_spec
from pathlib import Path

import pytest

from recsys.home import Home
from recsys.pipeline.run import Run
from recsys.serve.keys import add_key
from recsys.serve.limits import BODY_BYTES, HEADER_BYTES

pytestmark = pytest.mark.slow
CHECKS = "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance"
START = """
import sys
from datetime import UTC, date, datetime
from pathlib import Path
from recsys.home import Home
from recsys.serve import protocol, server
protocol.HEADER_S = 1.0
limits = server.Limits(1e6, 1_000_000)
clocks = {"today": lambda: date(2026, 7, 1), "now": lambda: datetime.now(UTC)}
server.serve(server.service(Home(Path(sys.argv[1])), "127.0.0.1", limits, **clocks), "127.0.0.1", int(sys.argv[2]))
"""


@pytest.fixture(scope="module")
def port_and_key(finished: Run, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[int, str, Path]]:
    """Start a server on a home whose parts are links to the shared one; yield port, key and home."""
    home = Home(tmp_path_factory.mktemp("served") / "home")
    home.path.mkdir()
    for path in finished.home.path.iterdir():
        (home.path / path.name).symlink_to(path.readlink() if path.name == "current" else path)
    key = add_key(home, "tester", ["lists", "feedback", "operations"])
    with closing(socket.socket()) as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    log = home.path.parent / "log.jsonl"  # a pipe that nobody reads would stop the service when it is full
    command = [sys.executable, "-c", START, str(home.path), str(port)]
    with log.open("wb") as to, subprocess.Popen(command, stdout=to, stderr=subprocess.STDOUT) as server:
        for _ in range(600):
            try:
                socket.create_connection(("127.0.0.1", port)).close()
                break
            except OSError:
                time.sleep(0.1)
        yield port, key, home.path
        server.send_signal(signal.SIGTERM)
        server.wait(timeout=60)
    output = log.read_text(encoding="utf-8")
    assert "Traceback" not in output
    assert f'"event":"start","text":"127.0.0.1:{port}, release ' in output
    assert '"route":"/v1/feedback","status":202' in output  # what was buffered is written at the end
    assert "tester-account" not in output
    assert {path.name[:17] for path in (home.path / "inbox").iterdir()} == {"service-feedback-"}


def exchanged(port: int, sent: bytes, wait_s: float = 5.0) -> bytes:
    """Send bytes on a connection of its own; return all that came until it was closed or the time was over."""
    with socket.create_connection(("127.0.0.1", port), timeout=wait_s) as connection:
        found = b""
        try:
            connection.sendall(sent)
            while part := connection.recv(65_536):
                found += part
        except (TimeoutError, ConnectionError):
            pass
        return found


def test_hostile_bytes_do_not_stop_the_service(port_and_key: tuple[int, str, Path]) -> None:
    """Slow headers are cut off, large ones and large bodies are refused, two lengths are no request."""
    port, key, _ = port_and_key
    head = f"POST /v1/feedback HTTP/1.1\r\nhost: a\r\nauthorization: Bearer {key}\r\ncontent-type: application/json\r\n"
    begun = time.monotonic()
    assert exchanged(port, b"GET /health HT", wait_s=60) == b""
    assert 0.5 < time.monotonic() - begun < 50  # closed by the server, also on a busy machine
    assert b" 400 " in exchanged(port, b"GET /health HTTP/1.1\r\nx: " + b"a" * (HEADER_BYTES + 10))[:20]
    assert b" 413 " in exchanged(port, f"{head}content-length: {BODY_BYTES + 1}\r\n\r\n".encode())[:20]
    chunk = b"10000\r\n" + b" " * 65_536 + b"\r\n"
    assert b" 413 " in exchanged(port, f"{head}transfer-encoding: chunked\r\n\r\n".encode() + chunk * 12)[:20]
    smuggled = f"{head}content-length: 5\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n"
    assert b" 400 " in exchanged(port, smuggled.encode())[:20]
    assert b" 400 " in exchanged(port, b"GET /health HTTP/1.1\r\nhost: a\r\nx-listener-id: a\nb: c\r\n\r\n")[:20]
    split = b"GET /v1/recommendations?n=%0d%0aset-cookie:%20a HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n"
    assert b"set-cookie" not in exchanged(port, split).lower()
    body = b'{"events": [{"listener_id": "tester-account", "track_id": "t", "happened_at": "2026-06-30T10:00:00Z"}]}'
    accepted = exchanged(port, f"{head}connection: close\r\ncontent-length: {len(body)}\r\n\r\n".encode() + body)
    assert b" 202 " in accepted[:20]


@pytest.mark.skipif(find_spec("schemathesis") is None, reason="schemathesis is not installed")
def test_requests_from_the_document_cause_no_server_error(port_and_key: tuple[int, str, Path], tmp_path: Path) -> None:
    """Valid and invalid ones, from a seed: statuses and bodies as the document states, and no path of this machine."""
    port, key, home = port_and_key
    address = f"http://127.0.0.1:{port}"
    options = ["--max-time", "15", "--seed", "7", "-n", "10", "--no-shrink", "--generation-database", "none"]
    kept = ["--request-timeout", "60", "--continue-on-failure", "-c", CHECKS, "--phases", "coverage,fuzzing"]
    reports = ["--report", "ndjson", "--report-dir", str(tmp_path)]

    command = [str(Path(sys.executable).with_name("st")), "run", f"{address}/openapi.json", *options, *kept, *reports]
    done = subprocess.run(
        [*command, "-H", f"Authorization: Bearer {key}"], capture_output=True, text=True, check=False, cwd=tmp_path
    )

    n_cases = re.search(r"([\d,]+) generated", done.stdout)
    assert n_cases is not None, done.stdout + done.stderr
    assert int(n_cases[1].replace(",", "")) > 10
    assert done.returncode == 0, done.stdout[-5_000:]
    output = "".join(path.read_text() for path in tmp_path.glob("*.ndjson"))
    assert str(home) not in output
    assert "Traceback" not in output
