"""From a file of labels to the mart: tags enter the lake, earlier ones are taken back, doubts are reviewed."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import polars as pl
import pytest
from click.testing import CliRunner

from recsys import files
from recsys.cli import main
from recsys.cli.show import tags as show
from recsys.errors import InputError
from recsys.home import Home, locked
from recsys.ingest.run import ingest
from recsys.lake.contract import CONTRACTS
from recsys.lake.store import Lake
from recsys.pipeline.plan import result_tables
from recsys.pipeline.run import Run
from recsys.tags import learn
from recsys.tags.doubts import doubts_of
from recsys.tags.inputs import TrackInputs
from recsys.tags.labels import labels_of
from recsys.warehouse.build import Sources, build
from recsys.warehouse.query import Warehouse

from .conftest import SMALL

DAY = date(2026, 7, 2)


def write_labels(home: Home, path: Path, n: int) -> None:
    """Write the main genre of the first n recordings that have one of the three most frequent genres."""
    with Warehouse.open(home.published_warehouse()) as warehouse:
        tracks = warehouse.query("select track_id, genre from marts.track_features order by track_id")
    frequent = tracks["genre"].value_counts(sort=True)["genre"].head(3)
    rows = tracks.filter(pl.col("genre").is_in(frequent.implode())).head(n)
    rows.select("track_id", kind=pl.lit("genre"), tag="genre").write_csv(path)


def mart(home: Home, target: Path) -> pl.DataFrame:
    """Build the mart of tags and return it."""
    build(target, Sources(Lake(home), DAY, results=result_tables()), only={"marts.track_tags"})
    with Warehouse.open(target) as warehouse:
        return warehouse.query("select * from marts.track_tags order by track_id, tag")


@pytest.mark.slow
def test_learned_tags_reach_the_mart(
    finished: Run, copy_of: Callable[[Home], Home], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """With their probability; a second training replaces them, and the sound of recordings keeps its names."""
    home, path = copy_of(finished.home), tmp_path / "labels.csv"
    settings = replace(SMALL, with_unknown=True)
    write_labels(home, path, 150)
    with locked(home):
        learn.learn(home, path, ["metadata"], settings, today=DAY, progress=show.learned)
    first = mart(home, tmp_path / "first.duckdb")
    write_labels(home, path, 90)
    with locked(home):
        learn.learn(home, path, ["metadata", "listening"], settings, today=DAY + timedelta(days=1))

    second = mart(home, tmp_path / "second.duckdb")

    written = pl.read_parquet(home.tags / "genre" / learn.PREDICTED).sort("track_id", "tag")
    assert first.columns == ["track_id", "tagger", "tag", "kind", "confidence", "probability"]
    assert second.select("track_id", "tag", "probability").equals(written.select("track_id", "tag", "probability"))
    assert set(second["tagger"]) <= {"own-genre"}
    card = files.read_json(home.tags / "genre" / learn.CARD)
    assert card["data"]["n_labelled"] == 90
    assert [part["inputs"] for part in card["ablation"]] == ["metadata", "listening"]
    printed = capsys.readouterr().out
    assert "150 of 150 labelled recordings trained on" in printed


def test_a_second_training_takes_the_tags_of_the_first_back(
    catalogue: TrackInputs, given: pl.DataFrame, tmp_path: Path
) -> None:
    """The lake has the tags of the last training only, also if that shows none; doubts are those of the last."""
    home, ids = Home(tmp_path / "home"), catalogue.tracks.ids()
    learned = learn.learn_kind(labels_of(given, ids)[0], catalogue, SMALL)
    hidden = replace(learned.head, calibration=tuple(replace(tag, reason="off") for tag in learned.head.calibration))
    assert doubts_of(home).is_empty()

    n_rows = []
    with locked(home):
        for number, head in enumerate((learned.head, learned.head, hidden)):
            learn.write(home, replace(learned, head=head), catalogue, Path("labels.csv"), today=DAY + timedelta(number))
            n_rows.append(Lake(home).latest(CONTRACTS["audio_tags"]).collect().height)

    assert n_rows[0] == n_rows[1] > 100
    assert n_rows[2] == 0
    assert doubts_of(home).is_empty()
    assert files.read_json(home.tags / "genre" / learn.CARD)["labels"] == "labels.csv"


def test_only_the_tags_of_the_tagger_are_taken_back(
    catalogue: TrackInputs, given: pl.DataFrame, tmp_path: Path
) -> None:
    """All of its files, also without a file beside the card; delivered tags stay, also if they name it among others."""
    home, ids = Home(tmp_path / "home"), catalogue.tracks.ids()
    learned = learn.learn_kind(labels_of(given, ids)[0], catalogue, SMALL)
    delivered = {
        "old": "t1,own-genre,ska,1",
        "mixed": "t1,own-genre,dub,1\nt1,musicnn,dub,1",
        "mood": "t1,own-mood,sad,1",
    }
    with locked(home):
        for name, rows in delivered.items():
            (tmp_path / f"{name}.csv").write_text(f"track_id,tagger,tag,confidence\n{rows}\n")
            ingest(home, [tmp_path / f"{name}.csv"], today=DAY, table="audio_tags")

        learn.write(home, learned, catalogue, Path("labels.csv"), today=DAY)

    tags = Lake(home).latest(CONTRACTS["audio_tags"]).collect()
    assert set(tags["tag"]) == {"dub", "sad", "jazz", "pop", "rock"}
    assert set(tags.filter(tag="dub")["tagger"]) == {"own-genre", "musicnn"}


def test_the_card_is_written_last(
    catalogue: TrackInputs, given: pl.DataFrame, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """If the tags do not arrive in the lake, no card says that they did."""
    home, ids = Home(tmp_path / "home"), catalogue.tracks.ids()
    learned = learn.learn_kind(labels_of(given, ids)[0], catalogue, SMALL)

    def broken(*_args: object, **_options: object) -> None:
        raise OSError("full")

    monkeypatch.setattr(learn, "ingest", broken)
    with locked(home), pytest.raises(OSError, match="full"):
        learn.write(home, learned, catalogue, Path("labels.csv"), today=DAY)

    assert [path.name for path in (home.tags / "genre").iterdir()] == [learn.PREDICTED]


def test_recordings_to_label_are_no_formulas(catalogue: TrackInputs, given: pl.DataFrame, tmp_path: Path) -> None:
    """A person opens the list in a spreadsheet."""
    home, ids = Home(tmp_path / "home"), catalogue.tracks.ids()
    hostile = given.with_columns(tag=pl.lit("=") + pl.col("tag"))
    learned = learn.learn_kind(labels_of(hostile, ids)[0], catalogue, SMALL)

    with locked(home):
        learn.write(home, learned, catalogue, Path("labels.csv"), today=DAY)

    lines = (home.tags / "genre" / learn.NEXT).read_text().splitlines()
    assert lines[0] == "track_id,tag,probability"
    assert all(line.split(",")[1].startswith("'=") for line in lines[1:])
    assert len(lines) == 23


@pytest.mark.slow
def test_every_kind_is_checked_before_any_is_trained(
    finished: Run, copy_of: Callable[[Home], Home], tmp_path: Path
) -> None:
    """A kind with too few labels leaves nothing behind; a recording that is only mentioned may be named."""
    home, path = copy_of(finished.home), tmp_path / "labels.csv"
    write_labels(home, path, 60)
    with Warehouse.open(home.published_warehouse()) as warehouse:
        names = warehouse.query(
            "select track_id from marts.track_features where not is_known order by track_id limit 1"
        )
    few = "".join(f"{track_id},mood,{tag}\n" for track_id in names["track_id"] for tag in ("calm", "sad"))
    path.write_text(path.read_text() + few)

    with locked(home), pytest.raises(InputError, match="kind mood: found 0 recordings"):
        learn.learn(home, path, ["metadata"], SMALL, today=DAY)

    assert names.height == 1
    assert not home.tags.exists()


def test_unknown_inputs_are_refused(tmp_path: Path) -> None:
    """Before any work."""
    path = tmp_path / "labels.csv"
    path.write_text("track_id,kind,tag\n")

    done = CliRunner().invoke(main, ["tags", "train", str(path), "--inputs", "sound,scent"])

    assert done.exit_code == 2
    assert "--inputs names 'scent'; expected some of sound, metadata, lyrics, listening" in done.stderr
