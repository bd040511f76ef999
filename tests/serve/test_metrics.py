"""Metrics over HTTP: the true totals, small groups merged, and a label's figures from its own file alone."""

from collections import defaultdict
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from recsys.home import Home
from recsys.ledger.settings import LabelSettings
from recsys.metrics.definitions import metrics
from recsys.pipeline.run import Run
from recsys.serve import routes
from recsys.serve.app import Service
from recsys.serve.current import Current
from recsys.serve.keys import Keys, add_key
from recsys.serve.open_release import OpenRelease
from recsys.warehouse.internal import internal_sql

from .asking import answer_of, service_of

METRIC = "/v1/metric"


def counted(release: OpenRelease) -> dict[tuple[str, str], list[int]]:
    """Return skips and plays by month and gender, counted from the warehouse's rows one by one."""
    gender = dict(release.warehouse.query("select user_id, gender from marts.listener_profile").iter_rows())
    known = set(release.warehouse.query("select track_id from marts.track_features")["track_id"])
    rows = release.warehouse.query(
        "select user_id, track_id, listen_date, n_skips, n_plays from marts.interactions_daily"
    )
    found: dict[tuple[str, str], list[int]] = defaultdict(lambda: [0, 0])
    for user, track, day, skips, plays in rows.iter_rows():
        if track in known:
            cell = found[day.replace(day=1).isoformat(), gender[user]]
            cell[0] += skips
            cell[1] += plays
    return found


def test_values_are_those_of_the_rows_in_the_warehouse(service: Service, release: OpenRelease) -> None:
    """Groups that are shown have their own skips and plays, all rows add up to the total, a ratio is one of sums."""
    answer = answer_of(service, METRIC, metric="skip_share", by=["month", "gender"]).value
    expected = counted(release)

    assert (answer["release"], answer["metric"], answer["unit"]) == (release.name, "skip_share", "0..1")
    shown = {(row["month"], row["gender"]): row for row in answer["rows"]}
    named = {key: row for key, row in shown.items() if None not in key}
    assert named
    assert {key: [row["n_skips"], row["n_plays"]] for key, row in named.items()} == {
        key: expected[key] for key in named
    }
    for n, measure in enumerate(("n_skips", "n_plays")):
        assert sum(row[measure] for row in answer["rows"]) == sum(cell[n] for cell in expected.values())
    for row in answer["rows"]:
        assert row["skip_share"] == pytest.approx(row["n_skips"] / (row["n_skips"] + row["n_plays"]))


def test_the_disclosure_test_is_that_of_the_release(service: Service, release: OpenRelease) -> None:
    """It comes from the recipe in the manifest; a stricter one merges what it does not let pass."""

    def shown() -> list[Any]:
        rows = answer_of(service, METRIC, metric="listeners", by="gender").value["rows"]
        return [row["listeners"] for row in rows]

    assert isinstance(release.disclosure, LabelSettings)
    before = shown()
    assert min(before) >= release.disclosure.min_listeners
    strict = replace(release.disclosure, min_listeners=max(before) + 1)
    service.current.release = replace(release, version="strict", disclosure=strict)
    after = shown()
    assert len(after) < len(before)
    assert sum(after) == sum(before)


def test_all_metrics_are_listed_and_answer(service: Service) -> None:
    """With unit and dimensions, and one value for the whole release."""
    listed = answer_of(service, "/v1/metrics").value["metrics"]

    assert {row["name"]: (row["unit"], row["dimensions"]) for row in listed} == {
        name: (metric.doc.unit, list(metric.dimensions)) for name, metric in metrics().items()
    }
    for row in listed:
        answer = answer_of(service, METRIC, metric=row["name"])
        assert answer.status == 200, answer.body
        assert all(row["name"] in values for values in answer.value["rows"])


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ({"metric": "no_such"}, 404),
        ({}, 422),
        ({"metric": "plays", "by": "user_id"}, 422),
        ({"metric": "plays", "by": "country, user_id"}, 422),
        ({"metric": "plays", "by": ["week", "month"]}, 422),
        ({"metric": "plays", "by": ["country", "country"]}, 422),
        ({"metric": "plays", "by": "1) from marts.listener_profile --"}, 422),
        ({"metric": "plays", "by": ["country", "gender", "age_band", "genre", "week"]}, 422),
        ({"metric": "plays", "where": "country=DE"}, 422),
        ({"metric": "plays", "from": "2026-06-01"}, 422),
        ({"metric": ["plays", "listeners"]}, 422),
        ({"metric": "plays", "by": ""}, 422),
    ],
)
def test_what_is_no_metric_or_dimension_is_refused(service: Service, query: dict[str, Any], status: int) -> None:
    """Also what would divide the figures of a group by days: filters are not offered."""
    assert answer_of(service, METRIC, **query).status == status


def test_too_many_groups_are_refused(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    """With their number, and what to do."""
    monkeypatch.setattr(routes, "MAX_GROUPS", 1)

    answer = answer_of(service, METRIC, metric="listed_share", by="genre")

    assert answer.status == 422
    assert "expected at most 1. Use fewer" in answer.value["detail"]


def test_a_label_reads_the_figures_of_its_file_alone(
    finished: Run, current: Current, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The whole warehouse is not read; weekly plays are the lines of the label's ledger."""
    home = Home(tmp_path / "keys")
    home.path.mkdir()
    label = min(current.release.warehouse.query(internal_sql("labels"))["label_id"])
    key = add_key(home, "label", ["label"], label)
    state = Current(finished.home, current.release, Keys.read(home), needs_key=True)
    service = service_of(finished.home, tmp_path / "inbox", tmp_path / "log", state)
    own = current.release.warehouse_of(state.keys.consumers[0])
    lines = own.query(
        "select from_day, value from marts.label_figures where dimension = 'week' and measure = 'n_plays' order by 1"
    )
    assert not lines.is_empty()
    monkeypatch.setattr(current.release.warehouse, "query", lambda *_: pytest.fail("the whole warehouse was read"))

    given = {"authorization": f"Bearer {key}"}
    answer = answer_of(service, METRIC, headers=given, metric="plays", by="week")
    assert [(row["from_day"], row["plays"]) for row in answer.value["rows"]] == [
        (day.isoformat(), value) for day, value in lines.iter_rows()
    ]
    refused = answer_of(service, METRIC, headers=given, metric="exposure_share", by="label_id")
    assert refused.status == 422
