"""A command of the operator's, which reads the message as JSON from its standard input."""

import json
import subprocess

from recsys.errors import SetupError
from recsys.notify.message import Message
from recsys.notify.secrets import Secrets
from recsys.notify.settings import NotifySettings

TIMEOUT_S = 60


def send(message: Message, settings: NotifySettings, secrets: Secrets) -> None:  # noqa: ARG001 - it needs no secrets
    """
    Run the command, without a shell; its output is discarded.

    Raises:
        SetupError: The command does not exist, fails, or takes longer than a minute.
    """
    program = settings.command[0]
    try:
        ended = subprocess.run(  # noqa: S603 - the operator names it in the recipe
            settings.command,
            input=json.dumps(message.as_dict()).encode(),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            timeout=TIMEOUT_S,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise SetupError(f"{program} was stopped after {TIMEOUT_S} s") from None
    except (OSError, ValueError) as failed:
        raise SetupError(f"{program} could not be started ({type(failed).__name__})") from None
    if ended.returncode:
        raise SetupError(f"{program} ended with exit code {ended.returncode}")
