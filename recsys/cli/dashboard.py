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
    Return the command line that starts the dashboard server.

    Args:
        home: The home whose published release is shown.
        address: The network address to listen on; any but a loopback address requires a login.
        port: The TCP port.

    Raises:
        SetupError: Streamlit or a release is missing, or the address requires a login and there is none.
    """
    extras.require("streamlit", "altair")
    home.published_warehouse()
    if address not in LOOPBACK and not has_login(home):
        raise SetupError(
            f"--address is {address}, and no login is set up: everybody who can reach it would see all data. "
            f"Omit --address to serve this machine only, or set up a login in {secrets_file(home)} (see docs/labels.md)"
        )
    options = {
        "server.address": address,
        "server.port": str(port),
        "server.headless": "true",
        "server.fileWatcherType": "none",  # it would look at every module, at the first page and each second after it
        "secrets.files": str(secrets_file(home)),
    }
    arguments = [f"--{name}={value}" for name, value in options.items()]
    return [sys.executable, str(DASHBOARDS / "serve.py"), "run", str(APP), *arguments]


def start(home: Home, *, address: str, port: int) -> NoReturn:
    """Replace this process with the dashboard server; never returns."""
    arguments = command(home, address=address, port=port)
    os.execve(arguments[0], arguments, {**os.environ, "RECSYS_HOME": str(home.path)})  # noqa: S606 - our own command
