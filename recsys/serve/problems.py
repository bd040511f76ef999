"""The errors that the service answers with: a status, and a text that never contains a path or somebody's data."""

from http import HTTPStatus

import msgspec

from recsys.errors import RecsysError
from recsys.serve.messages import Problem

PROBLEM_TYPE = "application/problem+json"


class RefusedRequest(Exception):  # noqa: N818 - a verdict on the request, not a failure of the service
    """
    A request that gets an error.

    Attributes:
        status: HTTP status.
        detail: What was found, what was expected and what to do.
        headers: Further headers of the answer.
    """

    def __init__(self, status: HTTPStatus, detail: str, **headers: str) -> None:
        super().__init__(detail)
        self.status, self.detail = status, detail
        self.headers = {name.replace("_", "-"): value for name, value in headers.items()}

    def body(self) -> bytes:
        """Return the answer's body, application/problem+json."""
        return msgspec.json.encode(Problem(title=self.status.phrase, status=int(self.status), detail=self.detail))


def lacking(what: str) -> RefusedRequest:
    """Return the error that the release has no such thing."""
    return RefusedRequest(HTTPStatus.NOT_FOUND, what)


def place_of(error: BaseException) -> str:
    """Return the type of an error and where it was raised, without its message."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    place = f" at {trace.tb_frame.f_code.co_filename}:{trace.tb_lineno}" if trace else ""
    hint = f": {error}" if isinstance(error, RecsysError) else ""
    return f"{type(error).__name__}{place}{hint}"
