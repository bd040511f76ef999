"""Choose a list from recordings in their order, under the filters of a request."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from itertools import repeat

from recsys.arrays import I32, Bool

BLOCK = 128  # recordings that are looked at together; most lists are full after the first


def choose(
    pool: I32,
    artists: I32,
    n: int,
    *,
    allowed: Bool | None,
    excluded: Collection[int],
    artist_cap: int | None,
    apart: int = 0,
) -> list[int]:
    """
    Return the positions in a pool of the first n recordings that the filters allow, by the rules of a nightly run.

    Args:
        pool: Rows of recordings, in the order in which they are taken; one may occur twice.
        artists: Number of the artist of each recording, -1 if unknown; unknown artists are not limited.
        n: Length of the list.
        allowed: Whether each recording may be played; None allows all.
        excluded: Rows of recordings that are left out.
        artist_cap: Maximum number of recordings per artist; None is no limit.
        apart: Minimum number of others between two of one artist, as long as the pool has others.
    """
    offered = _offered(pool, artists, allowed, excluded)
    if apart:
        return _Apart(n, artist_cap, apart).chosen_from(offered)
    chosen, counts = list[int](), dict[int, int]()
    for position, artist in offered:
        if artist_cap is not None and counts.get(artist, 0) >= artist_cap:
            continue
        if artist >= 0:
            counts[artist] = counts.get(artist, 0) + 1
        chosen.append(position)
        if len(chosen) == n:
            break
    return chosen


def _offered(pool: I32, artists: I32, allowed: Bool | None, excluded: Collection[int]) -> Iterator[tuple[int, int]]:
    """Yield position and artist of the recordings that the filters allow, each once."""
    taken = set(excluded)
    for start in range(0, len(pool), BLOCK):
        rows = pool[start : start + BLOCK]
        is_allowed = repeat(True) if allowed is None else allowed[rows].tolist()
        for position, (row, artist, may) in enumerate(
            zip(rows.tolist(), artists[rows].tolist(), is_allowed, strict=False), start
        ):
            if may and row not in taken:
                taken.add(row)
                yield position, artist


@dataclass
class _Apart:
    """A list in which recordings of one artist are kept apart, as `rerank.rules.artist_cap` does; -1 is no artist."""

    n: int
    cap: int | None
    apart: int
    positions: list[int] = field(default_factory=list)
    counts: dict[int, int] = field(default_factory=dict)
    last: dict[int, int] = field(default_factory=dict)
    passed: list[tuple[int, int]] = field(default_factory=list)  # position and artist: too near to another of theirs

    def chosen_from(self, offered: Iterator[tuple[int, int]]) -> list[int]:
        """Return the positions of a list from positions and artists, best first."""
        for position, artist in offered:
            self.offer(position, artist)
            if len(self.positions) >= self.n:
                break
        self.take_passed(near=True)
        return self.positions

    def offer(self, position: int, artist: int) -> None:
        """Take a recording if the cap allows it; one that comes too soon after another of its artist waits."""
        if not self._is_apart(artist):
            self.passed.append((position, artist))
        elif self._may(artist):
            self._take(position, artist)
            self.take_passed()

    def take_passed(self, *, near: bool = False) -> None:
        """Take those that waited, as far as they are apart by now; with `near`, the others too where none is apart."""
        while self.passed and len(self.positions) < self.n:
            self.passed = [(position, artist) for position, artist in self.passed if self._may(artist)]
            first = next((one for one in self.passed if self._is_apart(one[1])), None)
            chosen = first or (self.passed[0] if near and self.passed else None)
            if chosen is None:
                return
            self.passed.remove(chosen)
            self._take(*chosen)

    def _may(self, artist: int) -> bool:
        return self.cap is None or self.counts.get(artist, 0) < self.cap

    def _is_apart(self, artist: int) -> bool:
        return artist < 0 or artist not in self.last or len(self.positions) - self.last[artist] > self.apart

    def _take(self, position: int, artist: int) -> None:
        if artist >= 0:
            self.counts[artist] = self.counts.get(artist, 0) + 1
            self.last[artist] = len(self.positions)
        self.positions.append(position)
