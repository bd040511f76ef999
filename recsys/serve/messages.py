"""
What requests and answers of the service contain, as types.

From these classes requests are checked, answers are written, and the OpenAPI document is made.
"""

from datetime import date
from typing import Annotated, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

MAX_EVENTS, MAX_EXCLUDED, MAX_TRACKS, MAX_DIMENSIONS = 1_000, 500, 100, 4
Id = Annotated[str, Meta(min_length=1, max_length=1_000)]
Country = Annotated[str, Meta(pattern="^[A-Z]{2}$", max_length=2, description="ISO 3166-1 alpha-2, such as DE")]
Number = Annotated[int, Meta(ge=1, le=MAX_TRACKS)]
AgeBand = Literal["under 18", "18-24", "25-34", "35-44", "45-54", "55-64", "65+", "unknown"]
_RFC_3339 = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ][0-9:]{8}(\.[0-9]{1,9})?([Zz]|[+-][0-9]{2}:[0-9]{2})$"
Instant = Annotated[
    str,
    Meta(
        max_length=40,
        pattern=_RFC_3339,
        extra_json_schema={"format": "date-time"},
    ),
]
Kind = Literal["listen", "like", "unlike", "save", "playlist_add", "share"]


class Request(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What all requests have: a field that is not known is refused."""


class Nothing(Request, frozen=True):
    """A request without parameters."""


class Filters(Request, frozen=True, kw_only=True):
    """
    What a list may contain, and who gets it.

    Attributes:
        n: Maximum number of recordings.
        territory: Only recordings that may be played in this country.
        exclude: Recordings that are left out.
        artist_cap: Maximum number of recordings per artist; without it the recipe's, wherever another filter applies.
        country: Country of a listener who has no list, for the fallback.
        age_band: Likewise their age band.
    """

    n: Number = 20
    territory: Country | None = None
    exclude: Annotated[tuple[Id, ...], Meta(max_length=MAX_EXCLUDED)] = ()
    artist_cap: Number | None = None
    country: Country | None = None
    age_band: AgeBand = "unknown"


class Event(Request, frozen=True, kw_only=True):
    """
    A listen or a reaction.

    Attributes:
        track_id: The recording.
        happened_at: When it began: an instant of RFC 3339, with an offset or Z.
        event: What happened.
        ms_played: Of a listen: time listened [ms].
        skipped: Of a listen: whether the listener ended it.
        utc_offset_min: Of a listen: the listener's local time minus UTC [min].
        n_listens: Of a listen: how many it stands for, where the log was aggregated.
    """

    track_id: Id
    happened_at: Instant
    event: Kind = "listen"
    ms_played: Annotated[int, Meta(ge=0, le=86_400_000)] | None = None
    skipped: bool | None = None
    utc_offset_min: Annotated[int, Meta(ge=-720, le=840)] | None = None
    n_listens: Annotated[int, Meta(ge=1, le=100)] = 1


class ListRequest(Filters, frozen=True, kw_only=True):
    """
    A list for a listener; with events, for what these tell.

    Attributes:
        listener_id: The account, as the logs name it. It is hashed at once and kept nowhere.
        events: What the listener did, if it is unknown to the release; used for this answer, and not stored.
    """

    listener_id: Id
    events: Annotated[tuple[Event, ...], Meta(max_length=MAX_EVENTS)] = ()


class Shown(Event, frozen=True, kw_only=True):
    """
    An event of a listener, and which list led to it.

    Attributes:
        listener_id: The account.
        release: The release of the list that showed the recording, as its answer named it.
        rank: Rank in this list.
        propensity: Propensity that the list stated.
    """

    listener_id: Id
    release: Annotated[str, Meta(max_length=200)] | None = None
    rank: Annotated[int, Meta(ge=1, le=10_000)] | None = None
    propensity: Annotated[float, Meta(gt=0, le=1)] | None = None


class Feedback(Request, frozen=True, kw_only=True):
    """
    Events to keep, for the next night to learn from.

    Attributes:
        events: The events; one that is not as expected refuses all.
    """

    events: Annotated[tuple[Shown, ...], Meta(min_length=1, max_length=MAX_EVENTS)]


class SimilarQuery(Request, frozen=True, kw_only=True):
    """
    Recordings like another, by sound or lyrics; none that is withdrawn.

    Attributes:
        track_id: The recording.
        by: What is compared.
        n: Maximum number of recordings.
        per_artist: Maximum number of recordings per artist.
        per_release: Maximum number of recordings per release.
        territory: Only recordings that may be played in this country.
    """

    track_id: Id
    by: Literal["sound", "lyrics"] = "sound"
    territory: Country | None = None
    n: Number = 20
    per_artist: Number = 2
    per_release: Number = 1


class SearchQuery(Request, frozen=True, kw_only=True):
    """
    A search by terms (see `docs/search.md`); no file of the server is read.

    Attributes:
        q: The terms.
        n: Maximum number of recordings.
    """

    q: Annotated[str, Meta(min_length=1, max_length=1_000)]
    n: Number = 20


class ProductQuery(Request, frozen=True, kw_only=True):
    """
    A list of a product.

    Attributes:
        product: Name of the product.
        key: The track, artist or playlist; absent for products of listeners, whose id is in the header.
        n: Maximum number of entries.
    """

    product: Id
    key: Id | None = None
    n: Number = 20


class ExplainQuery(Request, frozen=True, kw_only=True):
    """
    Why a recording is, or is not, in the list of the listener in the header.

    Attributes:
        track_id: The recording.
        n: Maximum number of contributions.
    """

    track_id: Id
    n: Number = 10


class MatchQuery(Request, frozen=True, kw_only=True):
    """
    Uses of recordings that matching found, the most probable first.

    Attributes:
        track_id: Only uses of this recording.
        probability: Minimum probability.
        n: Maximum number of uses.
    """

    track_id: Id | None = None
    probability: Annotated[float, Meta(ge=0, le=1)] = 0.0
    n: Annotated[int, Meta(ge=1, le=1_000)] = 100


class MetricQuery(Request, frozen=True, kw_only=True):
    """
    The values of a metric, for all days of the release together or by period.

    Attributes:
        metric: Name of the metric.
        by: Dimensions, at most one of day, week and month among them; may be repeated. None gives one value.
    """

    metric: Id
    by: Annotated[tuple[Id, ...], Meta(max_length=MAX_DIMENSIONS)] = ()


class Track(msgspec.Struct, frozen=True, gc=False):
    """
    A recording in a list.

    Attributes:
        rank: From 1.
        track_id: The recording.
        title: Null if unknown.
        artist_name: Null if unknown.
        score: The recommender's, comparable within one list only.
        reason: In words; null where the recording was taken from the candidates to fill the list.
        is_explored: Whether exploration drew it.
        propensity: Probability with which it was drawn, 1 where not drawn; send it back with feedback.
    """

    rank: int
    track_id: str
    title: str | None
    artist_name: str | None
    score: float
    reason: str | None = None
    is_explored: bool = False
    propensity: float = 1.0


class TrackList(msgspec.Struct, frozen=True, kw_only=True):
    """
    A list for a listener.

    Attributes:
        release: The release that it comes from, all of it.
        as_of: Last day of the release's data.
        source: published (the night's list, filled from its candidates), folded_in (from the events in the request) or
            fallback (what is popular in a segment: nothing is known of this listener).
        segment: Of the fallback: the segment, such as 'country=DE, age_band=25-34' or 'everybody'.
        tracks: The list.
    """

    release: str
    as_of: date
    source: Literal["published", "folded_in", "fallback"]
    segment: str | None
    tracks: list[Track]


class SimilarTrack(msgspec.Struct, frozen=True, kw_only=True):
    """
    A similar recording.

    Attributes:
        rank: From 1.
        track_id: The recording.
        title: Null if unknown.
        artist_name: Null if unknown.
        similarity: Cosine similarity, -1..1.
        tempo_bpm: By sound: its tempo; null if unknown.
        key: By sound: its key; null if unknown.
        mode: By sound: major or minor; null if unknown.
        language: By lyrics: the language of its lyrics; null if unknown.
    """

    rank: int
    track_id: str
    title: str | None
    artist_name: str | None
    similarity: float
    tempo_bpm: float | UnsetType | None = UNSET
    key: str | UnsetType | None = UNSET
    mode: str | UnsetType | None = UNSET
    language: str | UnsetType | None = UNSET


class FoundTrack(msgspec.Struct, frozen=True, kw_only=True):
    """
    A search result.

    Attributes:
        rank: From 1.
        track_id: The recording.
        title: Null if unknown.
        artist_name: Null if unknown.
        why: Which terms it satisfies.
        misses: Which terms it does not satisfy; null if none.
        fit: How well it fits, 0..1.
        release_date: Null if unknown.
        tempo_bpm: Null if unknown.
        key: Null if unknown.
        mode: Major or minor; null if unknown.
        isrc: Null if unknown.
    """

    rank: int
    track_id: str
    title: str | None
    artist_name: str | None
    why: str
    misses: str | None
    fit: float
    release_date: date | None
    tempo_bpm: float | None
    key: str | None
    mode: str | None
    isrc: str | None


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """
    An entry of a product: a recording, or an artist.

    Attributes:
        rank: From 1.
        track_id: Of a recording: its id.
        title: Of a recording: its title; null if unknown.
        artist_name: Of a recording: its artist; null if unknown.
        artist_id: Of an artist: the id.
        name: Of an artist: the name; null if unknown.
        score: Comparable within one list only.
        reason: In words.
    """

    rank: int
    track_id: str | UnsetType = UNSET
    title: str | UnsetType | None = UNSET
    artist_name: str | UnsetType | None = UNSET
    artist_id: str | UnsetType = UNSET
    name: str | UnsetType | None = UNSET
    score: float | UnsetType | None = UNSET
    reason: str | UnsetType | None = UNSET


class Contribution(msgspec.Struct, frozen=True, kw_only=True):
    """
    A recording of the listener's history, and what it adds to a score.

    Attributes:
        track_id: The recording.
        title: Null if unknown.
        artist_name: Null if unknown.
        share: Its share in the score, -1..1; null where the model cannot say.
    """

    track_id: str
    title: str | None
    artist_name: str | None
    share: float | None


class Match(msgspec.Struct, frozen=True, kw_only=True):
    """
    A use of a recording.

    Attributes:
        track_id: The recording.
        source_audio_id: The audio in which it was found.
        starts_s: Where it starts in the source [s].
        ends_s: Where it ends there [s].
        source_kind: What the source is.
        source_track_id: The source, if it is a recording of the catalogue.
        relation: How the two relate.
        probability: How probable the match is, 0..1.
        found_on: The day on which it was found.
    """

    track_id: str
    source_audio_id: str
    starts_s: float
    ends_s: float
    source_kind: str
    source_track_id: str | None
    relation: str
    probability: float
    found_on: date


class Similar(msgspec.Struct, frozen=True, kw_only=True):
    """
    Similar recordings.

    Attributes:
        release: The release that they come from.
        tracks: The recordings, the most similar first.
    """

    release: str
    tracks: list[SimilarTrack]


class SearchResults(msgspec.Struct, frozen=True, kw_only=True):
    """
    Results of a search.

    Attributes:
        release: The release that they come from.
        understood: How each term was understood.
        n_found: Number of recordings that satisfy all terms.
        advice: What to try where nothing was found.
        tracks: The recordings, the best fit first.
    """

    release: str
    understood: list[str]
    n_found: int
    advice: list[str]
    tracks: list[FoundTrack]


class Product(msgspec.Struct, frozen=True, kw_only=True):
    """
    A list of a product.

    Attributes:
        release: The release that it comes from.
        product: Name of the product.
        entries: The list.
    """

    release: str
    product: str
    entries: list[Entry]


class ProductNames(msgspec.Struct, frozen=True, kw_only=True):
    """
    The products that a release has.

    Attributes:
        release: The release.
        products: Name and description of each.
    """

    release: str
    products: dict[str, str]


class Explained(msgspec.Struct, frozen=True, kw_only=True):
    """
    Why a recording is, or is not, in a listener's list.

    Attributes:
        release: The release that the list comes from.
        rank: Its rank among the listener's candidates; null if it is none of them.
        reason: The reason of its place, in words; null if there is none.
        rank_explanation: How the model and the rules placed it, in words.
        contributions: What of the listener's history added most to its score.
    """

    release: str
    rank: int | None
    reason: str | None
    rank_explanation: str
    contributions: list[Contribution]


class Matches(msgspec.Struct, frozen=True, kw_only=True):
    """
    Uses that matching found; to a label, those of its own recordings.

    Attributes:
        release: The release that they come from.
        matches: The uses.
    """

    release: str
    matches: list[Match]


class MetricName(msgspec.Struct, frozen=True, kw_only=True):
    """
    A metric.

    Attributes:
        name: Its name, also that of its column.
        meaning: Numerator and denominator, in words.
        unit: Unit of its values.
        dimensions: What it can be grouped by.
        description: What it is and when it misleads.
    """

    name: str
    meaning: str
    unit: str
    dimensions: list[str]
    description: str


class MetricNames(msgspec.Struct, frozen=True, kw_only=True):
    """
    The metrics of a release.

    Attributes:
        release: The release.
        metrics: The metrics, by name.
    """

    release: str
    metrics: list[MetricName]


class MetricValues(msgspec.Struct, frozen=True, kw_only=True):
    """
    The values of a metric.

    Attributes:
        release: The release that they come from.
        as_of: Last day of its data.
        metric: Name of the metric.
        unit: Unit of its values.
        rows: Each group: its dimensions (null: all others together, which are too few to be shown alone; a period is
            its first day), the measures of the formula, and the value, under the name of the metric.
    """

    release: str
    as_of: date
    metric: str
    unit: str
    rows: list[dict[str, str | float | None]]


class Accepted(msgspec.Struct, frozen=True, kw_only=True):
    """
    Feedback is on disk; the next night reads it.

    Attributes:
        n_accepted: Number of events.
    """

    n_accepted: int


class Health(msgspec.Struct, frozen=True, kw_only=True):
    """
    Whether the service answers from the newest release, and can write its log.

    Attributes:
        status: ok; stale (the newest release cannot be opened, and an older one answers); or unlogged (the log cannot
            be written).
        release: The release that answers.
        as_of: Last day of its data.
        problem: What is wrong; null if nothing is.
    """

    status: Literal["ok", "stale", "unlogged"]
    release: str
    as_of: date
    problem: str | None = None


class Problem(msgspec.Struct, frozen=True, kw_only=True):
    """
    An error, as RFC 9457 describes it; media type application/problem+json.

    Attributes:
        title: Name of the status.
        status: HTTP status.
        detail: What was found, what is expected, and what to do.
        type: Always about:blank.
    """

    title: str
    status: int
    detail: str
    type: str = "about:blank"
