"""Lines of overlap: right shares within their noise, the same from both sides, written once, and an attack on them."""

import random
from collections.abc import Iterator
from datetime import date, timedelta
from itertools import combinations, product

import numpy as np
import polars as pl
import pytest
from scipy.sparse import csr_matrix

from recsys.ledger import overlap
from recsys.ledger.close import Closing, close
from recsys.ledger.crossed import NOISE_LISTENERS, noise_key, noise_of
from recsys.ledger.lines import Lines
from recsys.ledger.overlap import NO_FAVOURITES, lines_of_overlap
from recsys.ledger.settings import LabelSettings
from recsys.ledger.value_range import Sums

from .worlds import catalogue, frame

KEY = noise_key(b"k" * 32)
MAY, JUNE = date(2026, 5, 31), date(2026, 6, 30)
LABELS: dict[str, str | None] = {"t0": "one", "t3": "one", "t6": "two", "t9": None, "t12": "one", "t13": "two"}
ARTISTS = ("a0", "a1", "a2", "a3", "a4")  # of labels one, one, two, none, and both
N_KNOWN, SMALL, N_AVERAGE = 9, 9, 10
Groups = dict[str, set[str]]  # artist -> listeners


def groups(rng: random.Random, n_listeners: int, probabilities: tuple[float, ...]) -> Groups:
    """Return the listeners of each artist, each with its probability."""
    users = [f"u{n}" for n in range(n_listeners)]
    return {
        artist: {user for user in users if rng.random() < probability}
        for artist, probability in zip(ARTISTS, probabilities, strict=False)
    }


def table(listeners: Groups, month: date = JUNE, unreleased: str = "") -> pl.LazyFrame:
    """Return the listeners as the step reads them."""
    rows = [(user, artist, month, artist != unreleased) for artist, users in listeners.items() for user in users]
    return pl.DataFrame(rows, NO_FAVOURITES.collect_schema(), orient="row").lazy()


def lines_of(favourites: pl.LazyFrame, after: date | None = None, until: date = JUNE) -> pl.DataFrame:
    """Return the lines of the months that end after one day and up to another."""
    return lines_of_overlap(favourites, catalogue(LABELS), (after, until), LabelSettings(), KEY)


def test_lines_are_the_shared_listeners_with_noise() -> None:
    """Every pair of a label's artist that 20 listeners share, and 40 % of either's at most; an artist's own label."""
    listeners = groups(random.Random(1), 400, (0.36, 0.3, 0.26, 0.3, 0.45))

    lines = lines_of(table(listeners))

    expected = {}
    for one, other in product(("a0", "a1", "a2"), ARTISTS):  # a3 has no label, a4 two
        shared = listeners[one] & listeners[other]
        if one != other and 20 <= len(shared) <= 0.4 * min(len(listeners[one]), len(listeners[other])):
            noisy = len(shared) + 5 * noise_of(sorted(shared), KEY)
            expected[one, other] = round(100 * noisy / len(listeners[one]))
    found = {(one, other): value for one, other, value in lines.select("artist_id", "cell", "value").iter_rows()}
    assert found == expected
    assert len(expected) > 5
    assert set(lines.select("artist_id", "label_id").rows()) == {("a0", "one"), ("a1", "one"), ("a2", "two")}
    assert set(lines.select("from_day", "to_day").rows()) == {(JUNE.replace(day=1), JUNE)}


def test_small_artists_small_overlaps_and_unreleased_music_have_no_line() -> None:
    """An artist needs 60 listeners and a pair 20; nobody's name is shown before a release; one artist has no others."""
    users = [f"u{n}" for n in range(200)]
    cases: dict[str, tuple[Groups, str]] = {
        "59 listeners": ({"a0": set(users[:59]), "a3": set(users[39:200])}, ""),
        "19 shared": ({"a0": set(users[:60]), "a3": set(users[41:200])}, ""),
        "unreleased": ({"a0": set(users[:60]), "a3": set(users[40:200])}, "a3"),
        "one artist": ({"a0": set(users)}, ""),
        "all the same": ({"a0": set(users), "a3": set(users)}, ""),
        "nobody": ({}, ""),
    }

    assert {
        name: lines_of(table(*case[:1], unreleased=case[1])).height for name, case in cases.items()
    } == dict.fromkeys(cases, 0)
    assert lines_of(table({"a0": set(users[:60]), "a3": set(users[40:200])})).height == 1


def test_an_artist_has_fifty_lines_at_most(monkeypatch: pytest.MonkeyPatch) -> None:
    """Those with the greatest stated shares."""
    monkeypatch.setattr(overlap, "MOST_OTHERS", 2)
    listeners = groups(random.Random(1), 400, (0.36, 0.3, 0.26, 0.3, 0.45))

    some = lines_of(table(listeners))
    monkeypatch.undo()
    every = lines_of(table(listeners)).sort("value", "cell", descending=[True, False])

    for (artist,), of_artist in every.group_by("artist_id"):
        assert set(some.filter(artist_id=artist)["cell"]) == set(of_artist["cell"].head(2))


def closed(
    ledger: Lines, as_of: date, favourites: pl.LazyFrame, key: bytes | None = KEY, kept: date = date.min
) -> pl.DataFrame:
    """Close a day without plays, of a log whose listens are kept from a day on."""
    closing = Closing(ledger.next_no, "run", as_of, 1, LabelSettings(), key, {"listens": kept})
    everyone = pl.DataFrame(schema=dict.fromkeys(("user_id", "country", "age_band", "gender"), pl.String))
    lines = close(frame([]).lazy(), catalogue(LABELS), everyone, ledger, closing, favourites=favourites)
    return lines.figures


def closings(*rows: tuple[date, bool]) -> Lines:
    """Return a ledger with closings up to some days, which may be restarts."""
    table = [(n, "run", day, day, 1, 20, is_restart) for n, (day, is_restart) in enumerate(rows, 1)]
    return Lines.of({"label_closings": pl.DataFrame(table, Lines.of({}).closings.schema, orient="row")})


def test_a_month_is_closed_once_by_the_first_closing_after_its_end() -> None:
    """Not while its last day is open, not again, not without a key, not with a restart or removed days in it."""
    listeners = groups(random.Random(1), 400, (0.36, 0.3, 0.26, 0.3, 0.45))
    both = pl.concat([table(listeners, MAY), table(listeners, JUNE)])
    first_of_july = JUNE + timedelta(days=1)

    months = {
        "first closing": closed(Lines.of({}), first_of_july, both),
        "June is open": closed(Lines.of({}), JUNE, both),
        "May was closed": closed(closings((MAY, False)), first_of_july, both),
        "both were closed": closed(closings((JUNE, False)), first_of_july + timedelta(days=1), both),
        "restart in June": closed(closings((JUNE.replace(day=7), True)), first_of_july, both),
        "restart in May": closed(closings((MAY, True)), first_of_july, both),
        "no key": closed(Lines.of({}), first_of_july, both, None),
        "kept from 2 May on": closed(Lines.of({}), first_of_july, both, kept=MAY.replace(day=2)),
        "kept from 1 June on": closed(Lines.of({}), first_of_july, both, kept=JUNE.replace(day=1)),
        "kept from 2 June on": closed(
            closings((date(2026, 1, 1), True)), first_of_july, both, kept=JUNE.replace(day=2)
        ),
    }

    assert {name: sorted(lines["to_day"].unique()) for name, lines in months.items()} == {
        "first closing": [MAY, JUNE],
        "June is open": [MAY],
        "May was closed": [JUNE],
        "both were closed": [],
        "restart in June": [],
        "restart in May": [JUNE],
        "no key": [],
        "kept from 2 May on": [JUNE],
        "kept from 1 June on": [JUNE],
        "kept from 2 June on": [],
    }
    assert set(months["first closing"].select("measure", "dimension").rows()) == {("listener_share", "overlap")}


def attacks(listeners: Groups, noise: float = NOISE_LISTENERS) -> Iterator[tuple[int, float, float]]:
    """
    Attack the listeners of each three artists: linear programmes over the sets of artists that a listener may play.

    The attacker knows how many listeners each artist has, which no line tells, and nine accounts: those who play one of
    the three artists and neither of the others, or as many of the three artists as possible.

    Yields:
        The true number that is not known, and the smallest and largest that agree with the lines.
    """
    lines = lines_of(table(listeners))
    names, users = sorted(listeners), sorted(set().union(*listeners.values()))
    plays = np.array([[user in listeners[name] for name in names] for user in users], float)
    atoms = np.array(list(product((0.0, 1.0), repeat=len(names))))[1:]
    sets, lows, highs = [atoms.T], [plays.sum(0)], [plays.sum(0)]
    for one, other, value in lines.select("artist_id", "cell", "value").iter_rows():
        n = len(listeners[one])
        sets.append((atoms[:, names.index(one)] * atoms[:, names.index(other)])[None])
        error = noise + n / 200
        lows.append(np.array([value * n / 100 - error]))
        highs.append(np.array([value * n / 100 + error]))
    covers, low, high = np.vstack(sets), np.concatenate(lows), np.concatenate(highs)
    for three in combinations(range(len(names)), 3):
        is_in, n_of_three = plays[:, three].all(1), plays[:, three].sum(1)
        for known in (np.argsort(n_of_three != 1, kind="stable")[:N_KNOWN], np.argsort(-n_of_three)[:N_KNOWN]):
            own = np.array([(plays[known] == atom).all(1).sum() for atom in atoms], float)
            sums = Sums(csr_matrix(covers), low - covers @ own, high - covers @ own)
            found = sums.range_of(atoms[:, three].all(1).astype(float))
            yield int(np.delete(is_in, known).sum()), *found


@pytest.mark.parametrize(
    ("seed", "probabilities"), [(1, (0.5, 0.3, 0.25)), (2, (0.35,) * 4), (3, (0.8, 0.2, 0.3, 0.4))]
)
def test_lines_do_not_tell_who_plays_three_artists(seed: int, probabilities: tuple[float, ...]) -> None:
    """For all that the attacker knows, nobody may, and ten may."""
    found = list(attacks(groups(random.Random(seed), 240, probabilities)))

    assert found
    assert all(low - 1e-6 <= true <= high + 1e-6 for true, low, high in found)
    assert all(low <= 1e-6 and high >= N_AVERAGE for _, low, high in found)


def test_greater_overlaps_without_noise_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two thirds of an artist's listeners play the second, half the third: some must play all three."""
    users = [f"u{n}" for n in range(60)]
    listeners = {"a0": set(users), "a1": set(users[:37]), "a2": set(users[30:60])}
    safe = [low for true, low, _ in attacks(listeners) if true <= SMALL]
    for name, value in (("MAX_SHARED", 1.0), ("NOISE_LISTENERS", 0)):
        monkeypatch.setattr(overlap, name, value)

    unsafe = [low for true, low, _ in attacks(listeners, noise=0) if true <= SMALL]

    assert max(safe) <= 1e-6
    assert max(unsafe) > 1
