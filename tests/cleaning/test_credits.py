"""Joint credits are split into main and featured artists; a name that is one artist is not."""

import pytest

from recsys.cleaning.credits import ArtistNames, Credit, split_credit

KNOWN = ArtistNames(
    ["Ada", "Bix", "Cy", "Simon", "Garfunkel", "Earth", "Wind", "Fire", "Ada & Bix"],
    single=["Simon & Garfunkel", "Earth, Wind & Fire", "Florence + the Machine", "Poet vs. Artist"],
)


@pytest.mark.parametrize(
    ("text", "main", "featured"),
    [
        ("Ada", ("Ada",), ()),
        ("Ada feat. Bix", ("Ada",), ("Bix",)),
        ("Ada ft Bix", ("Ada",), ("Bix",)),
        ("Ada featuring Bix & Cy", ("Ada",), ("Bix", "Cy")),
        ("Ada (feat. Somebody New)", ("Ada",), ("Somebody New",)),
        ("Ada & Bix", ("Ada", "Bix"), ()),
        ("Ada x Bix", ("Ada", "Bix"), ()),
        ("Ada vs. Bix", ("Ada", "Bix"), ()),
        ("Ada, Bix and Cy", ("Ada", "Bix", "Cy"), ()),
        ("Ada con Bix", ("Ada",), ("Bix",)),
        ("Ada with Bix", ("Ada",), ("Bix",)),
        ("Ada & Somebody New", ("Ada & Somebody New",), ()),
        ("Simon & Garfunkel", ("Simon & Garfunkel",), ()),
        ("Earth, Wind & Fire", ("Earth, Wind & Fire",), ()),
        ("Florence + the Machine", ("Florence + the Machine",), ()),
        ("Poet vs. Artist", ("Poet vs. Artist",), ()),
        ("Earth, Wind & Fire & Ada", ("Earth, Wind & Fire", "Ada"), ()),
        ("Ada feat. Simon & Garfunkel", ("Ada",), ("Simon & Garfunkel",)),
        ("Featherstone", ("Featherstone",), ()),
        ("feat. Ada", ("feat. Ada",), ()),
    ],
)
def test_a_credit_is_split(text: str, main: tuple[str, ...], featured: tuple[str, ...]) -> None:
    """Into names of the catalogue; after feat. also into others."""
    assert split_credit(text, KNOWN) == Credit(main, featured)


def test_a_hostile_credit_is_left_whole() -> None:
    """A name with thousands of separators is one artist, and takes no time."""
    text = " & ".join(["Ada"] * 5_000)

    assert split_credit(text, KNOWN) == Credit((text,))


def test_nothing_is_known() -> None:
    """With an empty catalogue, only feat. splits."""
    assert split_credit("Ada & Bix feat. Cy", ArtistNames([])) == Credit(("Ada & Bix",), ("Cy",))
