"""What every test may ask for."""

import os
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def recsys_data() -> Path:
    """The folder of real research data, named by RECSYS_DATA."""
    named = os.environ.get("RECSYS_DATA")
    if not named:
        pytest.skip("RECSYS_DATA is not set: it names the folder of real research data")
    return Path(named)


@pytest.fixture(scope="session")
def recsys_audio() -> Path:
    """The folder of real music, named by RECSYS_AUDIO."""
    named = os.environ.get("RECSYS_AUDIO")
    if not named:
        pytest.skip("RECSYS_AUDIO is not set: it names the folder of real music")
    return Path(named)
