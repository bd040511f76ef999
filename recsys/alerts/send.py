"""
Find and send the alerts of everybody who watches something, after a night has published its release.

A message goes to the verified address of the login alone, through the mail server of the recipe; without a login, the
operator gets it as all other messages. Alerts that could not be sent wait for the next night.
"""

from pathlib import Path

from recsys.alerts.digest import digest
from recsys.alerts.events import find_alerts
from recsys.errors import RecsysError
from recsys.home import Home
from recsys.login import app_address, has_login
from recsys.notify.send import can_send, can_send_to, send, send_to
from recsys.notify.settings import NotifySettings
from recsys.releases import registry
from recsys.state.access import THIS_MACHINE, read_access, still_sees
from recsys.state.alerts import alerts, mark_sent, record
from recsys.state.store import Owner
from recsys.state.watchlist import Item, Thresholds, owners
from recsys.warehouse.query import Warehouse


def send_alerts(home: Home, settings: NotifySettings) -> list[str]:
    """
    Store new alerts of the current release for everybody who still has access, and send what waits.

    Returns:
        What went wrong, in words; one viewer's problem does not keep others from their alerts.
    """
    problems: list[str] = []
    try:
        everybody = [entry for entry in owners(home) if entry[2]]
        access = _access(home) if everybody else {}
    except RecsysError as error:
        return [f"No alerts were sent: {error}"]
    for owner, thresholds, items in everybody:
        if still_sees(access, owner):
            try:
                problems += _send_to_owner(home, settings, owner, thresholds, items)
            except RecsysError as error:
                problems.append(f"No alerts for a viewer of {owner.label_id or 'all labels'}: {error}")
    return problems


def _access(home: Home) -> dict[str, str | None]:
    """Return who has access; without a login in the home, its operator and whom an access file lists."""
    if has_login(home):
        return read_access(home)
    listed = read_access(home) if (home.path / "access.toml").exists() else {}
    return {**listed, THIS_MACHINE: None}


def is_reachable(settings: NotifySettings, owner: Owner) -> bool:
    """Return whether the recipe has a way to send alerts to an owner."""
    if owner.account == THIS_MACHINE:
        return can_send(settings, "alerts")
    return bool(owner.address) and can_send_to(settings, "alerts")


def _send_to_owner(
    home: Home, settings: NotifySettings, owner: Owner, thresholds: Thresholds, items: list[Item]
) -> list[str]:
    is_sent = thresholds.is_sent and is_reachable(settings, owner)
    with Warehouse.open(_file(home, owner)) as warehouse:
        as_of, found = find_alerts(warehouse, items, thresholds, is_label=owner.label_id is not None)
    record(home, owner, found, "waiting" if is_sent else "shown", as_of)
    waiting = alerts(home, owner, "waiting", n=10_000) if is_sent else []
    if not waiting:
        return []
    message = digest(waiting, as_of, app_address(home))
    if owner.account == THIS_MACHINE:
        failed = send(message, settings, home.path)
    else:
        failed = send_to(owner.address, message, settings, home.path)
    if not failed:
        mark_sent(home, owner, waiting)
    return [f"Alerts wait for the next night. {reason}" for reason in failed]


def _file(home: Home, owner: Owner) -> Path:
    """Return the one warehouse file that an owner may read."""
    return home.published_warehouse() if owner.label_id is None else registry.label_warehouse(home, owner.label_id)
