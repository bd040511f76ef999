"""
Import lists of another recommender into a home, where a recipe names them as the recommender `imported`.

The file has a row per listener and track: user_id (the account's id as delivered, or its pseudonym), track_id, and
rank (from 1) or score (higher is better). Each set of lists has a name and the last day of the listening that it was
made from. A set is never replaced, since a run is a function of its recipe: other lists need another name.
"""

from dataclasses import dataclass
from datetime import date
from pathlib import Path

import polars as pl

from recsys import files
from recsys.errors import InputError
from recsys.experiments.split_tables import read_table, refuse_unless
from recsys.home import Home
from recsys.ingest.pseudonym import listener_key, pseudonyms
from recsys.recommenders.imported import file_of_lists
from recsys.releases.gate import MIN_EVALUATED
from recsys.warehouse.internal import internal_sql
from recsys.warehouse.query import Warehouse

LARGEST_RANK = 100_000


@dataclass(frozen=True)
class ImportedLists:
    """
    What was imported.

    Attributes:
        folder: Folder of the lists, for the recipe.
        until: Last day of the listening from which they were made, as was stated.
        n_listeners: Number of listeners with a list.
        n_rows: Number of stored rows.
        n_unknown_listeners: Number of listeners of the file that the home does not know.
        n_unknown_tracks: Number of tracks of the file that the home does not know.
        n_unheard_tracks: Number of stored tracks that nobody had played by that day. New releases are among them; many
            are a sign that the lists know later days.
    """

    folder: Path
    until: date
    n_listeners: int
    n_rows: int
    n_unknown_listeners: int
    n_unknown_tracks: int
    n_unheard_tracks: int


def import_lists(home: Home, path: Path, name: str, until: date) -> ImportedLists:
    """
    Check a file of lists, and store the rows of known listeners and tracks.

    Args:
        home: A home with a published release; the caller holds its lock.
        path: Parquet file, or TSV with a header line.
        name: Name of the lists: letters, digits, hyphens and underscores.
        until: Last day of the listening from which they were made.

    Raises:
        InputError: The file breaks its contract, fewer than `MIN_EVALUATED` of its listeners are known, there are such
            lists already, or the release ends before `until`.
    """
    target = file_of_lists(_folder(home, name), until)
    if target.exists():
        raise InputError(f"There are lists of {name} up to {until} already; expected new ones. Give another --name")
    given = _ranked(path, _read(path))
    with Warehouse.open(home.published_warehouse()) as warehouse:
        last = warehouse.query(internal_sql("as_of")).item()
        if until > last:
            raise InputError(f"--until is {until}, expected a day up to {last}, the last one of the release")
        listeners = warehouse.query(internal_sql("listeners"))["user_id"]
        tracks = warehouse.query(internal_sql("track_ids"))["track_id"]
        heard = warehouse.query(internal_sql("heard_by"), {"until": until})["track_id"]
    own = given.with_columns(user_id=_known_ids(home, given["user_id"], listeners))
    of_known = own.filter(pl.col("user_id").is_in(listeners.implode()))
    kept = of_known.filter(pl.col("track_id").is_in(tracks.implode()))
    _refuse_few(path, kept["user_id"].n_unique(), given["user_id"].n_unique())
    _refuse_repeated(path, own)
    files.write_atomically(target, kept.select("user_id", "track_id", "rank").write_parquet)
    return ImportedLists(
        folder=target.parent,
        until=until,
        n_listeners=kept["user_id"].n_unique(),
        n_rows=kept.height,
        n_unknown_listeners=own["user_id"].n_unique() - of_known["user_id"].n_unique(),
        n_unknown_tracks=_n_missing(given["track_id"], tracks),
        n_unheard_tracks=_n_missing(kept["track_id"], heard),
    )


def _folder(home: Home, name: str) -> Path:
    if not name.replace("-", "").replace("_", "").isalnum() or not name.isascii():
        raise InputError(f"--name is {name!r}, expected letters, digits, hyphens and underscores")
    return (home.lists / name).absolute()


def _read(path: Path) -> pl.DataFrame:
    if not path.is_file():
        raise InputError(f"There is no file {path}; expected Parquet or TSV with user_id, track_id, and rank or score")
    table = read_table(path, "user_id", "track_id")
    if not {"rank", "score"} & {*table.columns}:
        raise InputError(
            f"{path}: found the columns {', '.join(table.columns)}, expected rank (from 1) or score. Add one of them"
        )
    repeated = table.select("user_id", "track_id").is_duplicated()
    refuse_unless(~repeated, path, table["track_id"], "each track once per listener")
    return table


def _ranked(path: Path, table: pl.DataFrame) -> pl.DataFrame:
    """Return user_id, track_id, rank (Int32); of equal scores, the earlier row comes first."""
    if "rank" not in table.columns:
        scores = table["score"].cast(pl.Float64, strict=False)
        refuse_unless(scores.is_finite(), path, table["score"], "a number")
        place = pl.col("score").rank("ordinal", descending=True).over("user_id").cast(pl.Int32)
        return table.with_columns(score=scores).with_columns(rank=place)
    ranks = table["rank"].cast(pl.Float64, strict=False)
    is_rank = (ranks == ranks.floor()) & ranks.is_between(1, LARGEST_RANK)
    refuse_unless(is_rank, path, table["rank"], f"a whole number from 1 to {LARGEST_RANK:,}")
    whole = table.with_columns(rank=ranks.cast(pl.Int32))
    refuse_unless(~whole.select("user_id", "rank").is_duplicated(), path, table["rank"], "each rank once per listener")
    return whole


def _known_ids(home: Home, user_ids: pl.Series, known: pl.Series) -> pl.Series:
    """Return the pseudonyms of ids that are accounts; ids of listeners whom the home knows stay."""
    accounts = user_ids.filter(~user_ids.is_in(known.implode())).unique()
    if accounts.is_empty():
        return user_ids
    key = listener_key(home.key_file)
    names = pl.Series(pseudonyms(accounts.str.strip_chars().to_list(), key), dtype=pl.String)
    return user_ids.replace(accounts, names)


def _refuse_few(path: Path, n_known: int, n_given: int) -> None:
    if n_known < MIN_EVALUATED:
        raise InputError(
            f"{path}: found {n_known:,} listeners of this home with a track of its catalogue among {n_given:,}, "
            f"expected at least {MIN_EVALUATED}: with fewer, the gate cannot compare. Use the ids of the delivered "
            "files, or those of the exports"
        )


def _refuse_repeated(path: Path, own: pl.DataFrame) -> None:
    """Raise InputError if a listener stands in the file by account and by pseudonym."""
    repeated = own.select("user_id", "track_id").is_duplicated() | own.select("user_id", "rank").is_duplicated()
    refuse_unless(~repeated, path, own["user_id"], "each listener under one id")


def _n_missing(ids: pl.Series, known: pl.Series) -> int:
    unique = ids.unique()
    return int((~unique.is_in(known.implode())).sum())
