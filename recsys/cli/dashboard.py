"""
Start the Streamlit server of the dashboards, on an address that is safe for the home.

Without a login (`recsys/login.py`) the server listens on the loopback address only.
"""

import os
import sys
from typing import NoReturn

from recsys.errors import SetupError
from recsys.home import Home
from recsys.installation import extras
from recsys.installation.paths import DASHBOARDS
from recsys.login import LOOPBACK, has_login, secrets_file

APP = DASHBOARDS / "app.py"


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
