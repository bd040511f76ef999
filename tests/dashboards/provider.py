"""A small OpenID Connect provider on the loopback address; its login page has one link per account."""

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from time import time
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from joserfc import jwt
from joserfc.jwk import RSAKey
from typing_extensions import override

CLIENT, SECRET = "recsys", "not-a-secret"
KEY = RSAKey.generate_key(2048, {"kid": "test", "use": "sig", "alg": "RS256"})


class _Provider(BaseHTTPRequestHandler):
    """Serve discovery, login page, tokens and keys; an authorization code encodes the account and the nonce."""

    accounts: dict[str, dict[str, Any]]
    issuer: str

    def do_GET(self) -> None:
        """Answer discovery, keys and the login page."""
        url = urlsplit(self.path)
        query = {name: values[0] for name, values in parse_qs(url.query).items()}
        if url.path == "/.well-known/openid-configuration":
            self._answer(json.dumps(self._discovery()))
        elif url.path == "/keys":
            self._answer(json.dumps({"keys": [KEY.as_dict(private=False)]}))
        elif "account" in query:
            code = urlsafe_b64encode(json.dumps([query["account"], query.get("nonce")]).encode()).decode()
            self.send_response(302)
            self.send_header(
                "Location", f"{query['redirect_uri']}?{urlencode({'code': code, 'state': query['state']})}"
            )
            self.end_headers()
        else:
            links = (f"<p><a href='?{urlencode({**query, 'account': name})}'>{name}</a></p>" for name in self.accounts)
            self._answer("".join(links), "text/html")

    def do_POST(self) -> None:
        """Exchange a code for a signed token."""
        form = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
        account, nonce = json.loads(urlsafe_b64decode(form["code"][0]))
        now = int(time())
        claims = {"iss": self.issuer, "aud": CLIENT, "iat": now, "exp": now + 600, "nonce": nonce}
        token = jwt.encode({"alg": "RS256", "kid": "test"}, claims | self.accounts[account], KEY)
        self._answer(json.dumps({"access_token": "x", "token_type": "Bearer", "expires_in": 600, "id_token": token}))

    def _discovery(self) -> dict[str, Any]:
        return {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.issuer}/login",
            "token_endpoint": f"{self.issuer}/token",
            "jwks_uri": f"{self.issuer}/keys",
            "response_types_supported": ["code"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["RS256"],
        }

    def _answer(self, body: str, kind: str = "application/json") -> None:
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.end_headers()
        self.wfile.write(body.encode())

    @override
    def log_message(self, format: str, *args: object) -> None:
        """Log nothing."""


@contextmanager
def provider(accounts: dict[str, dict[str, Any]]) -> Iterator[str]:
    """Serve accounts (name on the login page -> claims) and yield the issuer's address."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Provider", (_Provider,), {"accounts": accounts}))
    server.RequestHandlerClass.issuer = f"http://127.0.0.1:{server.server_port}"  # type: ignore[attr-defined]
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
