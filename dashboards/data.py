"""
The pages' only door to data: named queries, and public functions of `recsys`.

Every answer is kept for as long as the file that gave it is current: a new release is a new file, thus a new key. The
file is chosen from who is looking (`access.viewer`), never from what a page or a link asks for. What reads more than
that one file is for operators, and says so.
"""

import hashlib
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl
import streamlit as st

from dashboards import access
from dashboards.access import home
from dashboards.glossary import COMPUTED
from recsys.dataset.interactions import Interactions
from recsys.errors import InputError, SetupError
from recsys.library.music_folders import find_recording
from recsys.library.settings import AudioSettings
from recsys.pipeline.history import past_runs
from recsys.published.explain import candidates as candidates_of
from recsys.published.explain import explain as explain_pair
from recsys.recipe import Recipe, read_recipe
from recsys.releases import registry
from recsys.rerank.base import CandidateSet, RerankContext
from recsys.rerank.what_if import what_if as choose_again
from recsys.warehouse import query
from recsys.warehouse.internal import internal_sql
from recsys.warehouse.query import Warehouse
from recsys.warehouse.sqlfile import SqlFile, quoted, read_queries

if TYPE_CHECKING:
    from recsys.matching.report import Found
    from recsys.published.similar import Sound
    from recsys.search.vector_index import Index

N_ANSWERS, N_FILES = 2_000, 16  # kept at a time
N_ROWS = 10_000  # of an answer on the SQL page
LIMIT_S = 30  # of a question; a longer one is stopped, whoever asks
N_CANDIDATES = 50  # of a listener, that are shown beside the list
MARK = Path(__file__).parent / "static" / "mark.svg"


@st.cache_resource(max_entries=N_FILES, show_spinner=False, on_release=Warehouse.close)
def _opened(path: Path) -> Warehouse:
    return Warehouse.open(path)


def _file() -> Path:
    return access.viewer().warehouse.resolve()


def is_operator() -> bool:
    """Say whether the viewer may see everything."""
    return access.viewer().label_id is None


def _operators_only() -> None:
    if not is_operator():
        raise InputError("This is for operators. Ask yours")


@st.cache_data(max_entries=N_ANSWERS, show_spinner="Asking the warehouse")
def _answer(path: Path, name: str, given: dict[str, str]) -> pl.DataFrame:
    return query.run_query(_opened(path), name, given, limit_s=LIMIT_S)


def run_query(name: str, **params: object) -> pl.DataFrame:
    """
    Answer a query of `sql/queries`, from memory where it was asked before.

    Raises:
        InputError: The query has no such parameter, or lacks one.
        UnknownIds: There is no such query.
    """
    return _answer(_file(), name, {key: str(value) for key, value in params.items()})


@st.cache_data(max_entries=N_FILES, show_spinner=False)
def _meanings(path: Path) -> dict[tuple[str, str], str]:
    rows = _opened(path).query(internal_sql("column_meanings"))
    return {
        (table, name): f"{meaning} [{unit}]" if unit else meaning for table, name, meaning, unit in rows.iter_rows()
    }


def meaning(table: str, column: str) -> str | None:
    """Return what a column of a mart, or what a query computes of it, means, for whoever points at its name."""
    return _meanings(_file()).get((f"marts.{table}", column), COMPUTED.get(column) if table else None)


@st.cache_data(max_entries=N_FILES, show_spinner=False)
def _as_of(path: Path) -> date:
    day: date = _opened(path).query(internal_sql("as_of")).item()
    return day


def as_of() -> date:
    """Return the last day that the viewer's file counts."""
    return _as_of(_file())


def last_sunday() -> date:
    """Return the last day of the last whole week."""
    return as_of() - timedelta(days=(as_of().weekday() + 1) % 7)


def sql(text: str) -> pl.DataFrame:
    """
    Answer one query on the viewer's file, its first N_ROWS rows; nothing else can be read or written.

    Raises:
        InputError: It is not one query, DuckDB's own words say what is wrong, or it took longer than LIMIT_S.
    """
    return _opened(_file()).question(text, n_rows=N_ROWS, limit_s=LIMIT_S)


def dictionary() -> pl.DataFrame:
    """List the tables that the viewer can read: name, grain, rows and description."""
    return query.tables(_opened(_file()))


def described(table: str) -> tuple[dict[str, Any], pl.DataFrame]:
    """Describe a table: name, description, grain, n_rows, reads and read_by; and its columns: type, unit, meaning."""
    about, columns = query.describe(_opened(_file()), table)
    return about.row(0, named=True), columns


@st.cache_data(max_entries=N_FILES, show_spinner=False)
def _answerable(path: Path) -> list[str]:
    tables = _opened(path).query("select concat(schema_name, '.', table_name) as name from duckdb_tables()")
    known = set(tables["name"])
    return [name for name, file in read_queries().items() if file.sources <= known]


def saved_queries() -> dict[str, SqlFile]:
    """Return the queries of `sql/queries` that the viewer's file can answer, by name."""
    files_of = read_queries()
    return {name: files_of[name] for name in _answerable(_file())}


@st.cache_resource(max_entries=2, show_spinner="Opening the index")
def _index(folder: Path) -> "Index":
    from recsys.search.vector_index import Index  # noqa: PLC0415 - sound is an extra

    return Index.load(folder)


def similar(
    like: "str | Sound", *, tags: list[str], key: str, mode: str, tempo: tuple[int, int], k: int = 20
) -> pl.DataFrame:
    """
    List what sounds most like a recording, among those that the viewer may see.

    Args:
        like: The id of one that was heard, or the sound of a file.
        tags: Words that all must be heard in it; '' is none.
        key: Its tonic, any where ''.
        mode: major or minor, any where ''.
        tempo: Lowest and highest [1/min].
        k: How many.
    """
    from recsys.published.similar import sounds_like  # noqa: PLC0415 - sound is an extra
    from recsys.search.by_sound import ListLimits  # noqa: PLC0415

    asked = [f"list_contains(tags, {quoted(tag)})" for tag in tags if tag]
    asked += [f"{column} = {quoted(value)}" for column, value in (("key", key), ("mode", mode)) if value]
    asked.append(f"tempo between {tempo[0]} and {tempo[1]}")
    index = _index(registry.index_folder(home()).resolve())
    return sounds_like(_opened(_file()), index, like, ListLimits(k), where=" and ".join(asked))


@st.cache_resource(max_entries=N_FILES, show_spinner="Listening to the file")
def _heard(settings: AudioSettings, name: str, sha256: str, _content: bytes) -> "Sound":  # noqa: ARG001 - for the key
    from recsys.published.similar import heard as heard_file  # noqa: PLC0415 - sound is an extra

    with _dropped(name, _content) as file:
        return heard_file(file, settings)


def heard(name: str, content: bytes) -> "Sound":
    """
    Hear a file that somebody dropped, in a process with limits; it is thrown away afterwards.

    Raises:
        InputError: Nothing of it can be heard.
    """
    return _heard(_recipe().audio, Path(name).name, hashlib.sha256(content).hexdigest(), content)


@contextmanager
def _dropped(name: str, content: bytes) -> Iterator[Path]:
    """Write a dropped file for as long as it is heard; where that fails, its folder is nobody's business."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / name
        path.write_bytes(content)
        try:
            yield path
        except InputError as wrong:
            raise InputError(str(wrong).replace(str(path), name)) from wrong


def sound_of(track_id: str) -> Path | None:
    """Return the file of a recording, None where it is not on this machine."""
    found = run_query("audio_file", track_id=track_id)
    return None if found.is_empty() else find_recording(home(), *found.row(0))


def _recipe() -> Recipe:
    own = home().path / "recipe.toml"
    return read_recipe(own if own.exists() else None)


@st.cache_resource(max_entries=N_FILES, show_spinner="Listening to the file and looking it up")
def _found(path: Path, name: str, sha256: str, _content: bytes) -> "Found":  # noqa: ARG001 - release and bytes, as key
    from recsys.published import matching  # noqa: PLC0415 - sound is an extra

    with _dropped(name, _content) as file:
        return matching.match(home(), file, _recipe()).by_name()


def matches(name: str, content: bytes) -> "Found":
    """
    Find the viewer's recordings in a file that somebody dropped; it is thrown away afterwards.

    Raises:
        InputError: No recording was scanned yet.
    """
    sha256 = hashlib.sha256(content).hexdigest()
    found = _found(home().published_warehouse(), Path(name).name, sha256, content)
    if is_operator():
        return found
    return found.of_tracks(_opened(_file()).query(internal_sql("track_ids"))["track_id"].to_list())


def match_reports(found: "Found") -> Callable[[str], bytes]:
    """Return what writes what was found as `html`, `csv` or `json`."""
    from recsys.published import matching  # noqa: PLC0415 - sound is an extra

    def written(form: str) -> bytes:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / f"matches.{form}"
            matching.report(home(), found, form, path, _recipe())
            return path.read_bytes()

    return written


def _export() -> Path:
    _operators_only()
    release = registry.current(home())
    if release is None or release.export is None:
        raise SetupError("No lists are published yet. Run: recsys nightly")
    return release.export


def candidates(user_id: str) -> pl.DataFrame:
    """List a listener's N_CANDIDATES best candidates and their places (see `published.explain`). Operators only."""
    _operators_only()
    return candidates_of(home(), user_id, N_CANDIDATES)


@st.cache_data(max_entries=100, show_spinner="Asking the model in charge")
def _explained(path: Path, user_id: str, track_id: str) -> pl.DataFrame:  # noqa: ARG001 - the release, for the key
    return explain_pair(home(), user_id, track_id).contributions


def explain(user_id: str, track_id: str) -> pl.DataFrame:
    """List what each of a listener's tracks says for or against another one. Operators only."""
    _operators_only()
    return _explained(_file(), user_id, track_id)


@st.cache_resource(max_entries=1, show_spinner="Reading the night's candidates")
def _night(path: Path, export: Path, k: int) -> CandidateSet:
    warehouse = _opened(path)
    interactions = Interactions.read(warehouse, until=_as_of(path))
    about = RerankContext.of_groups(interactions, warehouse.query(internal_sql("track_groups")))
    return CandidateSet.of(pl.read_parquet(export / "candidates.parquet"), about, k)


@st.cache_data(max_entries=500, show_spinner="Choosing all lists again")
def _what_if(path: Path, export: Path, group: str, target: float) -> dict[str, float]:
    return vars(choose_again(_night(path, export, 20), group, [target])[0])


def what_if(group: str, target: float) -> dict[str, float]:
    """
    Choose all lists again with at least this share of exposure for a group. Operators only.

    Returns:
        See `recsys.rerank.what_if.Outcome`.
    """
    return _what_if(_file(), _export().resolve(), group, target)


def loop_report() -> Path | None:
    """Return the report of `recsys simulate`, None before the first. Operators only."""
    _operators_only()
    return next(iter(sorted((home().path / "reports" / "feedback_loop").glob("*.html"))), None)


def runs() -> pl.DataFrame:
    """List every run, the newest first (see `recsys.pipeline.history`). Operators only."""
    _operators_only()
    return past_runs(home()).reverse()


def card() -> str:
    """Return the card of the model in charge, Markdown. Operators only."""
    _operators_only()
    release = registry.current(home())
    if release is None or release.model is None:
        raise SetupError("No model is in charge yet. Run: recsys nightly")
    return (release.model / "card.md").read_text(encoding="utf-8")
