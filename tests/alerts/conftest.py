"""A home that can be changed: its files are links into the finished home."""

from pathlib import Path

import pytest

from recsys.home import Home
from recsys.pipeline.run import Run
from recsys.releases import registry
from recsys.warehouse.query import Warehouse

ARTISTS = """
    select label_id, cell from marts.label_figures
    where dimension = 'artist' and measure = 'n_plays' and cell is not null
    group by 1, 2 order by count(*) desc, sum(value) desc, cell limit 1
"""


@pytest.fixture
def home(finished: Run, tmp_path: Path) -> Home:
    """The finished home, with a folder of its own for what people set."""
    own = Home(tmp_path / "home")
    own.path.mkdir()
    for path in finished.home.path.iterdir():
        (own.path / path.name).symlink_to(path.readlink() if path.is_symlink() else path)
    return own


@pytest.fixture
def followed(home: Home) -> tuple[str, str]:
    """A label, and the artist of whom its ledger has the most weeks and plays."""
    with Warehouse.open(home.published_warehouse()) as warehouse:
        label_id, artist_id = warehouse.query(ARTISTS).row(0)
    assert registry.label_warehouse(home, label_id).exists()
    return label_id, artist_id
