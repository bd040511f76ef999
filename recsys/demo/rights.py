"""
The registry of rights of a demo world: works of its recordings, owners, links, acknowledgements, and planted conflicts.

Every recording has a work with its own ISWC, which the publisher ALPHA claims: half is the writer's, half the
publisher's, for each right, in the whole world. Of each kind of conflict a few works are planted, and as many lawful
look-alikes: shares rounded to 99.97 %, disjoint territories, successive terms, sources that agree. The truth names them
by the work, else the recording, else the party or the work's number. Recordings that share an ISRC are duplicates of
the catalogue (`recsys.demo.copies`).
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from typing import Any

import numpy as np
import polars as pl

from recsys.demo import names
from recsys.demo.world import Truth

ALPHA, BETA, SOCIETY = "publisher:alpha", "publisher:beta", "society:gamma"
RIGHTS = ("performing", "mechanical", "synchronisation")
N_WRITERS, N_PUBLISHERS = 60, 12
_TERM_DAYS = 100
_ISRC = "^[A-Z]{2}[A-Z0-9]{3}[0-9]{7}$"


@dataclass(frozen=True)
class Party:
    """A writer, publisher or collector, with the number that its sources give it."""

    party_id: str
    party_name: str
    ipi: str | None
    role: str


@dataclass(frozen=True)
class Claim:
    """A claim to all rights in a work, in per cent."""

    party: Party
    share: str
    territories: str | None = None
    kind: str = "ownership"
    valid_from: date | None = None
    valid_until: date | None = None


@dataclass
class Work:
    """A work as one source claims it, with its links to recordings: (ISRC, track id)."""

    source: str
    work_id: str
    title: str
    iswc: str | None
    claims: list[Claim]
    links: list[tuple[str | None, str | None]] = field(default_factory=list)

    @property
    def key(self) -> str:
        """The ISWC, or the number of a work that has none."""
        return self.iswc or f"{self.source}/{self.work_id}"


@dataclass
class Registry:
    """Works of all sources, acknowledgements (work number, status, day), parties and the planted facts."""

    as_of: date
    parties: list[Party]
    works: list[Work] = field(default_factory=list)
    acknowledgements: list[tuple[str, str, date]] = field(default_factory=list)
    truths: list[Truth] = field(default_factory=list)

    def beta(self, work: Work, claims: list[Claim]) -> None:
        """Add a registration of the same work by BETA."""
        self.works.append(Work(BETA, f"b{work.work_id}", work.title, work.iswc, claims))

    def second(self, work: Work, title: str) -> Work:
        """Add another work of ALPHA, to which the recording is linked as well."""
        number = len(self.works)
        other = Work(ALPHA, f"s{number}", title, iswc(900_000_000 + number), list(work.claims), work.links[:1])
        self.works.append(other)
        return other


_Plant = Callable[
    [Registry, Work], str | None
]  # changes a work; returns what the truth names, None for the work itself


def make_registry(tracks: pl.DataFrame, as_of: date, n_planted: int, rng: np.random.Generator) -> Registry:
    """
    Make the registry of a catalogue.

    Args:
        tracks: The catalogue: track_id, title, isrc; rows that lack an id or title have no work.
        as_of: Last day of the world.
        n_planted: Conflicts per kind, and look-alikes per kind; fewer where the catalogue has too few recordings.
        rng: Random generator.

    Returns:
        The registry, with one truth `rights_conflict` per conflict and one `rights_lawful` per look-alike.
    """
    registry = Registry(as_of, _parties(rng))
    well_formed = pl.when(pl.col("isrc").str.contains(_ISRC)).then("isrc")
    described = tracks.drop_nulls(["track_id", "title"]).sort("track_id").select("track_id", "title", well_formed)
    shared = described.filter(pl.col("isrc").is_not_null() & pl.col("isrc").is_duplicated())
    for first_id in shared.group_by("isrc", maintain_order=True).agg(pl.col("track_id").min())["track_id"]:
        registry.truths.append(Truth("rights_conflict", first_id, None, {"kind": "isrc_on_several_recordings"}))
    registry.works += [_work(registry, n, row, rng) for n, row in enumerate(described.rows())]
    plain = [work for work in registry.works if work.links[0][0] and work.links[0][0] not in set(shared["isrc"])]
    chosen = iter([plain[n] for n in rng.permutation(len(plain))])
    for kind, pair in _PLANTS.items():
        for truth_kind, plant in zip(("rights_conflict", "rights_lawful"), pair, strict=True):
            for work in _first(chosen, n_planted):
                named = plant(registry, work)
                registry.truths.append(Truth(truth_kind, named or work.key, None, {"kind": kind}))
    return registry


def _first(works: Iterator[Work], n: int) -> list[Work]:
    return [work for _, work in zip(range(n), works, strict=False)]


def _parties(rng: np.random.Generator) -> list[Party]:
    people = names.people(N_WRITERS, rng).tolist()
    writers = [Party(f"w{n}", name, ipi(1_000_000 + 37 * n), "writer") for n, name in enumerate(people)]
    publishers = [
        Party(f"p{n}", f"{name} Music Publishing", ipi(5_000_000 + 41 * n), "publisher")
        for n, name in enumerate(names.labels(N_PUBLISHERS, rng).tolist())
    ]
    return writers + publishers


def _work(registry: Registry, n: int, row: tuple[str, str, str | None], rng: np.random.Generator) -> Work:
    track_id, title, isrc = row
    writer = registry.parties[int(rng.integers(N_WRITERS))]
    publisher = registry.parties[N_WRITERS + int(rng.integers(N_PUBLISHERS))]
    claims = [Claim(writer, "50"), Claim(publisher, "50")]
    return Work(ALPHA, f"w{n:05d}", title, iswc(100_000_000 + 7 * n), claims, [(isrc, track_id)])


def iswc(number: int) -> str:
    """
    Return the ISWC of nine digits.

    >>> iswc(34524680)
    'T0345246801'
    """
    digits = f"{number:09d}"
    total = 1 + sum(place * int(digit) for place, digit in enumerate(digits, start=1))
    return f"T{digits}{-total % 10}"


def ipi(number: int) -> str:
    """
    Return the IPI name number of nine digits.

    >>> ipi(141073)
    '00014107338'
    """
    digits = f"{number:09d}"
    total = sum((10 - place) * int(digit) for place, digit in enumerate(digits))
    return f"{digits}{-total % 101 % 100:02d}"


def _set(position: int, **changes: Any) -> _Plant:
    """Return a plant that changes a claim."""

    def plant(_registry: Registry, work: Work) -> None:
        work.claims[position] = replace(work.claims[position], **changes)

    return plant


def _third_party(registry: Registry, work: Work) -> None:
    taken = {claim.party for claim in work.claims}
    other = next(party for party in registry.parties if party not in taken)
    registry.beta(work, [Claim(other, "25")])


def _agreeing(registry: Registry, work: Work) -> None:
    registry.beta(work, list(work.claims))


def _less(registry: Registry, work: Work) -> None:
    registry.beta(work, [replace(work.claims[1], share="45")])


def _same_in_one_country(registry: Registry, work: Work) -> None:
    registry.beta(work, [replace(work.claims[1], territories="GB")])


def _rounded(_registry: Registry, work: Work) -> None:
    """Three claims of a third each, as files round them: 99.97 %."""
    writer, publisher = work.claims
    third = Party(f"{writer.party.party_id}x", f"{writer.party.party_name} Estate", None, "writer")
    work.claims = [replace(writer, share="33.32"), Claim(third, "33.32"), replace(publisher, share="33.33")]


def _ended(registry: Registry, work: Work) -> None:
    work.claims[1] = replace(work.claims[1], valid_until=registry.as_of - timedelta(days=_TERM_DAYS))


def _succeeded(registry: Registry, work: Work) -> None:
    _ended(registry, work)
    next_day = registry.as_of - timedelta(days=_TERM_DAYS - 1)
    other = next(party for party in registry.parties[N_WRITERS:] if party != work.claims[1].party)
    work.claims.append(Claim(other, "50", valid_from=next_day))


def _collectors(*territories: str) -> _Plant:
    """Return a plant of collectors of all of a work, one per list of territories."""

    def plant(_registry: Registry, work: Work) -> None:
        for n, listed in enumerate(territories):
            collector = Party(f"c{n}", f"Collector {n}", None, "sub_publisher")
            work.claims.append(Claim(collector, "100", listed, "collection"))

    return plant


def _links(*links: tuple[str | None, bool]) -> _Plant:
    """Return a plant that replaces a work's links: an ISRC (blank: its own), and whether the track id is stated."""

    def plant(_registry: Registry, work: Work) -> str:
        ((own, track_id),) = work.links
        work.links = [(own if isrc == "" else isrc, track_id if is_named else None) for isrc, is_named in links]
        return str(track_id)

    return plant


def _another_isrc(_registry: Registry, work: Work) -> str:
    ((own, track_id),) = work.links
    work.links.append((f"XX{str(own)[2:]}", track_id))
    return str(track_id)


def _twice_registered(registry: Registry, work: Work) -> None:
    registry.works.append(Work(ALPHA, f"{work.work_id}d", work.title, work.iswc, list(work.claims)))


def _two_works(title: Callable[[str], str]) -> _Plant:
    def plant(registry: Registry, work: Work) -> str:
        registry.second(work, title(work.title))
        return str(work.links[0][1])

    return plant


def _two_numbers(is_one_party: bool) -> _Plant:
    """Return a plant of two IPI numbers under one name: of one party, or lawfully of two."""

    def plant(registry: Registry, work: Work) -> str:
        number = 2_000_000 + 50 * len(registry.truths)
        one = Party(f"x{number}", f"{work.claims[0].party.party_name} Junior", ipi(number), "writer")
        other = replace(one, party_id=one.party_id if is_one_party else f"y{number}", ipi=ipi(number + 1))
        work.claims = [Claim(one, "50"), Claim(other, "50")]
        return one.party_id

    return plant


def _unclaimed(_registry: Registry, work: Work) -> None:
    work.claims = []


def _claimed_elsewhere(registry: Registry, work: Work) -> None:
    registry.beta(work, work.claims)
    work.claims = []


def _unlinked(_registry: Registry, work: Work) -> str:
    ((_, track_id),) = work.links
    work.links = []
    return str(track_id)


def _wrong_digit(_registry: Registry, work: Work) -> str:
    right = str(work.iswc)
    work.iswc = f"{right[:-1]}{(int(right[-1]) + 1) % 10}"
    return f"{work.source}/{work.work_id}"


def _dotted(_registry: Registry, work: Work) -> str:
    plain = work.key
    work.iswc = f"T-{plain[1:4]}.{plain[4:7]}.{plain[7:10]}-{plain[10]}"
    return plain


def _acknowledged(*statuses: str) -> _Plant:
    """Return a plant of acknowledgements of a work, the last one on the last day."""

    def plant(registry: Registry, work: Work) -> str:
        days = [registry.as_of - timedelta(days=n) for n in reversed(range(len(statuses)))]
        registry.acknowledgements += [(work.work_id, status, day) for status, day in zip(statuses, days, strict=True)]
        return work.work_id

    return plant


_PLANTS: dict[str, tuple[_Plant, _Plant]] = {  # kind -> the conflict, the lawful look-alike
    "shares_over": (_third_party, _agreeing),
    "shares_under": (_set(1, share="40"), _rounded),
    "lapsed_term": (_ended, _succeeded),
    "disputed_share": (_less, _same_in_one_country),
    "collection_over": (_collectors("2136", "GB"), _collectors("2136|-GB|-IE", "2111")),
    "recording_with_several_isrcs": (_another_isrc, _links(("", True), ("", True))),
    "iswc_on_several_works": (_twice_registered, _agreeing),
    "recording_on_several_works": (_two_works(lambda title: title), _two_works(lambda title: f"{title} (Part 2)")),
    "party_with_several_ipis": (_two_numbers(is_one_party=True), _two_numbers(is_one_party=False)),
    "recording_without_work": (_unlinked, _links(("", False))),
    "work_without_shares": (_unclaimed, _claimed_elsewhere),
    "wrong_check_digit": (_wrong_digit, _dotted),
    "registration_refused": (_acknowledged("CO"), _acknowledged("CO", "AS")),
}


def registry_tables(registry: Registry) -> dict[str, pl.DataFrame]:
    """Return the tables of the files: works, work_shares (with lists of territories), work_recordings, and so on."""
    registered_at = f"{registry.as_of - timedelta(days=1)}T00:00:00Z"
    works = [
        {
            "source": work.source,
            "work_id": work.work_id,
            "registered_at": registered_at,
            "title": work.title,
            "iswc": work.iswc,
        }
        for work in registry.works
    ]
    links = [
        {"source": work.source, "work_id": work.work_id, "isrc": isrc, "track_id": track_id}
        for work in registry.works
        for isrc, track_id in work.links
    ]
    answers = [
        {"source": SOCIETY, "work_id": number, "acknowledged_at": f"{day}T00:00:00Z", "status": status}
        for number, status, day in registry.acknowledgements
    ]
    return {
        "works": pl.DataFrame(works),
        "work_shares": pl.DataFrame(list(_share_rows(registry, registered_at)), infer_schema_length=None),
        "work_recordings": pl.DataFrame(links, infer_schema_length=None).unique(maintain_order=True),
        "work_acknowledgements": pl.DataFrame(answers),
    }


def _share_rows(registry: Registry, registered_at: str) -> Iterator[dict[str, object]]:
    for work in registry.works:
        for number, claim in enumerate(work.claims, start=1):
            values = {name: value for name, value in vars(claim).items() if name != "party"}
            row = {"source": work.source, "work_id": work.work_id, "registered_at": registered_at, "claim_no": number}
            yield from (row | vars(claim.party) | values | {"right_type": right} for right in RIGHTS)
