"""The search of a published catalogue, also from the command line."""

import polars as pl
import pytest
from click.testing import CliRunner

from recsys.cli import main
from recsys.errors import InputError, UnknownIds
from recsys.library.settings import AudioSettings
from recsys.pipeline.run import Run
from recsys.published.search import search_home
from recsys.warehouse.query import Warehouse

TEXT = "pop, since 2015, available in Germany"
ANSWER = """
select track_id from (
    select distinct on (coalesce(same_as, track_id)) *
    from marts.track_features left join marts.duplicate_links using (track_id)
    where list_contains(genres, 'pop') and release_date >= date '2015-01-01'
        and (available_in is null or list_contains(available_in, 'DE')) and withdrawn_at is null
    order by release_date desc, track_id
) as recordings order by release_date desc, track_id limit 7
"""


def test_the_published_catalogue_is_searched(finished: Run) -> None:
    """The newest of equally good tracks, as plain SQL on the marts finds them."""
    with Warehouse.open(finished.home.published_warehouse()) as warehouse:
        expected = warehouse.query(ANSWER)["track_id"].to_list()

    assert search_home(finished.home, TEXT, AudioSettings(), n=7).rows["track_id"].to_list() == expected


def test_the_command_prints_rows_and_how_it_understood(finished: Run) -> None:
    """Rows on standard output, notes beside it; a search that cannot be read ends with status 2."""
    home = ["--home", str(finished.home.path)]

    done = CliRunner().invoke(main, [*home, "search", TEXT, "-n", "3", "--csv"])
    refused = CliRunner().invoke(main, [*home, "search", ""])

    assert pl.read_csv(done.stdout.encode())["rank"].to_list() == [1, 2, 3]
    assert "Understood as: pop; released from 2015-01-01; available in Germany" in done.stderr
    assert refused.exit_code == 2
    assert "InputError: The search is empty" in refused.stderr


def test_a_file_that_does_not_exist_is_named(finished: Run) -> None:
    """Instead of being taken for a title; a text that is too long for a path is a title."""
    with pytest.raises(InputError, match=r"No file found at nowhere\.mp3"):
        search_home(finished.home, "like nowhere.mp3", AudioSettings(), n=1)
    with pytest.raises(UnknownIds, match="There is no track 'aaa"):
        search_home(finished.home, "like " + "a" * 300, AudioSettings(), n=1)
