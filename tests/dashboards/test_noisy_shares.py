"""A share with noise is one number, wherever it stands: on pages, in their files, in the PDF, and for every reader."""

import re
from itertools import product, takewhile

import polars as pl
import pytest

from dashboards.ledger import SHARED
from recsys.home import Home
from recsys.reports.one_page.blocks import GROUPS
from recsys.reports.one_page.content import N_GROUPS
from recsys.warehouse.query import Warehouse

from ..reports.pdf_text import read_pdf
from .conftest import Offered, Open
from .truth.closings import Closings
from .truth.page import country
from .truth.rows import Lake
from .walk import Walk

pytestmark = pytest.mark.slow
N_ARTISTS = 3  # whose pages are opened
OTHERS = "all others"
LINES = """
select measure, dimension, artist_id, to_day, coalesce(cell, 'all others') as cell, value / 100 as share
from marts.label_figures
where label_id = $label and measure in ('play_share', 'listener_share')
qualify to_day = max(to_day) over (partition by artist_id, dimension)
order by artist_id, dimension, value desc
"""
Shares = dict[str, float]  # group or artist -> share


@pytest.fixture
def walk(monkeypatch: pytest.MonkeyPatch) -> Walk:
    """A visitor who records what pages show."""
    return Walk(monkeypatch)


@pytest.fixture(scope="module")
def lines(published_home: Home, label_id: str) -> pl.DataFrame:
    """The label's last lines with noise, of each artist."""
    with Warehouse.open(published_home.published_warehouse()) as warehouse:
        return warehouse.query(LINES, {"label": label_id})


def artists_of(lines: pl.DataFrame, measure: str) -> list[str]:
    """Return the artists with most lines."""
    counts = lines.filter(measure=measure).group_by("artist_id").len()
    return counts.sort("len", "artist_id", descending=[True, False])["artist_id"].head(N_ARTISTS).to_list()


def shares_of(rows: pl.DataFrame, name: str = "name") -> Shares:
    """Return the column of shares by name."""
    return dict(rows.select(name, "share").iter_rows())


def answer(walk: Walk, open_page: Open, reader: str | None, query: str, **params: str) -> pl.DataFrame:
    """Return the answer of a saved query on the page SQL."""
    address = {f"{query}_{name}": value for name, value in params.items()}
    return walk.view(open_page("sql", label=reader, saved=query, **address), {}).rows["answer"]


def as_in_pdf(shares: Shares) -> list[str]:
    """Write shares as the PDF does: the largest, and all others last, with those that there is no room for."""
    named = sorted((share for name, share in shares.items() if name != OTHERS), reverse=True)
    n_named = len(named) if len(shares) <= N_GROUPS else N_GROUPS - 1
    rest = [*named[n_named:], *(share for name, share in shares.items() if name == OTHERS)]
    return [f"{share:.0%}" for share in (*named[:n_named], *([sum(rest)] if rest else []))]


def in_pdf(texts: list[str], title: str) -> list[str]:
    """Return the per cent below a title of a PDF: after what they are about, each follows the name of its group."""
    first = texts.index(title) + 3
    return list(takewhile(lambda text: re.fullmatch(r"\d+%", text) is not None, texts[first::2]))


def test_shares_of_an_artists_groups_are_the_same_wherever_they_stand(
    walk: Walk, open_page: Open, offered: Offered, lines: pl.DataFrame, label_id: str
) -> None:
    """On the page Artist, in its chart, its file and its PDF, and on the page SQL of the operator and of the label."""
    artists = artists_of(lines, "play_share")
    views = list(product(artists, SHARED))
    query = "label_artist_audience"
    on_sql = [
        [shares_of(answer(walk, open_page, reader, query, artist_id=artist, dimension=of)) for artist, of in views]
        for reader in (None, label_id)
    ]
    pages = {artist: open_page("artist", label=label_id, artist=artist) for artist in artists}
    pdfs = {
        artist: read_pdf(offered[name]()).texts
        for artist, name in zip(artists, list(offered)[-len(artists) :], strict=True)
    }

    stored = [
        shares_of(lines.filter(measure="play_share", artist_id=artist, dimension=of), "cell") for artist, of in views
    ]
    assert on_sql == [stored, stored]
    assert sum(len(shares) > 1 for shares in stored) >= 6
    for (artist, of), shares in zip(views, stored, strict=True):
        shown = walk.view(pages[artist], {"Group plays by": SHARED[of]}).rows.get("artist_audience")
        if shares.keys() <= {OTHERS}:
            assert shown is None
        else:
            assert shown is not None
            assert shares_of(shown) == {country(name) if of == "country" else name: shares[name] for name in shares}
            assert in_pdf(pdfs[artist], GROUPS[of]) == as_in_pdf(shares)


def test_overlaps_are_the_same_wherever_they_stand(
    walk: Walk, open_page: Open, lines: pl.DataFrame, label_id: str
) -> None:
    """On the page Audience and in its file, and on the page SQL of the operator and of the label."""
    artists = artists_of(lines, "listener_share")
    operators = [answer(walk, open_page, None, "label_overlap", artist_id=artist, label=label_id) for artist in artists]
    labels = [answer(walk, open_page, label_id, "label_overlap", artist_id=artist) for artist in artists]
    pages = [walk.view(open_page("audience", label=label_id, artist=artist), {}) for artist in artists]

    assert len(artists) == N_ARTISTS
    for artist, of_operator, of_label, page in zip(artists, operators, labels, pages, strict=True):
        stored = shares_of(lines.filter(measure="listener_share", artist_id=artist), "cell")
        assert shares_of(of_operator, "cell") == shares_of(of_label, "cell") == dict(list(stored.items())[:20])
        assert shares_of(page.rows["overlap"]) == shares_of(of_label)


def test_an_overlap_counts_the_same_listeners_from_both_sides(lines: pl.DataFrame, published_home: Home) -> None:
    """The shares that two artists state of each other have the same noise: as listeners, they differ by rounding."""
    overlaps = lines.filter(measure="listener_share")
    months = Closings(Lake(published_home.path / "lake")).months
    pairs = overlaps.join(overlaps, left_on=["artist_id", "cell", "to_day"], right_on=["cell", "artist_id", "to_day"])
    assert pairs.height >= 2
    for one, other, month, share, back in pairs.select(
        "artist_id", "cell", "to_day", "share", "share_right"
    ).iter_rows():
        n_one, n_other = (len(months[month].listeners[artist]) for artist in (one, other))
        assert abs(share * n_one - back * n_other) <= 0.005 * (n_one + n_other) + 1e-9
