"""Trainings of recordings with their consent, and the summary of models: no model, one, withdrawn consent."""

from contextlib import ExitStack
from datetime import date, timedelta
from pathlib import Path
from types import SimpleNamespace

import duckdb
import pytest

from recsys.cli import options
from recsys.errors import HomeIsBusy, UnknownIds
from recsys.home import Home, locked
from recsys.reports.transparency import write_summary
from recsys.rights.trainings import (
    NIGHTLY,
    TrainingRecord,
    newest,
    of_recording,
    record,
    record_encoder,
    record_melody_model,
    trained,
    training_rows,
)
from recsys.warehouse.query import Warehouse

DAY, NEXT = date(2026, 1, 30), date(2026, 1, 31)
SOUND = TrainingRecord("own-genre", DAY, ("sound", "metadata"), ("granted",))
BEFORE = {"labels": {"t1": "granted", "t2": "granted", "t4": "granted", "gone": "granted"}}


TABLES = """
create schema marts; create schema meta;
create table meta.build as select date '2026-01-31' as as_of;
create table marts.track_features as select *, true as is_known from (
    values ('t1', 'granted', 'DE-A01-26-00001', null), ('t2', 'denied', null, null), ('t3', 'unknown', null, null),
        ('t4', 'granted', null, date '2026-01-31'), ('t5', 'granted', null, null)
) as tracks (track_id, training_consent, isrc, taken_down_at);
create table marts.track_lyrics (track_id varchar, training_consent varchar);
create table marts.listener_profile as select 'u' as user_id, 3 as n_plays, date '2026-01-01' as first_date;
"""


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a warehouse of five recordings; the fourth is taken down."""
    path: Path = tmp_path_factory.mktemp("consents") / "built.duckdb"
    with duckdb.connect(path) as connection:
        connection.execute(TABLES)
    return path


def test_a_home_without_models_has_a_summary_that_says_so(built: Path, tmp_path: Path) -> None:
    """Neither trainings nor a release; consent of the catalogue and few listeners all the same."""
    with Warehouse.open(built) as warehouse:
        found = write_summary(Home(tmp_path), warehouse, tmp_path / "page.html")

    page = " ".join((tmp_path / "page.html").read_text().split())
    assert found == []
    assert "None: no model was trained" in page
    assert "None: no recommender" in page
    assert "3 granted, 1 denied, 1 not stated" in page
    assert "fewer than 20 listeners" in page


def test_one_model_is_listed_with_the_consent_of_its_day(built: Path, tmp_path: Path) -> None:
    """Of four recordings, one was denied, one taken down and one removed since; no recording is named."""
    record(Home(tmp_path), SOUND, BEFORE)

    with Warehouse.open(built) as warehouse:
        (model,) = write_summary(Home(tmp_path), warehouse, tmp_path / "page.html")

    assert (model.by_consent, model.n_leaving, model.trained_on) == ({"granted": 4}, 3, DAY)
    page = (tmp_path / "page.html").read_text()
    assert "own-genre" in page
    assert not {name for name in ("t1", "t2", "t4", "gone") if f">{name}<" in page}


def test_a_withdrawn_consent_takes_effect_at_the_next_training(built: Path, tmp_path: Path) -> None:
    """Until then the recording is in the model; afterwards the earlier training is history."""
    home = Home(tmp_path)
    record(home, SOUND, BEFORE)
    columns = ("trained_on", "consent", "consent_now", "leaves")

    with Warehouse.open(built) as warehouse:
        stays, leaves = (of_recording(home, warehouse, name).select(columns).rows() for name in ("t1", "t2"))
        left = record(home, SOUND._replace(trained_on=NEXT), {"labels": {"t1": "granted"}})
        after, kept = (of_recording(home, warehouse, name).select(columns).rows() for name in ("t2", "t1"))

    assert stays == [(DAY, "granted", "granted", "stays, unless its consent changes")]
    assert leaves == [(DAY, "granted", "denied", "leaves at the next training")]
    assert sorted(left["track_id"]) == ["gone", "t2", "t4"]
    assert after == [(DAY, "granted", "denied", "replaced by a later training")]
    assert [row[0] for row in kept] == [NEXT, DAY]


def test_what_a_nightly_run_learned_is_replaced_by_the_next_training(tmp_path: Path) -> None:
    """Two runs that learned the same are one training; it is current until its model is trained again."""
    home = Home(tmp_path)
    record(home, SOUND, BEFORE)
    nightly, later = SOUND._replace(model=SOUND.model + NIGHTLY, trained_on=NEXT), NEXT + timedelta(days=1)
    for run in ("first", "second"):
        training_rows(nightly, {"labels": {"t1": "granted"}}).write_parquet(home.trainings / f"nightly-{run}.parquet")

    meanwhile = newest(trained(home)).filter(track_id="t1")["model"].to_list()
    record(home, SOUND._replace(trained_on=later), {"labels": {"t1": "granted"}})

    assert sorted(meanwhile) == [SOUND.model, nightly.model]
    assert newest(trained(home)).select("model", "trained_on", "track_id").rows() == [(SOUND.model, later, "t1")]


def test_consent_is_asked_for_sound_and_words_alone(built: Path, tmp_path: Path) -> None:
    """Labels with metadata stay though denied; lyrics need their own consent."""
    home = Home(tmp_path)
    record(home, SOUND._replace(inputs=("metadata",)), {"labels": {"t2": "denied"}, "words": {"t1": "granted"}})

    with Warehouse.open(built) as warehouse:
        (labels,) = of_recording(home, warehouse, "t2")["leaves"]
        (words,) = of_recording(home, warehouse, "t1").select("consent_now", "leaves").rows()
        with pytest.raises(UnknownIds, match="t9"):
            of_recording(home, warehouse, "t9")

    assert labels.startswith("stays")
    assert words == ("unknown", "leaves at the next training")


def test_files_of_an_encoder_are_recorded_by_recording(
    built: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file named by its ISRC is that recording; those without consent are left out."""
    card = SimpleNamespace(settings={"with_unknown": False})
    given = {"DEA012600001": "granted", "t5": "granted", "t3": "unknown", "t2": "denied"}
    monkeypatch.setattr(Home, "published_warehouse", lambda _home: built)

    files = [SimpleNamespace(path=Path(f"{name}.mp3"), consent=consent) for name, consent in given.items()]
    record_encoder(Home(tmp_path), card, files, today=DAY)  # type: ignore[arg-type]

    rows = trained(Home(tmp_path)).select("model", "track_id", "role", "consent").rows()
    assert rows == [("encoder", "t1", "sound", "granted"), ("encoder", "t5", "sound", "granted")]


def test_a_training_waits_for_a_nightly_run_to_be_recorded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The home is opened once the other run has ended, and not before."""
    home, run = Home(tmp_path), ExitStack()
    run.enter_context(locked(home))
    waits: list[float] = []
    monkeypatch.setattr(options, "sleep", lambda seconds: run.close() if len(waits) == 2 else waits.append(seconds))

    with options.opened_when_free(home), pytest.raises(HomeIsBusy), locked(home):
        pass

    assert len(waits) == 2


def test_tunes_of_a_writer_stay_with_the_consent_that_was_stated(built: Path, tmp_path: Path) -> None:
    """They are none of the catalogue's, and are counted in the summary; one that is given no more has left."""
    home = Home(tmp_path)
    record_melody_model(home, ["a.abc", "b.abc"], today=DAY)

    left = record_melody_model(home, ["a.abc"], today=NEXT)

    assert left["track_id"].to_list() == ["tune:b.abc"]
    with Warehouse.open(built) as warehouse:
        found = of_recording(home, warehouse, "tune:a.abc").select(
            "trained_on", "role", "consent", "consent_now", "leaves"
        )
        (model,) = write_summary(home, warehouse, tmp_path / "page.html")
    assert found.row(0) == (NEXT, "notes", "granted", "granted", "stays, unless its consent changes")
    assert (model.name, model.by_consent, model.n_leaving) == ("melody", {"granted": 1}, 0)
