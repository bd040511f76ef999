"""
Licences of a demo world's recordings, with planted conflicts and as many lawful look-alikes.

Every recording may be streamed in the whole world, as its distributor states. A lapsed licence has ended on the day
before the last; look-alikes are successive terms, another source whose licence goes on, and an end that is still to
come. An unlicensed use is a played recording that is licensed for the Antarctic alone; look-alikes exclude only the
Antarctic, or state the rest of the world in a term of its own. The truth names them by recording.
"""

from collections.abc import Iterable, Iterator, Mapping
from datetime import date, timedelta
from itertools import cycle, islice
from typing import NamedTuple, TypeAlias

import numpy as np
import polars as pl

from recsys.demo.world import Truth

DELTA, EPSILON = "distributor:delta", "distributor:epsilon"
_EMPTY = "AQ"  # no listener lives there


class _Term(NamedTuple):
    source: str = DELTA
    territories: str | None = None
    valid_from: date | None = None
    valid_until: date | None = None


_Terms: TypeAlias = tuple[_Term, ...]


def make_licences(
    tracks: pl.DataFrame, played: Iterable[str], as_of: date, n_planted: int, rng: np.random.Generator
) -> tuple[pl.DataFrame, list[Truth]]:
    """
    Make the licences of a catalogue.

    Args:
        tracks: The catalogue: track_id, and withdrawn_at if it has it; rows without an id have no licence.
        played: Recordings that listeners of known countries played; conflicts and look-alikes are planted in them.
        as_of: Last day of the world.
        n_planted: Conflicts per kind, and look-alikes per kind; fewer where too few recordings are played.
        rng: Random generator.

    Returns:
        Rows of the table `licences` with lists of territories; and one truth `rights_conflict` per conflict and one
        `rights_lawful` per look-alike.
    """
    offered = tracks if "withdrawn_at" not in tracks.columns else tracks.filter(pl.col("withdrawn_at").is_null())
    possible = sorted(set(played) & set(offered["track_id"].drop_nulls()))
    chosen = (possible[n] for n in rng.permutation(len(possible)))
    own: dict[str, _Terms] = {}
    truths = []
    for truth, kind, plans in _plans(as_of):
        for track_id, terms in zip(islice(chosen, n_planted), cycle(plans), strict=False):
            own[track_id] = terms
            truths.append(Truth(truth, track_id, None, {"kind": kind}))
    return pl.DataFrame(list(_rows(tracks, own, as_of)), infer_schema_length=None), truths


def _plans(as_of: date) -> Iterator[tuple[str, str, tuple[_Terms, ...]]]:
    """Yield kind of truth, kind of conflict, and the terms of licences that are planted in turn."""
    ended, goes_on = _Term(valid_until=as_of - timedelta(days=1)), _Term(valid_from=as_of)
    yield "rights_conflict", "lapsed_licence", ((ended,), (ended, _Term(EPSILON, valid_until=ended.valid_until)))
    later = _Term(valid_until=as_of + timedelta(days=1))
    yield "rights_lawful", "lapsed_licence", ((ended, goes_on), (ended, _Term(EPSILON)), (later,))
    nowhere, elsewhere = _Term(territories=_EMPTY), _Term(territories=f"2136|-{_EMPTY}")
    yield "rights_conflict", "unlicensed_use", ((nowhere,),)
    yield "rights_lawful", "unlicensed_use", ((elsewhere,), (nowhere, elsewhere))


def _rows(tracks: pl.DataFrame, own: Mapping[str, _Terms], as_of: date) -> Iterator[dict[str, object]]:
    for track_id in tracks["track_id"].drop_nulls().unique(maintain_order=True):
        for number, term in enumerate(own.get(track_id, (_Term(),))):
            yield {
                "licence_id": f"L-{track_id}",
                "registered_at": f"{as_of - timedelta(days=1)}T00:00:00Z",
                "term_no": number,
                "track_id": track_id,
                "use_type": "stream",
            } | term._asdict()
