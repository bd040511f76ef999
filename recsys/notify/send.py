"""Send a message every way that the recipe sets."""

from dataclasses import replace
from pathlib import Path
from types import ModuleType

from recsys.errors import BadRecipe, SetupError
from recsys.notify import command, email, webhook
from recsys.notify.message import Message
from recsys.notify.secrets import read_secrets
from recsys.notify.settings import Kind, NotifySettings


def send_test(settings: NotifySettings, home: Path) -> list[str]:
    """
    Send a test message, whatever kinds the recipe has; return why it could not be sent, for each way that failed.

    Raises:
        BadRecipe: The recipe sets no way to send.
    """
    if not _ways(settings):
        raise BadRecipe("[notify] sets no e-mail, webhook or command. See docs/operators.md")
    return _sent(
        Message.of("findings", "Test", f"Messages about the nightly runs of {home} arrive here."), settings, home
    )


def send(message: Message, settings: NotifySettings, home: Path) -> list[str]:
    """
    Send a message, unless the recipe leaves out its kind; a way that fails does not stop the others.

    Args:
        message: The message.
        settings: The recipients and the ways.
        home: The folder of `notify.toml`.

    Returns:
        Why it could not be sent, for each way that failed.
    """
    return _sent(message, settings, home) if message.kind in settings.kinds else []


def can_send(settings: NotifySettings, kind: Kind) -> bool:
    """Return whether the recipe sends messages of a kind to operators."""
    return kind in settings.kinds and bool(_ways(settings))


def can_send_to(settings: NotifySettings, kind: Kind) -> bool:
    """Return whether the recipe sends messages of a kind to a single address, which needs a mail server."""
    return kind in settings.kinds and bool(settings.smtp_host and settings.email_from)


def send_to(address: str, message: Message, settings: NotifySettings, home: Path) -> list[str]:
    """Send a message by e-mail to one address instead of to operators, as `send` does."""
    try:
        alone = replace(settings, email_to=(address,), webhook_host="", command=())
    except BadRecipe:
        return ["E-mail was not sent: the address of the login is not plain, or [notify] lacks email_from or smtp_host"]
    return send(message, alone, home)


def _ways(settings: NotifySettings) -> dict[str, ModuleType]:
    """Return the ways that the recipe sets, by name."""
    ways = (
        ("E-mail", email, settings.email_to),
        ("Webhook", webhook, settings.webhook_host),
        ("Command", command, settings.command),
    )
    return {name: way for name, way, is_set in ways if is_set}


def _sent(message: Message, settings: NotifySettings, home: Path) -> list[str]:
    failed = []
    for name, way in _ways(settings).items():
        try:
            way.send(message, settings, read_secrets(home))
        except SetupError as why:
            failed.append(f"{name} was not sent: {why}")
    return failed
