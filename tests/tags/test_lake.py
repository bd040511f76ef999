"""From a file of labels to the mart: tags enter the lake, earlier ones are taken back, doubts are reviewed."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import polars as pl
import pytest

from recsys import files
from recsys.cleaning.review import decide
from recsys.cli.show import tags as show
from recsys.home import Home, locked
from recsys.lake.store import Lake
from recsys.pipeline.run import Run
from recsys.tags import learn
from recsys.tags.doubts import doubts_of
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
    build(target, Sources(Lake(home), DAY), only={"marts.track_tags"})
    with Warehouse.open(target) as warehouse:
        return warehouse.query("select * from marts.track_tags order by track_id, tag")


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


def test_a_doubted_genre_can_be_rejected(finished: Run, copy_of: Callable[[Home], Home], tmp_path: Path) -> None:
    """Before the first training there are no doubts."""
    assert doubts_of(finished.home).is_empty()
    assert callable(decide)
