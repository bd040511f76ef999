"""Simulate a world from its settings and write it: raw files, which include invalid rows, and the truth file."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl

from recsys.demo.breakout_truth import weekly_listeners
from recsys.demo.catalogue import Catalogue, make_catalogue
from recsys.demo.chart import chart_table, chart_truths
from recsys.demo.copies import plant_duplicates
from recsys.demo.events import make_events, playlist_table
from recsys.demo.files import write_table
from recsys.demo.licences import make_licences
from recsys.demo.listeners import Listeners, make_listeners
from recsys.demo.listening import choose_tracks
from recsys.demo.lyrics import FREE_LICENCE, Sung, delivery, plant_lyrics
from recsys.demo.music import write_recordings
from recsys.demo.planted_breakouts import PlantingState, plant_breakouts
from recsys.demo.playing import Listens, play
from recsys.demo.rights import make_registry, registry_tables
from recsys.demo.sessions import make_sessions, market_days
from recsys.demo.sounds import Sounds, plant_sounds
from recsys.demo.tables import event_table, listen_chunks, months, shuffled, user_table
from recsys.demo.truth import breakout_truths, invalid_row_truths, market_day_truths, write_truth
from recsys.demo.world import Truth, World
from recsys.demo.wrong_metadata import Tables, add_wrong_metadata

RECIPE = f"""# Keys that are missing here are those of recsys/default.toml.

[ingest]
keep_texts_of = ["{FREE_LICENCE}"]  # our own verses; of the others neither texts nor vectors are kept
"""


@dataclass(frozen=True, slots=True)
class WorldSummary:
    """The files of a written world: raw files, number of valid rows per table, and path of the truth file."""

    files: tuple[Path, ...]
    rows: Mapping[str, int]
    truth: Path


@dataclass(frozen=True, slots=True)
class SimulatedWorld:
    """A world before it is written: catalogue and tables, listeners, log, sound and words, and the planted facts."""

    catalogue: Catalogue
    tables: Tables
    listeners: Listeners
    listens: Listens
    sounds: Sounds
    sung: dict[str, Sung]
    truths: list[Truth]


def write_world(folder: Path, world: World) -> WorldSummary:
    """
    Write a demo world: raw files into `folder/raw`, the planted facts into `folder/truth.jsonl`.

    A recipe that keeps the lyrics of their free licence, so that their meaning can be searched, is written into
    `folder/home` unless there is one.

    Args:
        folder: Output folder, created if missing; files of an earlier world are replaced.
        world: Settings; the same settings give the same bytes.

    Returns:
        The files, the rows per table and the path of the truth file.
    """
    simulated = simulate(world)
    raw = folder / "raw"
    raw.mkdir(parents=True, exist_ok=True)
    writer = _Writer(world, raw)
    _write_log(world, simulated, writer)
    _write_tables(world, simulated, writer)
    sounds = write_recordings(world, simulated.catalogue.tracks.ids, simulated.sounds, raw / "audio")
    writer.truths += sounds
    _write_lyrics(world, simulated, sounds, writer)
    _write_rights(world, simulated, writer)
    _write_recipe(folder / "home" / "recipe.toml")
    truth = folder / "truth.jsonl"
    write_truth(truth, simulated.truths + writer.truths)
    return WorldSummary(tuple(writer.files), dict(writer.rows), truth)


def simulate(world: World) -> SimulatedWorld:
    """Simulate a world and plant all facts in it."""
    catalogue = make_catalogue(world, world.rng("catalogue"))
    listeners = make_listeners(world, world.rng("listeners"))
    lifted_days = market_days(world, world.rng("market days"))
    sessions = make_sessions(world, listeners, lifted_days, world.rng("sessions"))
    choices = choose_tracks(world, catalogue, listeners, sessions, world.rng("listening"))
    day = sessions.first_day[choices.session]
    state = PlantingState(catalogue, listeners, choices, day, np.ones(len(catalogue.tracks.ids), dtype=bool))
    state = plant_breakouts(world, state, world.rng("rises"))
    state, truths = plant_duplicates(world, state, world.rng("copies"))
    state, sounds = plant_sounds(world, state, world.rng("sounds"))
    state, sung = plant_lyrics(world, state, sounds.rows, world.rng("lyrics"))
    catalogue = state.catalogue
    listens = play(world, catalogue.tracks, listeners, world.rng("playing"), sessions=sessions, choices=state.choices)
    n_tracks = len(catalogue.tracks.ids)
    heard_early = np.bincount(listens.track[listens.day < 30], minlength=n_tracks)
    tables, wrong = add_wrong_metadata(world, catalogue, state.unused, heard_early, world.rng("wrong metadata"))
    weekly = weekly_listeners(listens.track, listens.listener, listens.day, n_tracks=n_tracks, n_days=world.n_days)
    rise_truths = breakout_truths(world, state.planted, weekly, catalogue.tracks, listeners.ids)
    truths = [*rise_truths, *market_day_truths(world, lifted_days), *truths, *wrong]
    return SimulatedWorld(catalogue, tables, listeners, listens, sounds, sung, truths)


def _write_recipe(path: Path) -> None:
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(RECIPE, encoding="utf-8")


class _Writer:
    """Writes files one by one and counts: files, valid rows per table, invalid rows per file."""

    def __init__(self, world: World, raw: Path) -> None:
        self._world = world
        self._raw = raw
        self.files: list[Path] = []
        self.rows: dict[str, int] = {}
        self.truths: list[Truth] = []

    def write(self, file: str, table: str, chunks: Iterable[pl.DataFrame]) -> None:
        """Write one file of a table."""
        path = self._raw / file
        counts = write_table(path, table, self._counted(table, chunks), self._world.rng(f"dirt {file}"))
        self.files.append(path)
        self.truths += invalid_row_truths(table, file, counts)

    def write_valid(self, file: str, table: str, frame: pl.DataFrame) -> None:
        """Write a file of JSON Lines without invalid rows."""
        path = self._raw / file
        frame.write_ndjson(path)
        self.files.append(path)
        self.rows[table] = len(frame)

    def _counted(self, table: str, chunks: Iterable[pl.DataFrame]) -> Iterable[pl.DataFrame]:
        for frame in chunks:
            self.rows[table] = self.rows.get(table, 0) + len(frame)
            yield frame


def _write_log(world: World, simulated: SimulatedWorld, writer: _Writer) -> None:
    for month in months(world, simulated.listens):
        rng = world.rng(month.file)
        chunks = listen_chunks(world, simulated.catalogue, simulated.listeners, simulated.listens, month=month, rng=rng)
        writer.write(month.file, "listens", chunks)


def _write_tables(world: World, simulated: SimulatedWorld, writer: _Writer) -> None:
    catalogue, listeners = simulated.catalogue, simulated.listeners
    events = make_events(world, simulated.listens, world.rng("events"))
    rng = world.rng("tables")
    writer.write("events.jsonl.zst", "events", [event_table(world, catalogue, listeners, events)])
    writer.write("tracks.jsonl.gz", "tracks", [shuffled(simulated.tables.tracks, rng)])
    writer.write("artists.csv", "artists", [shuffled(simulated.tables.artists, rng)])
    writer.write("labels.csv", "labels", [shuffled(simulated.tables.labels, rng)])
    writer.write("users.jsonl", "users", [shuffled(user_table(listeners, rng), rng)])
    playlists = playlist_table(world, catalogue, listeners.ids, events, world.rng("playlists"))
    writer.write("playlists.csv.gz", "playlists", [playlists])
    chart = chart_table(world, catalogue, simulated.listens, world.rng("chart"))
    writer.write("charts.csv", "charts", [chart.drop("track_id")])
    writer.truths += chart_truths(chart)


def _write_rights(world: World, simulated: SimulatedWorld, writer: _Writer) -> None:
    """Write the registry of rights, and licences."""
    registry = make_registry(simulated.tables.tracks, world.as_of, world.n_rights_conflicts, world.rng("rights"))
    for table, rows in registry_tables(registry).items():
        writer.write_valid(f"{table}.jsonl", table, rows)
    licences, truths = make_licences(
        simulated.tables.tracks,
        np.unique(simulated.catalogue.tracks.ids[simulated.listens.track]).tolist(),
        world.as_of,
        world.n_rights_conflicts,
        world.rng("licences"),
    )
    writer.write_valid("licences.jsonl", "licences", licences)
    writer.truths += registry.truths + truths


def _write_lyrics(world: World, simulated: SimulatedWorld, sounds: list[Truth], writer: _Writer) -> None:
    """Write the lyrics, if there are any."""
    if simulated.sung:
        lyrics, truths = delivery(simulated.sung, simulated.tables.tracks, sounds, world.rng("delivery of lyrics"))
        writer.write_valid("lyrics.jsonl", "lyrics", lyrics)
        writer.truths += truths
