"""An example of each request and answer, for the OpenAPI document and `docs/service.md`; tests decode all of them."""

from datetime import date
from typing import Any

import msgspec

from recsys.serve import messages

RELEASE, AS_OF = "2026-06-30-1272c6bb", date(2026, 6, 30)
_TRACK = {"track_id": "trk_780227", "title": "Shadow, Borrowed Shadow", "artist_name": "Amara Zumbrunn"}
_LISTED = messages.Track(
    rank=1,
    track_id=_TRACK["track_id"],
    title=_TRACK["title"],
    artist_name=_TRACK["artist_name"],
    score=2.03,
    reason="because you played Neon by Borrowed Station",
)

_EVENT = {"track_id": "trk_651214", "happened_at": "2026-06-30T18:05:00Z", "ms_played": 201_000}

EXAMPLES: dict[tuple[str, str], tuple[dict[str, Any], msgspec.Struct]] = {
    ("GET", "/v1/recommendations"): (
        {"n": 20, "territory": "DE", "exclude": ["trk_275325"], "artist_cap": 2},
        messages.TrackList(release=RELEASE, as_of=AS_OF, source="published", segment=None, tracks=[_LISTED]),
    ),
    ("POST", "/v1/recommendations"): (
        {"listener_id": "account-1234", "n": 20, "country": "DE", "age_band": "25-34", "events": [_EVENT]},
        messages.TrackList(release=RELEASE, as_of=AS_OF, source="folded_in", segment=None, tracks=[_LISTED]),
    ),
    ("POST", "/v1/feedback"): (
        {"events": [{"listener_id": "account-1234", "release": RELEASE, "rank": 1, "propensity": 1.0, **_EVENT}]},
        messages.Accepted(n_accepted=1),
    ),
    ("GET", "/v1/similar"): (
        {"track_id": "trk_651214", "by": "sound", "n": 20},
        messages.Similar(
            release=RELEASE,
            tracks=[messages.SimilarTrack(rank=1, similarity=0.93, tempo_bpm=112.0, key="A", mode="minor", **_TRACK)],
        ),
    ),
    ("GET", "/v1/search"): (
        {"q": "calm, 90-120 bpm, minor", "n": 20},
        messages.SearchResults(
            release=RELEASE,
            understood=["tempo 90 to 120 bpm", "in minor"],
            n_found=1,
            advice=[],
            tracks=[
                messages.FoundTrack(
                    rank=1,
                    why="112 bpm; minor",
                    misses=None,
                    fit=1.0,
                    release_date=date(2024, 3, 1),
                    tempo_bpm=112.0,
                    key="A",
                    mode="minor",
                    isrc=None,
                    **_TRACK,
                )
            ],
        ),
    ),
    ("GET", "/v1/products"): (
        {},
        messages.ProductNames(release=RELEASE, products={"similar_tracks": "tracks with the same listeners."}),
    ),
    ("GET", "/v1/product"): (
        {"product": "similar_tracks", "key": "trk_651214", "n": 20},
        messages.Product(
            release=RELEASE, product="similar_tracks", entries=[messages.Entry(rank=1, score=0.71, **_TRACK)]
        ),
    ),
    ("GET", "/v1/explain"): (
        {"track_id": "trk_780227", "n": 10},
        messages.Explained(
            release=RELEASE,
            rank=1,
            reason=_LISTED.reason,
            rank_explanation="The model ranked it 2 among this listener's candidates; rerank rules moved it up.",
            contributions=[messages.Contribution(share=0.41, **_TRACK)],
        ),
    ),
    ("GET", "/v1/matches"): (
        {"probability": 0.9, "n": 100},
        messages.Matches(
            release=RELEASE,
            matches=[
                messages.Match(
                    track_id="trk_780227",
                    source_audio_id="5c1f9a",
                    starts_s=12.5,
                    ends_s=41.0,
                    source_kind="upload",
                    source_track_id=None,
                    relation="part",
                    probability=0.998,
                    found_on=date(2026, 7, 1),
                )
            ],
        ),
    ),
    ("GET", "/v1/metrics"): (
        {},
        messages.MetricNames(
            release=RELEASE,
            metrics=[
                messages.MetricName(
                    name="skip_share",
                    meaning="skips / (plays + skips)",
                    unit="0..1",
                    dimensions=["day", "week", "month", "country", "genre"],
                    description="Skip rate: a skip is a listen shorter than a play that the listener ended.",
                )
            ],
        ),
    ),
    ("GET", "/v1/metric"): (
        {"metric": "skip_share", "by": ["month", "country"]},
        messages.MetricValues(
            release=RELEASE,
            as_of=AS_OF,
            metric="skip_share",
            unit="0..1",
            rows=[
                {"month": "2026-06-01", "country": "DE", "n_skips": 240, "n_plays": 1_260, "skip_share": 0.16},
                {"month": "2026-06-01", "country": None, "n_skips": 57, "n_plays": 243, "skip_share": 0.19},
            ],
        ),
    ),
    ("GET", "/health"): ({}, messages.Health(status="ok", release=RELEASE, as_of=AS_OF)),
}
