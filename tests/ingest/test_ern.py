"""Release notifications: recordings, where and when they may be used, and hostile messages."""

from xml.etree.ElementTree import Element, fromstring

import pytest

from recsys.ingest.countries import all_codes
from recsys.ingest.ern_deals import permissions, terms_of_deal
from recsys.ingest.xml_records import MAX_DEPTH

from .conftest import Inbox

DEAL = """<ReleaseDeal><DealReleaseReference>{release}</DealReleaseReference><Deal><DealTerms>{terms}</DealTerms></Deal>
</ReleaseDeal>"""
STREAM = "<CommercialModelType>SubscriptionModel</CommercialModelType><UseType>OnDemandStream</UseType>"
SINCE = "<ValidityPeriod><StartDateTime>2026-01-01T00:00:00</StartDateTime></ValidityPeriod>"


def recording(number: int, isrc: str = "DE-A01-26-00001", rest: str = "") -> str:
    """Return a recording of the artist P1."""
    return f"""<SoundRecording><ResourceReference>A{number}</ResourceReference>
<ResourceId><ISRC>{isrc}</ISRC></ResourceId>
<DisplayTitleText ApplicableTerritoryCode="FR">Chanson {number}</DisplayTitleText>
<DisplayTitleText IsDefault="true">Song {number}</DisplayTitleText>
<DisplayArtistName>The Ones feat. Two</DisplayArtistName>
<DisplayArtist SequenceNumber="2"><ArtistPartyReference>P2</ArtistPartyReference>
<DisplayArtistRole>FeaturedArtist</DisplayArtistRole></DisplayArtist>
<DisplayArtist SequenceNumber="1"><ArtistPartyReference>P1</ArtistPartyReference>
<DisplayArtistRole>MainArtist</DisplayArtistRole></DisplayArtist><Duration>PT3M30.5S</Duration>
<ParentalWarningType>Explicit</ParentalWarningType><LanguageOfPerformance>de-DE</LanguageOfPerformance>{rest}
</SoundRecording>"""


def message(recordings: str, deals: str, *, created: str = "2026-01-10T12:00:00Z", version: str = "43") -> str:
    """Return a message with an album R0 of A1 and A2, and the releases R1 and R2 of each alone."""
    alone = "".join(
        f"<TrackRelease><ReleaseReference>R{n}</ReleaseReference><ReleaseResourceReference>A{n}</ReleaseResourceReference>"
        f"<Genre><GenreText>Genre {n}</GenreText></Genre></TrackRelease>"
        for n in (1, 2)
    )
    return f"""<?xml version="1.0" encoding="UTF-8"?>
<ern:NewReleaseMessage xmlns:ern="http://ddex.net/xml/ern/{version}" AvsVersionId="4">
<MessageHeader><MessageId>M1</MessageId><MessageSender><PartyId>PADPIDA2020010101A</PartyId></MessageSender>
<MessageCreatedDateTime>{created}</MessageCreatedDateTime><MessageControlType>LiveMessage</MessageControlType></MessageHeader>
<PartyList><Party><PartyReference>P1</PartyReference><PartyName><FullName>The Ones</FullName></PartyName>
<PartyId><ISNI>0000000121032683</ISNI></PartyId></Party>
<Party><PartyReference>P2</PartyReference><PartyName><FullName>Two</FullName></PartyName></Party>
<Party><PartyReference>P3</PartyReference><PartyName><FullName>Good Label</FullName></PartyName></Party></PartyList>
<ResourceList>{recordings}</ResourceList>
<ReleaseList><Release><ReleaseReference>R0</ReleaseReference><DisplayTitleText>The Album</DisplayTitleText>
<ReleaseLabelReference>P3</ReleaseLabelReference><Genre><GenreText>Pop</GenreText></Genre>
<ReleaseDate>2026-01-02</ReleaseDate><ResourceGroup>
<ResourceGroupContentItem><ReleaseResourceReference>A1</ReleaseResourceReference></ResourceGroupContentItem>
<ResourceGroupContentItem><ReleaseResourceReference>A2</ReleaseResourceReference></ResourceGroupContentItem>
</ResourceGroup></Release>{alone}</ReleaseList>
<DealList>{deals}</DealList></ern:NewReleaseMessage>"""


def deal(terms: str, release: str = "R0") -> str:
    """Return the deal of a release."""
    return DEAL.format(release=release, terms=terms)


TWO = recording(1) + recording(2, "DEA012600002")


def test_a_message_becomes_recordings_artists_labels_and_licences(inbox: Inbox) -> None:
    """The main artist, the title of most territories, what the recording's own release says before the album's."""
    report = inbox.take("m.xml", message(TWO, deal(f"<TerritoryCode>Worldwide</TerritoryCode>{SINCE}{STREAM}")))

    assert report.unreadable == []
    assert inbox.refused() == []
    tracks = inbox.rows("tracks").sort("track_id")
    named = tracks.select("track_id", "title", "artist_id", "label_id", "release_title", "duration_ms", "language")
    assert named.row(0) == (
        *("DEA012600001", "Song 1", "isni:0000000121032683", "name:good label", "The Album", 210_500, "de"),
    )
    assert tracks["genres"].to_list() == [["Genre 1"], ["Genre 2"]]
    assert [str(day) for day in tracks["release_date"]] == ["2026-01-02"] * 2
    allowed = tracks.select("explicit", "available_in", "withdrawn_at", "training_consent").row(0)
    assert allowed == (True, None, None, "unknown")
    assert inbox.rows("artists").select("name", "isni").rows() == [("The Ones", "0000000121032683")]
    assert inbox.rows("labels").select("label_id", "name").rows() == [("name:good label", "Good Label")]
    licence = inbox.rows("licences").sort("isrc").select("source", "isrc", "use_type", "territory", "is_granted")
    assert licence.row(0) == ("ern:PADPIDA2020010101A", "DEA012600001", "stream", "WW", True)
    assert [str(day) for day in inbox.rows("licences")["valid_from"]] == ["2026-01-01"] * 2


def deal_terms(text: str) -> Element:
    """Return the terms of a deal."""
    return fromstring(f"<DealTerms>{text}</DealTerms>")  # noqa: S314 - written in this file


def permitted(*terms: str, day: str = "2026-01-10") -> dict[str, str | None]:
    """Return what terms permit on a day."""
    found = [term for text in terms for term in terms_of_deal(1, deal_terms(text))]
    return permissions(found, day)


def place(*codes: str, excluded: bool = False) -> str:
    """Return territories of a deal."""
    name = "ExcludedTerritoryCode" if excluded else "TerritoryCode"
    return "".join(f"<{name}>{code}</{name}>" for code in codes)


def until(day: str) -> str:
    """Return a period with an end."""
    return f"<ValidityPeriod><StartDate>2020-01-01</StartDate><EndDate>{day}</EndDate></ValidityPeriod>"


def test_territories_of_several_deals_are_added() -> None:
    """Countries, TIS numbers, the world without a country that another deal has."""
    assert permitted(STREAM + place("DE", "AT"), STREAM + place("2131"))["available_in"] == "AT|DE|DK|NO|SE"
    without = str(permitted(STREAM + place("US", "CA", excluded=True))["available_in"]).split("|")
    assert "DE" in without
    assert not {"US", "CA"} & set(without)
    both = permitted(STREAM + place("US", excluded=True), STREAM + place("US"))
    assert both["available_in"] is None


def test_countries_are_those_of_every_deal_that_has_not_ended() -> None:
    """Also of one that ends before the others, or begins later: the licences have the days."""
    germany, france = STREAM + place("DE"), STREAM + place("FR")
    assert permitted(germany, france + until("2026-03-31"))["available_in"] == "DE|FR"
    ended = permitted(germany + until("2026-02-28"), france + until("2026-03-31"))
    assert (ended["available_in"], ended["withdrawn_at"]) == ("DE|FR", "2026-04-01")


def test_ended_deals_withdraw() -> None:
    """The day after the last end; at once without any deal for streaming; never while one has no end."""
    assert permitted(STREAM + until("2026-03-31"), STREAM + until("2026-02-28"))["withdrawn_at"] == "2026-04-01"
    assert permitted(STREAM + until("2025-12-31"))["withdrawn_at"] == "2026-01-01"
    midnight = "<ValidityPeriod><EndDateTime>2026-04-01T00:00:00</EndDateTime></ValidityPeriod>"
    assert permitted(STREAM + midnight)["withdrawn_at"] == "2026-04-01"
    assert permitted("<UseType>PermanentDownload</UseType>")["withdrawn_at"] == "2026-01-10"
    assert permitted()["withdrawn_at"] == "2026-01-10"
    assert permitted(STREAM + until("2025-12-31"), STREAM)["withdrawn_at"] is None
    assert permitted(STREAM + until("31.12.2025"))["withdrawn_at"] == "2026-01-10"


@pytest.mark.parametrize(
    ("terms", "consent"),
    [
        ((), None),
        (('<UseType UserDefinedValue="AI_Training">UserDefined</UseType>',), "granted"),
        (("<UseType>TextAndDataMining</UseType>" + place("DE"),), None),
        (("<UseType>ModelTraining</UseType>" + until("2025-12-31"),), "denied"),
        (("<UseType>ModelTraining</UseType>" + until("2036-12-31"),), None),
        *[
            ((f'<UseType UserDefinedValue="{name}">UserDefined</UseType>',), None)
            for name in ("NoTraining", "ExcludeAITraining", "TextAndDataMiningOptOut", "UnconstrainedPlayback")
        ],
    ],
)
def test_consent_to_training_is_a_use(terms: tuple[str, ...], consent: str | None) -> None:
    """Granted in the whole world, denied once all such deals have ended, otherwise not stated."""
    assert permitted(STREAM, *terms)["training_consent"] == consent


def test_a_bad_record_is_refused_and_the_rest_kept(inbox: Inbox) -> None:
    """A recording without title or id, an unknown territory, a deal of an unknown release, a repeated reference."""
    nameless = "<SoundRecording><ResourceReference>A2</ResourceReference></SoundRecording>"
    deals = deal(STREAM + place("Atlantis"), "R1") + deal(STREAM) + deal(STREAM, "R9")

    inbox.take("m.xml", message(recording(1) + nameless + recording(1), deals))

    found = [(reason, column) for reason, column, _, _ in inbox.refused()]
    assert sorted(found, key=str) == sorted(
        [
            *(("malformed_row", None), ("malformed_row", None)),
            *(("missing_value", "track_id"), ("missing_value", "licence_id"), ("not_allowed", "territory")),
        ],
        key=str,
    )
    assert inbox.rows("tracks")["track_id"].to_list() == ["DEA012600001"]
    assert inbox.rows("licences")["territory"].to_list() == ["WW"]


def test_most_countries_are_stored_as_the_world_without_the_others(inbox: Inbox) -> None:
    """A list of all but two countries takes three rows."""
    listed = place(*sorted(all_codes() - {"US", "CA"}))

    inbox.take("m.xml", message(recording(1), deal(STREAM + listed, "R1")))

    rows = inbox.rows("licences").sort("territory").select("territory", "is_granted").rows()
    assert rows == [("CA", False), ("US", False), ("WW", True)]


def test_a_message_without_deals_leaves_a_licence_of_nothing(inbox: Inbox) -> None:
    """So that it replaces the earlier one of its sender."""
    inbox.take("m.xml", message(recording(1), ""))

    assert inbox.rows("licences").select("use_type", "territory", "is_granted").rows() == [("stream", "WW", False)]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (message(TWO, "").replace("?>", '?><!DOCTYPE a [<!ENTITY b "c">]>'), "document type"),
        (message(TWO, "").replace("?>", '?><!DOCTYPE a SYSTEM "file:///etc/hostname">'), "document type"),
        (message(TWO, "").replace("Song 1", "&b;"), "not XML"),
        (message(TWO, "")[:-40], "not XML"),
        (message("<a>" * MAX_DEPTH + "</a>" * MAX_DEPTH, ""), "nested"),
        (message(f"<!--{'x' * 5 * 1024**2}-->", ""), "tag of more than"),
        (message(TWO, "", version="383"), "version 3"),
        (message(TWO, "").replace("NewReleaseMessage", "PurgeReleaseMessage"), "purges"),
        (message(TWO, "").replace("LiveMessage", "TestMessage"), "test message"),
        (message(TWO, "").replace("MessageCreatedDateTime", "Created"), "sender"),
        (message("", deal(STREAM) * 10 + recording(1, rest=f"<x>{'y' * 17 * 1024**2}</x>")), "too large"),
    ],
    ids=lambda value: value if len(value) < 40 else "",
)
def test_hostile_and_foreign_messages_are_refused_with_the_reason(inbox: Inbox, text: str, why: str) -> None:
    """No entity is expanded, nothing else is opened, and nothing of the file is ingested."""
    assert why in inbox.complaint("m.xml", text)
