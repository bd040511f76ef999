"""
An operator's own encoder as an ONNX file: a folder with the network, a description (`encoder.toml`) and a model card.

The network takes windows of mono audio, float32 of shape (n_windows, n_samples) with full scale -1..1, at the rate and
of the length that the description states; its output has one vector per window, shape (n_windows, n_dimensions). The
vector of a recording is the mean over at most twelve windows, evenly spaced, without those for which the network gives
numbers that are not finite, as some do for silence. `docs/operators.md` says how to bring an encoder, and what is
computed again.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Self

import numpy as np
from msgspec import Meta

from recsys.arrays import F32
from recsys.audio.signal import Signal
from recsys.errors import BadRecipe, SetupError
from recsys.files import sha256_of, short_hash
from recsys.installation.extras import require
from recsys.settings import Settings, create_settings, read_recipe_file

if TYPE_CHECKING:
    from onnxruntime import InferenceSession

NETWORK, DESCRIPTION = "encoder.onnx", "encoder.toml"
MAX_WINDOWS = 12
FORMAT = 1  # raise it whenever a change of the code gives other vectors with the same network

Rate = Annotated[int, Meta(ge=4_000, le=192_000)]
WindowLength = Annotated[float, Meta(ge=0.1, le=60)]


@dataclass(frozen=True)
class Description(Settings):
    """
    What `encoder.toml` states of a network.

    Attributes:
        licence: Licence of the network's weights, such as CC-BY-4.0.
        card: File of the model card, in the same folder.
        rate_hz: Sampling rate of the audio that the network takes [Hz].
        window_s: Length of a window [s].
        output: Name of the output that holds the vectors; empty for the first.
    """

    licence: str
    card: str
    rate_hz: Rate
    window_s: WindowLength
    output: str = ""


@dataclass(frozen=True, eq=False)
class OnnxEncoder:
    """
    A loaded network that maps windows of audio to vectors.

    Attributes:
        path: The ONNX file.
        description: Its input and output.
        session: The network, on one thread: then the same audio gives the same vector.
    """

    path: Path
    description: Description
    session: "InferenceSession"

    @classmethod
    def load(cls, folder: Path) -> Self:
        """
        Load the network in a folder, and try it on one window of noise and on twelve.

        Raises:
            SetupError: The description, the model card or the network is missing, they contradict each other, or
                onnxruntime is not installed.
        """
        require("onnxruntime")
        description = _description(folder / DESCRIPTION)
        encoder = cls(folder / NETWORK, description, _session(folder / NETWORK))
        noise = np.random.default_rng(0).uniform(-0.1, 0.1, (MAX_WINDOWS, encoder.n_samples)).astype(np.float32)
        for windows in (noise[:1], noise):
            if not np.isfinite(encoder.vectors(windows)).all():
                raise SetupError(f"encoder: {encoder.path} gives numbers that are not finite for noise. {_CORRECT}")
        return encoder

    @property
    def version(self) -> str:
        """Identifies network, weights that it keeps in other files of the folder, description and format."""
        card = self.path.parent / self.description.card
        hashes = [sha256_of(path) for path in sorted(self.path.parent.iterdir()) if path.is_file() and path != card]
        return f"onnx-{short_hash(*hashes)[:8]}-{FORMAT}"

    @property
    def n_samples(self) -> int:
        """Length of a window [samples]."""
        return round(self.description.window_s * self.description.rate_hz)

    def vector(self, signal: Signal) -> F32 | None:
        """
        Return the mean vector of a recording, shape (n_dimensions,), float32; None if that of no window is finite.

        Raises:
            SetupError: As `vectors`.
        """
        vectors = self.vectors(windows_of(signal.mono(self.description.rate_hz), self.n_samples))
        finite = vectors[np.isfinite(vectors).all(axis=1)]
        return np.asarray(finite.mean(axis=0), np.float32) if len(finite) else None

    def vectors(self, windows: F32) -> F32:
        """
        Return a vector per window, shape (n_windows, n_dimensions), of windows of shape (n_windows, n_samples).

        Raises:
            SetupError: The network does not take such windows, or does not give each a vector.
        """
        outputs = [self.description.output or self.session.get_outputs()[0].name]
        expected = f"for float32 audio of shape {windows.shape}"
        try:
            (vectors,) = self.session.run(outputs, {self.session.get_inputs()[0].name: windows})
        except Exception as failed:  # onnxruntime's errors have no class in common
            raise SetupError(f"encoder: {self.path} fails {expected}: {_first_line(failed)}. {_CORRECT}") from failed
        if vectors.ndim != 2 or len(vectors) != len(windows):
            found = f"gives an output of shape {vectors.shape}, expected ({len(windows)}, n_dimensions)"
            raise SetupError(f"encoder: {self.path} {found} {expected}. {_CORRECT}")
        return np.asarray(vectors, np.float32)


def _description(path: Path) -> Description:
    try:
        given = read_recipe_file(path) if path.exists() else {}
        description = create_settings(Description, given, path.name)
    except TypeError as missing:
        raise SetupError(f"encoder: {path} lacks a setting. {_EXPECTED}") from missing
    except BadRecipe as wrong:
        raise SetupError(f"encoder: {wrong}. {_EXPECTED}") from wrong
    if not description.licence.strip() or not (path.parent / description.card).is_file():
        raise SetupError(f"encoder: {path} states no licence, or a model card that does not exist. {_EXPECTED}")
    return description


def _session(path: Path) -> "InferenceSession":
    import onnxruntime  # noqa: PLC0415 - an extra that only such an encoder needs

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.enable_cpu_mem_arena = False  # memory between files belongs to the worker's limit
    try:
        return onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    except Exception as unreadable:  # onnxruntime's errors have no class in common
        raise SetupError(f"encoder: {path} cannot be loaded: {_first_line(unreadable)}") from unreadable


def windows_of(mono: F32, n_samples: int) -> F32:
    """Cut at most twelve windows, evenly spaced, shape (n_windows, n_samples); shorter audio is repeated to fill it."""
    n_whole = len(mono) // n_samples
    if not n_whole:
        return np.resize(mono, (1, n_samples))
    chosen = np.linspace(0, n_whole - 1, min(n_whole, MAX_WINDOWS)).round().astype(int)
    return np.ascontiguousarray(mono[: n_whole * n_samples].reshape(n_whole, n_samples)[chosen])


def _first_line(error: Exception) -> str:
    return str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__


_EXPECTED = (
    f"Expected beside {NETWORK}: {DESCRIPTION} with licence, card (a file in this folder), rate_hz, window_s and, if "
    "the vectors are not the first output, output"
)
_CORRECT = f"Correct rate_hz, window_s or output in {DESCRIPTION}, or export the network again"
