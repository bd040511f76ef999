"""Saved views: a page with the values of its filters, under a name. The page itself checks the values on opening."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias
from urllib.parse import quote, urlencode

from recsys.errors import InputError
from recsys.home import Home
from recsys.state.store import MAX_NAME, Owner, State, clean_name, known_owner_id

Parameters: TypeAlias = Mapping[str, str | Sequence[str]]  # several values of one parameter are a list
MAX_VIEWS = 100  # of an owner
MAX_PARAMETERS = 8_000  # characters


@dataclass(frozen=True)
class View:
    """
    A saved view.

    Attributes:
        name: Its name, unique for its owner.
        page: The name of the page's file.
        parameters: Query parameters of the address: ids and other values of filters, several of one as a list.
    """

    name: str
    page: str
    parameters: Parameters


def views(home: Home, owner: Owner) -> list[View]:
    """List the saved views of an owner, by name."""
    with State(home).reading() as connection:
        rows = connection.execute(
            "select views.name, page, parameters from views join owners using (owner_id) "
            "where account = ? and label_id = ? order by views.name collate nocase, views.name",
            (owner.account, owner.label_id or ""),
        )
        return [View(name, page, json.loads(parameters)) for name, page, parameters in rows]


def save(home: Home, owner: Owner, view: View) -> None:
    """
    Save a view; one with the same name is replaced.

    Raises:
        InputError: The name is empty or too long, the parameters are too long, or the owner has MAX_VIEWS.
    """
    name, text = clean_name(view.name, "a view"), json.dumps(dict(view.parameters))
    if len(text) > MAX_PARAMETERS or len(view.page) > MAX_NAME:
        raise InputError(f"The view has {len(text):,} characters of filters; at most {MAX_PARAMETERS:,} can be saved")
    with State(home).writing() as connection:
        number = known_owner_id(connection, owner)
        connection.execute("insert or replace into views values (?, ?, ?, ?)", (number, name, view.page, text))
        (n_views,) = connection.execute("select count(*) from views where owner_id = ?", (number,)).fetchone()
        if n_views > MAX_VIEWS:
            raise InputError(f"You have {MAX_VIEWS} saved views, the most there can be. Delete some first")


def rename(home: Home, owner: Owner, name: str, new_name: str) -> None:
    """
    Rename a view.

    Raises:
        InputError: There is no view `name`, another one has the new name, or the new name is empty or too long.
    """
    cleaned = clean_name(new_name, "a view")
    with State(home).writing() as connection:
        number = known_owner_id(connection, owner)
        taken = {row[0] for row in connection.execute("select name from views where owner_id = ?", (number,))}
        if name not in taken:
            raise InputError("There is no such view any more. Reload the page")
        if cleaned in taken - {name}:
            raise InputError("Another view has this name. Choose another, or delete that view first")
        connection.execute("update views set name = ? where owner_id = ? and name = ?", (cleaned, number, name))


def delete(home: Home, owner: Owner, name: str) -> None:
    """Delete a view; nothing happens if it is gone already."""
    with State(home).writing() as connection:
        number = known_owner_id(connection, owner)
        connection.execute("delete from views where owner_id = ? and name = ?", (number, name))


def link(page: str, parameters: Parameters, base: str = "") -> str:
    """
    Return the address of a view.

    Args:
        page: The name of the page's file.
        parameters: Query parameters.
        base: Address of the dashboards without its last slash; empty for an address within the app.

    >>> link("artist", {"artist": "a&b 1"}, "https://music.example.org")
    'https://music.example.org/artist?artist=a%26b%201'
    >>> link("compare", {"artists": ["a", "b"]})
    '/compare?artists=a&artists=b'
    """
    query = urlencode(dict(parameters), doseq=True, quote_via=quote, safe="", errors="replace")
    return f"{base}/{quote(page, safe='')}{'?' * bool(query)}{query}"
