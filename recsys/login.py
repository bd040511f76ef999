"""
Whether a home has a login, and which addresses need none.

Login is OpenID Connect as Streamlit implements it, configured by the section `[auth]` of `<home>/secrets.toml`. Without
a login, everybody who can reach the port sees all data; therefore the dashboards then listen on the loopback address
only.
Used by `recsys dashboard`, which starts the dashboards, and by the dashboards themselves.
"""

import tomllib
from pathlib import Path

from recsys.errors import SetupError
from recsys.home import Home

LOOPBACK = ("127.0.0.1", "localhost", "::1")


def secrets_file(home: Home) -> Path:
    """Return the path of the file that configures the login, which may not exist."""
    return home.path / "secrets.toml"


def has_login(home: Home) -> bool:
    """
    Return whether viewers must log in.

    Raises:
        SetupError: The secrets file exists but cannot be read; then nobody may see the dashboards.
    """
    path = secrets_file(home)
    try:
        return path.exists() and "auth" in tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, tomllib.TOMLDecodeError) as error:
        raise SetupError(f"{path} cannot be read: {error}. Correct the file; until then nobody can log in") from error


def app_address(home: Home) -> str:
    """
    Return the address at which viewers open the dashboards, without its last slash, for links in messages.

    It is the one to which the login returns (`redirect_uri`); without a login, the default of `recsys dashboard`.

    Raises:
        SetupError: The secrets file cannot be read.
    """
    path = secrets_file(home)
    content = tomllib.loads(path.read_text(encoding="utf-8")) if has_login(home) else {}
    auth = content.get("auth")
    uri = str(auth.get("redirect_uri", "")) if isinstance(auth, dict) else ""
    found = uri.removesuffix("/oauth2callback").rstrip("/")
    return found if found.startswith(("https://", "http://")) else "http://localhost:8501"
