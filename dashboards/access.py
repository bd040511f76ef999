"""
Who is looking, and the one file that they may read.

With a login, `<home>/access.toml` says who is an operator and who sees which label:

    operators = ["ops@example.org"]

    [labels]
    lb_194 = ["anna@lodestar.example", "sub:00u1a2b3"]

An e-mail counts only where the provider has verified it; `sub:` names an account by the provider's own id. Who is not
listed sees nothing. Without a login there is one viewer, the operator, on the machine itself.
"""

import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import streamlit as st

from dashboards.markdown import say
from recsys.errors import InputError, SetupError
from recsys.home import Home
from recsys.login import LOOPBACK, has_login
from recsys.releases.registry import label_warehouse

_EXPECTED = "Expected operators = [...] and [labels], with a list of e-mails or sub:... for each label's id"


@dataclass(frozen=True)
class Viewer:
    """Who is looking: a name to show, the label they are limited to (None: an operator) and the file they may read."""

    name: str
    label_id: str | None
    warehouse: Path


def home() -> Home:
    """Return the home whose release is shown: `RECSYS_HOME`."""
    return Home(Path(os.environ.get("RECSYS_HOME", "data/home")).absolute())


def needs_login() -> bool:
    """Say whether viewers must log in: by the home's secrets, or by those that Streamlit has found elsewhere."""
    return has_login(home()) or "is_logged_in" in st.user


def viewer() -> Viewer:
    """
    Say who is looking.

    Raises:
        InputError: They have not logged in, their e-mail is not verified, or nobody has given them access.
        SetupError: Without a login the app is reached from outside, or the home has no release.
    """
    if not needs_login():
        _refuse_strangers()
        return Viewer("Operator, this machine only (no login is set up)", None, home().published_warehouse())
    if not st.user.get("is_logged_in"):
        raise InputError("Nobody is logged in. Log in first")
    return viewer_of(st.user.to_dict(), home())


def viewer_of(claims: Mapping[str, Any], of: Home) -> Viewer:
    """Return the viewer whom a provider's claims (sub, email, email_verified) name, by the home's access file."""
    names, is_verified = _names(claims), claims.get("email_verified") is True
    listed = _listed(of)
    known = [name for name in names if name in listed]
    shown = str(claims.get("email") or claims.get("sub") or "this account")
    if not known and claims.get("email") and not is_verified:
        raise InputError(f"The e-mail {shown} is not verified. Verify it with your provider, then log in again")
    if not known:
        raise InputError(f"{shown} has no access yet. Ask the operator to list you in access.toml")
    label_id = listed[known[0]]
    if label_id is None:
        return Viewer(shown, None, of.published_warehouse())
    return Viewer(shown, label_id, label_warehouse(of, label_id))


def enter() -> Viewer:
    """Return the viewer; show the login, or why there is no access, and stop the page where there is none."""
    if needs_login() and not st.user.get("is_logged_in"):
        st.title("Log in")
        st.markdown("What you see here depends on who you are.")
        st.button("Log in", type="primary", on_click=st.login)
        st.stop()
    try:
        found = viewer()
    except InputError as refused:
        st.error(say("**No access.** {refused}", refused=refused))
        st.button("Log out", on_click=st.logout)
        st.stop()
    if needs_login():
        st.sidebar.button("Log out", on_click=st.logout)
    return found


def _names(claims: Mapping[str, Any]) -> list[str]:
    """List the names that the access file may know an account by."""
    names = [f"sub:{claims['sub']}"] if claims.get("sub") else []
    if claims.get("email") and claims.get("email_verified") is True:
        names.append(_email(str(claims["email"])))
    return names


def _email(address: str) -> str:
    """Name an account by its e-mail, so that no e-mail reads as another's `sub:`."""
    return f"email:{address.strip().lower()}"


def _listed(of: Home) -> dict[str, str | None]:
    """
    Read who is given what: a label's id, or None for an operator.

    Raises:
        SetupError: The file is missing or anything in it is not expected: it then lets nobody in.
    """
    path = of.path / "access.toml"
    try:
        given = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as missing:
        raise SetupError(f"{path} does not exist: nobody has access. Write it (docs/labels.md)") from missing
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, OSError) as broken:
        raise SetupError(f"{path} cannot be read: {broken}. {_EXPECTED}") from broken
    wrong = _wrong_key(given) or _wrong_names(given) or _repeated(given)
    if wrong:
        raise SetupError(f"{path}: {wrong}. {_EXPECTED}")
    return {_account(name): label_id for label_id, names in _lists(given) for name in names}


def _lists(given: Mapping[str, Any]) -> list[tuple[str | None, Any]]:
    """List what stands for operators (None) and for each label."""
    return [(None, given.get("operators", [])), *given.get("labels", {}).items()]


def _wrong_key(given: Mapping[str, Any]) -> str | None:
    unknown = sorted(given.keys() - {"operators", "labels"})
    if not given:
        return "it is empty"
    if unknown:
        return f"{unknown[0]!r} is not expected"
    if not isinstance(given.get("labels", {}), dict):
        return "labels is no table"
    if any(not label_id.strip() for label_id in given.get("labels", {})):
        return "a label's id is empty"
    return None


def _wrong_names(given: Mapping[str, Any]) -> str | None:
    for label_id, names in _lists(given):
        if not isinstance(names, list) or any(not isinstance(name, str) for name in names):
            return f"{_list_name(label_id)} is no list of names"
        if any(not name.strip().removeprefix("sub:").strip() for name in names):
            return f"a name of {_list_name(label_id)} is empty"
    return None


def _repeated(given: Mapping[str, Any]) -> str | None:
    """Say where a name stands twice, without the name: whoever logs in may read this."""
    list_of: dict[str, str] = {}
    for label_id, names in _lists(given):
        for account in map(_account, names):
            if account in list_of:
                return f"a name of {list_of[account]} stands again in {_list_name(label_id)}; each stands once"
            list_of[account] = _list_name(label_id)
    return None


def _list_name(label_id: str | None) -> str:
    return "operators" if label_id is None else f"label {label_id!r}"


def _account(name: str) -> str:
    """Name an account as `_names` does."""
    return name.strip() if name.strip().startswith("sub:") else _email(name)


def _refuse_strangers() -> None:
    """Without a login the app is for its own machine, whoever forwards to it."""
    address, host = str(st.get_option("server.address") or ""), _host()
    if host is not None and not {address, host} <= set(LOOPBACK):
        raise SetupError(
            f"No login is set up, and the app listens on {address or 'every address'} and was asked as {host}. "
            "Without a login it opens on its own machine only: recsys dashboard"
        )


def _host() -> str | None:
    """Return the name that the browser asked for, without its port; None where there is no browser, as in tests."""
    asked = st.context.headers.get("Host")
    return None if asked is None else asked.rsplit(":", 1)[0].strip("[]") if ":" in asked else asked
