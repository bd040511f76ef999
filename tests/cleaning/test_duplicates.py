"""Duplicates are linked by ISRC, by names and length, and by sound; versions never; decisions come first."""

from collections.abc import Iterator
from itertools import permutations

import polars as pl
import pytest

from recsys.cleaning import duplicates
from recsys.cleaning.duplicates import Decisions, find_duplicates
from recsys.cleaning.recordings import recordings

from .conftest import ISRC, NO_DECISIONS, NO_SOUNDS, found, sounds, tracks

PAIR = ("t1", "t2")
LINKED = ({PAIR: "linked"}, {"t2": "t1"})
PROPOSED: tuple[dict[tuple[str, str], str], dict[str, str]] = ({PAIR: "proposed"}, {})
NOTHING: tuple[dict[tuple[str, str], str], dict[str, str]] = ({}, {})


def test_the_same_title_artist_and_length_are_linked() -> None:
    """Up to two seconds apart; from then on they are two recordings."""
    for apart_ms in (0, 1_999, 2_000):
        assert found(tracks({"title": "Song"}, {"title": "song!", "duration_ms": 180_000 + apart_ms})) == LINKED
    for apart_ms in (2_001, 3_000):
        assert found(tracks({"title": "Song"}, {"title": "Song", "duration_ms": 180_000 + apart_ms})) == NOTHING


def test_lengths_do_not_add_up() -> None:
    """Three takes, two seconds apart each: the third is not linked through the second."""
    catalogue = tracks(*({"title": "Song", "duration_ms": 180_000 + 2_000 * n} for n in range(3)))

    assert found(catalogue)[1] == {"t2": "t1"}


def test_the_same_isrc_is_linked() -> None:
    """In any spelling, also if a length is unknown or the title is in another language."""
    assert found(tracks({"title": "Song", "isrc": ISRC}, {"title": "Canción", "isrc": "us-rc1-76-07839"})) == LINKED
    assert found(tracks({"title": "Song", "isrc": ISRC, "duration_ms": None}, {"title": "X", "isrc": ISRC})) == LINKED
    assert found(tracks({"title": "One", "isrc": "0000"}, {"title": "Two", "isrc": "0000"})) == NOTHING


@pytest.mark.parametrize(
    "other",
    [
        {"title": "Song (Live)"},
        {"title": "Song - Remix"},
        {"title": "Song (2011 Remaster)"},
        {"title": "Song [Instrumental]"},
        {"title": "Song (Acoustic)"},
        {"title": "Other", "artist_id": "bix", "artist_name": "Bix"},
        {"title": "Song", "duration_ms": 190_001},
    ],
)
def test_an_isrc_that_something_speaks_against_is_proposed(other: dict[str, object]) -> None:
    """A person decides whether the ISRC or the rest is wrong; without the ISRC, there is no evidence at all."""
    assert found(tracks({"title": "Song", "isrc": ISRC}, other | {"isrc": ISRC})) == PROPOSED
    assert found(tracks({"title": "Song", "isrc": ISRC}, other)) == NOTHING


def test_equal_versions_are_linked() -> None:
    """Two deliveries of the same live recording are duplicates of each other, not of the album's recording."""
    catalogue = tracks({"title": "Song"}, {"title": "Song (Live)"}, {"title": "Song - En Vivo"})

    assert found(catalogue) == ({("t2", "t3"): "linked"}, {"t3": "t2"})


def test_an_explicit_recording_is_not_its_clean_version() -> None:
    """Title, artist and length are the same for both."""
    assert found(tracks({"title": "Song", "explicit": True}, {"title": "Song", "explicit": False})) == NOTHING
    assert found(tracks({"title": "Song", "explicit": True}, {"title": "Song", "explicit": None})) == LINKED


def test_featured_artists_tell_recordings_apart() -> None:
    """Wherever they are credited; a credit that is missing in one delivery does not."""
    known = [{"title": "X", "artist_name": name, "artist_id": name} for name in ("Bix", "Cy")]
    one = {"title": "Song (feat. Bix)"}

    assert found(tracks(one, {"title": "Song (feat. Cy)"}, *known)) == NOTHING
    assert found(tracks(one, {"title": "Song"}, *known)) == LINKED
    assert found(tracks(one, {"title": "Song", "artist_name": "Ada feat. Bix", "artist_id": "both"}, *known)) == LINKED


def test_an_artist_may_have_two_ids() -> None:
    """Names are compared, in any spelling; without a name, ids are."""
    other_id = {"title": "Song", "artist_id": "ada2"}

    assert found(tracks({"title": "Song"}, other_id | {"artist_name": "ADÁ"})) == LINKED
    assert found(tracks({"title": "Song"}, other_id | {"artist_name": "Bix"})) == NOTHING
    assert found(tracks({"title": "Song", "artist_name": None}, other_id | {"artist_name": None})) == NOTHING
    assert found(tracks({"title": "Song", "artist_name": None}, {"title": "Song", "artist_name": None})) == LINKED


def test_the_same_sound_by_the_same_artist_is_linked() -> None:
    """Whatever the title; but not if it names another version."""
    assert found(tracks({"title": "Song"}, {"title": "Sogn"}), sounds((*PAIR, 0.95))) == LINKED
    assert found(tracks({"title": "Song"}, {"title": "Song (Live)"}), sounds((*PAIR, 0.95))) == PROPOSED


def test_other_isrcs_of_one_registrant_or_release_are_proposed() -> None:
    """Who assigned both tells them apart, perhaps as song and instrumental; another registrant delivered it again."""
    one, sibling = ({"title": "Song", "isrc": isrc, "release_title": "Album"} for isrc in (ISRC, "USRC17607840"))
    foreign = sibling | {"isrc": "GBAYE0000351"}

    assert found(tracks(one, foreign | {"release_title": "Hits"})) == LINKED
    assert found(tracks(one, foreign)) == PROPOSED
    assert found(tracks(one, sibling | {"release_title": "Hits"})) == PROPOSED
    assert found(tracks(one, sibling), sounds((*PAIR, 0.95))) == LINKED


def test_all_evidence_is_kept() -> None:
    """Kinds, their details, and a score that grows with each."""
    catalogue = recordings(tracks({"title": "Song", "isrc": ISRC}, {"title": "Song", "isrc": ISRC}))

    pairs, links = find_duplicates(catalogue, sounds((*PAIR, 0.95)), NO_DECISIONS)

    assert pairs["evidence"].to_list() == links["evidence"].to_list() == ["isrc, names, sound"]
    assert pairs["detail"].item() == f"ISRC {ISRC}; same title and artist, 0.0 s apart; the same sound"
    assert 0.999 < links["score"].item() < 1
    assert links["decided_by"].item() == "rule"


def test_groups_have_one_representative() -> None:
    """A chain by ISRC and by names is one group; the recording with an ISRC and the earliest release represents it."""
    dates = pl.Series([None, "2001-05-01", "1999-01-01", "2020-01-01"]).str.to_date().to_list()
    chain = [
        {"title": "Song", "release_date": dates[0]},
        {"title": "Song", "isrc": ISRC, "release_date": dates[1]},
        {"title": "Chanson", "isrc": ISRC, "release_date": dates[3]},
        {"title": "chanson", "release_date": dates[2]},
    ]

    assert found(tracks(*chain))[1] == {"t1": "t2", "t3": "t2", "t4": "t2"}


def test_the_order_of_the_rows_makes_no_difference() -> None:
    """Same catalogue, same pairs and links."""
    rows = [
        {"track_id": f"t{n}", "title": title, "isrc": isrc, "duration_ms": 180_000 + 700 * n}
        for n, (title, isrc) in enumerate([("A", ISRC), ("B", ISRC), ("B", None), ("A", None)])
    ]
    results = {str(found(tracks(*order))) for order in permutations(rows)}

    assert len(results) == 1


@pytest.mark.parametrize(
    "rows",
    [
        [],
        [{"title": "Song", "isrc": ISRC}],
        [{"title": "", "isrc": None}] * 3,
        [{"title": "?"}, {"title": "..."}],
        [{"title": None}] * 2,
        [{"title": "Song", "duration_ms": None}] * 2,
    ],
)
def test_without_evidence_nothing_is_linked(rows: list[dict[str, object]]) -> None:
    """No track, one track, titles that say nothing, and no lengths."""
    assert found(tracks(*rows)) == NOTHING


def test_everything_may_be_the_same() -> None:
    """A catalogue of one recording under many ids is one group, with one pair per further id."""
    n = 500

    status, links = found(tracks(*[{"title": "Song", "isrc": ISRC}] * n))

    assert len(status) == len(links) == n - 1
    assert len(set(links.values())) == 1


def test_a_placeholder_isrc_does_not_cost_more_than_its_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    """Recordings with one ISRC and nothing else in common are compared with a limited number of others."""
    n, compared = 400, 0
    original = duplicates._against

    def counted(*args: object) -> list[str]:
        nonlocal compared
        compared += 1
        return original(*args)  # type: ignore[arg-type]

    monkeypatch.setattr(duplicates, "_against", counted)
    rows = [{"title": f"Song {n}", "isrc": ISRC, "artist_id": f"a{n}", "artist_name": f"A {n}"} for n in range(n)]

    status, links = found(tracks(*rows))

    assert compared <= n * (duplicates.MAX_LEADERS + 1)
    assert (set(status.values()), links) == ({"proposed"}, {})


def test_a_rejected_pair_is_not_linked() -> None:
    """It is listed as rejected, and all other links are what they were."""
    catalogue = tracks({"title": "Song"}, {"title": "Song"}, {"title": "Other"}, {"title": "Other"})

    decided = found(catalogue, decisions=Decisions(rejected=frozenset({PAIR})))

    assert decided == ({PAIR: "rejected", ("t3", "t4"): "linked"}, {"t4": "t3"})


def test_the_others_of_a_rejected_pair_are_still_linked() -> None:
    """The first of three is another recording, said a person: the second and third are still the same."""
    catalogue = tracks(*[{"title": "Song", "isrc": ISRC}] * 3)

    _, links = found(catalogue, decisions=Decisions(rejected=frozenset({PAIR, ("t1", "t3")})))

    assert links == {"t3": "t2"}


def test_a_rejected_pair_is_not_linked_through_a_third() -> None:
    """Both resemble a third: it is linked with one of them, and proposed for the other."""
    catalogue = tracks({"title": "Song", "isrc": ISRC}, {"title": "Lied", "isrc": ISRC}, {"title": "Lied"})

    status, links = found(catalogue, decisions=Decisions(rejected=frozenset({("t1", "t3")})))

    assert status == {PAIR: "linked", ("t2", "t3"): "proposed"}
    assert links == {"t2": "t1"}


def test_an_accepted_pair_is_linked_against_the_rules() -> None:
    """Also without any evidence; and a decision about a recording that no longer exists does nothing."""
    accepted = Decisions(accepted=frozenset({PAIR, ("t1", "gone")}))

    assert found(tracks({"title": "Song"}, {"title": "Song (Live)"}), decisions=accepted) == (
        {PAIR: "accepted"},
        {"t2": "t1"},
    )


def test_links_of_people_say_so() -> None:
    """The evidence of a pair that only a person links is the review."""
    catalogue = recordings(tracks({"title": "A"}, {"title": "B"}))

    _, links = find_duplicates(catalogue, NO_SOUNDS, Decisions(accepted=frozenset({PAIR})))

    assert links.rows() == [("t2", "t1", "review", 1.0, "review")]


def pairs_within(groups: dict[str, str]) -> Iterator[tuple[str, str]]:
    """Yield each recording with its representative, both ways."""
    for one, other in groups.items():
        yield one, other
        yield other, one


def test_taking_a_decision_back_restores_the_earlier_state() -> None:
    """Rejecting and accepting again gives the links that were there before."""
    catalogue = tracks(*[{"title": "Song"}] * 3, *[{"title": "Song (Live)"}] * 2)
    before = found(catalogue)

    rejected = found(catalogue, decisions=Decisions(rejected=frozenset({PAIR})))

    assert not set(pairs_within(rejected[1])) & {PAIR}
    assert found(catalogue) == before
    accepted = found(catalogue, decisions=Decisions(accepted=frozenset({PAIR})))
    assert accepted[1] == before[1]
