"""What later deliveries withdraw: claims and links of the newest registration only."""

from datetime import date

import pytest

from recsys.home import Home
from recsys.ingest.dialect import Dialect
from recsys.ingest.run import ingest
from recsys.lake.store import Lake
from recsys.pipeline.plan import result_tables
from recsys.warehouse.build import Sources, build
from recsys.warehouse.query import Warehouse

TODAY = date(2026, 2, 1)
MARTS = ("marts.work_owners", "marts.work_recordings", "marts.rights_conflicts")
TRACKS = "track_id,title,artist_id,isrc\n" + "".join(f"t{n},T,ar,USRC1760000{n}\n" for n in range(1, 10))
WORKS = "source,work_id,registered_at,title\n"
SHARES = "source,work_id,registered_at,claim_no,party_id,right_type,share\n"
KINDS = "source,work_id,registered_at,claim_no,party_id,kind,right_type,share\n"
LINKS = "source,work_id,registered_at,isrc\n"
FIRST, SECOND = "2026-01-01", "2026-01-02"
PUBLISHERS = "Work ID,Work Title,ISWC,Writer 1 Last,Writer 1 Share,Writer 2 Last,Writer 2 Share,Recording 1 ISRC\n"
ISWC = "T0345246801"
DELIVERIES = (  # name, content; one after the other
    ("tracks.csv", TRACKS),
    ("works_1.csv", f"{WORKS}refused,w,{FIRST},Old\nlinked,w,{FIRST},One\nundated,w,{FIRST},One\n"),
    ("shares_1.csv", f"{SHARES}refused,w,{FIRST},1,abe,performing,100\nlinked,w,{FIRST},1,abe,performing,100\n"),
    ("links_1.csv", f"{LINKS}linked,w,{FIRST},USRC17600001\nemptied,w,{FIRST},USRC17600002\n"),
    ("undated.csv", "source,work_id,isrc\nundated,w,USRC17600003\nundated,v,USRC17600004\n"),
    ("works_2.csv", f"{WORKS}refused,w,{SECOND},New\n"),
    ("shares_2.csv", f"{SHARES}refused,w,{SECOND},1,bea,performing,101\n"),
    ("links_3.csv", f"{LINKS}linked,w,{FIRST},USRC17600009\nemptied,w,{SECOND},\nundated,w,{SECOND},USRC17600005\n"),
    ("pub_1.csv", f"{PUBLISHERS}w,One,,Doe,50%,Roe,50%,USRC17600006\n"),
    ("pub_2.csv", f"{PUBLISHERS}w,Two,,Doe,50%,,,USRC17600007\n"),
    ("rights_1.csv", f"{SHARES}parted,w,{FIRST},1,abe,performing,100\nparted,w,{FIRST},1,abe,mechanical,100\n"),
    ("rights_2.csv", f"{SHARES}parted,w,{FIRST},2,bea,mechanical,100\n"),
    (
        "kinds_1.csv",
        f"{KINDS}kinds,w,{FIRST},1,abe,ownership,performing,100\nkinds,w,{FIRST},2,abe,collection,performing,100\n",
    ),
    ("kinds_2.csv", f"{KINDS}kinds,w,{FIRST},1,bea,ownership,performing,100\n"),
    ("alpha_1.csv", f"{PUBLISHERS}a1,Shared,{ISWC},Doe,50%,Moe,20%,\na2,Kept,,Poe,100%,,,\n"),
    ("beta.csv", f"{PUBLISHERS}b1,Shared,{ISWC},Roe,50%,,,\n"),
    ("alpha_2.csv", f"{PUBLISHERS}a1,Shared,{ISWC},Doe,40%,,,\n"),
)
PUBLISHER_OF = {"alpha_1.csv": "alpha", "beta.csv": "beta", "alpha_2.csv": "alpha"}  # of others, one


@pytest.fixture(scope="module")
def warehouse(tmp_path_factory: pytest.TempPathFactory) -> Warehouse:
    """Return the registry after all deliveries."""
    folder = tmp_path_factory.mktemp("registry")
    home = Home(folder / "home")
    for name, content in DELIVERIES:
        (folder / name).write_text(content)
        user = PUBLISHER_OF.get(name, "one")
        report = ingest(home, [folder / name], today=TODAY, user=user, dialect=Dialect(day=date(2026, 1, 1)))
        assert report.unreadable == []
    built = folder / "built.duckdb"
    sources = Sources(Lake(home), date(2026, 1, 31), results=result_tables())
    build(built, sources, only=MARTS, memory="1GB")
    return Warehouse.open(built)


def test_a_revision_whose_claims_were_all_refused_leaves_no_old_owner(warehouse: Warehouse) -> None:
    """The work was registered again, so that its old owners stand no more."""
    owners = "select work_key, party_key from marts.work_owners where first_source in ('refused', 'linked')"
    rows = warehouse.query(owners)

    assert rows.rows() == [("linked/w", "linked/abe")]


def test_a_later_registration_withdraws_the_links_that_it_lacks(warehouse: Warehouse) -> None:
    """By other links, or by a row without a recording; links without a time hold until there is one with a time."""
    rows = warehouse.query("select work_key, track_id from marts.work_recordings order by all")

    assert rows.rows() == [("linked/w", "t9"), ("publisher:one/w", "t7"), ("undated/v", "t4"), ("undated/w", "t5")]


def test_a_correction_of_the_same_day_replaces_the_delivery_before_it(warehouse: Warehouse) -> None:
    """Of two publishers' tables of one day, claims and titles of the second, also the claim that both have."""
    claims = "select distinct party_key, share_bp from marts.work_owners where work_key = 'publisher:one/w'"
    titles = "select title from marts.work_recordings where work_key = 'publisher:one/w'"

    assert warehouse.query(claims).rows() == [("name:doe", 5_000)]
    assert warehouse.query(titles).rows() == [("Two",)]


def test_claims_to_two_rights_may_come_in_two_files(warehouse: Warehouse) -> None:
    """The second file replaces the claims to the right that it names, and leaves those to the other."""
    claims = "select right_type, party_key from marts.work_owners where work_key = 'parted/w' order by all"

    assert warehouse.query(claims).rows() == [("mechanical", "parted/bea"), ("performing", "parted/abe")]


def test_a_later_file_replaces_claims_of_every_kind_to_its_right(warehouse: Warehouse) -> None:
    """The second file names an owner alone, so that nobody collects any more."""
    claims = "select kind, party_key from marts.work_owners where work_key = 'kinds/w'"

    assert warehouse.query(claims).rows() == [("ownership", "kinds/bea")]


def test_claims_of_two_publishers_stand_side_by_side(warehouse: Warehouse) -> None:
    """Each with its source; a second file of one replaces the work that it names, and nothing else."""
    named = f"(work_key = '{ISWC}' or first_source = 'publisher:alpha') and right_type = 'performing'"
    claims = f"select first_source, party_key, share_bp from marts.work_owners where {named} order by all"

    assert warehouse.query(claims).rows() == [
        ("publisher:alpha", "name:doe", 4_000),
        ("publisher:alpha", "name:poe", 10_000),
        ("publisher:beta", "name:roe", 5_000),
    ]
