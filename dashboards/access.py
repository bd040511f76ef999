"""
Identify the viewer and the one warehouse file that they may read.

With a login, `<home>/access.toml` lists the operators, and the viewers of each label:

    operators = ["ops@example.org"]

    [labels]
    lb_194 = ["anna@lodestar.example", "sub:00u1a2b3"]

An e-mail address counts only if the identity provider has verified it; `sub:` names an account by the provider's own
id. Accounts that are not listed have no access. Without a login, the only viewer is the operator on the machine itself.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import streamlit as st

from dashboards.markdown import fill
from recsys.errors import InputError, RecsysError, SetupError
from recsys.home import Home
from recsys.login import LOOPBACK, has_login
from recsys.releases.registry import label_warehouse
from recsys.state.access import THIS_MACHINE, email_account, read_access
from recsys.state.actions import Actor
from recsys.state.store import Owner


@dataclass(frozen=True)
class Viewer:
    """
    A viewer and what they may read.

    Attributes:
        name: Name to show.
        label_id: The label whose data they are limited to; None for an operator.
        warehouse: The only warehouse file that they may read.
        account: Account under which what they set is kept (see `recsys.state`).
        address: E-mail address that the login has verified; empty without.
    """

    name: str
    label_id: str | None
    warehouse: Path
    account: str = THIS_MACHINE
    address: str = ""

    def owner(self) -> Owner:
        """Return whose rows of the state file they see."""
        return Owner(self.account, self.label_id, self.name, self.address)

    def actor(self) -> Actor:
        """Return who acts, for the log of operator actions."""
        return Actor("operator on this machine" if self.account == THIS_MACHINE else self.name, self.account)


def current_home() -> Home:
    """Return the home whose release is shown, from the environment variable `RECSYS_HOME`."""
    return Home(Path(os.environ.get("RECSYS_HOME", "data/home")).absolute())


def needs_login() -> bool:
    """Return whether viewers must log in: the home's secrets configure a login, or Streamlit found one elsewhere."""
    return has_login(current_home()) or "is_logged_in" in st.user


def viewer() -> Viewer:
    """
    Return the current viewer.

    Raises:
        InputError: They have not logged in, their e-mail address is not verified, or they have no access.
        SetupError: Without a login, the app is reached from another machine; or the home has no release.
    """
    if not needs_login():
        _refuse_remote_viewers()
        return Viewer("Operator, this machine only (no login is set up)", None, current_home().published_warehouse())
    if not st.user.get("is_logged_in"):
        raise InputError("Nobody is logged in. Log in first")
    return viewer_of(st.user.to_dict(), current_home())


def viewer_of(claims: Mapping[str, Any], home: Home) -> Viewer:
    """
    Look up an account in the access file of a home.

    Args:
        claims: Claims of the identity provider; `sub`, `email` and `email_verified` are read.
        home: The home whose `access.toml` lists the accounts and whose release the viewer sees.

    Raises:
        InputError: The e-mail address is not verified, or the account is not listed.
        SetupError: The access file is missing or invalid, or the release has no file for the label.
    """
    label_id, name = _label_of(claims, home), _name(claims)
    warehouse = home.published_warehouse() if label_id is None else label_warehouse(home, label_id)
    address = str(claims["email"]) if claims.get("email") and claims.get("email_verified") is True else ""
    return Viewer(name, label_id, warehouse, account=_accounts(claims)[0], address=address)


def may_read_details() -> bool:
    """
    Return whether messages to the viewer may contain paths, commands, and names and ids of labels.

    They may for an operator and for anybody on a machine without a login, even if there is no release to show; not for
    viewers of a label, nor while it is unknown who the viewer is.
    """
    try:
        return viewer().label_id is None
    except RecsysError:
        return _is_operator_without_release()


def _is_operator_without_release() -> bool:
    """Return whether the access file lists the viewer as an operator, or no login is set up."""
    try:
        if not needs_login():
            return True
        return bool(st.user.get("is_logged_in")) and _label_of(st.user.to_dict(), current_home()) is None
    except RecsysError:
        return False


def require_viewer() -> Viewer:
    """Return the viewer, or show the login page or the reason for having no access, and stop the page."""
    if needs_login() and not st.user.get("is_logged_in"):
        st.title("Log in")
        st.markdown("Which data you see depends on your account.")
        st.button("Log in", type="primary", on_click=st.login)
        st.stop()
    try:
        current = viewer()
    except InputError as error:
        st.error(fill("**No access.** {reason}", reason=error))
        st.button("Log out", on_click=st.logout)
        st.stop()
    if needs_login():
        st.sidebar.button("Log out", on_click=st.logout)
    return current


def _label_of(claims: Mapping[str, Any], home: Home) -> str | None:
    """Return the label of an account, None for an operator; raises InputError and SetupError as `viewer_of`."""
    access, name = read_access(home), _name(claims)
    listed = [account for account in _accounts(claims) if account in access]
    if listed:
        return access[listed[0]]
    if claims.get("email") and claims.get("email_verified") is not True:
        raise InputError(f"The e-mail {name} is not verified. Verify it with your provider, then log in again")
    raise InputError(f"{name} has no access yet. Ask the operator of this service for it")


def _name(claims: Mapping[str, Any]) -> str:
    return str(claims.get("email") or claims.get("sub") or "this account")


def _accounts(claims: Mapping[str, Any]) -> list[str]:
    """List the account names under which the access file may list an account."""
    names = [f"sub:{claims['sub']}"] if claims.get("sub") else []
    if claims.get("email") and claims.get("email_verified") is True:
        names.append(email_account(str(claims["email"])))
    return names


def _refuse_remote_viewers() -> None:
    """Raise SetupError where an app without a login is reached from elsewhere, for example by port forwarding."""
    address, host = str(st.get_option("server.address") or ""), _requested_host()
    if host is not None and not {address, host} <= set(LOOPBACK):
        raise SetupError(
            f"No login is set up, but the app listens on {address or 'every address'} and was requested as {host}. "
            "Without a login it can be opened on its own machine only: recsys dashboard"
        )


def _requested_host() -> str | None:
    """Return the host name in the browser's request, without the port; None without a browser, as in tests."""
    host = st.context.headers.get("Host")
    return None if host is None else host.rsplit(":", 1)[0].strip("[]") if ":" in host else host
