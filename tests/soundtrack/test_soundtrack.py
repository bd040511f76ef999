"""Soundtracks of a published warehouse: which recordings may be in them, and what the command says."""

import json
from collections.abc import Iterator

import polars as pl
import pytest
from click.testing import CliRunner

from recsys.cli import main
from recsys.errors import InputError
from recsys.pipeline.run import Run
from recsys.published.soundtrack import Request, soundtrack
from recsys.warehouse.internal import internal_sql
from recsys.warehouse.query import Warehouse


@pytest.fixture
def warehouse(finished: Run) -> Iterator[Warehouse]:
    """The published warehouse of a finished run."""
    with Warehouse.open(finished.home.published_warehouse()) as opened:
        yield opened


def request(**options: object) -> Request:
    """Return a request for a run of twenty minutes, as the command makes it."""
    return Request.of(**({"name": "run", "curve": None, "minutes": 20, "start_min": 0.0} | options))  # type: ignore[arg-type]


def test_only_available_recordings_are_listed(warehouse: Warehouse) -> None:
    """Those available everywhere, or in the country of the listener; none that is withdrawn, a copy or not released."""
    listener = warehouse.query("select user_id, country from marts.listener_profile where country <> 'unknown'").row(0)
    tracks = warehouse.query("select * from marts.track_features")
    original = dict(warehouse.query("select track_id, same_as from marts.duplicate_links").iter_rows())
    served_on = warehouse.query("select as_of + 1 from meta.build").item()

    for user_id, country in (("", None), listener):
        listed = soundtrack(warehouse, request(user_id=user_id, minutes=500))["track_id"].to_list()
        allowed = [
            track["track_id"]
            for track in tracks.iter_rows(named=True)
            if track["tempo_bpm"] is not None
            and track["duration_ms"] is not None
            and (track["release_date"] is None or track["release_date"] <= served_on)
            and (track["withdrawn_at"] is None or track["withdrawn_at"] > served_on)
            and (track["available_in"] is None or country in track["available_in"])
        ]
        assert len(listed) > 20
        assert len({original.get(track_id, track_id) for track_id in listed}) == len(listed)
        assert set(listed) <= set(allowed)


def test_the_listeners_genres_count(warehouse: Warehouse) -> None:
    """Liked is the share of a genre in their plays, divided by that of their main genre."""
    user_id = warehouse.query("select user_id from marts.interactions group by all order by count(*) desc").item(0, 0)
    plays = warehouse.query(
        "select genre, sum(n_plays)::double as n from marts.interactions join marts.track_features using (track_id) "
        "where user_id = $user_id group by genre",
        {"user_id": user_id},
    )

    tracks = warehouse.query(internal_sql("soundtrack_tracks"), {"user_id": user_id})

    shares = {genre: n / plays["n"].max() for genre, n in plays.iter_rows()}
    expected = [shares.get(genre, 0.0) for genre in tracks["genre"]]
    assert tracks["liked"].to_list() == pytest.approx(expected)
    assert tracks["liked"].max() == 1


def test_skipped_tracks_change_the_rest(warehouse: Warehouse) -> None:
    """Neither they nor those that were played are listed again."""
    first = soundtrack(warehouse, request())
    played, skipped = first["track_id"].to_list()[:2]

    rest = soundtrack(warehouse, request(start_min=5.0, heard=(played, skipped), skipped=(skipped,)))

    assert rest["start"][0] == "5:00.0"
    assert not {played, skipped} & set(rest["track_id"])


def test_nothing_is_left_when_the_time_is_over(warehouse: Warehouse) -> None:
    """The columns stay."""
    over, whole = (soundtrack(warehouse, request(start_min=start)) for start in (20.0, 0.0))

    assert over.is_empty()
    assert over.columns == whole.columns


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"name": None}, "Expected an activity or --curve, and not both"),
        ({"curve": "0 100 .5, 5 100 .5"}, "Expected an activity or --curve, and not both"),
        ({"user_id": "nobody"}, "There is no listener 'nobody'"),
        ({"skipped": ("no such track",)}, "There is no track 'no such track' with tempo and energy"),
    ],
)
def test_what_does_not_exist_is_refused(warehouse: Warehouse, options: dict[str, object], message: str) -> None:
    """The message says how to find it."""
    with pytest.raises(InputError, match=message):
        soundtrack(warehouse, request(**options))


def test_a_catalogue_without_sound_is_refused(warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch) -> None:
    """The message says how to analyse it."""
    bare = warehouse.query("select * from marts.track_features").with_columns(tempo_bpm=pl.lit(None, pl.Float64))
    monkeypatch.setattr(Warehouse, "query", lambda *_arguments: bare.with_columns(liked=0.0))

    with pytest.raises(InputError, match=r"No recording has a length, tempo and energy\. Scan music first"):
        soundtrack(warehouse, request())


def test_the_command_lists_it(finished: Run) -> None:
    """Along a curve in words, whose last minute is the length."""
    arguments = ["--home", str(finished.home.path), "soundtrack", "--curve", "0 80 .2, 12 150 .9", "--json"]

    answer = CliRunner().invoke(main, arguments, catch_exceptions=False)

    rows = [json.loads(line) for line in answer.stdout.splitlines()]
    assert answer.exit_code == 0
    assert rows[0]["start"] == "0:00.0"
    assert rows[0]["target_bpm"] < rows[-1]["target_bpm"]
    assert {"title", "artist_name", "tempo_bpm", "energy", "key", "fade_at", "fade_s", "track_id"} <= rows[0].keys()
