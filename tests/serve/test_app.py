"""The service as a client sees it: who may ask what, limits, validators, errors, and what the log tells."""

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any, get_args

import duckdb
import msgspec
import polars as pl
import pytest

from recsys.home import Home
from recsys.pipeline.run import Run
from recsys.products.base import Key, key_of
from recsys.serve import messages
from recsys.serve.app import Service
from recsys.serve.current import Current
from recsys.serve.keys import Keys, add_key
from recsys.serve.limits import BODY_BYTES, MAX_WAITING_EACH, RateLimit
from recsys.serve.open_release import OpenRelease
from recsys.serve.routes import ROUTES
from recsys.warehouse.internal import internal_sql
from recsys.warehouse.labels import write_labels

from .asking import answer_of, service_of

LISTS, ACCOUNT = "/v1/recommendations", "acct_secret_7"
EVENT = {"track_id": "trk_1", "happened_at": "2026-06-30T10:00:00Z"}


@pytest.fixture
def keyed(finished: Run, current: Current, tmp_path: Path) -> tuple[Service, dict[str, str]]:
    """Return a service with a key of each scope, and the header for each."""
    home = Home(tmp_path / "keys")
    home.path.mkdir()
    label = min(current.release.warehouse.query(internal_sql("labels"))["label_id"])
    made = {scope: add_key(home, scope, [scope]) for scope in ("lists", "feedback", "metric", "operations")}
    made["label"] = add_key(home, "label", ["label"], label)
    state = Current(finished.home, current.release, Keys.read(home), needs_key=True)
    headers = {scope: f"Bearer {key}" for scope, key in made.items()}
    return service_of(finished.home, tmp_path / "inbox", tmp_path / "log", state), headers


def test_every_route_asks_for_its_scope(keyed: tuple[Service, dict[str, str]]) -> None:
    """Without a key 401, with another scope 403; only /health and the OpenAPI document are open."""
    service, headers = keyed
    service.failures = RateLimit(1e6, lambda: 0.0)
    guarded = [(route.method, route.path, route.scopes) for route in ROUTES if route.scopes]

    for method, path, scopes in [*guarded, ("GET", "/metrics", ("operations",))]:
        for given in (
            {},
            {"authorization": "Bearer rsk_wrong"},
            {"authorization": headers["lists"].replace("er ", "er")},
        ):
            assert (
                answer_of(service, path, method=method, headers=given, body={} if method == "POST" else None).status
                == 401
            )
        for scope, header in headers.items():
            answer = answer_of(
                service, path, method=method, headers={"authorization": header}, body={} if method == "POST" else None
            )
            assert (answer.status == 403) == (scope not in scopes), (path, scope, answer.body)
    assert [answer_of(service, path).status for path in ("/health", "/openapi.json")] == [200, 200]


@pytest.fixture
def two_labels(finished: Run, current: Current, tmp_path: Path) -> tuple[Service, dict[str, tuple[str, str]]]:
    """Return a service whose release has a use of a recording of each of two labels: label -> header, recording."""
    whole = tmp_path / "whole.duckdb"
    shutil.copy(current.release.parts.warehouse, whole)
    with duckdb.connect(str(whole)) as connection:
        owned = dict(
            connection.execute(
                "select label_id, min(track_id) from marts.track_features where label_id is not null group by 1 "
                "order by 1 limit 2"
            ).fetchall()
        )
        columns = connection.execute("describe marts.recording_uses").fetchall()
        for track in owned.values():
            row = [_value(kind, name, track) for name, kind, *_ in columns]
            connection.execute(f"insert into marts.recording_uses values ({', '.join('?' * len(row))})", row)
    write_labels(whole, tmp_path / "labels")
    home = Home(tmp_path / "keys")
    home.path.mkdir()
    keys = {label: add_key(home, f"label{n}", ["label"], label) for n, label in enumerate(owned)}
    parts = replace(current.release.parts, labels=tmp_path / "labels")
    release = replace(current.release, parts=parts, _labels={})
    state = Current(finished.home, release, Keys.read(home), needs_key=True)
    service = service_of(finished.home, tmp_path / "inbox", tmp_path / "log", state)
    return service, {label: (f"Bearer {key}", owned[label]) for label, key in keys.items()}


def _value(kind: str, name: str, track: str) -> object:
    """Return a value of a use, for a column of this name and type of DuckDB."""
    return track if name == "track_id" else {"DATE": date(2026, 6, 30), "VARCHAR": "x"}.get(kind, 1)


def test_a_label_reads_its_own_file_alone(
    two_labels: tuple[Service, dict[str, tuple[str, str]]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The whole warehouse is not asked; each key finds the use of its own recording, and never the other's."""
    service, labels = two_labels
    monkeypatch.setattr(
        service.current.release.warehouse, "query", lambda *_: pytest.fail("the whole warehouse was read")
    )

    for label, (header, own) in labels.items():
        (other,) = (track for name, (_, track) in labels.items() if name != label)
        found = {
            kind: answer_of(service, "/v1/matches", headers={"authorization": header}, **query).value["matches"]
            for kind, query in {"all": {}, "own": {"track_id": own}, "other": {"track_id": other}}.items()
        }
        assert [match["track_id"] for match in found["all"]] == [own]
        assert [match["track_id"] for match in found["own"]] == [own]
        assert found["other"] == []


def test_failures_without_a_key_are_slowed_down(keyed: tuple[Service, dict[str, str]]) -> None:
    """Ten of an address at once, then 429; a valid key is not affected."""
    service, headers = keyed

    statuses = [answer_of(service, LISTS).status for _ in range(12)]

    assert statuses == [401] * 10 + [429] * 2
    given = {"authorization": headers["lists"], "x-listener-id": "a"}
    assert answer_of(service, LISTS, headers=given).status == 200


def test_what_needs_no_key_has_a_rate_per_address(service: Service) -> None:
    """Twice the rate at once, for the document and /health together."""
    statuses = [answer_of(service, path).status for path in ["/openapi.json", "/health"] * 6]

    assert statuses == [200] * 10 + [429] * 2


def test_a_consumer_leaves_places_to_others(service: Service) -> None:
    """With half of all waiting places, its next request is turned away, and another's is answered."""
    service._waiting.update(local=MAX_WAITING_EACH, another=1)
    assert answer_of(service, "/v1/products").status == 503

    service._waiting.update(local=-1)

    assert answer_of(service, "/v1/products").status == 200
    assert service._waiting["local"] == MAX_WAITING_EACH - 1


def test_a_consumer_has_a_rate(service: Service) -> None:
    """Twice its requests per second at once; Retry-After says when to come again."""
    service.rate = RateLimit(2, lambda: 0.0)

    answers = [answer_of(service, "/v1/products") for _ in range(5)]

    assert [answer.status for answer in answers] == [200] * 4 + [429]
    assert answers[-1].headers["retry-after"] == "1"


@pytest.mark.parametrize("host", ["evil.example", "localhost.evil.example:8600", "", "[::1].evil", "192.168.0.7"])
def test_without_keys_another_host_name_is_refused(service: Service, host: str) -> None:
    """A page in a browser of this machine may have a name that leads here."""
    assert answer_of(service, "/v1/products", headers={"host": host}).status == 403
    assert answer_of(service, "/v1/products", headers={"host": "127.0.0.1:8600"}).status == 200


def test_an_etag_stands_for_release_question_and_listener(service: Service, release: OpenRelease) -> None:
    """The same gives 304 without a body; another listener, filter or release gives the list."""
    first = answer_of(service, LISTS, headers={"x-listener-id": ACCOUNT})
    same = {"if-none-match": first.headers["etag"]}

    again = answer_of(service, LISTS, headers={"x-listener-id": ACCOUNT, **same})
    assert (again.status, again.body) == (304, b"")
    assert "X-Listener-Id" in again.headers["vary"]
    assert answer_of(service, LISTS, headers={"x-listener-id": "another", **same}).status == 200
    assert answer_of(service, LISTS, headers={"x-listener-id": ACCOUNT, **same}, n=3).status == 200
    service.current.release = replace(release, version="another")
    assert answer_of(service, LISTS, headers={"x-listener-id": ACCOUNT, **same}).status == 200


def test_if_none_match_may_be_a_list_weak_or_any(service: Service) -> None:
    """As RFC 9110 compares them; what is alive has no validator."""
    etag = answer_of(service, "/v1/products").headers["etag"]

    for given, status in [(f'"a", {etag}', 304), (f"W/{etag}", 304), ("*", 304), ('"a", "b"', 200), ("", 200)]:
        assert answer_of(service, "/v1/products", headers={"if-none-match": given}).status == status, given
    health = answer_of(service, "/health", headers={"if-none-match": "*"})
    assert (health.status, "etag" in health.headers) == (200, False)


def test_a_log_that_cannot_be_written_stops_nothing(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    """The service goes on looking at the home, /health says what is wrong, and says no more when it is over."""
    stream = service.telemetry.stream
    with Path("/dev/full").open("wb", buffering=0) as full:
        service.telemetry.stream = full
        monkeypatch.setattr(service.inbox, "rotate", lambda: 1 / 0)
        service.refresh()

        health = answer_of(service, "/health").value
        assert (health["status"], "log" in health["problem"]) == ("unlogged", True)
        assert b"recsys_log_failures_total 0.0" not in service.telemetry.metrics()
    service.telemetry.stream = stream
    for _ in range(2):  # the first look still knows of the request that was not logged
        service.refresh()
    assert answer_of(service, "/health").value["status"] == "ok"


def test_a_release_that_fails_is_tried_again_after_growing_pauses(
    current: Current, finished: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever the error: the last release answers, /health is stale, one line is logged, without the message."""
    seconds, tried = [0.0], list[float]()

    def fail(*_: object) -> OpenRelease:
        tried.append(seconds[0])
        raise RuntimeError(ACCOUNT)

    monkeypatch.setattr("recsys.serve.current.open_release", fail)
    state = Current(
        finished.home,
        replace(current.release, version="older"),
        current.keys,
        needs_key=False,
        clock=lambda: seconds[0],
    )
    notes = []
    for second in range(20):
        seconds[0] = float(second)
        notes += state.refresh()
        assert state.problem is not None
    assert tried == [0, 1, 3, 7, 15]
    assert len(notes) == 1
    assert "RuntimeError at" in notes[0]
    assert ACCOUNT not in notes[0]
    seconds[0] = 40.0
    monkeypatch.setattr("recsys.serve.current.open_release", lambda *_: current.release)
    assert "is open" in state.refresh()[0]
    assert state.problem is None


def test_the_log_and_the_metrics_name_no_listener(service: Service, release: OpenRelease, tmp_path: Path) -> None:
    """Neither the account nor its pseudonym, nor what was asked; errors do not quote the account either."""
    listener = release.published.listeners[0].decode()
    body = {"listener_id": ACCOUNT, "events": [{**EVENT, "track_id": "trk_secret"}]}
    answers = [
        answer_of(service, LISTS, headers={"x-listener-id": ACCOUNT}, exclude="trk_secret"),
        answer_of(service, LISTS, method="POST", body=body),
        answer_of(service, LISTS, method="POST", body={**body, "n": 0}),
        answer_of(
            service,
            "/v1/feedback",
            method="POST",
            body={"events": [{"listener_id": ACCOUNT, **EVENT, "happened_at": "?"}]},
        ),
        answer_of(service, "/v1/explain", headers={"x-listener-id": ACCOUNT}, track_id=release.track_ids[0]),
        answer_of(service, f"/v1/{ACCOUNT}"),
        answer_of(service, LISTS, method=ACCOUNT),
    ]
    output = (tmp_path / "log").read_text() + service.telemetry.metrics().decode()

    assert [answer.status for answer in answers] == [200, 200, 422, 422, 404, 404, 405]
    for secret in (ACCOUNT, "trk_secret", listener, service._pseudonym(ACCOUNT)):
        assert secret not in output
        assert all(secret.encode() not in answer.body for answer in answers)
    assert {json.loads(line)["event"] for line in (tmp_path / "log").read_text().splitlines()} == {"request"}


def test_an_unexpected_error_tells_nothing(service: Service, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The client gets 500 without a reason; the log says where, without the message."""
    monkeypatch.setattr(service, "today", lambda: (_ for _ in ()).throw(RuntimeError(ACCOUNT)))

    body = {"listener_id": "a", "events": [EVENT]}
    answer = answer_of(service, LISTS, method="POST", body=body)

    assert (answer.status, answer.headers["content-type"]) == (500, "application/problem+json")
    assert msgspec.json.decode(answer.body, type=messages.Problem).title == "Internal Server Error"
    logged = (tmp_path / "log").read_text()
    assert "RuntimeError at " in logged
    assert ACCOUNT not in logged


@pytest.mark.parametrize(
    ("path", "query", "status"),
    [
        ("/v1/../listener.key", {}, 404),
        ("/v1/product", {"product": "../../listener.key", "key": "a"}, 404),
        ("/v1/product", {"product": "/etc/passwd", "key": "a"}, 404),
        ("/v1/product", {"product": "similar_tracks"}, 422),
        ("/v1/search", {"q": "like /etc/passwd"}, 404),
        ("/v1/search", {"q": "x" * 1_001}, 422),
        ("/v1/similar", {"track_id": "../../../etc/passwd"}, 404),
        ("/v1/similar", {"track_id": "' or 1=1 --"}, 404),
        ("/v1/similar", {"track_id": "a\x00b"}, 404),
        ("/v1/matches", {"track_id": "' or 1=1 --"}, 200),
        ("/v1/matches", {"n": "100000"}, 422),
        ("/v1/products", {"unknown": "1"}, 422),
        ("/v1/recommendations", {"n": "nan"}, 422),
        ("/v1/recommendations", {"n": ["1", "2"]}, 422),
        ("/v1/recommendations", {"territory": "de"}, 422),
        ("/v1/recommendations", {"territory": "DE\n"}, 422),
        ("/v1/recommendations", {"exclude": ["x"] * 700}, 400),
    ],
)
def test_hostile_questions_get_an_error_of_their_own(
    service: Service, path: str, query: dict[str, str], status: int
) -> None:
    """No path of this machine is read or output."""
    answer = answer_of(service, path, headers={"x-listener-id": "a"}, **query)

    assert answer.status == status, answer.body
    assert b"/home" not in answer.body
    assert b"root:" not in answer.body


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 400),
        (b"\xff", 400),
        (b"[" * 100_000, 422),
        (b'{"listener_id": "\\ud800"}', 400),
        (b'{"listener_id": " "}', 422),
        (b'{"listener_id": "a", "listener": 1}', 422),
        (b'{"listener_id": "a", "events": [{"track_id": "x", "happened_at": "9999-12-31T23:59:59Z"}]}', 422),
        (b'{"listener_id": "a", "events": [{"track_id": "x", "happened_at": "yesterday"}]}', 422),
        (b'{"listener_id": "a", "events": [{"track_id": "x", "happened_at": "2026-06-30"}]}', 422),
        (b'{"listener_id": "a", "events": [{"track_id": "x", "happened_at": "2026-06-30T10:00:00"}]}', 422),
        (b'{"listener_id": "a", "events": [{"track_id": "x", "happened_at": "1782813600"}]}', 422),
        (b'{"listener_id": "a", "n": 1e999}', 422),
        (b" " * (BODY_BYTES + 1), 413),
    ],
)
def test_hostile_bodies_get_an_error_of_their_own(service: Service, body: bytes, status: int) -> None:
    """Invalid JSON, deep, large, and values that break the contract."""
    assert answer_of(service, LISTS, method="POST", body=body).status == status


def test_a_form_of_a_browser_is_refused(service: Service) -> None:
    """Pages of others can send such a form without asking, but not JSON."""
    given = {"content-type": "text/plain"}

    assert answer_of(service, "/v1/feedback", method="POST", headers=given, body=b'{"events": []}').status == 415


def test_a_mix_of_another_listener_cannot_be_named(service: Service, release: OpenRelease) -> None:
    """Keys of such products begin with the pseudonym of the listener in the header, whatever is asked."""
    other = f"{release.published.listeners[0].decode()}/1"

    assert answer_of(service, "/v1/product", product="daily_mixes", key=other).status == 400
    given = {"x-listener-id": "a"}
    assert answer_of(service, "/v1/product", headers=given, product="daily_mixes", key=other).status == 404


def test_products_say_whose_their_lists_are(
    service: Service, release: OpenRelease, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The keys of their files agree: of a listener, of a part of one, or of none; one that is silent is not served."""
    listeners = {name.decode() for name in release.published.listeners}
    assert len(release.products) > 5
    for name, path in release.products.items():
        keys = set(pl.read_parquet(path).to_series(0).unique())
        owners = {key.partition("/")[0] for key in keys} & listeners
        whose = key_of(name)
        assert whose in get_args(Key), name
        assert bool(owners) == (whose in {"listener", "part"} and bool(keys)), name
        assert all(("/" in key) == (whose == "part") for key in keys if key.partition("/")[0] in listeners), name
    monkeypatch.delattr("recsys.products.discovery.KEY")
    given = {"x-listener-id": ACCOUNT}
    assert answer_of(service, "/v1/product", headers=given, product="discovery", key=min(listeners)).status == 404


def test_similar_recordings_are_not_withdrawn_and_may_be_played(service: Service, release: OpenRelease) -> None:
    """What is withdrawn, or not available in the territory, is replaced by the next; the others stay in order."""

    def similar(**query: Any) -> list[str]:
        answer = answer_of(service, "/v1/similar", track_id=like, n=100, per_artist=100, per_release=100, **query)
        return [track["track_id"] for track in answer.value["tracks"]]

    index = release.index()
    assert index is not None
    like = str(index.ids[0])
    before = similar()
    gone, abroad = before[1], before[2]
    changed = release.catalogue.with_columns(
        withdrawn_at=pl.when(track_id=gone).then(pl.lit(release.served_on)).otherwise("withdrawn_at"),
        available_in=pl.when(track_id=abroad).then(pl.lit(["FR"])).otherwise("available_in"),
    )
    service.current.release = replace(release, catalogue=changed)

    assert similar()[:99] == [name for name in before if name != gone]
    assert abroad in similar(territory="FR")
    assert abroad not in similar(territory="DE")


def test_products_and_search_answer_as_the_export_and_the_catalogue(service: Service, release: OpenRelease) -> None:
    """A list of a product has the exported recordings in order; the results of a search have the tag that was asked."""
    table = pl.read_parquet(release.products["similar_tracks"])
    key = table["track_id"][0]
    expected = table.filter(track_id=key).sort("rank")["similar_track_id"].head(4).to_list()

    assert "similar_tracks" in answer_of(service, "/v1/products").value["products"]
    listed = answer_of(service, "/v1/product", product="similar_tracks", key=key, n=4).value["entries"]
    assert [entry["track_id"] for entry in listed] == expected
    found = answer_of(service, "/v1/search", q="pop", n=3).value["tracks"]
    assert [track["why"] for track in found] == ["genre pop"] * 3


def test_a_swap_changes_the_release_between_requests_only(
    finished: Run, copy_of: Callable[[Home], Home], tmp_path: Path
) -> None:
    """What is changed in place is opened anew; what is damaged leaves it closed, not open."""
    home = copy_of(finished.home)
    current = Current.of(home, is_loopback=True)
    first = current.release

    assert current.refresh() == []
    manifest = first.parts.export / "manifest.json"  # type: ignore[operator]
    manifest.touch()
    assert "is open" in str(current.refresh())
    assert current.release is not first
    assert current.release.version != first.version
    manifest.write_text("{")
    assert "damaged" in str(current.refresh())
    assert current.problem is not None
    assert current.release.name == first.name
    (home.path / "service_keys.json").write_text("[")
    assert "keys" in str(current.refresh())
    assert current.consumer(None) is None
