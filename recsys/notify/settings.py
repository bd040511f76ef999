"""The [notify] section of a recipe."""

from dataclasses import dataclass
from typing import Annotated, Literal, get_args

from msgspec import Meta
from typing_extensions import override

from recsys.errors import BadRecipe
from recsys.settings import Settings

Kind = Literal["failed", "gated", "late", "findings", "alerts"]
KINDS: tuple[Kind, ...] = get_args(Kind)


@dataclass(frozen=True)
class NotifySettings(Settings):
    """
    Which messages about nightly runs are sent, to whom, and how; none, unless one of the three ways is set.

    Attributes:
        kinds: Messages that are sent: the run failed, was refused by the gate, is late, or finished with findings; and
            alerts on what viewers watch.
        email_to: Addresses of the recipients; empty: no e-mail.
        email_from: Address of the sender.
        smtp_host: Name of the mail server. The connection is always encrypted, and its certificate checked.
        smtp_port: Port of the mail server: encrypted from the start on 465, by STARTTLS on all others.
        webhook_host: Host of the webhook; its address is in `<home>/notify.toml`. Empty: no webhook.
        webhook_is_private: Whether the webhook may be in a private network or on this machine.
        command: A program and its arguments, which reads the message as JSON; empty: none.
    """

    kinds: tuple[Kind, ...] = KINDS
    email_to: tuple[str, ...] = ()
    email_from: str = ""
    smtp_host: str = ""
    smtp_port: Annotated[int, Meta(ge=1, le=65535)] = 587
    webhook_host: str = ""
    webhook_is_private: bool = False
    command: tuple[str, ...] = ()

    @override
    def __post_init__(self) -> None:
        """Raise BadRecipe if a value is invalid, or e-mail has recipients but no sender or server."""
        super().__post_init__()
        if self.email_to and not (self.email_from and self.smtp_host):
            raise BadRecipe("[notify] email_to is set; expected email_from and smtp_host too")
        if any(set(address) & set("\r\n,;<> ") or "@" not in address for address in self._addresses):
            raise BadRecipe("[notify] email_to, email_from: expected plain addresses, such as ops@example.org")

    @property
    def _addresses(self) -> tuple[str, ...]:
        return (*self.email_to, self.email_from) if self.email_to else ()
