"""Measures of texts, their words and language. All verses are made up for these tests."""

import pytest

from recsys.lyrics import language
from recsys.lyrics.analysis import analyse, analyse_bag
from recsys.lyrics.lines import from_text
from recsys.lyrics.words import bag_of_words, near_hash, words_of

VERSE = "the rain is falling on the empty town tonight\nand every window keeps a little light"
SPANISH = "la lluvia cae sobre la ciudad vacía esta noche\ny cada ventana guarda una pequeña luz"


def bits_apart(one: str, other: str) -> int:
    """Count the bits in which two hashes differ."""
    return (int(one, 16) ^ int(other, 16)).bit_count()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("L'AMOUR, l\u2019amour... 99 fois!", ["l'amour", "l'amour", "fois"]),
        ("'quoted' rock'n'roll", ["quoted", "rock'n'roll"]),
        ("\u0926\u093f\u0932 \u0938\u0947", ["\u0926\u093f\u0932", "\u0938\u0947"]),
        ("\u604b\u3057\u3044\u4eba", ["\u604b", "\u3057", "\u3044", "\u4eba"]),
        ("I love \u4f60", ["i", "love", "\u4f60"]),
        ("e\u0301te\u0301", ["\u00e9t\u00e9"]),
        ("12 34 !?", []),
    ],
)
def test_words_of_several_scripts(text: str, expected: list[str]) -> None:
    """Apostrophes and vowel signs are inside of words; without spaces, characters are words."""
    assert words_of(text) == expected


def test_measures_of_a_text() -> None:
    """Two of five lines repeat an earlier one; the chorus that comes again points to the first one."""
    analysis = analyse(from_text("[Chorus]\nla la river\ngo\n\none two three\n\n[Chorus]\nLa, la river!\ngo"))

    assert analysis.measures.n_lines == 5
    assert analysis.measures.repetition == 0.4
    assert analysis.measures.n_words == 11
    assert analysis.words == {"la": 4, "go": 2, "river": 2, "one": 1, "three": 1, "two": 1}
    assert [(part.kind, part.first_line, part.repeats) for part in analysis.sections] == [
        ("chorus", 1, None),
        (None, 3, None),
        ("chorus", 4, 1),
    ]


def test_a_bag_of_words_has_no_order() -> None:
    """What needs the order of words is unknown, and not guessed."""
    analysis = analyse_bag({"i": 6, "babi": 7}, is_stemmed=True)

    assert (analysis.measures.n_words, analysis.measures.n_distinct_words) == (13, 2)
    assert (analysis.measures.n_lines, analysis.measures.repetition, analysis.measures.near_hash) == (None, None, None)
    assert analysis.sections == ()
    assert analysis.text_id == analyse_bag({"babi": 7, "i": 6}, is_stemmed=True).text_id
    assert analysis.text_id != analyse_bag({"babi": 7, "i": 6}, is_stemmed=False).text_id


def test_nearly_equal_texts_have_nearly_equal_hashes() -> None:
    """One changed word of fifty changes few of 64 bits; another text about half of them."""
    text = words_of((VERSE + " ") * 2 + SPANISH)
    changed = [*text[:20], "changed", *text[21:]]
    other = words_of("we counted all the silver coins beneath the counter until the shop was closing down again")

    assert bits_apart(near_hash(text), near_hash(changed)) <= 12
    assert bits_apart(near_hash(text), near_hash(other)) >= 20
    assert near_hash([]) == ""


WITHOUT_SPACES = (
    "夢を見た空の下で\n君の声が聞こえる\n遠い街へ歩いて行く",  # Japanese
    "我在河边等着春天\n灯火照亮了小船",  # Chinese
    "ฉันเดินไปในสายฝน\nแสงไฟยังรอเธออยู่",  # Thai
    "ຂ້ອຍຍ່າງໄປໃນສາຍຝົນ",  # Lao
    "ꦲꦏꦸꦩꦭꦏꦸꦲꦶꦁꦮꦼꦔꦶ",  # Javanese
    "ᦀᦱᦃᦱᦂᦱᦅᦱᦆᦱ",  # New Tai Lue
    "k夢を見た空の下で\nx君の声_が聞こえる",  # after a letter of another script
)


@pytest.mark.parametrize("text", WITHOUT_SPACES)
def test_no_line_can_be_put_together_from_stored_words(text: str) -> None:
    """Words overlap in no character with another one, and none holds two characters of a script without spaces."""
    words = bag_of_words(words_of(text))

    assert {len(word) for word in words} == {1}
    assert sum(words.values()) == len(words_of(text)) <= len(text)


def test_words_that_are_too_long_for_words_are_left_out() -> None:
    """They may be lines without spaces."""
    assert words_of(f"one {'ab' * 13} two the_long_way_home_tonight_love {'a' * 25}") == [
        "one",
        "two",
        *["the", "long", "way", "home", "tonight", "love"],
        "a" * 25,
    ]


@pytest.mark.parametrize(
    ("tag", "code"), [("en-US", "en"), (" zh-Hant-TW ", "zh"), ("SPA", "spa"), ("no lyrics", "no lyrics"), (None, None)]
)
def test_a_tag_of_a_language_gives_its_code(tag: str | None, code: str | None) -> None:
    """Script and region are left out; what is no tag stays as it is, and the contract refuses it."""
    assert language.primary_code(tag) == code


def test_each_section_has_its_language() -> None:
    """A verse in English and one in Spanish; sounds without meaning have no language."""
    analysis = analyse(from_text(f"{VERSE}\n\n{SPANISH}\n\nla la la la\nla la la"))

    assert [part.language.code for part in analysis.sections] == ["en", "es", None]
    assert [part.language.options for part in analysis.sections] == [(), (), ()]


def test_languages_that_are_taken_for_each_other_are_named_together() -> None:
    """A code needs .65; below, a pair needs it together; anything else is unknown."""
    assert language.decided({"hr": 0.7, "bs": 0.3}).code == "hr"
    assert language.decided({"hr": 0.5, "bs": 0.2, "sr": 0.2, "en": 0.1}).options == ("bs", "hr", "sr")
    assert language.decided({"hr": 0.4, "en": 0.35, "de": 0.25}) == language.UNKNOWN
    assert language.decided({"mk": 0.9, "bg": 0.1}) == language.UNKNOWN


def test_probabilities_sum_to_one() -> None:
    """Of every language that the identifier knows, also outside of those that were measured."""
    found = language.probabilities(VERSE)

    assert sum(found.values()) == pytest.approx(1)
    assert set(language.LANGUAGES) < found.keys()
    assert set(map(len, found)) == {2}
