"""Print what a backup or a restore did, or would do."""

from collections.abc import Mapping
from pathlib import Path

import click

from recsys.backup.create import Backup, Plan
from recsys.backup.manifest import Manifest
from recsys.backup.restore import Restored
from recsys.backup.store import BackupStore
from recsys.errors import SetupError
from recsys.files import printable
from recsys.home import Home


def planned(home: Home, plan: Plan) -> None:
    """Print the files that a backup would read."""
    for path in plan.changed:
        click.echo(f"{path.stat().st_size:>15,}  {printable(path.relative_to(home.path).as_posix())}")
    known = sum(file.n_bytes for file in plan.known)
    click.echo(
        f"To read: {_size(len(plan.changed), plan.n_bytes)}; of these, new contents are copied. Unchanged since the "
        f"last backup: {_size(len(plan.known), known)}"
    )
    _left_out(plan.left_out)


def finished(backup: Backup) -> None:
    """Print what a backup has; raises SetupError if snapshots cannot be restored."""
    click.echo(
        f"Snapshot {backup.name}: {_size(backup.n_files, backup.n_bytes)}; "
        f"copied: {_size(backup.n_copied, backup.n_copied_bytes)}"
    )
    _left_out(backup.left_out)
    if backup.removed:
        click.echo(f"Removed: {', '.join(backup.removed)}")
    if backup.incomplete:
        raise SetupError(
            f"These snapshots lack contents that were damaged, and cannot be restored: {', '.join(backup.incomplete)}. "
            "The new snapshot is complete"
        )


def snapshots(target: Path) -> None:
    """Print the snapshots of a folder of backups, the oldest first."""
    store = BackupStore(target)
    store.require()
    for name in store.snapshots():
        snapshot = store.read(name)
        click.echo(f"{name}  {_size(len(snapshot.files), snapshot.n_bytes)}")


def verified(name: str, snapshot: Manifest) -> None:
    """Print the files of a snapshot, all of which were read."""
    for file in snapshot.files:
        click.echo(f"{file.n_bytes:>15,}  {printable(file.path)}")
    click.echo(f"Snapshot {name} can be restored: {_size(len(snapshot.files), snapshot.n_bytes)}, all checksums agree")


def restored(home: Home, done: Restored) -> None:
    """Print what was restored, and what is still to do."""
    click.echo(f"{home.path} is snapshot {done.name}: {_size(done.n_files, done.n_bytes)}, all checksums agree")
    if done.erased_again:
        click.echo("Listeners who were erased after the snapshot are erased again")
    if not done.has_key:
        click.echo(f"Put your copy of listener.key at {home.key_file} (mode 600) before the next ingest")


def _left_out(left_out: Mapping[str, int]) -> None:
    if left_out:
        names = ", ".join(f"{name} ({n:,} file{'' if n == 1 else 's'})" for name, n in left_out.items())
        click.echo(f"Left out: {names}")


def _size(n_files: int, n_bytes: int) -> str:
    return f"{n_files:,} file{'' if n_files == 1 else 's'}, {n_bytes:,} bytes"
