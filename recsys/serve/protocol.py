"""
HTTP/1.1 for clients that are slow, large or broken: every connection has a limit of bytes and a clock at all times.

uvicorn by itself waits for headers without an end, keeps any number of trailers, and forgets its clock as soon as a
byte of a body that nobody reads arrives. Here headers, and what surrounds a body (chunk headers and trailers), have at
most HEADER_BYTES; headers must arrive within HEADER_S; a connection ends when a request was answered before it ended.
"""

from asyncio import TimerHandle, Transport
from http import HTTPStatus

from typing_extensions import override
from uvicorn._types import ASGIReceiveCallable, ASGISendCallable, Scope
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from recsys.serve.limits import CONNECTIONS, HEADER_BYTES, HEADER_S
from recsys.serve.problems import PROBLEM_TYPE, RefusedRequest

_BUSY = RefusedRequest(HTTPStatus.SERVICE_UNAVAILABLE, "Too many connections are open", retry_after="1")


class GuardedProtocol(HttpToolsProtocol):
    """
    One connection.

    `_n_bytes` are the bytes of the head, and after it those that are not of the body. `_timer` runs while a head is
    incomplete, from its first byte on, or from the start of the connection. `_is_whole` says that a request has
    arrived to its end, and that no other has begun.
    """

    _timer: TimerHandle | None = None
    _writing: TimerHandle | None = None
    _n_bytes = 0
    _is_head = True
    _is_whole = True

    @override
    def connection_made(self, transport: Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._begin()

    @override
    def connection_lost(self, exc: Exception | None) -> None:
        self._end()
        self._end_writing()
        super().connection_lost(exc)

    @override
    def data_received(self, data: bytes) -> None:
        if self._is_whole and not self._is_head:
            self._begin()
        self._n_bytes += len(data)
        if self._is_head and self._n_bytes > HEADER_BYTES and not self._head_ends_in(data):
            self.send_400_response(f"The request line and headers have more than {HEADER_BYTES:,} bytes")
            return
        super().data_received(data)
        if not self._is_whole and self._n_bytes > HEADER_BYTES:
            self.send_400_response(f"Chunk headers and trailers have more than {HEADER_BYTES:,} bytes")

    def _head_ends_in(self, data: bytes) -> bool:
        """Return whether the headers end within their limit in the bytes that came now."""
        end = data.find(b"\r\n\r\n")
        return end >= 0 and self._n_bytes - len(data) + end <= HEADER_BYTES

    @override
    def on_message_begin(self) -> None:
        if not self._is_head:
            self._begin()
        super().on_message_begin()

    @override
    def on_header(self, name: bytes, value: bytes) -> None:
        if self._is_head:  # a trailer is not kept
            super().on_header(name, value)

    @override
    def on_headers_complete(self) -> None:
        self._end()
        self._is_head = self._is_whole = False
        self._n_bytes = 0
        if len(self.connections) > CONNECTIONS:
            self.app = _busy
        super().on_headers_complete()

    @override
    def on_body(self, body: bytes) -> None:
        self._n_bytes -= len(body)
        super().on_body(body)

    @override
    def on_message_complete(self) -> None:
        self._is_whole = True
        super().on_message_complete()

    @override
    def on_response_complete(self) -> None:
        super().on_response_complete()
        if self.cycle.response_complete and not self._is_whole:
            self._leave()

    @override
    def timeout_keep_alive_handler(self) -> None:
        self._leave()

    @override
    def pause_writing(self) -> None:
        super().pause_writing()
        self._writing = self.loop.call_later(HEADER_S, self.transport.abort)

    @override
    def resume_writing(self) -> None:
        self._end_writing()
        super().resume_writing()

    @override
    def send_400_response(self, msg: str) -> None:
        if self.transport.is_closing():
            return
        body = RefusedRequest(HTTPStatus.BAD_REQUEST, msg).body()
        head = f"content-type: {PROBLEM_TYPE}\r\ncontent-length: {len(body)}\r\nconnection: close\r\n\r\n"
        self.transport.write(b"HTTP/1.1 400 Bad Request\r\n" + head.encode() + body)
        self._leave()

    def _leave(self) -> None:
        """Close the connection; cut it if the client does not take what was written."""
        if not self.transport.is_closing():
            self.transport.close()
            self.loop.call_later(HEADER_S, self.transport.abort)

    def _begin(self) -> None:
        self._is_head, self._n_bytes = True, 0
        self._timer = self.loop.call_later(HEADER_S, self.transport.abort)

    def _end(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _end_writing(self) -> None:
        if self._writing is not None:
            self._writing.cancel()
            self._writing = None


async def _busy(_scope: Scope, _receive: ASGIReceiveCallable, send: ASGISendCallable) -> None:
    body = _BUSY.body()
    headers = {"content-type": PROBLEM_TYPE, "content-length": str(len(body)), "connection": "close", **_BUSY.headers}
    encoded = [(name.encode(), value.encode()) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": int(_BUSY.status), "headers": encoded})
    await send({"type": "http.response.body", "body": body, "more_body": False})
