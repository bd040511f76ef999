"""
What can be asked of the service: one line of ROUTES each, with who may ask and the types of request and answer.

All ids are in the query, the body or a header, never in the path; so paths are few, and a log of them names nobody.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from http import HTTPStatus
from typing import Any, Literal

import msgspec
import polars as pl
import polars.selectors as cs

from recsys.errors import InputError
from recsys.metrics.definitions import metric_of, metrics
from recsys.metrics.read import metric
from recsys.products.base import LISTENER, PART, key_of, product_names
from recsys.published import products
from recsys.published.explain import explain_in
from recsys.search.by_terms import search
from recsys.serve import listening, messages
from recsys.serve.current import Current
from recsys.serve.fold_in import refuse_invalid
from recsys.serve.inbox import FeedbackInbox, NotKept
from recsys.serve.keys import Consumer, Scope
from recsys.serve.messages import Filters, Nothing
from recsys.serve.open_release import OpenRelease
from recsys.serve.problems import RefusedRequest, lacking
from recsys.serve.telemetry import Telemetry
from recsys.warehouse.internal import internal_sql

LISTENER_HEADER = "x-listener-id"
MAX_GROUPS = 10_000  # of a metric in an answer


@dataclass(slots=True)
class Context:
    """
    What an answer is made from.

    Attributes:
        release: The open release.
        current: State of the service.
        consumer: Who asks.
        listener: Pseudonym of the listener in the header; None without.
        pseudonym: Hashes an account with the home's key.
        inbox: Where feedback goes.
        today: Returns the current day in the market's time zone.
        telemetry: Log and metrics, which may have a problem.
    """

    release: OpenRelease
    current: Current
    consumer: Consumer
    listener: str | None
    pseudonym: Callable[[str], str]
    inbox: FeedbackInbox
    today: Callable[[], date]
    telemetry: Telemetry

    def require_listener(self) -> str:
        """Return the listener in the header; raises RefusedRequest without one."""
        if self.listener is None:
            raise RefusedRequest(HTTPStatus.BAD_REQUEST, "The header X-Listener-Id is missing: name the listener in it")
        return self.listener


@dataclass(frozen=True)
class Route:
    """
    A kind of request.

    Attributes:
        method: GET or POST.
        path: The path.
        scopes: Any of these scopes may ask; none: everybody, without a key.
        request: Type of the query (GET) or body (POST).
        answer: Type of the answer.
        handle: Makes the answer, in a thread of its own.
        summary: What it is, for the OpenAPI document.
        status: Status of the answer.
        listener: Whether the listener's header is read: required, optional, or not at all.
        quick: Makes the answer at once, without a thread, where it can; returns None where it cannot.
        is_write: Whether it waits for the disk, on a thread of its own.
        is_live: Whether the answer can change while the release does not, so that it has no validator.
        may_lack: Whether it answers 404 where the release does not have what is asked for.
    """

    method: str
    path: str
    scopes: tuple[Scope, ...]
    request: type[msgspec.Struct]
    answer: type[msgspec.Struct]
    handle: Callable[[Context, Any], msgspec.Struct]
    summary: str
    status: HTTPStatus = HTTPStatus.OK
    listener: Literal["required", "optional"] | None = None
    quick: Callable[[Context, Any], msgspec.Struct | None] | None = None
    is_write: bool = False
    is_live: bool = False
    may_lack: bool = False

    @property
    def is_cached(self) -> bool:
        """Whether its answers have a validator."""
        return self.method == "GET" and not self.is_live


def _published(context: Context, filters: Filters) -> messages.TrackList | None:
    return listening.published(context.release, context.require_listener(), filters)


def _list(context: Context, filters: Filters) -> messages.TrackList:
    return _published(context, filters) or listening.fallback(context.release, filters)


def _list_of_events(context: Context, request: messages.ListRequest) -> messages.TrackList:
    if request.events:
        return listening.folded_in(context.release, request.events, request, context.today())
    listener = context.pseudonym(request.listener_id)
    return listening.published(context.release, listener, request) or listening.fallback(context.release, request)


def _accept(context: Context, request: messages.Feedback) -> messages.Accepted:
    refuse_invalid(request.events, context.today(), context.release.reader.zone)
    try:
        context.inbox.append([(context.pseudonym(event.listener_id), event) for event in request.events])
    except NotKept as why:
        raise RefusedRequest(HTTPStatus.INSUFFICIENT_STORAGE, str(why)) from why
    return messages.Accepted(n_accepted=len(request.events))


def _similar(context: Context, query: messages.SimilarQuery) -> messages.Similar:
    from recsys.search.by_sound import ListLimits  # noqa: PLC0415 - faiss is an extra

    limits = ListLimits(query.n, query.per_artist, query.per_release)
    by = _by_sound if query.by == "sound" else _by_lyrics
    rows = by(context.release, query, limits)
    return messages.Similar(release=context.release.name, tracks=_typed(rows, messages.SimilarTrack))


def _by_sound(release: OpenRelease, query: messages.SimilarQuery, limits: Any) -> pl.DataFrame:
    index = release.index()
    if index is None:
        raise lacking("This release has no vectors of sound")
    from recsys.published.similar import sounds_like  # noqa: PLC0415 - audio is an extra

    allowed = release.listable(query.territory)
    return sounds_like(release.warehouse, index, query.track_id, limits, where=allowed)


def _by_lyrics(release: OpenRelease, query: messages.SimilarQuery, limits: Any) -> pl.DataFrame:
    verses = release.verses()
    if verses is None:
        raise lacking("This release has no vectors of lyrics")
    from recsys.published.similar_lyrics import says_like  # noqa: PLC0415 - audio is an extra

    allowed = release.listable(query.territory)
    return says_like(release.warehouse, verses, query.track_id, limits, where=allowed)


def _search(context: Context, query: messages.SearchQuery) -> messages.SearchResults:
    found = search(context.release.searched(), query.q, n=query.n)
    return messages.SearchResults(
        release=context.release.name,
        understood=list(found.understood),
        n_found=found.n_found,
        advice=list(found.advice),
        tracks=_typed(found.rows, messages.FoundTrack),
    )


def _products(context: Context, _query: Nothing) -> messages.ProductNames:
    known = dict(products.products().iter_rows())
    of_release = {name: known[name] for name in product_names() if name in context.release.products}
    return messages.ProductNames(release=context.release.name, products=of_release)


def _product(context: Context, query: messages.ProductQuery) -> messages.Product:
    path = context.release.products.get(query.product)
    if path is None:
        raise lacking("This release has no such product; GET /v1/products lists those that it has")
    key = _key(context, query)
    rows = products.list_of(path, key, context.release.warehouse).head(query.n)
    if rows.is_empty():
        raise lacking("The product has no list for this key")
    listed = rows.columns[-1]
    named = rows.rename({listed: "artist_id" if listed.endswith("artist_id") else "track_id"})
    entries = _typed(named, messages.Entry)
    return messages.Product(release=context.release.name, product=query.product, entries=entries)


def _key(context: Context, query: messages.ProductQuery) -> str:
    """Return the key of the list that is asked for; a listener's begins with the pseudonym of the one in the header."""
    whose = key_of(query.product)
    if whose is None:
        raise lacking("This product does not say whose its lists are, and is not served")
    if whose == LISTENER:
        return context.require_listener()
    if query.key is None:
        raise RefusedRequest(HTTPStatus.UNPROCESSABLE_ENTITY, "The parameter key is missing: name whose list it is")
    return f"{context.require_listener()}/{query.key}" if whose == PART else query.key


def _explain(context: Context, query: messages.ExplainQuery) -> messages.Explained:
    release, listener = context.release, context.require_listener()
    if query.track_id not in release.rows:
        raise lacking("This release has no such recording")
    own = release.candidates.find(listener)
    places = (release.candidates.columns["track"][own] == release.rows[query.track_id]).nonzero()[0]
    rank = int(places[0]) + 1 if len(places) else None
    try:
        why = explain_in(release.warehouse, release.model, listener, query.track_id, candidate_rank=rank)
    except InputError as unknown:
        raise lacking("This release does not know the listener or the recording") from unknown
    return messages.Explained(
        release=release.name,
        rank=why.rank,
        reason=why.reason,
        rank_explanation=why.rank_explanation,
        contributions=_typed(why.contributions.head(query.n), messages.Contribution),
    )


def _matches(context: Context, query: messages.MatchQuery) -> messages.Matches:
    rows = context.release.warehouse_of(context.consumer).query(
        internal_sql("served_matches"),
        {"track_id": query.track_id, "probability": query.probability, "n": query.n},
    )
    return messages.Matches(release=context.release.name, matches=_typed(rows, messages.Match))


def _metrics(context: Context, _query: Nothing) -> messages.MetricNames:
    known = [
        messages.MetricName(
            name=one.name,
            meaning=one.doc.meaning,
            unit=one.doc.unit,
            dimensions=list(one.dimensions),
            description=one.description,
        )
        for one in metrics().values()
    ]
    return messages.MetricNames(release=context.release.name, metrics=known)


def _metric(context: Context, query: messages.MetricQuery) -> messages.MetricValues:
    """Return the values of a metric, without filters: differences of overlapping days would give away listeners."""
    release, definition = context.release, metric_of(query.metric)
    warehouse = release.warehouse_of(context.consumer)
    values = metric(warehouse, query.metric, query.by, settings=release.disclosure)
    if len(values) > MAX_GROUPS:
        raise InputError(
            f"The answer would have {len(values):,} groups, expected at most {MAX_GROUPS:,}. Use fewer `by`"
        )
    return messages.MetricValues(
        release=release.name,
        as_of=release.as_of,
        metric=definition.name,
        unit=definition.doc.unit,
        rows=values.with_columns(cs.date().cast(pl.String)).to_dicts(),
    )


def _health(context: Context, _query: Nothing) -> messages.Health:
    stale, unlogged, release = context.current.problem, context.telemetry.problem, context.release
    status: Literal["ok", "stale", "unlogged"] = "stale" if stale else "unlogged" if unlogged else "ok"
    return messages.Health(status=status, release=release.name, as_of=release.as_of, problem=stale or unlogged)


def _typed(rows: pl.DataFrame, kind: Any) -> list[Any]:
    """Return rows as structs; columns that the type does not have are left out."""
    converted: list[Any] = msgspec.convert(rows.to_dicts(), list[kind])
    return converted


# A figure of the house gets a line here and a handler that reads `context.release.warehouse_of(context.consumer)`, as
# `_matches` does: a key with the scope label then sees its label's file alone.
ROUTES = (
    Route(
        *("GET", "/v1/recommendations", ("lists",), Filters, messages.TrackList, _list),
        "The list of the listener in the header, or the fallback of a segment",
        listener="required",
        quick=_published,
    ),
    Route(
        *("POST", "/v1/recommendations", ("lists",), messages.ListRequest, messages.TrackList, _list_of_events),
        "The list of a listener; with events, the list that these alone would give",
    ),
    Route(
        *("POST", "/v1/feedback", ("feedback",), messages.Feedback, messages.Accepted, _accept),
        "Keep events for the next night",
        status=HTTPStatus.ACCEPTED,
        is_write=True,
    ),
    Route(
        *("GET", "/v1/similar", ("lists",), messages.SimilarQuery, messages.Similar, _similar),
        "Recordings that sound like a recording, or whose lyrics say similar things",
        may_lack=True,
    ),
    Route(
        *("GET", "/v1/search", ("lists",), messages.SearchQuery, messages.SearchResults, _search),
        "Recordings that satisfy the terms of a search",
        may_lack=True,
    ),
    Route(
        *("GET", "/v1/products", ("lists",), Nothing, messages.ProductNames, _products),
        "The products of the release",
    ),
    Route(
        *("GET", "/v1/product", ("lists",), messages.ProductQuery, messages.Product, _product),
        "A list of a product: of the listener in the header, or of a track, artist or playlist",
        listener="optional",
        may_lack=True,
    ),
    Route(
        *("GET", "/v1/explain", ("lists",), messages.ExplainQuery, messages.Explained, _explain),
        "Why a recording is, or is not, in the list of the listener in the header",
        listener="required",
        may_lack=True,
    ),
    Route(
        *("GET", "/v1/matches", ("lists", "label"), messages.MatchQuery, messages.Matches, _matches),
        "Uses of recordings that matching found; for a label's key, of its own",
        may_lack=True,
    ),
    Route(
        *("GET", "/v1/metrics", ("metric", "label"), Nothing, messages.MetricNames, _metrics),
        "The metrics, with their units and dimensions",
    ),
    Route(
        *("GET", "/v1/metric", ("metric", "label"), messages.MetricQuery, messages.MetricValues, _metric),
        "The values of a metric by some dimensions; for a label's key, of its own figures",
        may_lack=True,
    ),
    Route(
        *("GET", "/health", (), Nothing, messages.Health, _health),
        "Whether the service answers, and from which release",
        quick=_health,
        is_live=True,
    ),
)
