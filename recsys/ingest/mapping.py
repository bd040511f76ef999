"""
Mappings: which columns of files in a form of one's own are which columns of a raw table.

A mapping is given as `user_id=account,track_id=song,listened_at="Played At"`, with the table's column first. Instead of
ids it may map `artist` and `title`, from which the ids are derived. Each mapping has a name and is kept in
`<home>/mappings.json`; from then on, every file that has all its columns is read by it.
"""

import re
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime

from recsys.errors import InputError, UnknownIds
from recsys.files import read_json, write_json
from recsys.home import Home
from recsys.ingest.names import NAMES
from recsys.lake.contract import DELIVERED

_PAIR = re.compile(r"""\s*(\w+)\s*=\s*("[^"]*"|'[^']*'|[^,"']*)\s*""")
_AROUND = " \"'"
_NAME = re.compile(r"\w[\w-]*")
_TARGETS = {name for contract in DELIVERED.values() for name in contract.names} | set(NAMES)


@dataclass(frozen=True)
class Mapping:
    """
    A named mapping.

    Attributes:
        name: Its name in the home.
        columns: Column of the table -> column of the files, in lower case.
        table: The raw table; None to recognise it by the columns.
        time_format: How times and days are written, as in `strptime`; None for the usual forms.
    """

    name: str
    columns: dict[str, str]
    table: str | None = None
    time_format: str | None = None

    def fits(self, names: Iterable[str]) -> bool:
        """Return whether a file with these columns, in lower case, has all columns of the mapping."""
        return set(self.columns.values()) <= set(names)

    @property
    def is_history(self) -> bool:
        """Whether it maps a listening history whose recordings are named, not identified."""
        return "listened_at" in self.columns and set(NAMES) <= self.columns.keys()


def mapping_of(home: Home, text: str, *, name: str | None, table: str | None, time_format: str | None) -> Mapping:
    """
    Return the mapping given by its pairs of columns, or the saved mapping of that name.

    Args:
        home: The home with the saved mappings.
        text: Pairs `column=column of the file`, separated by commas, or a name.
        name: Name to keep the mapping under; None for `listens`, or the name of `table`.
        table: The raw table; None to recognise it by the columns.
        time_format: Format of times and days, as in `strptime`; None for the usual forms.

    Raises:
        InputError: A pair has no column, a column occurs twice or does not exist, or the format is not one.
    """
    if "=" not in text:
        known = {mapping.name: mapping for mapping in saved(home)}
        if text not in known:
            raise UnknownIds.of("mapping", [text], known, str(home.path))
        return known[text]
    name = name or table or "listens"
    if not _NAME.fullmatch(name):
        raise InputError(f"The mapping's name {name!r} may have letters, digits, '-' and '_' only")
    _refuse_bad_format(time_format)
    return Mapping(name, _columns(text), table, time_format)


def _columns(text: str) -> dict[str, str]:
    pairs, position = [], 0
    while position < len(text):
        pair = _PAIR.match(text, position)
        if pair is None or (pair.end() < len(text) and text[pair.end()] != ",") or not pair[2].strip(_AROUND):
            raise InputError(f"The mapping {text!r} is not readable from {text[position:]!r}. Write column=COLUMN,...")
        pairs.append((pair[1].lower(), pair[2].strip(_AROUND).lower()))
        position = pair.end() + 1
    unknown = [name for name, _ in pairs if name not in _TARGETS]
    if unknown:
        raise UnknownIds.of("column", unknown, _TARGETS, "the tables; recsys describe lists them")
    if len({name for name, _ in pairs}) < len(pairs) or len({own for _, own in pairs}) < len(pairs):
        raise InputError(f"The mapping {text!r} names a column twice. Map each column once")
    return dict(pairs)


def _refuse_bad_format(time_format: str | None) -> None:
    if time_format is None:
        return
    try:
        datetime.strptime(datetime(2026, 5, 31, 13, 45, 59, tzinfo=UTC).strftime(time_format), time_format)  # noqa: DTZ007
    except ValueError as bad:
        raise InputError(
            f"--time-format is {time_format!r}, which is not a format of times. Write for example '%d.%m.%Y %H:%M:%S'"
        ) from bad


def saved(home: Home) -> tuple[Mapping, ...]:
    """List the mappings of a home, in the order of their names."""
    path = home.mappings
    return tuple(Mapping(**entry) for entry in read_json(path)) if path.exists() else ()


def save(home: Home, mapping: Mapping) -> None:
    """Keep a mapping in the home; it replaces one of the same name."""
    others = [other for other in saved(home) if other.name != mapping.name]
    write_json(home.mappings, sorted(map(asdict, [*others, mapping]), key=lambda entry: str(entry["name"])))
