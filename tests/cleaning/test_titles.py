"""Titles are read into title, version and featured artists, in the languages of deliveries."""

import pytest

from recsys.cleaning.credits import ArtistNames
from recsys.cleaning.text import fold
from recsys.cleaning.titles import read_title

NOBODY = ArtistNames([])

SAME = [
    ("Don't Stop", "Don\u2019t Stop"),
    ("Café del Mar", "CAFE DEL MAR"),
    ("R.E.M.", "REM"),
    ("Rock & Roll", "Rock and Roll"),
    ("Straße", "STRASSE"),
    ("Love, Pt. 2", "Love (Part 2)"),
    ("Song (Album Version)", "Song"),
    ("Song [Explicit]", "Song"),
    ("Song (feat. Ada)", "Song"),
    ("Song - Bonus Track", "Song"),
    ("Ｓｏｎｇ", "Song"),  # noqa: RUF001 - full-width letters
    ("Lemon（リミックス）", "Lemon (Remix)"),  # noqa: RUF001
    ("Song (Remastered 2011)", "Song - 2011 Remaster"),
    ("Song (Digitally Remastered)", "Song (Remasterizado)"),
    ("Canción (En Vivo)", "Cancion - Ao Vivo"),
    ("Песня (концерт)", "Песня (Live)"),
]
DIFFERENT = [
    ("Song", "Song (Live)"),
    ("Song", "Song - Remix"),
    ("Song", "Song Remix"),
    ("Song", "Song (Remastered)"),
    ("Song", "Song (Instrumental)"),
    ("Song", "Song (Acoustic)"),
    ("Song", "Song (Radio Edit)"),
    ("Song", "Song (Karaoke Version)"),
    ("Song", "Song (Demo)"),
    ("Song", "Song (Sped Up)"),
    ("Song", "Song (Taylor's Version)"),
    ("Song (Ada Remix)", "Song (Bix Remix)"),
    ("Song (Live at the Apollo)", "Song (Live in Berlin)"),
    ("Song (Spanish Version)", "Song (English Version)"),
    ("Lied", "Lied (Instrumentale)"),
    ("歌", "歌 (伴奏)"),
    ("노래", "노래 (라이브)"),
    ("か", "が"),
    ("\u00f7", "\u00d7"),  # two albums and songs by one artist
    ("Love, Pt. 1", "Love, Pt. 2"),
]


def key_of(text: str) -> tuple[str, str]:
    """Return what recordings of one artist and length are compared by."""
    title = read_title(text, NOBODY)
    return title.key, title.version


@pytest.mark.parametrize(("one", "other"), SAME)
def test_spellings_of_one_title_are_equal(one: str, other: str) -> None:
    """Case, accents, punctuation, wording and language of the version make no difference."""
    assert key_of(one) == key_of(other)


@pytest.mark.parametrize(("one", "other"), DIFFERENT)
def test_versions_are_different(one: str, other: str) -> None:
    """A version is not the recording on the album, nor another version."""
    assert key_of(one) != key_of(other)


@pytest.mark.parametrize("text", ["Live and Let Die", "Mix", "Remix", "(I Can't Get No) Satisfaction", "Stay With Me"])
def test_words_of_the_title_itself_are_no_version(text: str) -> None:
    """Only texts in brackets and after a dash describe versions; others in brackets belong to the title."""
    assert key_of(text) == (fold(text), "")


def test_featured_artists_are_taken_out() -> None:
    """After feat. always; after "with" only if the catalogue has the artist."""
    known = ArtistNames(["Ada", "Bix"])

    assert read_title("Song (feat. Ada & Bix)", known).featured == ("Ada", "Bix")
    assert read_title("Song ft. Unknown", known).featured == ("Unknown",)
    assert read_title("Song (with Ada)", known).featured == ("Ada",)
    assert read_title("Song (with Love)", known) == read_title("Song with love", known)


@pytest.mark.parametrize("text", ["", "   ", "...", "???", "()", "-", "((((", ")(", "- - -"])
def test_a_title_that_says_nothing_has_no_key(text: str) -> None:
    """So it is no evidence that two recordings are the same."""
    assert read_title(text, NOBODY).key == ""


def test_a_title_of_a_version_only_keeps_its_words() -> None:
    """A title is never empty because all of it was read as a version."""
    assert read_title("(Live)", NOBODY).key == "live"


def test_a_hostile_title_is_read_in_time() -> None:
    """The time grows with the length of the title, not faster."""
    read_title("(" * 20_000 + "feat. " * 20_000 + " - " * 20_000, NOBODY)


def test_marks_of_other_scripts_stay() -> None:
    """They make another letter, as Hindi vowel signs and the Cyrillic short i do."""
    assert fold("हिन्दी") != fold("हन्द")
    assert fold("мой") != fold("мои")
    assert fold("Ελλάδα") == fold("ελλαδα")
