"""Sending over real connections to servers on this machine."""

import email
import email.policy
import json
import socket
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from recsys.errors import BadRecipe, SetupError
from recsys.notify import command, webhook
from recsys.notify import email as mail
from recsys.notify.message import Message
from recsys.notify.secrets import Secrets
from recsys.notify.send import send, send_test
from recsys.notify.settings import NotifySettings
from tests.notify.conftest import Certificate, Received

PASSWORD = "hunter2"  # noqa: S105 - of a server of the tests
TOKEN = "bearer1"  # noqa: S105
Start = Callable[..., tuple[int, Received]]


def by_email(port: int, host: str = "localhost") -> NotifySettings:
    """Return settings that send e-mail to two recipients."""
    to = ("ops@example.org", "anna@example.org")
    return NotifySettings(email_to=to, email_from="recsys@example.org", smtp_host=host, smtp_port=port)


def test_an_email_arrives_encrypted(smtp: Start, trusted: Certificate, message: Message) -> None:
    """The login and the e-mail follow STARTTLS, and the e-mail has all recipients and the text."""
    port, received = smtp()
    mail.send(message, by_email(port), Secrets(smtp_user="u", smtp_password=PASSWORD))
    assert received.was_encrypted
    words = [line.split()[0].upper() for line in received.lines]
    assert words == ["EHLO", "STARTTLS", "EHLO", "AUTH", "MAIL", "RCPT", "RCPT", "DATA", "QUIT"]
    arrived = email.message_from_string(received.body, policy=email.policy.default)
    assert arrived["Subject"] == "The nightly run failed"
    assert arrived["To"] == "ops@example.org, anna@example.org"
    assert arrived.get_content().strip() == "SetupError: the disk is full\nMore: recsys runs"


@pytest.mark.parametrize(
    ("options", "found"),
    [
        ({"offers": "SIZE"}, "could not be used"),  # no encryption: nothing is sent
        ({"refuses": "MAIL"}, "refused the e-mail .code 550."),
        ({"refuses": "RCPT"}, "could not be used .SMTPRecipientsRefused."),
    ],
)
def test_a_server_that_refuses_is_named_without_its_words(
    smtp: Start, trusted: Certificate, message: Message, options: dict[str, str], found: str
) -> None:
    """No password and no text is sent unencrypted; the server's words, which may name people, are left out."""
    port, received = smtp(**options)
    with pytest.raises(SetupError, match=found) as refused:
        mail.send(message, by_email(port), Secrets(smtp_user="u", smtp_password=PASSWORD))
    assert "anna" not in str(refused.value)
    assert received.body == ""
    assert received.was_encrypted == ("offers" not in options)


def test_an_untrusted_mail_server_gets_nothing(smtp: Start, message: Message) -> None:
    """A certificate that nobody signed ends the connection before the login."""
    port, received = smtp()
    with pytest.raises(SetupError, match="no valid certificate"):
        mail.send(message, by_email(port), Secrets())
    assert [line.split()[0].upper() for line in received.lines] == ["EHLO", "STARTTLS"]


def hooks(port: int) -> tuple[NotifySettings, Secrets]:
    """Return settings and secrets of a webhook on this machine."""
    url = f"https://localhost:{port}/hooks/t0ken?channel=ops"
    settings = NotifySettings(webhook_host="localhost", webhook_is_private=True)
    return settings, Secrets(webhook_url=url, webhook_token=TOKEN)


def test_a_webhook_receives_json(https: Start, trusted: Certificate, message: Message) -> None:
    """Subject and text, with the token in the header."""
    port, received = https()
    webhook.send(message, *hooks(port))
    assert received.lines == ["POST /hooks/t0ken?channel=ops"]
    assert received.headers["authorization"] == f"Bearer {TOKEN}"
    assert json.loads(received.body) == {
        "kind": "failed",
        "subject": "The nightly run failed",
        "text": "The nightly run failed\nSetupError: the disk is full\nMore: recsys runs",
    }


@pytest.mark.parametrize("status", [301, 302, 307, 404, 500])
def test_redirects_and_errors_are_not_followed(
    https: Start, trusted: Certificate, message: Message, status: int
) -> None:
    """One request only; the error names neither the path nor the target."""
    port, received = https(status=status, location="https://localhost/elsewhere")
    with pytest.raises(SetupError, match=f"status {status}") as refused:
        webhook.send(message, *hooks(port))
    assert len(received.lines) == 1
    assert "t0ken" not in str(refused.value)


def test_an_untrusted_webhook_gets_nothing(https: Start, message: Message) -> None:
    """The certificate is checked."""
    port, received = https()
    with pytest.raises(SetupError, match="no valid certificate"):
        webhook.send(message, *hooks(port))
    assert received.lines == []


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "127.9.9.9", "0.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1",
        "224.0.0.1", "255.255.255.255", "::1", "::", "fe80::1%eth0", "fc00::1", "ff02::1", "::ffff:127.0.0.1",
        "::ffff:10.0.0.1", "2002:7f00:1::", "64:ff9b:1::7f00:1", "64:ff9b::10.0.0.1",
    ],
)  # fmt: skip
def test_a_host_that_leads_inside_is_refused(monkeypatch: pytest.MonkeyPatch, message: Message, address: str) -> None:
    """It is refused even if another of its addresses is public, and nothing is connected to."""
    found = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (host, 443)) for host in ("93.184.215.14", address)]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_given, **_named: found)
    monkeypatch.setattr(socket, "create_connection", lambda *_given: pytest.fail("connected"))
    with pytest.raises(SetupError, match="private network or on this machine"):
        webhook.send(message, NotifySettings(webhook_host="h.example"), Secrets(webhook_url="https://h.example/hooks"))


def test_the_checked_address_is_connected_to(monkeypatch: pytest.MonkeyPatch, message: Message) -> None:
    """A name that leads elsewhere the second time has no second time."""
    found = iter([[(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("93.184.215.14", 443))]])
    connected = []

    def connect(address: tuple[str, int], _timeout: float) -> None:
        connected.append(address)
        raise ConnectionRefusedError

    monkeypatch.setattr(socket, "getaddrinfo", lambda *_given, **_named: next(found))
    monkeypatch.setattr(socket, "create_connection", connect)
    with pytest.raises(SetupError, match="ConnectionRefusedError"):
        webhook.send(message, NotifySettings(webhook_host="h.example"), Secrets(webhook_url="https://h.example/"))
    assert connected == [("93.184.215.14", 443)]


@pytest.mark.parametrize(
    ("url", "found"),
    [
        ("http://h.example/s3cret", "https://"),
        ("file:///s3cret", "https://"),
        ("https://user:s3cret@h.example/", "no user name"),
        ("https://other.example/s3cret", "not on h.example"),
        ("https://h.example.evil.example/s3cret", "not on h.example"),
        ("https://h.example:port/s3cret", "not an address"),
        ("https://[::1/s3cret", "not an address"),
        ("", "https://"),
    ],
)
def test_a_wrong_webhook_is_refused_without_its_address(message: Message, url: str, found: str) -> None:
    """The address holds a secret, so no error repeats it."""
    with pytest.raises(SetupError, match=found) as refused:
        webhook.send(message, NotifySettings(webhook_host="h.example"), Secrets(webhook_url=url))
    assert "s3cret" not in str(refused.value)


def test_a_command_reads_the_message(tmp_path: Path, message: Message) -> None:
    """The message comes as JSON, and texts in it are no part of the command line."""
    copy = tmp_path / "copy.json"
    script = f"import sys; open({str(copy)!r}, 'w').write(sys.stdin.read())"
    command.send(message, NotifySettings(command=(sys.executable, "-c", script)), Secrets())
    assert json.loads(copy.read_text()) == message.as_dict()


@pytest.mark.parametrize(
    ("line", "found"),
    [((sys.executable, "-c", "raise SystemExit(7)"), "exit code 7"), (("/nonexistent",), "FileNotFoundError")],
)
def test_a_command_that_fails_is_named(message: Message, line: tuple[str, ...], found: str) -> None:
    """The error has the exit code."""
    with pytest.raises(SetupError, match=found):
        command.send(message, NotifySettings(command=line), Secrets())


def test_every_way_is_tried_and_each_failure_is_returned(tmp_path: Path, message: Message) -> None:
    """A way that fails does not stop the others; a kind that the recipe leaves out is not sent."""
    copy = tmp_path / "copy.json"
    script = f"import sys; open({str(copy)!r}, 'w').write(sys.stdin.read())"
    settings = NotifySettings(kinds=("failed",), webhook_host="localhost", command=(sys.executable, "-c", script))
    failed = send(message, settings, tmp_path)
    assert failed == [
        "Webhook was not sent: webhook_url in notify.toml must begin with https:// and contain no user name"
    ]
    assert json.loads(copy.read_text())["subject"] == "The nightly run failed"
    copy.unlink()
    assert send(Message.of("late", "late", ""), settings, tmp_path) == []
    assert not copy.exists()


def test_without_a_way_nothing_is_sent(tmp_path: Path, message: Message) -> None:
    """The default recipe sends nothing, and a test says so."""
    assert send(message, NotifySettings(), tmp_path) == []
    with pytest.raises(BadRecipe, match="sets no e-mail, webhook or command"):
        send_test(NotifySettings(), tmp_path)
