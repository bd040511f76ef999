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
