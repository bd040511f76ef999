"""
Start the dashboards: which address they listen on, and where their secrets lie.

Login is by OpenID Connect, as Streamlit does it, where `<home>/secrets.toml` has a section `[auth]`. Without it whoever
reaches the port sees everything, so it is then the loopback's.
"""

import os
import sys
import tomllib
from pathlib import Path
from typing import NoReturn

from recsys.errors import SetupError
from recsys.home import Home
from recsys.installation import extras
from recsys.installation.paths import DASHBOARDS

APP = DASHBOARDS / "app.py"
LOOPBACK = ("127.0.0.1", "localhost", "::1")


def secrets_file(home: Home) -> Path:
    """Return where the secrets of the login lie."""
    return home.path / "secrets.toml"


def has_login(home: Home) -> bool:
    """Say whether viewers must log in; raises SetupError where the secrets cannot be read, which is no permission."""
    path = secrets_file(home)
    try:
        return path.exists() and "auth" in tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, tomllib.TOMLDecodeError) as broken:
        raise SetupError(f"{path} cannot be read: {broken}. Mend it; until then nobody is let in") from broken


def command(home: Home, *, address: str, port: int) -> list[str]:
    """
    Return what starts the dashboards.

    Args:
        home: Whose release is shown; it must have one.
        address: The network address to listen on; another than the loopback's needs a login.
        port: The TCP port.

    Raises:
        SetupError: Streamlit or a release is missing, or the address would show everything to everybody.
    """
    extras.require("streamlit", "altair")
    home.published_warehouse()
    if address not in LOOPBACK and not has_login(home):
        raise SetupError(
            f"--address is {address}, and no login is set up: everybody who reaches it would see everything. "
            f"Leave it out to open on this machine only, or set up a login in {secrets_file(home)} (see docs/labels.md)"
        )
    options = {
        "server.address": address,
        "server.port": str(port),
        "server.headless": "true",
        "secrets.files": str(secrets_file(home)),
    }
    recipe_option = [f"--{name}={value}" for name, value in options.items()]
    return [sys.executable, "-m", "streamlit", "run", str(APP), *recipe_option]


def start(home: Home, *, address: str, port: int) -> NoReturn:
    """Become the dashboards' server, until it is stopped."""
    started = command(home, address=address, port=port)
    os.execve(started[0], started, {**os.environ, "RECSYS_HOME": str(home.path)})  # noqa: S606 - our own command
