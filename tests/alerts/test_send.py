"""Who gets which alerts: each event once, to a verified address that still has access, from the viewer's own file."""

import json
from datetime import date
from pathlib import Path

import pytest

from recsys.alerts.digest import MAX_LINES, digest
from recsys.alerts.send import send_alerts
from recsys.errors import SetupError
from recsys.home import Home
from recsys.login import app_address
from recsys.notify import command, email
from recsys.notify.message import Message
from recsys.notify.settings import NotifySettings
from recsys.releases.registry import label_warehouse
from recsys.state.alerts import Alert, alerts
from recsys.state.store import Owner, State
from recsys.state.watchlist import Thresholds, set_thresholds, watch
from recsys.warehouse.query import Warehouse

ADDED = date(2026, 6, 30)
BY_EMAIL = NotifySettings(email_to=("ops@example.org",), email_from="recsys@example.org", smtp_host="mail.example.org")
EVERY_CHANGE = Thresholds(change_percent=1, least_plays=0, is_sent=True)
LOGIN = '[auth]\nredirect_uri = "https://music.example.org/oauth2callback"\n'
Sent = list[tuple[tuple[str, ...], Message]]


@pytest.fixture
def mail(monkeypatch: pytest.MonkeyPatch) -> Sent:
    """The e-mails that were sent: recipients and message."""
    sent: Sent = []
    monkeypatch.setattr(email, "send", lambda message, settings, _: sent.append((settings.email_to, message)))
    return sent


@pytest.fixture
def anna(home: Home, followed: tuple[str, str]) -> Owner:
    """A viewer of the label who watches its best known artist, and has access."""
    label_id, artist_id = followed
    owner = Owner("sub:1", label_id, "anna@label.example", "anna@label.example")
    watch(home, owner, "artist", artist_id, ADDED)
    set_thresholds(home, owner, EVERY_CHANGE)
    allow(home, f'{json.dumps(label_id)} = ["Anna@label.example"]')
    (home.path / "secrets.toml").write_text(LOGIN)
    return owner


def allow(home: Home, line: str) -> None:
    """Write the access file."""
    (home.path / "access.toml").write_text(f'operators = ["ops@example.org"]\n[labels]\n{line}\n')


def test_a_label_gets_one_message_with_links(home: Home, anna: Owner, followed: tuple[str, str], mail: Sent) -> None:
    """To its own address alone, with links by id to the dashboards; the next night says nothing."""
    assert send_alerts(home, BY_EMAIL) == []
    assert send_alerts(home, BY_EMAIL) == []

    ((recipients, message),) = mail
    found = alerts(home, anna)
    assert recipients == ("anna@label.example",)
    assert found
    assert message.subject.startswith(f"{len(found):,} alert")
    assert message.subject.endswith("data up to 30 June 2026")
    assert f"  https://music.example.org/artist?artist={followed[1]}" in message.text.splitlines()
    assert alerts(home, anna, "waiting") == []
    assert alerts(home, anna, "sent") == found


def test_alerts_come_from_the_viewers_own_file(
    home: Home, anna: Owner, mail: Sent, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of a label only its file is opened, never the warehouse with raw plays."""
    opened: list[Path] = []
    original = Warehouse.open

    def recorded(path: Path) -> Warehouse:
        opened.append(path)
        return original(path)

    monkeypatch.setattr(Warehouse, "open", recorded)

    send_alerts(home, BY_EMAIL)

    assert anna.label_id is not None
    assert opened == [label_warehouse(home, anna.label_id)]


def test_a_failed_message_is_sent_the_next_night(home: Home, anna: Owner, monkeypatch: pytest.MonkeyPatch) -> None:
    """The problem is returned, without the address; the events are not lost."""

    def fail(*_: object) -> None:
        raise SetupError("mail.example.org could not be used (TimeoutError)")

    monkeypatch.setattr(email, "send", fail)
    (problem,) = send_alerts(home, BY_EMAIL)
    assert problem == (
        "Alerts wait for the next night. E-mail was not sent: mail.example.org could not be used (TimeoutError)"
    )
    waiting, sent = alerts(home, anna, "waiting"), []
    monkeypatch.setattr(email, "send", lambda message, *_: sent.append(message))

    assert send_alerts(home, BY_EMAIL) == []

    assert len(sent) == 1
    assert alerts(home, anna, "sent") == waiting


@pytest.mark.parametrize("line", ["", 'lb_other = ["anna@label.example"]', 'lb_other = ["sub:1"]', "broken"])
def test_who_lost_access_gets_nothing(home: Home, anna: Owner, mail: Sent, line: str) -> None:
    """Removed from the access file or moved to another label; with an invalid file, nobody has access."""
    allow(home, line)

    problems = send_alerts(home, BY_EMAIL)

    assert mail == []
    assert alerts(home, anna) == []
    assert len(problems) == (line == "broken")


@pytest.mark.parametrize(
    "settings", [NotifySettings(), NotifySettings(kinds=("failed",), email_from="a@b.c", smtp_host="m")]
)
def test_without_a_way_to_send_alerts_are_only_shown(
    home: Home, anna: Owner, mail: Sent, settings: NotifySettings
) -> None:
    """The page has them; set up later, old alerts are not sent."""
    assert send_alerts(home, settings) == []
    shown = alerts(home, anna, "shown")
    assert shown

    assert send_alerts(home, BY_EMAIL) == []

    assert mail == []
    assert alerts(home, anna) == shown


@pytest.mark.parametrize("address", ["", "anna@label.example\r\nBcc: eve@evil.example", "a@b, eve@evil.example"])
def test_an_address_that_is_not_verified_or_not_plain_gets_nothing(
    home: Home, followed: tuple[str, str], mail: Sent, address: str
) -> None:
    """Nor does anybody else."""
    owner = Owner("sub:1", followed[0], "anna", address)
    watch(home, owner, "artist", followed[1], ADDED)
    set_thresholds(home, owner, EVERY_CHANGE)
    (home.path / "secrets.toml").write_text(LOGIN)
    allow(home, f'{json.dumps(followed[0])} = ["sub:1"]')

    problems = send_alerts(home, BY_EMAIL)

    assert mail == []
    assert len(problems) == bool(address)
    assert all("eve" not in problem for problem in problems)


def test_the_operator_of_a_machine_without_login_gets_the_usual_messages(
    home: Home, followed: tuple[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """By every way of the recipe; rows of logins are left alone."""
    sent: list[Message] = []
    monkeypatch.setattr(command, "send", lambda message, *_: sent.append(message))
    operator, anna = Owner("this machine"), Owner("sub:1", followed[0], "anna", "anna@label.example")
    for owner in (operator, anna):
        watch(home, owner, "artist", followed[1], ADDED)
        set_thresholds(home, owner, EVERY_CHANGE)

    assert send_alerts(home, NotifySettings(command=("page-me",))) == []

    (message,) = sent
    assert "http://localhost:8501/artist?artist=" in message.text
    assert alerts(home, anna) == []


def test_one_problem_does_not_stop_the_others(home: Home, anna: Owner, mail: Sent) -> None:
    """A label without a file in the release is named, and others get their alerts."""
    gone = Owner("sub:0", "no such label", "bea", "bea@label.example")
    watch(home, gone, "artist", "x", ADDED)
    allow(home, f'{json.dumps(anna.label_id)} = ["sub:1"]\n"no such label" = ["sub:0"]')

    (problem,) = send_alerts(home, BY_EMAIL)

    assert problem.startswith("No alerts for a viewer of no such label: ")
    assert len(mail) == 1


def test_a_damaged_state_file_is_a_problem_and_no_error(home: Home) -> None:
    """The night ends as it would without alerts; without the file, nothing is done."""
    assert send_alerts(home, BY_EMAIL) == []
    State(home).path.write_text("not a database" * 99)

    (problem,) = send_alerts(home, BY_EMAIL)

    assert problem.startswith("No alerts were sent: ")
    assert "is damaged" in problem


def test_names_in_a_message_are_no_links_and_no_headers() -> None:
    """Titles may be anything; a long list is cut, and says so."""
    name = "Song http://evil.example\r\nBcc: eve@evil.example\x1b[2J www.evil.example"
    found = [Alert(str(n), "match", ADDED, ADDED, name, "track", {"track": "a&b\n"}) for n in range(MAX_LINES + 3)]

    message = digest(found, ADDED, "https://music.example.org")

    first, link, *_ = message.text.splitlines()
    assert first.startswith("- Song http: //evil.example Bcc: eve@ evil.example")
    assert first.endswith("www .evil.example")
    assert "\x1b" not in message.text
    assert link == "  https://music.example.org/track?track=a%26b%0A"
    assert message.text.count("- Song") == MAX_LINES
    assert "And 3 more:" in message.text
    assert digest(found[:1], ADDED, "").subject == "1 alert on your watchlist, data up to 30 June 2026"


@pytest.mark.parametrize(
    ("secrets", "address"),
    [
        (None, "http://localhost:8501"),
        ("", "http://localhost:8501"),
        ('auth = "x"', "http://localhost:8501"),
        ('[auth]\nredirect_uri = "javascript:alert(1)"', "http://localhost:8501"),
        (LOGIN, "https://music.example.org"),
        (LOGIN.replace("org/", "org/music/"), "https://music.example.org/music"),
    ],
)
def test_links_begin_with_the_address_of_the_login(tmp_path: Path, secrets: str | None, address: str) -> None:
    """Without a login, with that of this machine."""
    if secrets is not None:
        (tmp_path / "secrets.toml").write_text(secrets)

    assert app_address(Home(tmp_path)) == address
