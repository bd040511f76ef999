"""The protocol with a server of its own: every connection ends, whatever its client sends or leaves out."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
import uvicorn

from recsys.serve import protocol
from recsys.serve.limits import HEADER_BYTES

SLOW_S = 0.3
GET = b"GET / HTTP/1.1\r\nhost: a\r\n"
CHUNKED = b"transfer-encoding: chunked\r\n\r\n"


async def hello(scope: Any, receive: Any, send: Any) -> None:
    """Answer at once, without the body; a POST is read to its end."""
    while scope["method"] == "POST" and (await receive()).get("more_body"):
        pass
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
    await send({"type": "http.response.body", "body": b"hi"})


async def ended(port: int, *parts: bytes, pause_s: float = 0.02) -> bytes | None:
    """Send parts one after another; return what came until the server closed, None if it did not within 10 s."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)

    async def sending() -> None:
        try:
            for part in parts:
                writer.write(part)
                await writer.drain()
                await asyncio.sleep(pause_s)
        except ConnectionError:
            pass

    task, found = asyncio.create_task(sending()), b""
    try:
        async with asyncio.timeout(10):
            while part := await reader.read(65_536):
                found += part
    except ConnectionError:
        pass
    except TimeoutError:
        return None
    finally:
        task.cancel()
        writer.close()
    return found


def served(use: Callable[[int], Awaitable[Any]]) -> Any:
    """Return what a function of the port returns while a server runs."""

    async def both() -> Any:
        options: dict[str, Any] = {"lifespan": "off", "log_config": None, "access_log": False, "timeout_keep_alive": 1}
        config = uvicorn.Config(hello, port=0, http=protocol.GuardedProtocol, ws="none", **options)
        server = uvicorn.Server(config)
        serving = asyncio.create_task(server.serve())
        while not server.started:  # noqa: ASYNC110 - uvicorn has no event for it
            await asyncio.sleep(0.01)
        try:
            return await use(server.servers[0].sockets[0].getsockname()[1])
        finally:
            server.should_exit = True
            await serving

    return asyncio.run(both())


@pytest.fixture(autouse=True)
def _short(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(protocol, "HEADER_S", SLOW_S)


async def together(port: int, *clients: tuple[bytes, ...]) -> list[bytes | None]:
    """Let clients send at the same time."""
    return await asyncio.gather(*(ended(port, *parts) for parts in clients))


def test_every_connection_ends() -> None:
    """Slow heads, line feeds instead of a request, a body that nobody reads, trailers without an end."""
    slow = (b"GET / HT",)
    feeds = (GET + b"\r\n", *[b"\r\n"] * 400)
    dripped = (GET + b"content-length: 1000000\r\n\r\n", *[b"x"] * 400)
    trailers = (b"POST / HTTP/1.1\r\nhost: a\r\n" + CHUNKED + b"0\r\n", *[b"a: b\r\n" * 1_000] * 400)
    trailer = (b"POST / HTTP/1.1\r\nhost: a\r\n" + CHUNKED + b"0\r\na: ", *[b"b" * 6_000] * 400)
    extended = (b"POST / HTTP/1.1\r\nhost: a\r\n" + CHUNKED + b"1;", *[b"b" * 6_000] * 400)

    found = served(lambda port: together(port, slow, feeds, dripped, trailers, trailer, extended))

    assert found[0] == b""
    assert all(answer is not None and answer[:12] == b"HTTP/1.1 200" for answer in found[1:3])
    assert all(answer is not None and answer[:12] in {b"", b"HTTP/1.1 400"} for answer in found[3:])


def test_whole_requests_share_a_connection() -> None:
    """Two in a row and two at once, with a chunked body and a trailer; then the connection is idle and ends."""
    post = b"POST / HTTP/1.1\r\nhost: a\r\n" + CHUNKED + b"5\r\nhello\r\n0\r\nsum: 1\r\n\r\n"
    large = b"POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 100000\r\n\r\n" + b"x" * 100_000

    (found,) = served(lambda port: together(port, (post, GET + b"\r\n" + post, large, GET + b"\r\n")))

    assert found.count(b"HTTP/1.1 200") == 5


def test_errors_of_the_protocol_are_problems(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is no HTTP, a head that is too large, and one connection too many have bodies like all errors."""
    large = GET + b"x: " + b"a" * (HEADER_BYTES + 10)
    answers = served(lambda port: together(port, (b"hello\r\n\r\n",), (large,)))
    monkeypatch.setattr(protocol, "CONNECTIONS", 0)
    answers += served(lambda port: together(port, (GET + b"\r\n",)))

    heads, bodies = zip(*(answer.split(b"\r\n\r\n", 1) for answer in answers), strict=True)
    assert [json.loads(body)["status"] for body in bodies] == [400, 400, 503]
    assert all(b"content-type: application/problem+json" in head for head in heads)
