"""The [notify] section, its secrets and the texts of messages."""

from pathlib import Path

import pytest

from recsys.errors import BadRecipe, SetupError
from recsys.notify.message import Message
from recsys.notify.secrets import Secrets, read_secrets
from recsys.notify.settings import NotifySettings
from recsys.settings import create_settings


@pytest.mark.parametrize(
    ("given", "found"),
    [
        ({"email_to": ("ops@example.org",)}, "expected email_from and smtp_host"),
        ({"email_to": ("ops@example.org\nBcc: x@y",), "email_from": "a@b", "smtp_host": "m"}, "plain addresses"),
        ({"email_to": ("a@b, c@d",), "email_from": "a@b", "smtp_host": "m"}, "plain addresses"),
        ({"email_to": ("ops@example.org",), "email_from": "recsys", "smtp_host": "m"}, "plain addresses"),
        ({"kinds": ("broken",)}, '"failed" or "gated" or "late" or "findings"'),
        ({"smtp_port": 0}, "from 1 up to 65,535"),
    ],
)
def test_wrong_settings_are_refused(given: dict[str, object], found: str) -> None:
    """Each error says what is expected."""
    with pytest.raises(BadRecipe, match=found):
        NotifySettings(**given)  # type: ignore[arg-type]


def test_a_subject_is_one_line_without_control_characters() -> None:
    """Line breaks, which would begin a header, escape sequences and reversed text become spaces."""
    message = Message.of("failed", "a\r\nBcc: x@y\x1b[2J\u202eb\u2028c" + "d" * 300, "one\x07\ntwo\u0085three")
    assert message.subject.startswith("a  Bcc: x@y [2J b cddd")
    assert len(message.subject) == 200
    assert message.text == "one \ntwo\nthree"


def test_secrets_are_read_from_a_file_of_their_owner(tmp_path: Path) -> None:
    """Without the file there are none; nothing prints them."""
    assert read_secrets(tmp_path) == Secrets()
    path = tmp_path / "notify.toml"
    path.write_text('smtp_user = "u"\nsmtp_password = "hunter2"\n')
    path.chmod(0o600)
    assert read_secrets(tmp_path) == create_settings(Secrets, {"smtp_user": "u", "smtp_password": "hunter2"}, "")
    assert "hunter2" not in repr(read_secrets(tmp_path))


@pytest.mark.parametrize(
    ("text", "mode", "found"),
    [
        ('smtp_password = "hunter2"', 0o640, "chmod 600"),
        ("smtp_password = hunter2", 0o600, "cannot be read as TOML"),
        ("smtp_password = 6022140", 0o600, "smtp_password: expected texts"),
        ('smtp_passwort = "hunter2"', 0o600, "Did you mean 'smtp_password'"),
    ],
)
def test_wrong_secrets_are_refused_without_their_values(tmp_path: Path, text: str, mode: int, found: str) -> None:
    """Errors name keys, never values."""
    path = tmp_path / "notify.toml"
    path.write_text(text)
    path.chmod(mode)
    with pytest.raises(SetupError, match=found) as refused:
        read_secrets(tmp_path)
    assert "hunter2" not in str(refused.value)
    assert "6022140" not in str(refused.value)
