"""The secrets of notification: `<home>/notify.toml`, which only its owner may read."""

import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from shlex import quote

from recsys.errors import SetupError
from recsys.settings import Settings, create_settings

_FILE = "notify.toml"


@dataclass(frozen=True)
class Secrets(Settings):
    """
    Secrets; never in a log, a message or a representation.

    Attributes:
        smtp_user, smtp_password: The login at the mail server; empty: none.
        webhook_url: Address of the webhook, https; it often contains a token.
        webhook_token: Sent as `Authorization: Bearer`; empty: not sent.
    """

    smtp_user: str = field(default="", repr=False)
    smtp_password: str = field(default="", repr=False)
    webhook_url: str = field(default="", repr=False)
    webhook_token: str = field(default="", repr=False)


def read_secrets(folder: Path) -> Secrets:
    """
    Read `<folder>/notify.toml`; without the file, there are no secrets.

    Raises:
        SetupError: The file can be read by others, is not TOML, or has unknown keys. No message quotes its values.
    """
    path = folder / _FILE
    if not path.exists():
        return Secrets()
    if path.stat().st_mode & 0o077:
        raise SetupError(f"{path} can be read by other users. Run: chmod 600 {quote(str(path))}")
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError):
        raise SetupError(f"{path} cannot be read as TOML in UTF-8. Correct the file") from None
    if wrong := [name for name, value in values.items() if not isinstance(value, str)]:
        raise SetupError(f"{path}: {', '.join(wrong)}: expected texts in quotes")
    return create_settings(Secrets, values, str(path))
