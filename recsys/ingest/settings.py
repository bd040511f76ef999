"""Settings of ingest in a recipe: the table [ingest]."""

from dataclasses import dataclass

from recsys.settings import Count, Settings, Share


@dataclass(frozen=True)
class IngestSettings(Settings):
    """
    When a file is refused as a whole, and whether copies of ingested files are kept.

    Attributes:
        max_refused: Maximum share of refused rows of a table in a file; above it, none of its rows enter the lake.
        archive: Folder outside of the home that gets a copy of each ingested file, which is raw personal data; "" for
            none.
        archive_days: Days after which a copy is deleted [d].
    """

    max_refused: Share = 0.9
    archive: str = ""
    archive_days: Count = 7
