"""
The service under load, beside FastAPI with the same lists as JSON made beforehand in a dict (`peers/fastapi_lists.py`).

Server on one core, `wrk` on another; lists of 20 with territory, exclusion and artist cap, with a key and an ETag. The
lists are those of HOME (2,500 listeners with 500 candidates in the demo world) under made-up accounts, in a copy. Then
the 99th percentile at half load and of fold-ins of 50 events, which must equal the batch's; swaps between two releases
with different scores under load; the memory of a million listeners; and hostile requests by schemathesis.
"""

import asyncio
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.request import urlopen

from bench.options import Missing, benchmark, home_argument, size

if TYPE_CHECKING:
    import polars as pl

    from recsys.home import Home

PORT, PEER_PORT = 8_651, 8_652
QUERY = "/v1/recommendations?n=20&territory=DE&exclude=trk_1&artist_cap=2"
SUFFIX = "-swapped"
START = """
import sys
from datetime import UTC, date, datetime
from pathlib import Path
from recsys.home import Home
from recsys.serve.server import Limits, serve, service
limits = Limits(1e9, 10_000_000)
clocks = {"today": lambda: date(2030, 1, 1), "now": lambda: datetime.now(UTC)}
app = service(Home(Path(sys.argv[1])), "127.0.0.1", limits, **clocks)
app.refresh_s = float(sys.argv[3])
serve(app, "127.0.0.1", int(sys.argv[2]))
"""
PEER = """
import sys
from pathlib import Path
from bench.peers.fastapi_lists import serve
serve(Path(sys.argv[1]), int(sys.argv[2]))
"""
MEMORY = """
import sys
from pathlib import Path
import numpy as np
import polars as pl
from recsys.dataset.vocab import Vocab
from recsys.serve.stored_lists import StoredLists
def resident(name):
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(name))
pl.scan_parquet(sys.argv[1]).head(1).collect()
before = resident("VmRSS")
lists = StoredLists.read(Path(sys.argv[1]), Vocab.load(Path(sys.argv[2])), {"score": np.float32}, {})
print(resident("VmRSS"), resident("VmHWM"), before, len(lists.listeners))
"""


@benchmark(headline=r"(\d+\.\d\d) times FastAPI")
@home_argument
@size("--seconds", default=10, smallest=1, help="Length of each load [s].")
@size("--swaps", "n_swaps", default=100, smallest=2, help="Swaps of the release under load.")
@size("--folds", "n_folds", default=200, smallest=2, help="Fold-ins.")
@size("--listeners", "n_listeners", default=1_000_000, smallest=1_000, help="Listeners of the measurement of memory.")
@size("--hostile", "hostile_s", default=600, smallest=0, help="Seconds of hostile requests; 0 for none [s].")
def main(home: Path, seconds: int, n_swaps: int, n_folds: int, n_listeners: int, hostile_s: int) -> None:
    """Print the figures."""
    from recsys.home import Home

    if shutil.which("wrk") is None:
        raise Missing("wrk, which sends the requests, is not on this machine. Install it: apt-get install wrk")
    with tempfile.TemporaryDirectory() as scratch:
        copy = copy_of(Home(home.absolute()), Path(scratch) / "home")
        accounts, key = prepare(copy)
        load(copy, accounts, key, seconds, Path(scratch))
        folds(copy, key, n_folds)
        swaps(copy, accounts, key, n_swaps)
        memory(n_listeners, Path(scratch))
        if hostile_s:
            hostile(copy, key, hostile_s)


def copy_of(home: "Home", folder: Path) -> "Home":
    """Return a home beside another whose large folders are links, and whose releases, keys and inbox are its own."""
    from recsys.home import Home

    folder.mkdir()
    for path in home.path.iterdir():
        if path.name == "releases":
            shutil.copytree(path, folder / path.name, symlinks=True)
        elif path.name not in {"current", "service_keys.json", "inbox", ".lock"}:
            (folder / path.name).symlink_to(path)
    (folder / "current").symlink_to(home.current.readlink())
    return Home(folder)


def prepare(home: "Home") -> tuple[list[str], str]:
    """Make a release with positive scores and one with negative, for made-up accounts; return these and a key."""
    from recsys.releases import registry
    from recsys.serve.keys import add_key

    name = registry.current_name(home)
    if name is None:
        raise Missing(f"{home.path} has no release. Make one: make demo")
    release = registry.read(home, name)
    accounts = _export(home, release.export, home.path / "export-a", 1.0)
    _export(home, release.export, home.path / "export-b", -1.0)
    shutil.copytree(home.path / "releases" / name, home.path / "releases" / (name + SUFFIX), symlinks=True)
    registry.relink(home, name, "export", home.path / "export-a")
    registry.relink(home, name + SUFFIX, "export", home.path / "export-b")
    return accounts, add_key(home, "bench", ["lists", "feedback", "operations"])


def _export(home: "Home", export: Path | None, folder: Path, sign: float) -> list[str]:
    """Write lists and candidates under made-up accounts; return the accounts."""
    import polars as pl

    from recsys import files
    from recsys.ingest.pseudonym import listener_key, pseudonyms
    from recsys.pipeline.export import MANIFEST

    if export is None:
        raise Missing(f"{home.path} has no lists. Make them: recsys nightly")
    folder.mkdir()
    names = (
        pl.scan_parquet(export / "candidates.parquet").select(pl.col("user_id").unique()).collect()["user_id"].sort()
    )
    accounts = [f"account-{n}" for n in range(len(names))]
    made = pl.DataFrame({"user_id": names, "made": pseudonyms(accounts, listener_key(home.key_file))})
    for name in ("recommendations", "candidates"):
        rows = pl.read_parquet(export / f"{name}.parquet").join(made, on="user_id", maintain_order="left")
        renamed = (
            rows.with_columns(user_id="made", score=(pl.col("score").abs() + 1) * sign)
            .drop("made")
            .sort("user_id", "rank")
        )
        renamed.write_parquet(folder / f"{name}.parquet")
    manifest = files.read_json(export / MANIFEST)
    manifest["files"] = [
        {"path": path.name, "sha256": files.sha256_of(path)} for path in sorted(folder.glob("*.parquet"))
    ]
    files.write_json(folder / MANIFEST, manifest)
    return accounts


@contextmanager
def started(core: int, port: int, code: str, *arguments: str) -> Iterator[subprocess.Popen[bytes]]:
    """Start a server on one core, and wait until it answers."""
    single = dict.fromkeys(("POLARS_MAX_THREADS", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1")
    command = ["taskset", "-c", str(core), sys.executable, "-c", code, *arguments]
    with (
        Path(os.devnull).open("wb") as nowhere,
        subprocess.Popen(command, env=os.environ | single, stdout=nowhere) as server,
    ):
        try:
            for _ in range(600):
                try:
                    asyncio.run(_connected(port))
                    break
                except OSError:
                    time.sleep(0.1)
            yield server
        finally:
            server.terminate()


async def _connected(port: int) -> None:
    _, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.close()


def ours(home: "Home", every_s: float = 1.0) -> Any:
    """Return the context of our server, on the first core."""
    return started(0, PORT, START, str(home.path), str(PORT), str(every_s))


def load(home: "Home", accounts: list[str], key: str, seconds: int, scratch: Path) -> None:
    """Print requests per second of both servers by turns, and the 99th percentile at half load."""
    rates: dict[str, list[float]] = {"ours": [], "FastAPI": []}
    costs: dict[str, list[float]] = {"ours": [], "FastAPI": []}  # CPU time per request [us]
    script = scratch / "listeners.lua"
    script.write_text(_lua(accounts, key))
    lists = scratch / "lists.tsv"
    with ours(home) as server:
        answers = asyncio.run(_ask_all([(account, "") for account in accounts], key))
        lists.write_bytes(
            b"".join(a.encode() + b"\t" + body + b"\n" for a, (_, body) in zip(accounts, answers, strict=True))
        )
        for _ in range(3):
            _measure(rates["ours"], costs["ours"], server.pid, PORT, script, seconds)
            with started(0, PEER_PORT, PEER, str(lists), str(PEER_PORT)) as peer:
                _measure(rates["FastAPI"], costs["FastAPI"], peer.pid, PEER_PORT, script, seconds)
        middle = {name: sorted(found)[1] for name, found in rates.items()}
        took = asyncio.run(_paced(accounts, key, middle["ours"] / 2, seconds))
    for name, found in rates.items():
        cpu = sorted(costs[name])[1]
        print(
            f"{name}: {middle[name]:,.0f} requests/s of {', '.join(f'{rate:,.0f}' for rate in found)}; {cpu:.0f} us CPU"
        )
    by_cpu = sorted(costs["FastAPI"])[1] / sorted(costs["ours"])[1]
    print(f"{middle['ours'] / middle['FastAPI']:.2f} times FastAPI, bar .70; by CPU time {by_cpu:.2f} times")
    print(
        f"half load, {len(took):,}: median {_quantile(took, 0.5):.2f} ms, p99 {_quantile(took, 0.99):.2f} ms, bar 10 ms"
    )


def _lua(accounts: list[str], key: str) -> str:
    named = ", ".join(f'"{account}"' for account in accounts)
    return f"""
local names, n = {{{named}}}, 0
request = function()
  n = n % #names + 1
  return wrk.format("GET", "{QUERY}", {{["X-Listener-Id"] = names[n], ["Authorization"] = "Bearer {key}"}})
end
"""


def _measure(rates: list[float], costs: list[float], pid: int, port: int, script: Path, seconds: int) -> None:
    """Add the requests per second of a load, and the server's CPU time per request, which is steadier."""
    before = _cpu_s(pid)
    rates.append(_wrk(port, script, seconds))
    costs.append((_cpu_s(pid) - before) / (rates[-1] * seconds) * 1e6)


def _cpu_s(process: int) -> float:
    """Return the CPU time of a process [s]."""
    fields = Path(f"/proc/{process}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _wrk(port: int, script: Path, seconds: int) -> float:
    command = [
        "taskset",
        "-c",
        "1",
        "wrk",
        "-t1",
        "-c16",
        f"-d{seconds}s",
        "-s",
        str(script),
        f"http://127.0.0.1:{port}",
    ]
    text = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    if "Non-2xx" in text or "Socket errors" in text:
        raise Missing(f"wrk had errors, expected none: {text}")
    found = re.search(r"Requests/sec:\s+([\d.]+)", text)
    return float(found[1]) if found else 0.0


class Connection:
    """A connection that is kept open."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    @classmethod
    async def open(cls) -> "Connection":
        """Connect to our server."""
        return cls(*await asyncio.open_connection("127.0.0.1", PORT))

    async def ask(self, account: str, key: str, body: bytes = b"", path: str = QUERY) -> tuple[int, bytes]:
        """Send a GET, or with a body a POST; return status and body."""
        line = "POST /v1/recommendations" if body else f"GET {path}"
        sent = (
            f"content-type: application/json\r\ncontent-length: {len(body)}\r\n"
            if body
            else f"x-listener-id: {account}\r\n"
        )
        self.writer.write(
            f"{line} HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {key}\r\n{sent}\r\n".encode() + body
        )
        head = (await self.reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
        n_bytes = int(head.partition("content-length: ")[2].partition("\r\n")[0])
        return int(head.split(" ", 2)[1]), await self.reader.readexactly(n_bytes)


async def _ask_all(requests: list[tuple[str, str]], key: str) -> list[tuple[int, bytes]]:
    connection = await Connection.open()
    return [await connection.ask(account, key, body.encode()) for account, body in requests]


async def _paced(accounts: list[str], key: str, per_s: float, seconds: int) -> list[float]:
    """Send requests at a steady rate whether or not others were answered; return how long each took [ms]."""
    waiting: asyncio.Queue[Connection] = asyncio.Queue()
    for _ in range(32):
        waiting.put_nowait(await Connection.open())
    took, begun = list[float](), time.perf_counter()

    async def one(due: float, account: str) -> None:
        connection = await waiting.get()
        await connection.ask(account, key)
        took.append((time.perf_counter() - due) * 1_000)
        waiting.put_nowait(connection)

    async with asyncio.TaskGroup() as group:
        for n in range(int(per_s * seconds)):
            due = begun + n / per_s
            if (ahead := due - time.perf_counter()) > 0:
                await asyncio.sleep(ahead)
            group.create_task(one(due, accounts[n % len(accounts)]))
    return took


def _quantile(took: list[float], share: float) -> float:
    return sorted(took)[min(len(took) - 1, int(share * len(took)))]


def folds(home: "Home", key: str, n_folds: int) -> None:
    """Print the 99th percentile of fold-ins of 50 events, and how many lists equal the batch's own fold-in."""
    from recsys.serve.open_release import open_release, version_of

    release = open_release(home, *version_of(home))
    bodies = [_events(release, n) for n in range(n_folds)]
    with ours(home):

        async def timed() -> tuple[list[float], list[bytes]]:
            connection, took, found = await Connection.open(), list[float](), list[bytes]()
            await connection.ask("", key, bodies[0].encode())
            for body in bodies:
                begun = time.perf_counter()
                found.append((await connection.ask("", key, body.encode()))[1])
                took.append((time.perf_counter() - begun) * 1_000)
            return took, found

        took, found = asyncio.run(timed())
    n_equal = sum(_listed(answer) == _by_batch(release, body) for body, answer in zip(bodies, found, strict=True))
    print(f"fold-in of 50 events: median {_quantile(took, 0.5):.1f} ms, p99 {_quantile(took, 0.99):.1f} ms, bar 50 ms")
    print(f"{n_equal} of {n_folds} lists equal the batch's")


def _events(release: Any, seed: int) -> str:
    import numpy as np

    rng = np.random.default_rng(seed)
    chosen = rng.choice(len(release.track_ids), 50)
    events = [
        {
            "track_id": release.track_ids[row],
            "happened_at": f"{release.as_of - timedelta(days=n)}T12:00:00Z",
            "ms_played": 200_000,
        }
        for n, row in enumerate(chosen.tolist())
    ]
    return json.dumps({"listener_id": f"new-{seed}", "n": 20, "artist_cap": 100, "events": events})


def _by_batch(release: Any, body: str) -> list[str]:
    """Return the list that the nightly run's functions give for these events: one play each, at noon of its day."""
    import polars as pl

    from recsys.recommenders.parts.filters import Filters

    plays = pl.DataFrame(
        [(event["track_id"], event["happened_at"]) for event in json.loads(body)["events"]],
        ["track_id", "at"],
        orient="row",
    )
    ages = (release.served_on - pl.col("at").str.slice(0, 10).str.to_date()).dt.total_days() - 0.5
    history = (
        plays.group_by("track_id")
        .agg(strength=pl.len().cast(pl.Float64), age_days=ages.min())
        .with_columns(user_id=pl.lit("new"))
    )
    nobody = pl.DataFrame({"user_id": ["new"], "country": ["unknown"]})
    heard = history.join(release.copies, on="track_id").select("user_id", track_id="copy_id")
    filters = Filters.for_listeners(
        nobody, release.catalogue, tracks=release.model.tracks, as_of=release.served_on, blocked=heard
    )
    listed: list[str] = release.model.recommend_by_history(history, 20, filters=filters)["track_id"].to_list()
    return listed


def _listed(answer: bytes) -> list[str]:
    return [track["track_id"] for track in json.loads(answer)["tracks"]]


def swaps(home: "Home", accounts: list[str], key: str, n_swaps: int) -> None:
    """Print what failed and what mixed two releases while one replaced the other."""
    from recsys.releases import registry

    name = str(registry.current_name(home)).removesuffix(SUFFIX)
    with ours(home, 0.05) as server:
        before = _resident(server.pid, "VmRSS")
        answers, seen = asyncio.run(_swapped(home, name, accounts, key, n_swaps))
        after, most = _resident(server.pid, "VmRSS"), _resident(server.pid, "VmHWM")
    n_failed = sum(status != 200 for status, _ in answers)
    n_mixed = sum(_is_mixed(body) for status, body in answers if status == 200)
    registry.make_current(home, name)
    print(f"{n_swaps} swaps, {seen} seen, {len(answers):,} requests: {n_failed} failed, {n_mixed} mixed")
    print(f"memory of the service: {before:,} MB before the swaps, {after:,} MB after, at most {most:,} MB")


def _resident(process: int, which: str) -> int:
    """Return the resident memory of a process, now (VmRSS) or at most so far (VmHWM) [MB]."""
    lines = Path(f"/proc/{process}/status").read_text(encoding="utf-8").splitlines()
    return next(int(line.split()[1]) // 1_000 for line in lines if line.startswith(which))


async def _swapped(
    home: "Home", name: str, accounts: list[str], key: str, n_swaps: int
) -> tuple[list[tuple[int, bytes]], int]:
    """Ask on four connections while the release is swapped, each time after the service has opened the last one."""
    from recsys.releases import registry

    answers, is_over = list[tuple[int, bytes]](), asyncio.Event()

    async def asking(first: int) -> None:
        connection = await Connection.open()
        n = first
        while not is_over.is_set():
            answers.append(await connection.ask(accounts[n % len(accounts)], key))
            n += 4

    tasks = [asyncio.create_task(asking(first)) for first in range(4)]
    n_seen, health = 0, await Connection.open()
    for n in range(n_swaps):
        next_name = name if n % 2 else name + SUFFIX
        await asyncio.to_thread(registry.make_current, home, next_name)
        for _ in range(300):
            await asyncio.sleep(0.05)
            if json.loads((await health.ask("", key, path="/health"))[1])["release"] == next_name:
                n_seen += 1
                break
    is_over.set()
    await asyncio.gather(*tasks)
    return answers, n_seen


def _is_mixed(body: bytes) -> bool:
    """Return whether a list has scores of the other release; they differ in sign."""
    answer = json.loads(body)
    sign = -1 if answer["release"].endswith(SUFFIX) else 1
    return any(track["score"] * sign < 0 for track in answer["tracks"])


def memory(n_listeners: int, scratch: Path) -> None:
    """Print the memory that the stored lists of many listeners take, 100 recordings each."""
    from recsys.dataset.vocab import Vocab

    tracks = Vocab.of([f"trk_{n}" for n in range(100_000)], kind="track")
    tracks.save(scratch / "tracks.parquet")
    _made_up(n_listeners, tracks.ids()).sink_parquet(scratch / "lists.parquet", compression="lz4")
    done = subprocess.run(
        [sys.executable, "-c", MEMORY, str(scratch / "lists.parquet"), str(scratch / "tracks.parquet")],
        check=True, capture_output=True, text=True, env=os.environ | {"POLARS_MAX_THREADS": "1"},
    )  # fmt: skip
    now, most, before, found = map(int, done.stdout.split())
    print(f"{found:,} listeners with 100 recordings: {now / 1e9:.2f} GB, at most {most / 1e9:.2f} GB while reading "
          f"({before / 1e9:.2f} GB of it before), bar 2 GB")  # fmt: skip


def _made_up(n_listeners: int, tracks: "pl.Series") -> "pl.LazyFrame":
    """Return lists of 100 recordings, by arithmetic on row numbers."""
    import polars as pl

    numbered = pl.LazyFrame({"n": pl.int_range(100 * n_listeners, eager=True)}).select(row=pl.col("n"))
    user = pl.format("{}", (pl.col("row") // 100) + 10**15)
    track = (pl.col("row") * 7_919 + pl.col("row") // 100 * 104_729) % len(tracks)
    return numbered.select(
        user_id=user,
        rank=(pl.col("row") % 100 + 1).cast(pl.Int32),
        track_id=pl.format("trk_{}", track),
        score=(1 / (pl.col("row") % 100 + 1)).cast(pl.Float32),
    )


def hostile(home: "Home", key: str, seconds: int) -> None:
    """Print what schemathesis found, and whether an answer report a path of this machine."""
    from bench.options import require

    require("schemathesis", "pip install schemathesis")
    with ours(home), tempfile.TemporaryDirectory() as reports:
        schema = Path(reports) / "openapi.json"
        schema.write_bytes(urlopen(f"http://127.0.0.1:{PORT}/openapi.json").read())
        command = [str(Path(sys.executable).with_name("st")), "run", str(schema), "--url", f"http://127.0.0.1:{PORT}"]
        options = ["--max-time", str(seconds), "--seed", "7", "--phases", "examples,coverage,fuzzing", "--no-shrink"]
        kept = ["--continue-on-failure", "--generation-database", "none", "--report", "ndjson", "--report-dir", reports]
        subprocess.run([*command, *options, *kept, "-H", f"Authorization: Bearer {key}"], check=False)
        report = "".join(path.read_text() for path in Path(reports).glob("*.ndjson"))
    n_errors = len(re.findall(r'"status_code": ?5(?!03|07)\d\d', report))
    n_leaks = report.count(str(home.path)) + report.count("Traceback")
    print(f"hostile requests: {seconds} s, {n_errors} server errors, {n_leaks} leaks")


if __name__ == "__main__":
    main()
