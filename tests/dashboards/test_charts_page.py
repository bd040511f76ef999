"""The Charts page: weeks by link, moves, the viewer's own songs, and candidates for the top ten."""

import re
from typing import Any

from recsys.home import Home
from recsys.warehouse.query import Warehouse

from .conftest import Open, failures, unmarked


def rows_of(home: Home, sql: str) -> list[tuple[Any, ...]]:
    """Query the published warehouse."""
    with Warehouse.open(home.published_warehouse()) as warehouse:
        return warehouse.query(sql).rows()


def test_a_link_opens_a_week_of_a_chart(open_page: Open, published_home: Home) -> None:
    """All positions of that edition are shown in order."""
    ((chart, week),) = rows_of(
        published_home, "select chart, min(chart_date) from marts.chart_weekly where week_no = 3 group by chart"
    )

    page = open_page("charts", chart=str(chart), week=str(week))

    assert failures(page) == []
    titles = rows_of(published_home, f"select title from marts.chart_weekly where chart_date = '{week}' order by rank")
    assert unmarked(page.dataframe[0].value["title"]) == [title for (title,) in titles]
    assert page.dataframe[0].value["rank"].tolist() == list(range(1, len(titles) + 1))


def test_in_the_first_week_of_a_chart_no_move_is_known(open_page: Open, published_home: Home) -> None:
    """Without an earlier week, it is unknown which songs are new."""
    ((week,),) = rows_of(published_home, "select min(chart_date) from marts.chart_weekly")

    page = open_page("charts", week=str(week))

    assert page.dataframe[0].value["moved"].isna().all()


def test_songs_never_in_the_top_ten_can_be_selected(open_page: Open) -> None:
    """The second option excludes songs that were in the top ten before."""
    page = open_page("charts")
    page.selectbox(key="which").select("first").run()

    assert failures(page) == []
    candidates = page.dataframe[-1].value
    assert (candidates["peak_rank"] > 10).all()
    assert candidates["probability"].is_monotonic_decreasing


def test_a_label_sees_the_whole_chart_and_only_its_own_marked(
    open_page: Open, published_home: Home, label_id: str
) -> None:
    """Charts are public, but songs are linked to the label's own recordings only."""
    own = rows_of(published_home, f"select track_id from marts.track_features where label_id = '{label_id}'")

    page = open_page("charts", label=label_id)

    rows = page.dataframe[0].value
    assert len(rows) == 100
    linked = set(rows["track_id"].dropna())
    assert linked
    assert linked <= {track_id for (track_id,) in own}
    assert rows["is_own"].sum() == rows["track_id"].notna().sum()
    assert re.search(r"is at number \*\*\d+", page.markdown[1].value)
