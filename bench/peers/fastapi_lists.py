"""
The same lists by FastAPI, as a program would serve them that has nothing else to do: JSON made beforehand, in a dict.

`bench.serve` starts it in a process of its own; the file has a line of account, tab and JSON for each list.
"""

from pathlib import Path
from typing import Annotated


def serve(lists: Path, port: int) -> None:
    """Serve until the process is ended."""
    import uvicorn
    from fastapi import FastAPI, Header, Response
    from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

    known = dict(line.split(b"\t", 1) for line in lists.read_bytes().splitlines())
    app = FastAPI()

    @app.get("/v1/recommendations")
    async def recommendations(x_listener_id: Annotated[str, Header()]) -> Response:
        return Response(known[x_listener_id.encode()], media_type="application/json")

    uvicorn.run(app, port=port, http=HttpToolsProtocol, ws="none", log_config=None, access_log=False)
