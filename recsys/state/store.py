"""
The file `<home>/state.sqlite`: watchlists, thresholds, saved views, alerts, and the log of operator actions.

Every row belongs to an owner: an account and the label that it sees, so that who moves to another label sees nothing
of the first. Writes are short transactions that wait for one another; a reader sees complete transactions only. The
file is made by the first write, for its owner's eyes alone (mode 0600). Without the file, everything is empty.
"""

import os
import sqlite3
import unicodedata
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from recsys.errors import InputError, SetupError
from recsys.home import Home

APPLICATION_ID = 0x72656373  # "recs" in the header of the file: another program's database is never written to
WAIT_S = 20  # for other writers
MAX_NAME = 100  # characters of a name that a person types
MAX_ID = 1_000  # characters of an id, as in the contracts of the lake
_RESTORE = "Restore it from a backup; or move it away, and watchlists and saved views begin anew"
_SCHEMA = (  # one script per version of the file; a file of an older version gets the scripts that it lacks
    f"""
    create table owners (
        owner_id integer primary key,
        account text not null,
        label_id text not null,  -- '' for an operator
        name text not null,
        address text not null,  -- verified e-mail, '' without
        thresholds text not null,  -- JSON
        unique (account, label_id)
    );
    create table watched (
        owner_id integer not null references owners on delete cascade,
        kind text not null check (kind in ('artist', 'recording')),
        id text not null check (length(id) between 1 and {MAX_ID}),
        since text not null,  -- last day of data when it was added
        primary key (owner_id, kind, id)
    );
    create table views (
        owner_id integer not null references owners on delete cascade,
        name text not null check (length(name) between 1 and {MAX_NAME}),
        page text not null,
        parameters text not null,  -- JSON: name -> value
        primary key (owner_id, name)
    );
    create table alerts (
        owner_id integer not null references owners on delete cascade,
        event text not null,  -- what happened, so that it is reported once
        kind text not null,
        first_day text not null,
        last_day text not null,
        text text not null,
        page text not null,
        parameters text not null,  -- JSON: name -> value
        status text not null check (status in ('shown', 'waiting', 'sent')),
        primary key (owner_id, event)
    );
    create table actions (
        action_id integer primary key,
        done_at text not null,
        account text not null,
        name text not null,
        action text not null,
        subject text not null,
        outcome text not null
    );
    """,
    f"""
    create table practice_takes (
        take_id integer primary key,
        learner text not null check (length(learner) between 1 and {MAX_NAME}),
        piece text not null,
        day text not null,
        pitch real,  -- shares of notes, null where none could be judged
        rhythm real,
        completeness real
    );
    create index practice_takes_by_learner on practice_takes (learner, piece);
    """,
)
VERSION = len(_SCHEMA)


@dataclass(frozen=True)
class Owner:
    """
    Whose rows they are: an account with a label; name and address may change.

    Attributes:
        account: Account of the login, as `recsys.state.access` names it.
        label_id: The label that the account sees; None for an operator.
        name: Name to show.
        address: E-mail address that the login has verified; empty without.
    """

    account: str
    label_id: str | None = None
    name: str = ""
    address: str = ""


class State:
    """The state file of a home."""

    def __init__(self, home: Home) -> None:
        self.path = home.path / "state.sqlite"

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """
        Yield a connection that reads, to an empty database if there is no file.

        Raises:
            SetupError: The file is damaged, of another program or of a newer version, or cannot be opened.
        """
        with self._explained():
            if not self.path.exists():
                with closing(sqlite3.connect(":memory:", isolation_level=None)) as empty:
                    _upgrade(empty)
                    yield empty
                return
            with closing(self._connected("rw" if self._is_writable() else "ro")) as connection:
                if self._version(connection) < VERSION:  # or being made
                    _upgrade_in_transaction(connection)
                yield connection

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """
        Yield a connection in a transaction, which is committed at the end of the block and undone by an exception.

        Raises:
            SetupError: As `reading`; or the home is read-only, the disk is full, or others write for over WAIT_S.
        """
        with self._explained():
            self._create()
            with closing(self._connected("rw")) as connection:
                self._version(connection)
                _upgrade_in_transaction(connection)
                connection.execute("begin immediate")
                with connection:
                    yield connection

    def check(self) -> str:
        """Read the whole file, and return how much it has in words; raises SetupError if it is damaged."""
        if not self.path.exists():
            return "nothing was set in the dashboards yet"
        with self.reading() as connection:
            (found,) = connection.execute("pragma quick_check(1)").fetchone()
            if found != "ok":
                raise SetupError(f"{self.path} is damaged. {_RESTORE}")
            tables = {"watched": "watched", "views": "saved views", "actions": "actions of operators"}
            counts = {table: connection.execute(f"select count(*) from {table}").fetchone()[0] for table in tables}
        return ", ".join(f"{counts[table]:,} {name}" for table, name in tables.items())

    def backup(self, target: Path) -> None:
        """
        Write a consistent copy to a new file, whatever is written meanwhile.

        Raises:
            InputError: There is nothing to copy yet, or the target exists.
        """
        if not self.path.exists():
            raise InputError(f"{self.path} does not exist yet: nothing was set in the dashboards")
        if target.exists():
            raise InputError(f"{target} exists. Choose another file")
        with self.reading() as connection:
            _create_private(target)
            with closing(sqlite3.connect(target)) as copy:
                connection.backup(copy)

    def _create(self) -> None:
        if not self.path.exists():
            self.path.parent.mkdir(parents=True, exist_ok=True)
            _create_private(self.path)

    def _connected(self, mode: str) -> sqlite3.Connection:
        address = f"{self.path.absolute().as_uri()}?mode={mode}"
        connection = sqlite3.connect(address, uri=True, timeout=WAIT_S, isolation_level=None)
        connection.execute("pragma foreign_keys = on")
        connection.execute("pragma secure_delete = on")  # what was removed is overwritten
        return connection

    def _is_writable(self) -> bool:
        return os.access(self.path, os.W_OK) and os.access(self.path.parent, os.W_OK)

    def _version(self, connection: sqlite3.Connection) -> int:
        """Return the version of the file, 0 while it is new; raises SetupError if it is of something else."""
        connection.execute("begin")  # all three are of one moment: another program may be making the file
        with connection:
            (n_tables,) = connection.execute("select count(*) from sqlite_master").fetchone()
            (program,) = connection.execute("pragma application_id").fetchone()
            (version,) = connection.execute("pragma user_version").fetchone()
        if program != APPLICATION_ID and (program or version or n_tables):
            raise SetupError(f"{self.path} is a database of another program. {_RESTORE}")
        if version > VERSION:
            raise SetupError(f"{self.path} has version {version}, this program reads {VERSION}. Update this program")
        return int(version)

    @contextmanager
    def _explained(self) -> Iterator[None]:
        """Replace errors of SQLite and of the machine by a SetupError; broken rules of the schema are bugs."""
        try:
            yield
        except sqlite3.IntegrityError:
            raise
        except sqlite3.OperationalError as refused:
            remedy = _RESTORE if "no such" in str(refused) else "Make it readable and writable, with space on the disk"
            raise SetupError(f"{self.path} could not be used ({refused}). {remedy}") from refused
        except sqlite3.DatabaseError as damaged:
            raise SetupError(f"{self.path} is damaged ({damaged}). {_RESTORE}") from damaged
        except OSError as refused:
            raise SetupError(f"{self.path} could not be used ({refused.strerror}). Make it writable") from refused


def _create_private(path: Path) -> None:
    os.close(os.open(path, os.O_WRONLY | os.O_CREAT, 0o600))


def _upgrade_in_transaction(connection: sqlite3.Connection) -> None:
    """Make the tables that a new or older file lacks, once, even if several programs begin at the same time."""
    if connection.execute("pragma user_version").fetchone()[0] < VERSION:
        connection.execute("begin immediate")
        with connection:
            _upgrade(connection)


def _upgrade(connection: sqlite3.Connection) -> None:
    (version,) = connection.execute("pragma user_version").fetchone()
    for script in _SCHEMA[version:]:
        for statement in filter(str.strip, script.split(";\n")):
            connection.execute(statement)
    connection.execute(f"pragma application_id = {APPLICATION_ID}")
    connection.execute(f"pragma user_version = {VERSION}")


def clean_name(text: str, what: str) -> str:
    """
    Return a name that a person typed, on one line without control characters.

    Raises:
        InputError: It is empty or longer than MAX_NAME; `what` says what it names.
    """
    printable = "".join(" " if unicodedata.category(char) in {"Cc", "Cs", "Zl", "Zp"} else char for char in text)
    name = " ".join(printable.split())
    if not 1 <= len(name) <= MAX_NAME:
        raise InputError(f"The name of {what} has {len(name):,} characters; expected 1 to {MAX_NAME}")
    return name


def owner_id(connection: sqlite3.Connection, owner: Owner) -> int | None:
    """Return the number of an owner in the file; None if they have set nothing yet."""
    row = connection.execute(
        "select owner_id from owners where account = ? and label_id = ?", (owner.account, owner.label_id or "")
    ).fetchone()
    return None if row is None else int(row[0])


def known_owner_id(connection: sqlite3.Connection, owner: Owner) -> int:
    """Return the number of an owner, after adding them if they are new, and noting their name and address."""
    connection.execute(
        "insert into owners (account, label_id, name, address, thresholds) values (?1, ?2, ?3, ?4, '{}') "
        "on conflict do update set name = excluded.name, address = excluded.address",
        (owner.account, owner.label_id or "", owner.name, owner.address),
    )
    (number,) = connection.execute(
        "select owner_id from owners where account = ? and label_id = ?", (owner.account, owner.label_id or "")
    ).fetchone()
    return int(number)
