"""The views of each page that the walk opens, each with its truth."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from itertools import cycle, islice, product

import polars as pl

from .truth.catalogue import CatalogueTruth
from .truth.closings import Closings
from .truth.compared import Choice, labels_page, operators_page
from .truth.home import operations
from .truth.labels import GROUPS, SHARED, WEEK_COUNTS, LabelTruth
from .truth.lists import ListsTruth
from .truth.operators import GROUPS as OPERATOR_GROUPS
from .truth.operators import OperatorTruth
from .truth.page import Truth
from .truth.playlists import labels_page as labels_playlists
from .truth.playlists import operators_page as operators_playlists
from .truth.releases import LabelReleasesTruth, ReleasesTruth
from .walk import Shown

WORDS = "the"
DAYS = {"7": "the last closed week", "1": "the last closed day", "28": "the last four closed weeks"}
OPERATOR_DAYS = {7: "the last 7 days", 1: "the last day", 28: "the last 28 days"}
WINDOWS = {7: "7 days", 1: "1 day", 28: "28 days"}
SPANS = {90: "the last 90 days", 28: "the last 28 days", 365: "the last year"}
BREAKOUT_DAYS = {7: "the last 7 days", 28: "the last 28 days", 120: "the last 120 days"}
ORDERS = {"significance": "the most significant first", "week": "the newest weeks first"}
KINDS = {
    "artist_gender": "Artist's gender",
    "artist_country": "Artist's country",
    "language": "Language",
    "age": "Age of the recording",
}
OWNERS = {"artist": "an artist", "label": "a label"}
MAP_COLOURS = ("plays compared with other music", "share of plays")
Views = dict[str, Iterator["View"]]


@dataclass(frozen=True)
class View:
    """
    One view of a page.

    Attributes:
        truth: Returns what it should show, given what it shows: some truths are about the recordings that it names.
        choices: Label of a select box -> option, set in this order.
        address: Query parameters of the link that opens the page.
    """

    truth: Callable[[Shown], Truth]
    choices: Mapping[str, str] = field(default_factory=dict)
    address: Mapping[str, str | list[str]] = field(default_factory=dict)


def view(truth: Callable[..., Truth], *args: object, **choices: str) -> View:
    """Return a view whose truth needs nothing that is shown; underscores in names of boxes are spaces."""
    return View(lambda _: truth(*args), {name.replace("_", " "): option for name, option in choices.items()})


def displayed(names: Mapping[str, str]) -> dict[str, str]:
    """Return the options of a select box by id: names, those that are not unique with their id."""
    n_named = Counter(names.values())
    return {key: name if n_named[name] == 1 else f"{name} ({key})" for key, name in names.items()}


def of_label(label: str, closings: Closings, lists: ListsTruth, every: int = 1) -> Views:
    """Return the views of a label's pages: every n-th artist and recording."""
    truth, shared = LabelTruth(closings, label), CatalogueTruth(closings.lake, label)
    artists = displayed(dict(shared.artists().iter_rows()))
    some = list(artists.items())[::every]
    return {
        "overview": (view(truth.overview, days, Period=name) for days, name in DAYS.items()),
        "trends": (view(truth.trends, weeks, Period=name) for weeks, name in WEEK_COUNTS.items()),
        "breakouts": (view(truth.breakouts, of, Show=f"{of}s") for of in ("recording", "artist")),
        "audience": _audiences(truth, some),
        "markets": _label_markets(truth, some),
        "sources": (
            View(lambda shown, a=artist: truth.sources(a, shown.rows), {"Artist": name})  # type: ignore[misc]
            for artist, name in some
        ),
        "exposure": iter([view(truth.exposure, lists)]),
        "compare": _compared(shared, some, partial(labels_page, truth)),
        "releases": _releases(LabelReleasesTruth(truth)),
        "playlists": iter([view(labels_playlists, closings, label)]),
        "artist": _artists(truth, some),
        "track": (
            view(lambda track: truth.track(track) | shared.facts(track), track, Artist=artist, Track=title)
            for artist, track, title in recordings(shared, some)
        ),
        **_shared(shared),
    }


def _audiences(truth: LabelTruth, artists: list[tuple[str, str]]) -> Iterator[View]:
    """Yield each grouping and period, and each of some artists."""
    groups = list(product(GROUPS.items(), WEEK_COUNTS.items()))
    n = max(len(groups), len(artists))
    for ((of, group), (weeks, name)), (artist, artist_name) in islice(
        zip(cycle(groups), cycle(artists), strict=False), n
    ):
        choices = {"Group plays by": group, "Period": name, "Artist": artist_name}
        yield View(lambda shown, o=of, w=weeks, a=artist: truth.audience(o, w, a, shown.rows), choices)  # type: ignore[misc]


def _label_markets(truth: LabelTruth, artists: list[tuple[str, str]]) -> Iterator[View]:
    """Yield each of some artists, with a period."""
    for (artist, name), (weeks, period) in zip(artists, cycle(WEEK_COUNTS.items()), strict=False):
        choices = {"Artist": name, "Period": period}
        yield View(lambda shown, a=artist, w=weeks: truth.markets(w, a, shown.rows), choices)  # type: ignore[misc]


def _artists(truth: LabelTruth, artists: list[tuple[str, str]]) -> Iterator[View]:
    """Yield each of some artists, with a period and a grouping."""
    for (artist, name), weeks, (of, group) in zip(artists, cycle("14"), cycle(SHARED.items()), strict=False):
        choices = {"Artist": name, "Recordings of": WEEK_COUNTS[weeks], "Group plays by": group}
        yield View(lambda shown, a=artist, w=weeks, o=of: truth.artist(a, w, o, shown.rows), choices)  # type: ignore[misc]


def of_operator(lists: ListsTruth, every: int = 1) -> Views:
    """Return the views of the operator's pages: every n-th artist and recording."""
    lake = lists.lake
    truth, shared = OperatorTruth(lake), CatalogueTruth(lake)
    artists = displayed(dict(shared.artists().iter_rows()))
    some = list(artists.items())[::every]
    names = lake.tracks.select("label_id", "label_name").drop_nulls().unique().sort("label_id")
    labels = {"": "All", **dict(names.iter_rows())}
    pages = _shared(shared)
    return {
        **pages,
        "overview": (
            view(truth.overview, days, label, Period=period, Label=name)
            for (days, period), (label, name) in product(OPERATOR_DAYS.items(), labels.items())
        ),
        "artist": (
            view(truth.artist, artist, days, Artist=name, Average_over=window)
            for (artist, name), (days, window) in zip(some, cycle(WINDOWS.items()), strict=False)
        ),
        "track": _tracks(truth, shared, some),
        "trends": _trends(truth, labels),
        "breakouts": (
            View(lambda shown, days=days: truth.breakouts(shown.rows, days), {"Period": name})  # type: ignore[misc]
            for days, name in BREAKOUT_DAYS.items()
        ),
        "compare": _compared(shared, some, partial(operators_page, lake)),
        "releases": (one for label in names["label_id"] for one in _releases(ReleasesTruth(lake, label))),
        "audience": _operators_audiences(truth, lists, some),
        "markets": _markets(truth, some, labels),
        "sources": (
            view(truth.sources, owner, key, Of=OWNERS[owner], **{owner.capitalize(): name})
            for owner, key, name in _owners(some, labels)
        ),
        "catalogue": (View(partial(_with, one.truth, truth.delivered), one.choices) for one in pages["catalogue"]),
        "exposure": _exposures(lists, labels, some),
        "playlists": (
            view(operators_playlists, lake, label, order, Label=name, Order=option)
            for (label, name), (order, option) in product(labels.items(), ORDERS.items())
        ),
        "fairness": (view(lists.fairness, kind, Group_recordings_by=name) for kind, name in KINDS.items()),
        "recommendations": _listeners(truth, lists),
        "operations": iter([view(operations, lake.folder.parent)]),
    }


def _tracks(truth: OperatorTruth, shared: CatalogueTruth, artists: list[tuple[str, str]]) -> Iterator[View]:
    for (artist, track, title), (days, period) in zip(recordings(shared, artists), cycle(SPANS.items()), strict=False):
        yield view(
            lambda track, days: truth.track(track, days) | shared.facts(track),
            track,
            days,
            Artist=artist,
            Track=title,
            Period=period,
        )


def _operators_audiences(truth: OperatorTruth, lists: ListsTruth, artists: list[tuple[str, str]]) -> Iterator[View]:
    for (artist, name), (of, group) in zip(artists, cycle(OPERATOR_GROUPS.items()), strict=False):
        yield view(
            lambda one, by: truth.audience(one, by) | lists.by_country("artist_id", one, "exposure"),
            artist,
            of,
            Artist=name,
            Group_listeners_by=group,
        )


def _markets(truth: OperatorTruth, artists: list[tuple[str, str]], labels: Mapping[str, str]) -> Iterator[View]:
    """Yield each of some artists and each label, with a colour of the map."""
    for (owner, key, name), colour in zip(_owners(artists, labels), cycle(MAP_COLOURS), strict=False):
        choices = {"Of": OWNERS[owner], owner.capitalize(): name, "Colour countries by": colour}
        yield view(truth.markets, owner, key, **choices)


def _owners(artists: list[tuple[str, str]], labels: Mapping[str, str]) -> list[tuple[str, str, str]]:
    """Return the kind, id and option of artists and labels."""
    return [("artist", *one) for one in artists] + [("label", *one) for one in labels.items() if one[0]]


def _with(truth: Callable[[Shown], Truth], other: Callable[[], Truth], shown: Shown) -> Truth:
    return truth(shown) | other()


def _listeners(truth: OperatorTruth, lists: ListsTruth) -> Iterator[View]:
    for user in lists.places["user_id"].unique().sort()[::100]:
        shown = truth.listener(user) | Truth(rows={"recommended_to": lists.recommendations(user)})
        yield View(lambda _, t=shown: t, address={"user_id": user})  # type: ignore[misc]


def _trends(truth: OperatorTruth, labels: Mapping[str, str]) -> Iterator[View]:
    periods = {7: "7 days", 28: "28 days"}
    for (days, period), floor, (label, name) in product(periods.items(), (50, 10), labels.items()):
        choices = {"Period": period, "Minimum plays in the preceding period": str(floor), "Label": name}
        yield View(lambda _, d=days, f=floor, o=label: truth.trends(d, f, o), choices)  # type: ignore[misc]


def _exposures(lists: ListsTruth, labels: Mapping[str, str], artists: list[tuple[str, str]]) -> Iterator[View]:
    options = zip(labels.items(), cycle(KINDS.items()), strict=False)
    groups = {key: name for key, name in OPERATOR_GROUPS.items() if key != "main_genre"}
    for ((label, name), (kind, kind_name)), (artist, artist_name), (of, group) in zip(
        options, cycle(artists), cycle(groups.items()), strict=False
    ):
        choices = {"Label": name, "Group recordings by": kind_name, "Artist": artist_name, "Group listeners by": group}
        truth = partial(lists.exposure, label, kind, artist, of)
        yield View(lambda _, t=truth: t(), choices)  # type: ignore[misc]


def _compared(
    shared: CatalogueTruth, artists: list[tuple[str, str]], page: Callable[[Choice], Truth]
) -> Iterator[View]:
    """Yield each way to compare five artists, and five of the newest recordings."""
    newest = shared.tracks.filter(pl.col("release_date") <= shared.lake.last_day).sort("release_date", "track_id")
    compared = {
        "artist": [artist for artist, _ in artists[:5]],
        "recording": newest.drop_nulls("title")["track_id"][-9::2].to_list(),
    }
    spans = ((13, 7), (4, 1), (52, 28))
    for (kind, items), by, (weeks, window) in product(compared.items(), ("date", "release"), spans):
        choice = Choice(kind, items, by, weeks, window)
        yield View(lambda _, c=choice: page(c), address=choice.address())  # type: ignore[misc]


def _releases(truth: ReleasesTruth) -> Iterator[View]:
    """Yield each release of a label, compared with those of its kind or with all."""
    for release, (key, any_kind) in zip(truth.releases, cycle([("any", True), ("", False)]), strict=False):
        address = {"release": release.id} | ({"with": key} if key else {})
        yield View(lambda _, r=release, a=any_kind: truth.page(r, any_kind=a), address=address)  # type: ignore[misc]


def recordings(truth: CatalogueTruth, artists: list[tuple[str, str]]) -> Iterator[tuple[str, str, str]]:
    """Yield the option of each artist, one of the artist's recordings, and its option."""
    for no, (artist, name) in enumerate(artists):
        titled = truth.tracks.filter(artist_id=artist).drop_nulls("title")
        titles = displayed(dict(titled.select("track_id", "title").iter_rows()))
        if titles:
            yield name, *list(titles.items())[no % len(titles)]


def _shared(truth: CatalogueTruth) -> Views:
    """Return the views of pages that labels and operators share."""
    return {
        "catalogue": _problems(truth),
        "charts": _editions(truth),
        "search": iter([View(lambda _: truth.search(WORDS), address={"q": WORDS})]),
        "discovery": _sounds(truth),
    }


def _problems(truth: CatalogueTruth) -> Iterator[View]:
    for no in range(truth.issues["issue"].n_unique()):
        yield view(truth.catalogue, no, Problem=f"#{no}")


def _editions(truth: CatalogueTruth) -> Iterator[View]:
    dates = truth.editions["chart_date"].unique().sort(descending=True)
    for day in (dates[0], dates[4], dates[-1]):
        yield View(lambda shown, d=day: truth.charts(d, shown.rows), address={"week": str(day)})  # type: ignore[misc]


def _sounds(truth: CatalogueTruth) -> Iterator[View]:
    for track, name in islice(truth.analysed().items(), 3):
        yield view(truth.discovery, track, Sounds_like=name)
