"""
Thirty things that people open the dashboards for, each with its answer, which is computed from raw rows.

Twenty were written before the pages that answer them, ten (MORE) were tried on the finished pages. A task is done if
its answer is on the screen after at most MOST_PAGES pages and MOST_CLICKS clicks from the first page; typed words count
as one click.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from pathlib import Path

import polars as pl

from recsys.reports.wording import ISSUES, format_duration

from .truth.catalogue import CatalogueTruth
from .truth.closings import Closings
from .truth.labels import LabelTruth
from .truth.lists import ListsTruth
from .truth.operators import OperatorTruth
from .truth.page import number
from .truth.playlists import effects, labels_effects
from .truth.releases import LabelReleasesTruth
from .truth.rows import Lake

MOST_PAGES, MOST_CLICKS = 3, 6
Answer = Sequence[str]  # texts that one row, number or sentence on the screen shows together


@dataclass(frozen=True)
class Rows:
    """
    The raw rows that answers are computed from.

    Attributes:
        lake: The delivered rows.
        closings: The ledger, closed again from them.
        label_id: The label that asks.
        export: Folder of the published lists.
        run: Folder of the last run.
    """

    lake: Lake
    closings: Closings
    label_id: str
    export: Path
    run: Path

    @cached_property
    def label(self) -> LabelTruth:
        """The label's figures."""
        return LabelTruth(self.closings, self.label_id)

    @cached_property
    def lists(self) -> ListsTruth:
        """The published lists."""
        return ListsTruth(self.lake, self.export)

    @cached_property
    def largest_artist(self) -> dict[str, str]:
        """Id and name of the artist with most plays in the last 28 days."""
        plays = plays_by_artist(self.lake.last(28)).join(self.lake.artists, on="artist_id")
        return plays.sort("n_plays", "artist_id", descending=[True, False]).row(0, named=True)

    @property
    def listener(self) -> str:
        """The first listener by id who has a list."""
        return str(self.lists.places["user_id"].min())


def plays_by_artist(rows: pl.DataFrame) -> pl.DataFrame:
    """Return the plays of each artist."""
    return rows.drop_nulls("artist_id").group_by("artist_id").agg(pl.col("n_plays").sum())


@dataclass(frozen=True)
class Task:
    """
    A task.

    Attributes:
        question: What somebody wants to know.
        answer: Computes the answer.
    """

    question: str
    answer: Callable[[Rows], Answer]


def plays_of_last_week(rows: Rows) -> Answer:
    """Return the label's plays of its last closed week, and their change."""
    (plays,) = (one for one in rows.label.changes(7) if one.measure == "n_plays")
    return [number(plays.now), f"{abs(plays.change or 0):.1%}"]


def largest_gain(rows: Rows) -> Answer:
    """Return the artist whose plays rose most in the last closed week, and by how many."""
    artists = rows.label.parts("artist", "1").drop_nulls("difference").sort("difference", descending=True)
    return [artists["name"][0], f"{artists['difference'][0]:,}"]


def breakout(rows: Rows) -> Answer:
    """Return the recording whose last closed week is furthest above its weeks before, and its plays."""
    return _outlier(rows.label.outliers("recording", "rise", 5), "No recording had a breakout")


def drop(rows: Rows) -> Answer:
    """Return the artist whose last closed week is furthest below their weeks before, and its plays."""
    return _outlier(rows.label.outliers("artist", "drop"), "No artist's last complete week")


def _outlier(found: pl.DataFrame, nothing: str) -> Answer:
    return [nothing] if found.is_empty() else [found["name"][0], f"{found['n_plays'][0]:,}"]


def listeners_of_largest_artist(rows: Rows) -> Answer:
    """Return the artist with most plays in the last closed week, and the listeners of that week."""
    artist = rows.label.parts("artist", "1").row(0, named=True)
    return [artist["name"], number(artist["n_listeners"])]


def largest_country(rows: Rows) -> Answer:
    """Return the plays of the country that played the label most in the last closed week."""
    return [number(rows.label.parts("country", "1")["n_plays"][0])]


def newest_release(rows: Rows) -> Answer:
    """Return the newest recording, and its artist."""
    release = rows.label.overview("7").rows["new_releases"].row(0, named=True)
    return [release["title"], release["artist_name"]]


def best_chart_position(rows: Rows) -> Answer:
    """Return the label's highest song of the newest edition, and its rank."""
    truth = CatalogueTruth(rows.lake, rows.label_id)
    own = truth.charts(truth.editions["chart_date"].max(), {}).rows["chart"].filter("is_own")  # type: ignore[arg-type]
    return [own["title"][0], str(own["rank"][0])]


def most_frequent_fault(rows: Rows) -> Answer:
    """Return the problem that most of the label's recordings have, and their number."""
    issues = CatalogueTruth(rows.lake, rows.label_id).issues
    totals = issues.group_by("issue").len().sort("len", "issue", descending=[True, False])
    return [ISSUES.get(totals["issue"][0], totals["issue"][0]), f"{totals['len'][0]:,}"]


def own_best_playlist(rows: Rows) -> Answer:
    """Return the recording with the largest effect after its newest week of adds, or that no week had enough adds."""
    found = labels_effects(rows.closings, rows.label_id)
    if found.is_empty():
        return ["No recording was added to playlists by 20 listeners"]
    return [found["title"][0], f"{found['lift'][0]:.3g}"]


def best_playlist(rows: Rows) -> Answer:
    """Return the add with the largest effect among those whose four weeks after it ended last, and its recording."""
    found = effects(rows.lake)
    newest = found.filter(pl.col("week") == pl.col("week").max()).sort("lift", "track_id", descending=[True, False])
    return [newest["title"][0], newest["playlist_id"][0], f"{newest['lift'][0]:.3g}"]


def verdict(rows: Rows) -> Answer:
    """Return what the gate decided on the last run, and why."""
    decided = pl.read_json(rows.run / "verdict.json").row(0, named=True)
    return ["published"] if decided["passed"] else list(decided["reasons"])


def slowest_step(rows: Rows) -> Answer:
    """Return the step of the last run that took longest."""
    log = pl.read_ndjson(rows.run / "log.jsonl", infer_schema_length=None)
    done = log.filter(event="done").sort("seconds", descending=True)
    return [str(done["step"][0])]


def refused_rows(rows: Rows) -> Answer:
    """Return how many delivered rows were refused."""
    return [f"{OperatorTruth(rows.lake).delivered().metrics['Refused'][0]}"]


def plays_of_seven_days(rows: Rows) -> Answer:
    """Return the plays of the last seven days, and their change."""
    return OperatorTruth(rows.lake).overview(7).metrics["Plays"]


def fastest_artist(rows: Rows) -> Answer:
    """Return the artist whose plays grew most in seven days, and the factor."""
    artist = OperatorTruth(rows.lake).trends(7, 50).rows["trending_artists"].row(0, named=True)
    return [artist["artist_name"], f"{artist['velocity']:.2f}"]


def least_exposed_label(rows: Rows) -> Answer:
    """Return the label that recommendations show least compared with its plays, and the ratio."""
    labels = rows.lists.shares("label_id").drop_nulls("label_id").drop_nulls("ratio").sort("ratio", "label_id")
    names = dict(rows.lake.tracks.select("label_id", "label_name").unique().iter_rows())
    return [names[labels["label_id"][0]], f"{labels['ratio'][0]:.2f}"]


def first_recommendation(rows: Rows) -> Answer:
    """Return the first recording on the list of the first listener."""
    first = rows.lists.recommendations(rows.listener).row(0, named=True)
    return ["1", first["title"], first["artist_name"]]


def why_not(rows: Rows) -> Answer:
    """Return how many recordings the first listener is not recommended because of having played them."""
    played = rows.lake.rows.filter(pl.col("n_plays") > 0, user_id=rows.listener)["track_id"].n_unique()
    return ["played already", f"{played:,}"]


def worst_fault(rows: Rows) -> Answer:
    """Return the problem that most recordings of the catalogue have, and their number."""
    issues = CatalogueTruth(rows.lake).issues.group_by("issue").len()
    worst = issues.sort("len", "issue", descending=[True, False]).row(0, named=True)
    return [ISSUES.get(worst["issue"], worst["issue"]), f"{worst['len']:,}"]


def largest_loss(rows: Rows) -> Answer:
    """Return the recording that lost most plays from the week before to the last closed week, and how many."""
    artists = [artist for artist in rows.label.parts("artist", "1")["cell"] if artist]
    recordings = pl.concat([rows.label.parts("recording", "1", artist) for artist in artists])
    lost = recordings.drop_nulls("difference").sort("difference").row(0, named=True)
    return [lost["name"], f"{lost['difference']:,}"]


def new_listeners(rows: Rows) -> Answer:
    """Return how many listeners of the last closed week had never played the label, if the log is long enough."""
    kinds = rows.closings.listeners_by_loyalty(rows.label_id, rows.label.weeks[-1])
    return ["new", f"{kinds['new']:,}"] if "new" in kinds else ["all others" if set(kinds) == {None} else "unknown"]


def chosen_share(rows: Rows) -> Answer:
    """Return the plays of the last closed week that listeners chose themselves."""
    cells = rows.closings.cells(rows.label_id, "n_plays", rows.label.weeks[-1], "source")
    return ["chosen by the listener", f"{cells['active'].value:,}"]


def first_weeks(rows: Rows) -> Answer:
    """Return the newest release and its plays in the first weeks, as far as the ledger has them."""
    releases = LabelReleasesTruth(rows.label)
    newest = releases.releases[0]
    return [releases.page(newest, any_kind=False).sentences[1].split(" plays")[0]]


def alert_at(rows: Rows) -> Answer:
    """Return the largest artist, who is to be watched for drops of 30 %."""
    return [rows.label.parts("artist", "1")["name"][0], "30"]


def length_of_night(rows: Rows) -> Answer:
    """Return how long the last night took, from its first event to the end of its last step."""
    log = pl.read_ndjson(rows.run / "log.jsonl", infer_schema_length=None)
    begun, ended = log["at"].min(), log.filter(event="done")["at"].max()
    seconds = (datetime.fromisoformat(str(ended)) - datetime.fromisoformat(str(begun))).total_seconds()
    return ["took", format_duration(seconds)]


def size_of_lake(rows: Rows) -> Answer:
    """Return the disk that the delivered rows use."""
    sizes = (file.stat().st_size for file in rows.lake.folder.rglob("*") if file.is_file())
    return ["lake", f"{sum(sizes):,}"]


def reason_of_first(rows: Rows) -> Answer:
    """Return the first recording of the first listener's list, and the played one that it was recommended for."""
    first = rows.lists.places.filter(user_id=rows.listener).sort("rank").row(0, named=True)
    played = rows.lake.rows.filter(pl.col("n_plays") > 0, user_id=rows.listener)["track_id"]
    assert first["reason_track_id"] in played.to_list()
    titles = dict(rows.lake.tracks.select("track_id", "title").iter_rows())
    return [first["title"], titles[first["reason_track_id"]]]


def shared_audience(rows: Rows) -> Answer:
    """Return the artist whom the listeners of the most played artist of 28 days play most, beyond what is usual."""
    overlap = (
        OperatorTruth(rows.lake)
        .audience(rows.largest_artist["artist_id"], "country")
        .rows["overlap"]
        .row(0, named=True)
    )
    return [overlap["name"], f"{overlap['n_listeners']:,}"]


def listeners_with_a_list(rows: Rows) -> Answer:
    """Return how many listeners have a list."""
    return [f"{rows.lists.places['user_id'].n_unique():,}"]


OF_LABEL = {
    "label-plays": Task("How many plays did we have last week, and by how much did they change?", plays_of_last_week),
    "label-gain": Task("Which artist gained most plays last week?", largest_gain),
    "label-breakout": Task("Which recording broke out last week?", breakout),
    "label-drop": Task("Which artist lost unusually many listeners?", drop),
    "label-listeners": Task("How many people listened to our largest artist last week?", listeners_of_largest_artist),
    "label-country": Task("From which country do most plays come?", largest_country),
    "label-release": Task("Which is our newest release?", newest_release),
    "label-chart": Task("How high are we on this week's chart?", best_chart_position),
    "label-fault": Task("What should we correct in our metadata first?", most_frequent_fault),
    "label-playlist": Task("Which playlist add helped us most last month?", own_best_playlist),
}
OF_OPERATOR = {
    "operator-verdict": Task("Why was last night refused, if it was?", verdict),
    "operator-step": Task("Which step took longest last night?", slowest_step),
    "operator-refused": Task("How many delivered rows were refused?", refused_rows),
    "operator-plays": Task("How many plays were there in seven days, and what changed?", plays_of_seven_days),
    "operator-growth": Task("Which artist grows fastest?", fastest_artist),
    "operator-exposure": Task("Which label do recommendations show least, for its plays?", least_exposed_label),
    "operator-list": Task("What is recommended first to this listener?", first_recommendation),
    "operator-why-not": Task("How many recordings does this listener not get because they know them?", why_not),
    "operator-fault": Task("Which problem of the catalogue is the most frequent?", worst_fault),
    "operator-playlist": Task("Which playlist add helped most last month?", best_playlist),
}
MORE_OF_LABEL = {
    "label-loss": Task("Which of our recordings lost most plays since the week before?", largest_loss),
    "label-new": Task("How many people heard us for the first time last week?", new_listeners),
    "label-chosen": Task("How many of last week's plays did listeners choose themselves?", chosen_share),
    "label-start": Task("How did our newest release start, and is that usual?", first_weeks),
    "label-alert": Task("Tell us when our largest artist falls by 30 %.", alert_at),
}
MORE_OF_OPERATOR = {
    "operator-length": Task("How long did last night take, and was it late?", length_of_night),
    "operator-disk": Task("How much disk do the delivered rows use, and how fast does that grow?", size_of_lake),
    "operator-reason": Task("Why is the first recording on this listener's list?", reason_of_first),
    "operator-overlap": Task("Whom else do the listeners of the largest artist play?", shared_audience),
    "operator-reach": Task("How many listeners have a list?", listeners_with_a_list),
}
