"""How columns of numbers are written: shares in per cent, units in headings, important columns first; small curves."""

from collections.abc import Sequence

import numpy as np
import polars as pl
import pytest
import streamlit as st

from dashboards import columns, parts
from recsys.home import Home

from .browser import PHONE
from .conftest import Open, failures
from .truth.closings import Closings
from .truth.labels import LabelTruth
from .truth.rows import Lake, monday

ROWS = pl.DataFrame({"name": ["a", "b"], "skip_share": [0.2869, None], "low": [0.1, 0.2], "n_plays": [3, 4]})


def test_shares_are_written_in_per_cent_with_their_unit() -> None:
    """28.69 stays 28.69, though 0.2869 * 100 is a little less; a missing share stays missing."""
    assert columns.csv_of(ROWS, columns.share_columns(ROWS)) == (
        "name,skip_share_percent,low,n_plays\na,28.69,0.1,3\nb,,0.2,4\n"
    )


@pytest.mark.parametrize(
    ("formats", "shares"),
    [({}, ["skip_share"]), ({"low": "percent"}, ["skip_share", "low"]), ({"skip_share": "%.3f"}, [])],
)
def test_the_name_of_a_column_says_whether_it_is_a_share(formats: dict[str, str], shares: list[str]) -> None:
    """Unless its format says otherwise; whole numbers are none, such as ranks gained."""
    assert columns.share_columns(ROWS, formats) == shares
    assert columns.share_columns(pl.DataFrame({"change": [3]})) == []


def test_a_phone_shows_the_name_and_the_first_numbers() -> None:
    """In their order."""
    rows = pl.DataFrame({"rank": [1], "moved": ["+2"], "title": ["a"], "genre": ["pop"], "n_plays": [7], "peak": [1]})

    assert columns.important_columns(rows, rows.columns, "title") == ["rank", "title", "n_plays"]


@pytest.mark.parametrize(("agent", "is_phone"), [(PHONE, True), (PHONE.replace("Mobile ", ""), False), (None, False)])
def test_a_phone_is_known_by_its_browser(monkeypatch: pytest.MonkeyPatch, agent: str | None, is_phone: bool) -> None:
    """By the word that browsers of phones have in their name, and those of computers do not."""

    class Context:
        headers = {} if agent is None else {"User-Agent": agent}

    monkeypatch.setattr(st, "context", Context)

    assert columns.is_phone() == is_phone


def test_a_phone_shows_all_columns_on_request(open_page: Open, label_id: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """First three and the initials, then all; the rows that are offered as files are the same."""
    monkeypatch.setattr(columns, "is_phone", lambda: True)
    page = open_page("trends", label=label_id)

    assert failures(page) == []
    first = list(page.dataframe[0].proto.column_order)
    page.toggle(key="trending_artists_all_columns").set_value(True).run()
    every = page.dataframe[0].proto.column_order

    assert first == [parts.PORTRAIT, "name", "n_plays", "share"]
    assert list(every)[:4] == [parts.PORTRAIT, "name", "curve", "n_plays"]
    assert {"difference", "change"} <= set(every)


def test_a_labels_curves_are_the_last_weeks_of_its_ledger(open_page: Open, published_home: Home, label_id: str) -> None:
    """From the newest week back to the first week without a figure; initials stand beside names that open a page."""
    truth = LabelTruth(Closings(Lake(published_home.path / "lake")), label_id)
    shown = open_page("trends", label=label_id).dataframe[0].value

    for artist_id, curve, portrait in shown[["artist_id", "curve", "portrait"]].itertuples(index=False):
        if not isinstance(artist_id, str):  # all others
            assert not isinstance(portrait, str)
            continue
        assert portrait.startswith("data:image/svg+xml,")
        plays = truth.trend("artist", artist_id)["plays_a_day"].to_list()[-12:]
        last_gap = max((no for no, value in enumerate(plays) if value is None), default=-1)
        known = plays[last_gap + 1 :]
        drawn = list(curve) if isinstance(curve, Sequence | np.ndarray) else []
        assert drawn == pytest.approx(known if len(known) > 1 else [])


def test_an_operators_curves_are_the_complete_weeks_of_the_log(open_page: Open, published_home: Home) -> None:
    """Weeks without plays are 0."""
    lake = Lake(published_home.path / "lake")
    days = lake.rows.with_columns(week=monday("day"))
    weeks = sorted(week for week in days["week"].unique() if lake.first_day <= week < monday_of_last(lake))[-12:]
    page = open_page("trends")

    assert failures(page) == []
    for artist_id, curve in page.dataframe[0].value[["artist_id", "curve"]].head(10).itertuples(index=False):
        own = dict(days.filter(artist_id=artist_id).group_by("week").agg(pl.col("n_plays").sum()).iter_rows())
        assert list(curve) == [own.get(week, 0) for week in weeks]


def monday_of_last(lake: Lake) -> object:
    """Return the Monday of the week that has not ended on the last day of the log."""
    return pl.DataFrame({"day": [lake.last_day]}).select(monday("day")).item()
