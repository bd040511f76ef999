"""Tests of the Spark session: its settings, and the errors where Spark or Java is missing."""

import sys
from pathlib import Path

import pytest

from recsys.cluster.session import open_session, refuse_without_spark
from recsys.errors import SetupError


def test_without_pyspark_the_error_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    """The command that installs it is in the message."""
    monkeypatch.setitem(sys.modules, "pyspark", None)
    monkeypatch.setattr("recsys.installation.extras.find_spec", lambda _module: None)

    with pytest.raises(SetupError, match=r"recsys\[spark\]"):
        refuse_without_spark()


def test_without_java_the_error_says_which_is_needed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Spark would report only that a process exited."""
    pytest.importorskip("pyspark")
    monkeypatch.setenv("JAVA_HOME", str(tmp_path))

    with pytest.raises(SetupError, match="Java 17 or newer"):
        open_session(scratch=tmp_path)
