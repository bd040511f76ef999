"""The simulated feedback loop: preferences, the growing log, the effect of remedies, and the report."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from recsys.dataset.interactions import Interactions
from recsys.errors import InputError
from recsys.feedback.choice import CHOICES
from recsys.feedback.exploration import ExplorationSettings
from recsys.feedback.loop import LoopSettings, Remedy, SimulatedListeners, _Log, last_week, simulate
from recsys.reports.feedback_loop import write_report
from recsys.rerank.base import RerankContext
from recsys.rerank.rules.artist_cap import ArtistCap
from recsys.rerank.rules.exposure import Exposure

SETTINGS = LoopSettings(weeks=3, recommender="item_knn", k=5, candidates=30)


@pytest.fixture(scope="module")
def listeners() -> SimulatedListeners:
    """Ninety listeners in three groups, each with its own forty of 120 tracks; every tenth track is in group 'f'."""
    rng = np.random.default_rng(4)
    tracks = [f"t{number:03}" for number in range(120)]
    pairs = {
        (f"u{user:02}", tracks[40 * (user % 3) + int(40 * rng.random() ** 2)]) for user in range(90) for _ in range(15)
    }
    plays = pl.DataFrame(sorted(pairs), ["user_id", "track_id"], orient="row").with_columns(strength=pl.lit(1.0))
    catalogue = pl.DataFrame({"track_id": tracks, "artist": [f"a{number // 4}" for number in range(120)]})
    homes = pl.DataFrame({"user_id": [f"u{user:02}" for user in range(90)], "country": ["NG", "SE", "BR"] * 30})
    groups = pl.DataFrame(
        {
            "track_id": tracks,
            "gender": ["f" if number % 10 == 0 else "m" for number in range(120)],
            "artist_country": ["NG"] * 40 + ["SE"] * 40 + ["NG"] * 40,  # those whom Brazilians hear are Nigerian
        }
    )
    context = RerankContext.of(Interactions.of(plays, catalogue=catalogue, listeners=homes), groups)
    return SimulatedListeners.of(context, ["gender=f"], seed=7, countries=["NG", "SE", "BR", "IE"])


def test_listeners_like_what_they_play_and_popular_tracks_are_not_liked_more(listeners: SimulatedListeners) -> None:
    """The like probability is high for played tracks, and hardly correlated with popularity."""
    played = (listeners.context.interactions.matrix > 0).toarray()
    odds = np.log(listeners.like_probabilities / (1 - listeners.like_probabilities))
    n_listeners = played.sum(axis=0)

    assert listeners.like_probabilities[played].mean() > 3 * listeners.like_probabilities[~played].mean()
    assert abs(np.corrcoef(odds.mean(axis=0), n_listeners)[0, 1]) < 0.35


def test_the_log_records_plays_and_new_listeners_by_lists(listeners: SimulatedListeners) -> None:
    """Only the first play of an unknown track from a list counts as a new listener."""
    log = _Log.of(listeners.context.interactions)
    known = int(listeners.context.interactions.matrix[0].indices[0])
    new = int(np.flatnonzero(log.strength[0] == 0)[0])

    log.add(np.array([0, 0]), np.array([known, new]), 2, by_list=True)
    log.add(np.array([0]), np.array([new + 1]), 3, by_list=False)

    assert log.won_week[[known, new, new + 1]].tolist() == [0, 2, 0]
    interactions = log.interactions(listeners.context.interactions, week=4)
    assert interactions.matrix[0, known] == 2
    assert interactions.seen[0, new]
    own = interactions.of_users(np.array([0]))
    ages = dict(zip(own.matrix.indices.tolist(), own.age_days.tolist(), strict=True))
    assert (ages[new], ages[new + 1]) == (7, 0)


def test_every_week_of_every_remedy_has_metrics(listeners: SimulatedListeners) -> None:
    """Values are in 0..1 and reproducible, and every week is reported."""
    remedies = {"no remedy": Remedy(), "artist_cap": Remedy([ArtistCap(1)])}
    events: list[dict[str, object]] = []

    weeks = simulate(listeners, remedies, SETTINGS, tell=events.append)

    assert weeks.equals(simulate(listeners, remedies, SETTINGS))
    assert len(weeks) == 2 * 3 * (5 + 4)
    assert len(events) == 6
    assert weeks.filter(pl.col("metric") != "local IE")["value"].is_between(0, 1).all()
    assert not weeks.filter(remedy="no remedy")["value"].equals(weeks.filter(remedy="artist_cap")["value"])


@pytest.mark.parametrize("choice", CHOICES)
def test_a_target_is_met_every_week(listeners: SimulatedListeners, choice: str) -> None:
    """With the exposure rule, the group's share meets the target, however listeners choose; without, it is below."""
    remedies = {"no remedy": Remedy(), "exposure": Remedy([Exposure({"gender=f": 0.25})])}

    weeks = simulate(listeners, remedies, replace(SETTINGS, choice=choice))

    shares = weeks.filter(metric="exposure gender=f")
    assert shares.filter(remedy="exposure")["value"].to_list() == pytest.approx([0.25] * 3, abs=0.015)
    assert shares.filter(remedy="no remedy")["value"].max() < 0.2  # type: ignore[operator]


def test_local_artists_are_those_of_the_listeners_country(listeners: SimulatedListeners) -> None:
    """Three groups hear tracks of their own: by Nigerians, Swedes, and, in Brazil, none of them Brazilian."""
    weeks = simulate(listeners, {"no remedy": Remedy()}, replace(SETTINGS, weeks=1))

    local = dict(weeks.filter(pl.col("metric").str.starts_with("local")).select("metric", "value").iter_rows())
    assert local["local NG"] > 0.9
    assert local["local SE"] > 0.9
    assert local["local BR"] == 0
    assert np.isnan(local["local IE"])  # nobody lives there


def test_models_of_choice_lead_to_different_logs(listeners: SimulatedListeners) -> None:
    """From the same start, the recommender learns from other plays, and its lists of the third week differ."""
    found = [simulate(listeners, {"no remedy": Remedy()}, replace(SETTINGS, choice=choice)) for choice in CHOICES]

    values = [tuple(weeks.filter(week=3)["value"].to_list()) for weeks in found]
    assert len(set(values)) == len(CHOICES)


def test_exploration_makes_exposure_more_even(listeners: SimulatedListeners) -> None:
    """With exploration from a large pool, the Gini coefficient of exposure is lower than with no remedy."""
    remedies = {"no remedy": Remedy(), "exploration": Remedy(exploration=ExplorationSettings(share=0.4, pool=25))}

    table = last_week(simulate(listeners, remedies, replace(SETTINGS, weeks=4))).select("remedy", "gini")

    gini = dict(table.iter_rows())
    assert gini["exploration"] < gini["no remedy"]


def test_too_few_listeners_are_refused(listeners: SimulatedListeners) -> None:
    """Twenty listeners are refused: the preference model needs more than its number of dimensions."""
    few = RerankContext(listeners.context.interactions.of_users(np.arange(20)), listeners.context.groups)

    with pytest.raises(InputError, match="needs more than 32 listeners and 32 tracks; found 20 and 120"):
        SimulatedListeners.of(few, [], seed=7)


def test_the_report_shows_every_remedy_and_metric(tmp_path: Path) -> None:
    """The page has a table with differences to the first remedy, a chart and a CSV file, and is reproducible."""
    weeks = pl.DataFrame(
        [
            (remedy, week, metric, 0.5 + 0.1 * week + shift)
            for remedy, shift in (("no remedy", 0.0), ("<cap>", 0.05))
            for week in (1, 2)
            for metric in ("satisfaction", "gini", "exposure gender=f")
        ],
        ["remedy", "week", "metric", "value"],
        orient="row",
    )

    page = write_report(tmp_path / "a", weeks, SETTINGS, "Ninety listeners.")
    again = write_report(tmp_path / "b", weeks, SETTINGS, "Ninety listeners.")

    page_text = page.read_text()
    assert all(
        text in page_text for text in ("Ninety listeners.", "&lt;cap&gt;", "Gini of exposure", "gender: f", "weeks.csv")
    )
    assert "<td>0.700</td>" in page_text
    assert "<td>0.750 <small>(+0.050)</small></td>" in page_text
    assert 'src="data:image/png;base64,' in (tmp_path / "a" / "index.html").read_text()
    assert pl.read_csv(tmp_path / "a" / "weeks.csv").equals(weeks)
    for name in ("index.html", "weeks.csv"):
        assert (page.parent / name).read_bytes() == (again.parent / name).read_bytes()
