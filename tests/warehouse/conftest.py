"""A small world of rows that can be counted by hand, and warehouses built from it."""

import shutil
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import polars as pl
import pytest

from recsys.home import Home
from recsys.ingest.pseudonym import listener_key, pseudonym
from recsys.ingest.run import ingest
from recsys.ingest.settings import IngestSettings
from recsys.installation.paths import SQL_FOLDER
from recsys.lake.store import Lake
from recsys.pipeline.plan import result_tables
from recsys.warehouse import build as building
from recsys.warehouse.build import Sources, build
from recsys.warehouse.increment import stale_days
from recsys.warehouse.query import Warehouse

TODAY = date(2026, 2, 28)
AS_OF = date(2026, 1, 31)
FREE = "CC0-1.0"


@dataclass(frozen=True)
class Place:
    """A home, and a folder for source files and warehouses."""

    home: Home
    folder: Path

    def take(self, name: str, content: str, licence: str | None = None) -> None:
        """Write a source file and ingest it; lyrics with the licence FREE are kept."""
        path = self.folder / name
        path.write_text(content)
        ingest(self.home, [path], today=TODAY, licence=licence, settings=IngestSettings(keep_texts_of=(FREE,)))

    def build(
        self,
        name: str,
        *,
        as_of: date = AS_OF,
        previous: Path | None = None,
        backfill: tuple[date, date] | None = None,
        sql: Path = SQL_FOLDER,
        only: Collection[str] = (),
    ) -> Path:
        """Build `<name>.duckdb` with all tables or only some, and return its path."""
        target = self.folder / f"{name}.duckdb"
        sources = Sources(Lake(self.home), as_of, results=result_tables(), previous=previous, backfill=backfill)
        build(target, sources, sql=sql, only=only, memory="1GB")
        return target

    def listener(self, account: str) -> str:
        """Return the pseudonym of an account in this home."""
        return pseudonym(account, listener_key(self.home.key_file))


def place_in(folder: Path) -> Place:
    """Make an empty home in a folder."""
    return Place(Home(folder / "home"), folder)


@pytest.fixture
def place(tmp_path: Path) -> Place:
    """Return an empty home."""
    return place_in(tmp_path)


def rows(path: Path, query: str) -> list[tuple[object, ...]]:
    """Return the rows of a query on a warehouse file."""
    with Warehouse.open(path) as warehouse:
        return warehouse.query(query).rows()


LISTENS = """user_id,track_id,listened_at,ms_played,skipped
ann,t1,2026-01-05T10:00:00Z,200000,false
ann,t1,2026-01-06T10:00:00Z,200000,false
ann,t2,2026-01-06T11:00:00Z,5000,true
bob,t1,2026-01-11T23:59:59Z,60000,
bob,t3,2026-01-12T00:00:00Z,60000,
bob,stub,2026-01-12T09:00:00Z,60000,
"""
EVENTS = """user_id,track_id,event_at,event
ann,t1,2026-01-06T10:03:00Z,like
cyd,t3,2026-01-01T08:00:00Z,save
"""
TRACKS = """track_id,title,artist_id,label_id,release_date,duration_ms,isrc,genres,training_consent
t1,One,ar1,la1,2020-05-01,200000,USRC17600001,rock|pop,granted
t2,Two,ar1,la1,2020-05-01,180000,USRC17600002,rock,granted
t3,Three,ar2,la1,2026-01-10,240000,USRC17600003,jazz,granted
"""
ARTISTS = "artist_id,name,gender,artist_type,country\nar1,Ada,female,person,DE\nar2,Bix,male,person,US\n"
LABELS = "label_id,name,label_type,country\nla1,Small Hours,independent,DE\n"
USERS = "user_id,gender,age_band,country\nann,female,25-34,DE\neve,nonbinary,65+,FR\n"
PLAYLISTS = "playlist_id,position,track_id,user_id,title\np1,1,t1,fay,Mix\np1,2,onlist,fay,Mix\n"
WORLD = {
    "listens": LISTENS,
    "events": EVENTS,
    "tracks": TRACKS,
    "artists": ARTISTS,
    "labels": LABELS,
    "users": USERS,
    "playlists": PLAYLISTS,
}


def with_world(place: Place) -> Place:
    """Ingest the rows above into a home."""
    for name, content in WORLD.items():
        place.take(f"{name}.csv", content)
    return place


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory) -> Place:
    """Return a shared home with the rows above; tests only read it."""
    return with_world(place_in(tmp_path_factory.mktemp("world")))


@pytest.fixture
def grown(world: Place, tmp_path: Path) -> Place:
    """Return a copy of that home, which a test may change."""
    shutil.copytree(world.home.path, tmp_path / "home")
    return place_in(tmp_path)


@pytest.fixture(scope="session")
def built(world: Place) -> Path:
    """Return a warehouse of the rows above."""
    return world.build("built")


@pytest.fixture
def warehouse(built: Path) -> Iterator[Warehouse]:
    """Return the same warehouse, open for reading."""
    with Warehouse.open(built) as opened:
        yield opened


@pytest.fixture
def planned(monkeypatch: pytest.MonkeyPatch) -> dict[str, list[str]]:
    """Return the plan of the last build: the stale days of each table that it updated incrementally."""
    plan: dict[str, list[str]] = {}

    def spy(*args: object, **options: object) -> object:
        plan.clear()
        found = stale_days(*args, **options)  # type: ignore[arg-type]
        plan.update({name: [str(day) for day in days] for name, days in found.items()})
        return found

    monkeypatch.setattr(building, "stale_days", spy)
    return plan


def frame_of(content: str) -> pl.DataFrame:
    """Return a CSV text as a frame."""
    return pl.read_csv(content.encode())
