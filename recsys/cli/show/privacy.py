"""Print what was erased, or is held, of one listener."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from recsys.erasure.erase import Erased


def erased(found: Sequence[Erased], report: Path) -> None:
    """Print files and rows by store, and where the proof is."""
    _table({store.store: (store.n_files, store.n_rows) for store in found})
    if not any(store.n_rows for store in found):
        click.echo("Nothing was stored of this listener; later deliveries will leave them out")
    click.echo(f"Proof: {report}")


def held(found: Mapping[str, Mapping[str, Sequence[Any]]], out: Path) -> None:
    """Print files and rows by store, and where the rows are."""
    _table({store: (len(files), sum(map(len, files.values()))) for store, files in found.items()})
    click.echo(f"Rows: {out}")


def _table(counts: Mapping[str, tuple[int, int]]) -> None:
    click.echo(f"{'store':<28}{'files':>8}{'rows':>10}")
    for store, (n_files, n_rows) in counts.items():
        click.echo(f"{store:<28}{n_files:>8,}{n_rows:>10,}")
