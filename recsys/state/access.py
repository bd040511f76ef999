"""
The access file of a home: which accounts are operators, and which see a label.

    operators = ["ops@example.org"]

    [labels]
    lb_194 = ["anna@lodestar.example", "sub:00u1a2b3"]

An account is named `email:<address>` or `sub:<id of the provider>`. The dashboards look up who is logged in; nightly
runs look up who still has access before they send alerts.
"""

import tomllib
from collections.abc import Mapping
from typing import Any

from recsys.errors import SetupError
from recsys.home import Home
from recsys.state.store import Owner

THIS_MACHINE = "this machine"  # the account of the operator where no login is set up
_EXPECTED = "Expected operators = [...] and [labels], with a list of e-mails or sub:... per label id"
_TOML_TYPES = {
    str: "a text",
    bool: "true or false",
    int: "a number",
    float: "a number",
    dict: "a table",
    list: "a list",
}


def email_account(address: str) -> str:
    """Name an account by its e-mail address; the prefix keeps an address like `sub:...` from naming another account."""
    return f"email:{address.strip().lower()}"


def read_access(home: Home) -> dict[str, str | None]:
    """
    Read the access file: account name -> label id, or None for an operator.

    Raises:
        SetupError: The file is missing or invalid. Nobody has access until it is corrected.
    """
    path = home.path / "access.toml"
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise SetupError(f"{path} does not exist: nobody has access. Write it (docs/labels.md)") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, OSError) as error:
        raise SetupError(f"{path} cannot be read: {error}. {_EXPECTED}") from error
    if problem := _invalid_key(content) or _invalid_names(content) or _repeated_name(content):
        raise SetupError(f"{path}: {problem}. {_EXPECTED}")
    return {account_of(name): label_id for label_id, names in _lists(content) for name in names}


def still_sees(access: Mapping[str, str | None], owner: Owner) -> bool:
    """Return whether the access file gives the owner of rows the label that they had when they set them."""
    listed = [account for account in (owner.account, email_account(owner.address)) if account in access]
    return bool(listed) and access[listed[0]] == owner.label_id


def _lists(content: Mapping[str, Any]) -> list[tuple[str | None, Any]]:
    """List the names of operators (label id None) and of each label."""
    return [(None, content.get("operators", [])), *content.get("labels", {}).items()]


def _invalid_key(content: Mapping[str, Any]) -> str | None:
    unknown = sorted(content.keys() - {"operators", "labels"})
    if not content:
        return "the file is empty"
    if unknown:
        return f"unknown key{'s' * (len(unknown) > 1)} {', '.join(map(repr, unknown))}; remove or rename"
    if not isinstance(content.get("labels", {}), dict):
        return f"labels is {_toml_type(content['labels'])}, expected the table [labels]"
    if any(not label_id.strip() for label_id in content.get("labels", {})):
        return "a label id is empty; write the id of the label, or remove the line"
    return None


def _invalid_names(content: Mapping[str, Any]) -> str | None:
    for label_id, names in _lists(content):
        if not isinstance(names, list):
            found = f"{_list_name(label_id)} is {_toml_type(names)}"
            return f'{found}, expected a list of names; write the names in brackets: ["...", "..."]'
        if wrong := [name for name in names if not isinstance(name, str)]:
            return f"{_list_name(label_id)} contains {_toml_type(wrong[0])}, expected names; write them in quotes"
        if any(not name.strip().removeprefix("sub:").strip() for name in names):
            return f"a name of {_list_name(label_id)} is empty; write an e-mail or sub:..., or remove it"
    return None


def _repeated_name(content: Mapping[str, Any]) -> str | None:
    """Describe where a name is listed twice, without the name: logs are read by more people than the file."""
    list_of: dict[str, str] = {}
    for label_id, names in _lists(content):
        for account in map(account_of, names):
            if account in list_of:
                return f"a name of {list_of[account]} is repeated in {_list_name(label_id)}; list each name once"
            list_of[account] = _list_name(label_id)
    return None


def _toml_type(value: object) -> str:
    return _TOML_TYPES.get(type(value), "a date or time")


def _list_name(label_id: str | None) -> str:
    return "operators" if label_id is None else f"label {label_id!r}"


def account_of(name: str) -> str:
    """Convert a name of the access file to an account name, as `dashboards.access` names those of claims."""
    return name.strip() if name.strip().startswith("sub:") else email_account(name)
