"""The [warehouse] section of a recipe."""

from dataclasses import dataclass
from typing import Literal

from recsys.settings import Settings

EngineName = Literal["duckdb", "spark"]


@dataclass(frozen=True)
class WarehouseSettings(Settings):
    """
    What computes the tables.

    Attributes:
        engine: "duckdb" on this machine, or "spark".
        master: Where Spark runs (see `cluster.session.open_session`).
        lake: Address of the lake for Spark, such as s3a://bucket/lake, with the same files as the home's folder; empty
            for that folder, which every machine of the cluster must then see at the same path.
    """

    engine: EngineName = "duckdb"
    master: str = "local[*]"
    lake: str = ""
