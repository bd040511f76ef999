"""Saved views: names, links, and the list of an owner."""

import pytest

from recsys.errors import InputError
from recsys.home import Home
from recsys.state.views import View, delete, link, rename, save, views

from .conftest import ANNA


def test_views_are_listed_by_name_and_replaced(home: Home) -> None:
    """Saving under the same name replaces a view."""
    for name, artist in (("b", "1"), ("A", "2"), ("b", "3")):
        save(home, ANNA, View(name, "artist", {"artist": artist}))

    assert views(home, ANNA) == [View("A", "artist", {"artist": "2"}), View("b", "artist", {"artist": "3"})]


def test_a_view_is_renamed_and_deleted(home: Home) -> None:
    """A name is taken once; a view that is gone is named as such."""
    for name in ("one", "two"):
        save(home, ANNA, View(name, "trends", {}))

    rename(home, ANNA, "one", " first ")
    rename(home, ANNA, "first", "first")
    with pytest.raises(InputError, match="Another view has this name"):
        rename(home, ANNA, "two", "first")
    with pytest.raises(InputError, match="no such view"):
        rename(home, ANNA, "one", "three")
    with pytest.raises(InputError, match="expected 1 to 100"):
        rename(home, ANNA, "two", "")
    delete(home, ANNA, "two")
    delete(home, ANNA, "two")

    assert [view.name for view in views(home, ANNA)] == ["first"]


@pytest.mark.parametrize(
    ("parameters", "expected"),
    [
        ({}, "https://app.example/artist"),
        ({"artist": "a/b?c&d#e"}, "https://app.example/artist?artist=a%2Fb%3Fc%26d%23e"),
        ({"artists": ["a&b", "c"], "by": "date"}, "https://app.example/artist?artists=a%26b&artists=c&by=date"),
        ({"artist": "名 x", "by": ""}, "https://app.example/artist?artist=%E5%90%8D%20x&by="),
        (
            {"artist": "](http://evil.example) \n"},
            "https://app.example/artist?artist=%5D%28http%3A%2F%2Fevil.example%29%20%0A",
        ),
    ],
)
def test_a_link_has_every_parameter_encoded(parameters: dict[str, str | list[str]], expected: str) -> None:
    """No value can end the link or begin another one."""
    assert link("artist", parameters, "https://app.example") == expected
