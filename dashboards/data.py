"""
The pages' only door to data: named queries, and public functions of `recsys`.

Every answer is kept for as long as the file that gave it is current: a new release is a new file, thus a new key. The
file is chosen from who is looking (`viewer`), never from what a page or a link asks for.
"""

import os
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import polars as pl
import streamlit as st

from recsys.home import Home
from recsys.warehouse import query
from recsys.warehouse.query import Warehouse

N_ANSWERS, N_FILES = 2_000, 16  # kept at a time
MARK = Path(__file__).parent / "static" / "mark.svg"


@dataclass(frozen=True)
class Viewer:
    """Who is looking: a name to show, the label they are limited to (None: an operator) and the file they may read."""

    name: str
    label_id: str | None
    warehouse: Path


def home() -> Home:
    """Return the home whose release is shown: `RECSYS_HOME`."""
    return Home(Path(os.environ.get("RECSYS_HOME", "data/home")).absolute())


def viewer() -> Viewer:
    """Say who is looking."""
    return Viewer("Operator", None, home().published_warehouse())


@st.cache_resource(max_entries=N_FILES, show_spinner=False, on_release=Warehouse.close)
def _opened(path: Path) -> Warehouse:
    return Warehouse.open(path)


def warehouse() -> Warehouse:
    """Return the viewer's file, open for reading, shared by everybody who reads the same one."""
    return _opened(viewer().warehouse.resolve())


@st.cache_data(max_entries=N_ANSWERS, show_spinner="Asking the warehouse")
def _answer(path: Path, name: str, given: dict[str, str]) -> pl.DataFrame:
    return query.ask(_opened(path), name, given)


def ask(name: str, **params: object) -> pl.DataFrame:
    """
    Answer a query of `sql/queries`, from memory where it was asked before.

    Raises:
        InputError: The query has no such parameter, or lacks one.
        UnknownIds: There is no such query.
    """
    given = {key: str(value) for key, value in params.items()}
    return _answer(viewer().warehouse.resolve(), name, given)


@st.cache_data(max_entries=N_FILES, show_spinner=False)
def _meanings(path: Path) -> dict[tuple[str, str], str]:
    rows = _opened(path).frame("select table_name, name, meaning, unit from meta.columns")
    return {
        (table, name): f"{meaning} [{unit}]" if unit else meaning for table, name, meaning, unit in rows.iter_rows()
    }


def meaning(table: str, column: str) -> str | None:
    """Return what a mart's header says of a column, for whoever points at its name; None where it says nothing."""
    return _meanings(viewer().warehouse.resolve()).get((f"marts.{table}", column))


def as_of() -> date:
    """Return the last day that the viewer's file counts."""
    return _as_of(viewer().warehouse.resolve())


@st.cache_data(max_entries=N_FILES, show_spinner=False)
def _as_of(path: Path) -> date:
    day: date = _opened(path).frame("select as_of from meta.build").item()
    return day
