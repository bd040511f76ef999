"""Settings of ingest and of the retention of rows in a recipe: the tables [ingest] and [retention]."""

from dataclasses import asdict, dataclass
from datetime import date

from typing_extensions import override

from recsys.errors import BadRecipe
from recsys.lyrics.keeping import Keeping
from recsys.settings import Count, CountOrZero, Settings, Share

LEAST_DAYS = 28  # so that a week of labels' figures is closed before its rows are removed


@dataclass(frozen=True)
class IngestSettings(Settings):
    """
    When a file is refused as a whole, whether copies of ingested files are kept, and what is kept of lyrics.

    Attributes:
        max_refused: Maximum share of refused rows of a table in a file; above it, none of its rows enter the lake.
        archive: Folder outside of the home that gets a copy of each ingested file, which is raw personal data; "" for
            none.
        archive_days: Days after which a copy is deleted [d].
        keep_texts_of: Licences of lyrics whose full text is kept in the lake, such as "CC0-1.0"; of all others only
            measures are.
        keep_words: Whether the words of lyrics, without their order, are kept also where the text is not.
        keep_vectors: Whether the vectors of their sections, which tell their meaning, are kept also where the text is
            not; only instead of its words, since both together rebuild lines.
    """

    max_refused: Share = 0.9
    archive: str = ""
    archive_days: Count = 7
    keep_texts_of: tuple[str, ...] = ()
    keep_words: bool = True
    keep_vectors: bool = False

    @override
    def __post_init__(self) -> None:
        """Raise BadRecipe if a value is invalid, or vectors are to be kept beside words."""
        super().__post_init__()
        if self.keep_words and self.keep_vectors:
            raise BadRecipe(
                "[ingest] keep_words and keep_vectors: found true for both, expected one at most, since words and "
                "vectors of a section together rebuild its lines. Set one of them to false, or list "
                "licences in keep_texts_of"
            )

    def keeping(self, licence: str | None) -> Keeping:
        """Return what is kept of lyrics in files with this licence, unless they state another."""
        return Keeping(self.keep_texts_of, self.keep_words, self.keep_vectors, licence)


@dataclass(frozen=True)
class RetentionSettings(Settings):
    """
    For how long rows about listeners are kept, by table; older days are removed from the lake, for good.

    Attributes:
        listens_days: Days of listens that are kept, the last day of the run included: 0 keeps all, otherwise 28 or
            more [d].
        events_days: Days of events that are kept, likewise [d].
    """

    listens_days: CountOrZero = 0
    events_days: CountOrZero = 0

    @override
    def __post_init__(self) -> None:
        """Raise BadRecipe if a value is invalid or too small."""
        super().__post_init__()
        self.require(LEAST_DAYS)

    def require(self, least: int) -> None:
        """Raise BadRecipe if rows are kept for fewer days than `least`."""
        for name, days in asdict(self).items():
            if 0 < days < least:
                raise BadRecipe(
                    f"[retention] {name}: found {days}, expected 0 (keep all) or at least {least}, so that labels' "
                    "figures of a week are closed before its rows are removed"
                )

    def first_days(self, last_day: date) -> dict[str, date]:
        """Return the first day that is kept of each table that has a limit, given the last day of listening."""
        limits = {"listens": self.listens_days, "events": self.events_days}
        last = last_day.toordinal()
        return {table: date.fromordinal(max(1, last - days + 1)) for table, days in limits.items() if days}
