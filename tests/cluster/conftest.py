"""One Spark session for all tests of a process, and worlds to build."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from recsys.cluster.session import open_session, refuse_without_spark
from recsys.errors import SetupError

if TYPE_CHECKING:
    from pyspark.sql import SparkSession


@pytest.fixture(scope="session")
def spark(tmp_path_factory: pytest.TempPathFactory) -> Iterator["SparkSession"]:
    """Return a local Spark session with two threads; skip the test where Spark or Java is missing."""
    try:
        refuse_without_spark()
    except SetupError as missing:
        pytest.skip(str(missing))
    session = open_session("local[2]", scratch=tmp_path_factory.mktemp("spark"), memory="1g")
    yield session
    session.stop()
