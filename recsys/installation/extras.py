"""
Packages that not every installation has, and what installs each.

A module that is missing where it is needed becomes a `SetupError` that says so: at the edge of the command line and of
the dashboards (`explain_missing`), or before long work (`need`).
"""

from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

from recsys.errors import SetupError

EXTRAS = {  # module -> the extra in pyproject.toml that brings it
    "altair": "dashboards",
    "av": "audio",
    "faiss": "audio",
    "matplotlib": "reports",
    "pretty_midi": "audio",
    "pyspark": "spark",
    "soundfile": "audio",
    "streamlit": "dashboards",
}
NO_DEPS = {  # module -> its requirement, as in the Makefile: what it depends on is not needed and cannot be installed
    "musicnn": "musicnn==0.1.0",
    "tinysoundfont": "tinysoundfont==0.3.7",
}


def lacking(*modules: str) -> str | None:
    """Say which of these modules are not installed, and what installs them; None where all are."""
    missing = [module for module in modules if find_spec(module) is None]
    return _message(*missing) if missing else None


def need(*modules: str) -> None:
    """Raise SetupError where some of these modules are not installed."""
    if message := lacking(*modules):
        raise SetupError(message)


def folder_of(module: str) -> Path:
    """Return the folder of a package that is installed for what lies in it; raises SetupError where it is not."""
    found = find_spec(module)
    if found is None or not found.submodule_search_locations:
        raise SetupError(_message(module))
    return Path(found.submodule_search_locations[0])


@contextmanager
def explain_missing() -> Iterator[None]:
    """Turn the error of importing a module of EXTRAS or NO_DEPS into a SetupError that says how to install it."""
    try:
        yield
    except ModuleNotFoundError as missing:
        module = (missing.name or "").partition(".")[0]
        if module not in EXTRAS and module not in NO_DEPS:
            raise
        raise SetupError(_message(module)) from missing


def _message(*modules: str) -> str:
    extras = ",".join(sorted({EXTRAS[module] for module in modules if module in EXTRAS}))
    bare = " ".join(NO_DEPS[module] for module in modules if module in NO_DEPS)
    commands = [f"pip install 'recsys[{extras}]'"] * bool(extras) + [f"pip install --no-deps {bare}"] * bool(bare)
    return f"Not installed, but needed for this: {', '.join(modules)}. Install with: {' && '.join(commands)}"
