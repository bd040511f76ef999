"""The lists for listeners: the night's, one folded in from events, or the fallback."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from typing import Literal

import numpy as np
import polars as pl
import scipy.sparse as sp

from recsys.arrays import F32, I32
from recsys.dataset.interactions import Interactions
from recsys.dataset.vocab import Vocab
from recsys.products.base import with_hidden_copies
from recsys.recommenders.parts import filters as recommender_filters
from recsys.recommenders.parts.reason_text import with_reason_text
from recsys.serve.choosing import choose
from recsys.serve.fold_in import NOBODY
from recsys.serve.messages import Event, Filters, Track, TrackList
from recsys.serve.open_release import OpenRelease


def published(release: OpenRelease, listener: str, filters: Filters) -> TrackList | None:
    """
    Return the night's list of a listener, None if there is none.

    Without filters, it is the published list, as exported. With any, or where more recordings are asked for, it is
    taken from the published list and then from the other candidates by the model's rank: all that the filters allow.
    """
    own = release.published.find(listener)
    if own.start == own.stop:
        return None
    columns, n_listed = release.published.columns, own.stop - own.start
    pool: I32 = columns["track"][own]
    scores: F32 = columns["score"][own]
    positions = list(range(min(filters.n, n_listed)))
    if filters.n > n_listed or filters.territory or filters.exclude or filters.artist_cap:
        others = release.candidates.find(listener)
        pool = np.concatenate([pool, release.candidates.columns["track"][others]])
        scores = np.concatenate([scores, release.candidates.columns["score"][others]])
        positions = _chosen(release, pool, filters)
    stated = (columns[name][own].tolist() for name in ("reason", "is_explored", "propensity"))
    facts = [(release.reasons[reason], *others) for reason, *others in zip(*stated, strict=True)]
    ids, titles, artists = release.track_ids, release.titles, release.artist_names
    chosen = zip(positions, pool[positions].tolist(), scores[positions].tolist(), strict=True)
    tracks = [
        Track(rank, ids[row], titles[row], artists[row], score, *(facts[position] if position < n_listed else ()))
        for rank, (position, row, score) in enumerate(chosen, start=1)
    ]
    return TrackList(release=release.name, as_of=release.as_of, source="published", segment=None, tracks=tracks)


def folded_in(release: OpenRelease, events: Sequence[Event], filters: Filters, today: date) -> TrackList:
    """
    Return the list that a night would make for a listener with these events; the fallback if none of them counts.

    Raises:
        InputError: An event breaks its contract.
    """
    history = release.reader.history(events, release.as_of, today)
    hidden = with_hidden_copies(history.select("user_id", "track_id", "age_days"), release.copies)
    unplayed = hidden.filter(pl.col("strength") == 0).join(history, on="track_id", how="anti")
    plays = pl.concat([history, unplayed.select("user_id", "track_id", "strength", "age_days")], how="diagonal_relaxed")
    ranking = release.model.recommend_by_history(
        plays,
        release.n_candidates,
        filters=_filters(release, filters.country),
        profiles=_profile(filters.country, filters.age_band),
    )
    if ranking["is_fallback"].any():
        return fallback(release, filters, heard=plays["track_id"].to_list())
    known = history.filter(pl.Series(release.model.tracks.find(history["track_id"]) >= 0, dtype=pl.Boolean))
    chosen = _rows_of(release, ranking, filters)
    reasoned = release.model.add_reasons(chosen, Interactions.of(known))
    return _listed(release, reasoned, "folded_in", None)


def fallback(release: OpenRelease, filters: Filters, heard: Sequence[str] = ()) -> TrackList:
    """Return what is popular in the segment of a listener of whom nothing else is known."""
    ranking = _popular(release, filters.country, filters.age_band)
    unheard = ranking.filter(~pl.col("track_id").is_in(pl.Series(heard, dtype=pl.String).implode()))
    chosen = _rows_of(release, unheard, filters)
    segment = ranking["segment"][0] if ranking.height else "everybody"
    return _listed(release, chosen.with_columns(reason_track_id=pl.lit(None, dtype=pl.String)), "fallback", segment)


def _chosen(release: OpenRelease, pool: I32, filters: Filters) -> list[int]:
    return choose(
        pool,
        release.artists,
        filters.n,
        allowed=release.allowed(filters.territory) if filters.territory else None,
        excluded={release.rows[name] for name in filters.exclude if name in release.rows},
        artist_cap=filters.artist_cap or release.artist_cap,
        apart=release.artists_apart,
    )


def _rows_of(release: OpenRelease, ranking: pl.DataFrame, filters: Filters) -> pl.DataFrame:
    """Return the rows of a ranking of one listener that the filters allow, with new ranks."""
    pool = release.model.tracks.find(ranking["track_id"]).astype(np.int32)
    chosen = ranking[_chosen(release, pool, filters)]
    return chosen.with_columns(rank=pl.int_range(1, pl.len() + 1, dtype=pl.Int32))


def _filters(release: OpenRelease, country: str | None) -> recommender_filters.Filters:
    """Return the filters of one unknown listener in a country."""
    return replace(
        release.filters,
        users=Vocab.of([NOBODY], kind="listener"),
        hidden=sp.csr_matrix((1, len(release.model.tracks)), dtype=np.bool_),
        group=np.array([release.group(country)]),
    )


def _profile(country: str | None, age_band: str) -> pl.DataFrame:
    return pl.DataFrame({"user_id": NOBODY, "country": country or "unknown", "age_band": age_band})


def _popular(release: OpenRelease, country: str | None, age_band: str) -> pl.DataFrame:
    """Return what is popular in a segment, best first; each is computed once per release."""
    place = release.group(country), age_band
    if place not in release.popular:
        release.popular[place] = release.model.recommend(
            [NOBODY],
            release.n_candidates,
            filters=_filters(release, country),
            profiles=_profile(country, age_band),
        )
    return release.popular[place]


def _listed(
    release: OpenRelease, ranking: pl.DataFrame, source: Literal["folded_in", "fallback"], segment: str | None
) -> TrackList:
    """Return a ranking with reasons as an answer."""
    reasoned = with_reason_text(ranking, release.catalogue)
    ids = reasoned["track_id"].to_list()
    names = [(name, release.titles[release.rows[name]], release.artist_names[release.rows[name]]) for name in ids]
    stated = zip(reasoned["rank"], names, reasoned["score"], reasoned["reason"], strict=True)
    tracks = [Track(rank, *named, score, reason) for rank, named, score, reason in stated]
    return TrackList(release=release.name, as_of=release.as_of, source=source, segment=segment, tracks=tracks)
