"""Commands that back a home up and restore it."""

from pathlib import Path

import click

from recsys.cli.options import now
from recsys.home import Home

_FOLDER = click.Path(path_type=Path, file_okay=False)
_FILE = click.Path(path_type=Path, dir_okay=False)


@click.command()
@click.argument("target", type=_FOLDER)
@click.option("--keep", type=click.IntRange(min=1), help="Keep only the newest KEEP backups. [default: all]")
@click.option("--with-key", is_flag=True, help="Include listener.key: with it, a backup tells who listeners are.")
@click.option("--verify", is_flag=True, help="Read all of TARGET first, and copy anew what is damaged there.")
@click.option("--dry-run", is_flag=True, help="List the files that would be read, and change nothing.")
@click.pass_obj
def backup(home: Home, target: Path, keep: int | None, with_key: bool, verify: bool, dry_run: bool) -> None:
    """Back the home up to the folder TARGET: what is new since the last backup is copied."""
    from recsys.backup.create import back_up, plan
    from recsys.cli.show import backup as shown

    if dry_run:
        shown.planned(home, plan(home, target, with_key=with_key))
        return
    shown.finished(back_up(home, target, made_at=now(), with_key=with_key, keep=keep, verify=verify))


@click.command()
@click.argument("target", type=_FOLDER)
@click.option("--snapshot", metavar="NAME", help="The backup to restore, as --list names it. [default: the newest]")
@click.option("--key", "key_file", type=_FILE, help="Your copy of listener.key, if TARGET has none.")
@click.option("--erased", "erased_file", type=_FILE, help="A newer erased.txt than the last backup's.")
@click.option("--list", "is_list", is_flag=True, help="List the backups in TARGET.")
@click.option("--dry-run", is_flag=True, help="Read and compare everything, list it, and write nothing.")
@click.pass_obj
def restore(
    home: Home,
    target: Path,
    snapshot: str | None,
    key_file: Path | None,
    erased_file: Path | None,
    is_list: bool,
    dry_run: bool,
) -> None:
    """Restore a backup in TARGET to a new home, the one named by --home."""
    from recsys.backup import restore as restoring
    from recsys.cli.show import backup as shown

    if is_list:
        shown.snapshots(target)
    elif dry_run:
        shown.verified(*restoring.verify(target, snapshot))
    else:
        shown.restored(home, restoring.restore(home, target, snapshot, key_file=key_file, erased_file=erased_file))
