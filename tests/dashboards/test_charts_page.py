"""The page of charts: any week by a link, what moved, what is one's own, and what could be a hit."""

import re

from dashboards.sentences import day
from recsys.home import Home
from recsys.warehouse.query import Warehouse

from .conftest import Open, failures


def asked(home: Home, sql: str) -> list[tuple[object, ...]]:
    """Rows of the published warehouse."""
    with Warehouse.open(home.published_warehouse()) as warehouse:
        return warehouse.query(sql).rows()


def test_a_link_opens_a_week_of_a_chart(open_page: Open, shown: Home) -> None:
    """As published, place by place."""
    ((chart, week),) = asked(
        shown, "select chart, min(chart_date) from marts.chart_weekly where week_no = 3 group by chart"
    )

    page = open_page("charts", chart=str(chart), week=day(week))

    assert failures(page) == []
    titles = asked(shown, f"select title from marts.chart_weekly where chart_date = '{week}' order by rank")
    assert page.dataframe[0].value["title"].tolist() == [title for (title,) in titles]
    assert page.dataframe[0].value["rank"].tolist() == list(range(1, len(titles) + 1))


def test_the_first_week_of_a_chart_is_all_new(open_page: Open, shown: Home) -> None:
    """There is none before it to hold it against."""
    ((week,),) = asked(shown, "select min(chart_date) from marts.chart_weekly")

    page = open_page("charts", week=day(week))

    assert set(page.dataframe[0].value["moved"]) == {"new"}


def test_songs_never_in_the_top_ten_can_be_asked_for_alone(open_page: Open) -> None:
    """The second choice leaves out those that come back."""
    page = open_page("charts")
    page.selectbox(key="which").select("first").run()

    assert failures(page) == []
    candidates = page.dataframe[-1].value
    assert (candidates["peak_rank"] > 10).all()
    assert candidates["probability"].is_monotonic_decreasing


def test_a_label_sees_the_whole_chart_and_only_its_own_marked(open_page: Open, shown: Home, label_id: str) -> None:
    """Charts are public; which of another label's recordings a song is, is not told."""
    own = asked(shown, f"select track_id from marts.track_features where label_id = '{label_id}'")

    page = open_page("charts", label=label_id)

    rows = page.dataframe[0].value
    assert len(rows) == 100
    linked = set(rows["track_id"].dropna())
    assert linked
    assert linked <= {track_id for (track_id,) in own}
    assert rows["is_own"].sum() == rows["track_id"].notna().sum()
    assert re.search(r"is at \*\*\d+", page.markdown[1].value)
