"""
Open a Spark session with the settings of this project.

Everything that decides values is set here, so that a query gives the same rows on every machine: the time zone is UTC,
and ANSI mode raises errors where older Spark would return nulls. A local session listens on the loopback address only
and starts no web interface.
"""

import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from recsys.errors import SetupError
from recsys.installation.extras import require

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

LOCAL = "local[*]"
_LOOPBACK = "127.0.0.1"
_LOG_SETTINGS = Path(__file__).with_name("log4j2.properties")
Conf = dict[str, bool | float | int | str | None]  # as the builder of a session takes it
_SETTINGS: Conf = {
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.ansi.enabled": "true",
    "spark.sql.timestampType": "TIMESTAMP_LTZ",
    "spark.sql.catalogImplementation": "in-memory",
    "spark.sql.parquet.compression.codec": "zstd",
    "spark.sql.parquet.outputTimestampType": "TIMESTAMP_MICROS",
    "spark.sql.sources.partitionOverwriteMode": "dynamic",
    "spark.sql.execution.arrow.pyspark.enabled": "true",
    "spark.sql.execution.arrow.maxRecordsPerBatch": "65536",
    "spark.ui.enabled": "false",
    "spark.ui.showConsoleProgress": "false",
}
_LOCAL_SETTINGS: Conf = {
    "spark.driver.host": _LOOPBACK,
    "spark.driver.bindAddress": _LOOPBACK,
    "spark.sql.shuffle.partitions": "4",  # 200, the default, costs more than the work on what one machine holds
    "spark.default.parallelism": "4",
    # a build has hundreds of short queries: on what one machine holds, compiling one costs more than interpreting it
    "spark.sql.codegen.wholeStage": "false",
    "spark.sql.codegen.factoryMode": "NO_CODEGEN",
}


def open_session(master: str = LOCAL, *, scratch: Path, memory: str = "2g") -> "SparkSession":
    """
    Return a Spark session, or the running one of this process; the caller stops it.

    Args:
        master: Where Spark runs: `local[N]` in this process with N threads, or the address of a cluster, such as
            `spark://HOST:7077`, `yarn` or `k8s://HOST:PORT`. Under spark-submit, its own master wins.
        scratch: Folder for the shuffles of a local session; needs room for a few times the largest table.
        memory: Heap of a local session.

    Raises:
        SetupError: Spark or Java is not installed, or Spark does not start.
    """
    refuse_without_spark()
    from pyspark.errors import PySparkRuntimeError  # noqa: PLC0415
    from pyspark.sql import SparkSession  # noqa: PLC0415

    builder = SparkSession.builder.appName("recsys").config(map=_settings(master, scratch, memory))
    try:
        session = builder.master(master).getOrCreate()
    except PySparkRuntimeError as failed:
        raise SetupError(
            f"Spark does not start on {master}: {failed}. It needs Java 17 or newer (java -version) and a master that "
            f"can be reached; {LOCAL} runs on this machine"
        ) from failed
    session.sparkContext.setLogLevel("ERROR")
    return session


def refuse_without_spark() -> None:
    """Raise SetupError if pyspark or Java is not installed, with what to do."""
    require("pyspark")
    home = os.environ.get("JAVA_HOME")
    if shutil.which(str(Path(home) / "bin" / "java") if home else "java") is None:
        found = f"JAVA_HOME is {home}, which has no bin/java" if home else "No java is on the PATH"
        raise SetupError(f"{found}; Spark needs Java 17 or newer. Install one, such as openjdk-17-jre-headless")


def _settings(master: str, scratch: Path, memory: str) -> Conf:
    """Return the settings of a session; memory and folders of a cluster are set where the cluster keeps them."""
    if not master.startswith("local"):
        return _SETTINGS
    scratch.mkdir(parents=True, exist_ok=True)
    # a build runs hundreds of short queries, each compiled anew: a second compilation costs more than it saves
    java = f"-Dlog4j2.configurationFile=file:{_LOG_SETTINGS} -XX:+UseSerialGC -XX:TieredStopAtLevel=1"
    folders = {"spark.sql.warehouse.dir": str(scratch / "tables"), "spark.local.dir": str(scratch)}
    return (
        _SETTINGS | _LOCAL_SETTINGS | folders | {"spark.driver.memory": memory, "spark.driver.extraJavaOptions": java}
    )
