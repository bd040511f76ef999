"""
What a home exports for other tools, read by these tools, each in an environment of its own.

Events of OpenLineage, made of the log of the last nightly run, by the classes of openlineage-python; the contracts by
`datacontract lint`, which has the JSON schema of the Open Data Contract Standard; the sources of dbt by `dbt build`,
with a view and the exported tests of every table on the files of the lake. Counted is what they refuse.
"""

import json
import subprocess
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import click

from bench.options import Missing, benchmark, home_argument, size
from bench.peers.environments import ROOT, python_of

if TYPE_CHECKING:
    from recsys.home import Home

PROJECT = "name: lake\nversion: '1.0'\nprofile: lake\nmodel-paths: [models]\n"
PROFILE = "lake:\n  target: file\n  outputs:\n    file: {type: duckdb, path: lake.duckdb, threads: 1}\n"
PASSED = {"pass", "success"}
BUILD = "import sys; from dbt.cli.main import cli; sys.exit(cli())"
LINT = "import sys; from datacontract.cli import app; sys.exit(app())"
CHECK = "from bench.peers.openlineage_events import check; check()"


@dataclass(frozen=True)
class Read:
    """What a tool read: number of events, contracts, or views and tests; and what it refused, a line each."""

    n: int
    problems: list[str] = field(default_factory=list)


@benchmark(headline=r"refused: (\d+)")
@home_argument
@size("--tools", default=3, smallest=1, type=click.IntRange(1, 3), help="Number of tools, the cheapest first.")
@size("--install/--no-install", default=True, smallest=False, help="Create the environments that are missing.")
def main(home: Path, tools: int, install: bool) -> None:
    """Let every tool read its export, and print a table."""
    for name in ("openlineage", "datacontract", "dbt")[:tools]:
        python_of(name, install=install)
    from recsys.home import Home

    found = []
    print("| tool | read | refused |\n|---|---|---|")
    for name, read in list(TOOLS.items())[:tools]:
        with TemporaryDirectory() as folder:
            result = read(Home(home.absolute()), Path(folder))
        print(f"| {name} | {result.n} | {len(result.problems)} |", flush=True)
        found += result.problems
    print("\n".join(["", *found, f"refused: {len(found)}"]))


def _events(home: "Home", folder: Path) -> Read:
    from recsys.pipeline.lineage import followed

    logs = sorted(home.path.glob("runs/*/log.jsonl"), key=lambda path: path.stat().st_mtime)
    if not logs:
        raise Missing(
            f"{home.path} has no log of a run. Name the home of a nightly run: python -m bench.standards HOME"
        )
    file = folder / "events.jsonl"
    with followed(home, str(file), lambda _event: None, lambda: datetime.now(UTC)) as tell:
        for line in logs[-1].read_text(encoding="utf-8").splitlines():
            tell(json.loads(line))
    return Read(**json.loads(_printed([str(python_of("openlineage")), "-c", CHECK, str(file)], ROOT)))


def _contracts(home: "Home", folder: Path) -> Read:
    from recsys.warehouse.contract_export import ContractFormat, exported

    (folder / "contracts.yaml").write_text(exported(ContractFormat.ODCS, home), encoding="utf-8")
    command = [str(python_of("datacontract")), "-c", LINT, "lint", "contracts.yaml"]
    done = subprocess.run(command, cwd=folder, check=False, capture_output=True, text=True)
    return Read(1, [done.stdout + done.stderr] if done.returncode else [])


def _sources(home: "Home", folder: Path) -> Read:
    from recsys.lake.contract import CONTRACTS
    from recsys.warehouse.contract_export import ContractFormat, exported

    (folder / "models").mkdir()
    (folder / "models" / "sources.yml").write_text(exported(ContractFormat.DBT, home), encoding="utf-8")
    for table in CONTRACTS:
        (folder / "models" / f"{table}.sql").write_text(f"select * from {{{{ source('lake', '{table}') }}}}")
    (folder / "dbt_project.yml").write_text(PROJECT)
    (folder / "profiles.yml").write_text(PROFILE)
    command = [str(python_of("dbt")), "-c", BUILD, "build", "--profiles-dir", "."]
    subprocess.run(command, cwd=folder, check=False, capture_output=True)
    results = json.loads((folder / "target" / "run_results.json").read_text(encoding="utf-8"))["results"]
    problems = [f"{one['unique_id']}: {one['message']}" for one in results if one["status"] not in PASSED]
    return Read(len(results), problems)


def _printed(command: list[str], folder: Path) -> str:
    return subprocess.run(command, cwd=folder, check=True, stdout=subprocess.PIPE, text=True).stdout


TOOLS: dict[str, Callable[["Home", Path], Read]] = {
    "openlineage-python": _events,
    "datacontract-cli": _contracts,
    "dbt with dbt-duckdb": _sources,
}


if __name__ == "__main__":
    main()
