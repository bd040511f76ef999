"""Log in with a browser as two labels and as an unknown account: each sees its own data and nothing else."""

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import urlencode

import pytest
from playwright.sync_api import expect

from recsys.home import Home
from recsys.releases import registry
from recsys.reports.markdown import JOINER
from recsys.warehouse.query import Warehouse

from .browser import CHROMIUM, Visit, chromium, downloaded, log_in, served
from .provider import provider

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium was found; apt-get install chromium"),
]
STRANGER = "eve@elsewhere.example"
OWN_SQL = """
select artist.name, track.title, artist.artist_id, track.track_id
from marts.artist_profile as artist
inner join marts.track_features as track using (artist_id)
order by artist.n_plays desc, artist.artist_id, track.track_id limit 1
"""
LABELS_SQL = "select label_id from marts.track_features where label_id is not null group by 1 order by count(*) desc, 1"


@dataclass(frozen=True)
class Label:
    """A label with its viewer's e-mail, the names of its artists, and one artist with one recording, by name and id."""

    label_id: str
    email: str
    artists: set[str]
    artist: str
    track: str
    artist_id: str
    track_id: str


@pytest.fixture(scope="module")
def labels(published_home: Home) -> list[Label]:
    """The two labels with the most recordings."""
    with Warehouse.open(published_home.published_warehouse()) as warehouse:
        ids = warehouse.query(LABELS_SQL)["label_id"].head(2).to_list()
    return [_label(published_home, label_id) for label_id in ids]


def _label(home: Home, label_id: str) -> Label:
    with Warehouse.open(registry.label_warehouse(home, label_id)) as warehouse:
        names = set(warehouse.query("select name from marts.artist_profile")["name"])
        own = warehouse.query(OWN_SQL).row(0)
    return Label(label_id, f"anna@{label_id}.example", names, *own)


@pytest.fixture(scope="module")
def site(
    published_home: Home, labels: list[Label], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[str, str]]:
    """Addresses of dashboards with a login and of the provider, which knows one account per label and a stranger."""
    home = tmp_path_factory.mktemp("login") / "home"
    shutil.copytree(published_home.path, home, symlinks=True)
    access = "".join(f'{label.label_id} = ["{label.email}"]\n' for label in labels)
    (home / "access.toml").write_text(f"operators = []\n[labels]\n{access}")
    emails = [*(label.email for label in labels), STRANGER]
    accounts = {email: {"sub": email, "email": email, "email_verified": True} for email in emails}
    with provider(accounts) as issuer, served(home, issuer=issuer) as address:
        yield address, issuer


@pytest.fixture
def visit(site: tuple[str, str]) -> Iterator[Visit]:
    """A browser window; afterwards no server but the dashboards and the provider was contacted."""
    address, issuer = site
    with chromium() as browser:
        visitor = Visit(browser, address)
        yield visitor
        assert visitor.errors == []
        assert [url for url in visitor.elsewhere if not url.startswith(issuer)] == []


def log_out(visit: Visit) -> None:
    """Log out, which leads to the login page."""
    visit.page.get_by_role("button", name="Log out").click()
    expect(visit.page.get_by_role("heading", level=1)).to_have_text("Log in")


def test_each_label_sees_its_own_and_nothing_of_another(visit: Visit, labels: list[Label]) -> None:
    """Holds on four pages, and for links to the other label's artist and recording."""
    first, second = labels
    for own, other, name in ((first, second, "artist"), (second, first, "track")):
        page = log_in(visit, own.email)
        expect(page.get_by_test_id("stSidebar")).to_contain_text(own.email)
        assert set(downloaded(page, "artist_changes")["artist_name"]) <= own.artists

        page = visit.open("sql?" + urlencode({"sql": "select distinct label_id from marts.track_features"}))
        page.get_by_role("button", name="Run", exact=True).click()
        assert downloaded(page, "answer")["label_id"].to_list() == [own.label_id]

        page = visit.open("track?" + urlencode({"artist": own.artist_id, "track": own.track_id}))
        assert downloaded(page, "track_facts")["title"].to_list() == [own.track]

        page = visit.open(f"{name}?" + urlencode({"artist": other.artist_id, "track": other.track_id}))
        expect(page.get_by_text("The link's value for “Artist” is not known")).to_be_visible()
        assert other.artist not in page.inner_text("body")
        assert other.track not in page.inner_text("body")
        log_out(visit)


def test_an_account_that_is_not_listed_is_refused(visit: Visit) -> None:
    """Every page shows what to do, and no menu."""
    page = log_in(visit, STRANGER)
    for path in ("", "artist"):
        visit.open(path)

        expect(page.get_by_role("alert")).to_contain_text("has no access yet. Ask the operator")
        message = page.get_by_role("alert").inner_text().replace(JOINER, "")
        assert f"{STRANGER} has no access yet. Ask the operator" in message
        expect(page.get_by_role("alert").get_by_role("link")).to_have_count(0)
        expect(page.get_by_role("link", name="Artist")).to_have_count(0)
    log_out(visit)
