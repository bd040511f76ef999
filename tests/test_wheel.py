"""
A wheel, built and installed away from the checkout, contains all it needs, and everything runs from it.

The installation has the extra `dashboards` only: packages of the other extras cannot be imported in it. All other
packages come from the environment that runs the tests and are found after the wheel's own.
"""

import json
import os
import shutil
import socket
import subprocess
import sys
import sysconfig
import tarfile
import zipfile
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import polars as pl
import pytest
from urllib3 import PoolManager, Retry

import recsys
from recsys.home import Home
from recsys.installation.extras import EXTRAS
from recsys.pipeline.run import Run
from recsys.recipe import read_recipe

from .nights import LAST_DAY, RECIPE

ROOT = Path(__file__).parents[1]
OF_STREAMLIT = {"starlette", "uvicorn"}  # it brings them, too
LACKING = sorted(module for module, extra in EXTRAS.items() if extra != "dashboards" and module not in OF_STREAMLIT)
PAGE = """
import json
from streamlit import config
from streamlit.testing.v1 import AppTest
from recsys.cli.dashboard import APP
config.set_option("server.address", "127.0.0.1")
page = AppTest.from_file(str(APP), default_timeout=60).run()
failed = [error.value for error in page.error] + [exception.message for exception in page.exception]
print(json.dumps({
    "app": str(APP),
    "title": page.title[0].value,
    "shown": {metric.label: metric.value for metric in page.metric},
    "failed": failed,
}))
"""

pytestmark = pytest.mark.slow


def output_of(*words: str | Path, cwd: Path) -> str:
    """Run a command, which must succeed, without variables that point to the checkout; return its output."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "RECSYS", "GIT"))}
    done = subprocess.run([*map(str, words)], cwd=cwd, env=kept, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout.strip()


def git(folder: Path, *words: str) -> str:
    """Run git in a folder, with an author of its own; return its output."""
    return output_of("git", "-c", "user.name=t", "-c", "user.email=t@example.org", *words, cwd=folder)


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of this checkout with all files committed, and with files left by an earlier build."""
    folder = tmp_path_factory.mktemp("source")
    for name in output_of("git", "ls-files", "-co", "--exclude-standard", cwd=ROOT).splitlines():
        if (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, folder / name)
    for stale in ("build/lib/recsys/_bundled/sql/marts/gone.sql", "build/lib/dashboards/app.py"):
        (folder / stale).parent.mkdir(parents=True)
        (folder / stale).write_text("left by an earlier build")
    git(folder, "init", "-q")
    git(folder, "add", ".")
    git(folder, "commit", "-qm", "all of it")
    return folder


def build_wheel(source: Path, into: Path) -> Path:
    """Build the wheel of a checkout or an sdist without network access; return its path."""
    options = ("--no-build-isolation", "--no-deps", "--no-index", "--quiet", "--wheel-dir")
    output_of(sys.executable, "-m", "pip", "wheel", *options, into, source, cwd=into)
    return next(into.glob("*.whl"))


def hook(name: str, source: Path, into: Path) -> None:
    """Call a hook of the build backend, as `pip` and `build` do."""
    code = "import sys; from setuptools import build_meta; getattr(build_meta, sys.argv[1])(sys.argv[2])"
    output_of(sys.executable, "-c", code, name, into, cwd=source)


@pytest.fixture(scope="module")
def wheel(source: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of the checkout."""
    return build_wheel(source, tmp_path_factory.mktemp("wheel"))


@dataclass(frozen=True)
class Installed:
    """An environment with the wheel, and a working folder outside the checkout."""

    environment: Path
    folder: Path

    def python(self, code: str) -> str:
        """Run Python code in the environment; return its output."""
        return output_of(self.environment / "bin/python", "-c", code, cwd=self.folder)

    def recsys(self, *words: str) -> str:
        """Run a `recsys` command in the environment; return its output."""
        return output_of(self.environment / "bin/recsys", *words, cwd=self.folder)


def install(environment: Path, folder: Path, wheel: Path) -> Installed:
    """Install a wheel into a new environment, which finds other packages in this one."""
    output_of(sys.executable, "-m", "venv", "--without-pip", environment, cwd=folder)
    python = environment / "bin/python"
    output_of(sys.executable, "-m", "pip", "--python", python, "install", "--no-deps", "--no-index", wheel, cwd=folder)
    packages = next(environment.glob("lib/python*/site-packages"))
    others = {sysconfig.get_path("purelib"), sysconfig.get_path("platlib")}  # their own .pth files are not read
    (packages / "others.pth").write_text("\n".join(sorted(others)))
    (packages / "sitecustomize.py").write_text(f"import sys\nsys.modules.update(dict.fromkeys({LACKING!r}))\n")
    return Installed(environment, folder)


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Installed:
    """An environment with the wheel of the checkout."""
    return install(tmp_path_factory.mktemp("environment"), tmp_path_factory.mktemp("elsewhere"), wheel)


@pytest.fixture(scope="module")
def printed(installed: Installed) -> str:
    """The output of `recsys demo` and of a nightly run on its world."""
    (installed.folder / "recipe.toml").write_text(RECIPE)
    demo = installed.recsys("demo", "world", "--scale", "0.05")
    words = ("nightly", "--inbox", "world/raw", "--date", str(LAST_DAY), "--recipe", "recipe.toml")
    return demo + installed.recsys("--home", "home", *words)


def contents(wheel: Path) -> dict[str, bytes]:
    """Return the files of a wheel by name, without its metadata."""
    with zipfile.ZipFile(wheel) as archive:
        return {name: archive.read(name) for name in archive.namelist() if ".dist-info/" not in name}


def test_a_wheel_is_the_package_with_sql_and_dashboards(source: Path, wheel: Path) -> None:
    """It has every file of the three folders unchanged, and the commit; no test, no data, nothing of older builds."""
    tracked = git(source, "ls-files", "recsys", "sql", "dashboards").splitlines()
    targets = {name: name if name.startswith("recsys/") else f"recsys/_bundled/{name}" for name in tracked}
    expected = {target: (ROOT / name).read_bytes() for name, target in targets.items()}
    commit = git(source, "rev-parse", "--short", "HEAD")

    assert contents(wheel) == expected | {"recsys/_bundled/commit.txt": f"{commit}\n".encode()}


def test_an_sdist_makes_the_same_wheel(source: Path, wheel: Path, tmp_path: Path) -> None:
    """Also outside git, because it contains the commit that it was built from."""
    hook("build_sdist", source, tmp_path)
    archive = next(tmp_path.glob("*.tar.gz"))

    with tarfile.open(archive) as packed:
        folders = {"/".join(Path(name).parts[1:2]) for name in packed.getnames()}
    assert folders.isdisjoint({"tests", "bench", "data"})
    assert contents(build_wheel(archive, tmp_path)) == contents(wheel)


def test_an_editable_install_reads_the_checkout(source: Path, tmp_path: Path) -> None:
    """SQL, dashboards and commit are those of the checkout and change with it."""
    hook("build_editable", source, tmp_path)
    installed = install(tmp_path / "environment", tmp_path, next(tmp_path.glob("*.whl")))
    commit = git(source, "rev-parse", "--short", "HEAD")

    assert installed.recsys("--version").endswith(f"commit {commit}")
    found = installed.python("from recsys.installation.paths import *; print(SQL_FOLDER, DASHBOARDS)")
    assert found == f"{source / 'sql'} {source / 'dashboards'}"


def test_the_installed_package_is_imported(source: Path, installed: Installed) -> None:
    """From its own environment, of the commit that it was built from."""
    commit = git(source, "rev-parse", "--short", "HEAD")

    assert Path(installed.python("import recsys; print(recsys.__file__)")).is_relative_to(installed.environment)
    assert installed.recsys("--version") == f"recsys {recsys.__version__}, commit {commit}"


def test_a_nightly_run_succeeds_from_the_wheel(installed: Installed, printed: str) -> None:
    """Its run id is the one that the checkout computes for the same files, and it exports its lists."""
    home = Home(installed.folder / "home")
    run = Run.of(home, LAST_DAY, read_recipe(installed.folder / "recipe.toml"))

    assert f"Run {run.run_id} is published." in printed
    listeners = installed.recsys("--home", "home", "sql", "select count(*) as n from marts.listener_profile", "--csv")
    lists = pl.read_parquet(run.export / "recommendations.parquet")
    assert lists["user_id"].n_unique() == int(listeners.split()[-1])
    assert "Morning" not in printed  # without the extra `reports` there is no report to mention


@pytest.mark.usefixtures("printed")
def test_a_takedown_needs_no_extra_without_audio(installed: Installed) -> None:
    """A release without audio has no index from which a recording would have to be removed."""
    shutil.copytree(installed.folder / "home", installed.folder / "copy", symlinks=True)
    track_id = pl.read_parquet(installed.folder / "home/marts/current/track_features.parquet")["track_id"].min()

    message = installed.recsys("--home", "copy", "takedown", str(track_id))

    assert "Starting with the next nightly run, no list contains them" in message


@pytest.mark.usefixtures("printed")
def test_the_first_page_shows_the_home(installed: Installed) -> None:
    """Its figures of the last seven days are the sums over the published tables."""
    page = json.loads(installed.python(f"import os; os.environ['RECSYS_HOME'] = 'home'\n{PAGE}"))

    daily = pl.read_parquet(installed.folder / "home/marts/current/track_daily.parquet")
    week = daily.filter(pl.col("listen_date") > LAST_DAY - timedelta(days=7), pl.col("n_plays") > 0)
    assert page["failed"] == []
    assert Path(page["app"]).is_relative_to(installed.environment)
    assert page["title"] == "Home"
    assert page["shown"]["Plays"] == f"{week['n_plays'].sum():,}"
    assert page["shown"]["Tracks played"] == f"{week['track_id'].n_unique():,}"


@pytest.mark.usefixtures("printed")
def test_the_dashboards_are_served_from_the_wheel(installed: Installed) -> None:
    """`recsys dashboard` answers on its port, with the settings file beside its app."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [str(installed.environment / "bin/recsys"), "--home", "home", "dashboard", "--port", str(port)]
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "RECSYS"))}
    with subprocess.Popen(command, cwd=installed.folder, env=kept, stdout=subprocess.DEVNULL) as server:
        try:
            client = PoolManager(retries=Retry(total=120, backoff_factor=0.1, backoff_max=0.5))
            response = client.request("GET", f"http://127.0.0.1:{port}/_stcore/health")
        finally:
            server.terminate()

    assert response.data == b"ok"
