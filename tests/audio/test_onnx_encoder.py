"""An operator's encoder as an ONNX file: its vectors computed another way, and folders that cannot be used."""

import pickle
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from typing_extensions import override

from recsys.arrays import F32
from recsys.audio.analyse import Analyse
from recsys.audio.embedding.embed import Embedder
from recsys.audio.embedding.onnx_encoder import OnnxEncoder, windows_of
from recsys.audio.signal import Signal
from recsys.errors import SetupError

DESCRIPTION = 'licence = "MIT"\ncard = "CARD.md"\nrate_hz = 8000\nwindow_s = 0.5\n'
N_SAMPLES = 4_000


class Levels(torch.nn.Module):
    """Vector of a window: its mean square, and its mean square times three; a second output of another shape."""

    @override
    def forward(self, audio: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        power = audio.square().mean(dim=1)
        return torch.stack([power, 3 * power], dim=1), audio[:, None, :2]


class Inverse(torch.nn.Module):
    """Vector of a window: one over its mean square, which is infinite for silence."""

    @override
    def forward(self, audio: torch.Tensor) -> torch.Tensor:
        return 1 / audio.square().mean(dim=1, keepdim=True)


class Never(torch.nn.Module):
    """Vector of a window: not a number."""

    @override
    def forward(self, audio: torch.Tensor) -> torch.Tensor:
        return torch.log(-1 - audio.square().mean(dim=1, keepdim=True))


class Single(torch.nn.Module):
    """One vector, whatever the number of windows."""

    @override
    def forward(self, audio: torch.Tensor) -> torch.Tensor:
        return audio[:1, :2]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The folder of an encoder that measures levels."""
    return written(tmp_path, Levels(), ["level", "samples"])


def written(folder: Path, network: torch.nn.Module, outputs: list[str]) -> Path:
    """Write a network, its description and its card into a folder."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch's newer exporter needs two packages more
        torch.onnx.export(
            network,
            (torch.ones(1, N_SAMPLES),),
            folder / "encoder.onnx",
            dynamo=False,
            input_names=["audio"],
            output_names=outputs,
            dynamic_axes={"audio": {0: "windows"}},
        )
    (folder / "encoder.toml").write_text(DESCRIPTION)
    (folder / "CARD.md").write_text("# Levels")
    return folder


def test_the_vector_is_the_mean_over_windows(folder: Path) -> None:
    """Of the channels' mean, at the stated rate; what follows the last whole window is left out."""
    levels = np.repeat([0.1, 0.2, 0.4], N_SAMPLES)
    signal = Signal(np.stack([2 * levels, 0 * levels])[:, :-1].astype(np.float32), 8_000, "test", 0.0)

    vector = OnnxEncoder.load(folder).vector(signal)

    power = (0.1**2 + 0.2**2) / 2
    assert vector == pytest.approx([power, 3 * power], rel=1e-5)
    assert vector.dtype == np.float32


@pytest.mark.parametrize(
    ("n", "starts"),
    [
        (1, [0]),
        (9, [0]),
        (10, [0]),
        (29, [0, 10]),
        (120, list(range(0, 120, 10))),
        (1_000, list(range(0, 1_000, 90))),
    ],
)
def test_windows_are_evenly_spaced(n: int, starts: list[int]) -> None:
    """At most twelve, from the first to the last whole one; shorter audio is repeated."""
    mono = np.arange(n, dtype=np.float32)

    windows = windows_of(mono, 10)

    expected = [[(start + nth) % n if n < 10 else start + nth for nth in range(10)] for start in starts]
    assert windows.tolist() == expected


def test_the_setting_takes_the_folder(folder: Path, song: F32) -> None:
    """Tags stay those of musicnn; the version names network and description."""
    signal = Signal(song, 22_050, "test", 0.0)
    own, default = Embedder.load(str(folder)), Embedder.load("musicnn")

    embedding, usual = own.embed(signal), default.embed(signal)

    assert embedding is not None
    assert usual is not None
    assert embedding.tags == usual.tags
    assert embedding.vector == pytest.approx(OnnxEncoder.load(folder).vector(signal))
    assert len(embedding.vector) == 2
    (folder / "encoder.toml").write_text(DESCRIPTION.replace("0.5", "0.25").replace("8000", "16000"))
    assert Embedder.load(str(folder)).version != own.version


def test_a_worker_analyses_with_it(folder: Path, encode: Callable[..., Path], song: F32) -> None:
    """The task can be sent to a process; silence has no embedding."""
    task = pickle.loads(pickle.dumps(Analyse(str(folder))))  # noqa: S301 - our own object

    sound, silence = (task(encode(f"{n}.flac", n * song, 22_050)).embedding for n in (1, 0))

    assert len(sound.vector) == 2
    assert silence is None


@pytest.mark.parametrize(
    ("found", "expected", "message"),
    [
        ("8000", "6000", r"encoder\.onnx fails for float32 audio of shape \(1, 3000\): .*Correct rate_hz"),
        ("window_s = 0.5", 'window_s = 0.5\noutput = "samples"', r"output of shape \(1, 1, 2\), expected \(1, n_dim"),
        ("window_s = 0.5", 'window_s = 0.5\noutput = "other"', r"encoder\.onnx fails for .*Correct"),
        ("window_s = 0.5", "", r"lacks a setting\. Expected beside encoder\.onnx: encoder\.toml with licence"),
        ("window_s = 0.5", "window_s = 0", r"encoder\.toml window_s: found 0, expected a number from 0\.1"),
        ("window_s = 0.5", "windows = 0.5", r"there is no setting 'windows'"),
        ("MIT", " ", r"states no licence, or a model card that does not exist"),
        ("CARD.md", "OTHER.md", r"states no licence, or a model card that does not exist"),
    ],
)
def test_a_wrong_description_is_refused(folder: Path, found: str, expected: str, message: str) -> None:
    """Before any file is analysed; the message says what to correct."""
    (folder / "encoder.toml").write_text(DESCRIPTION.replace(found, expected))

    with pytest.raises(SetupError, match=message):
        Embedder.load(str(folder))


@pytest.mark.parametrize("content", [b"", b"no network", b"\x08\x07\x12\x07pytorch"])
def test_a_file_that_is_no_network_is_refused(folder: Path, content: bytes) -> None:
    """The message names it."""
    (folder / "encoder.onnx").write_bytes(content)

    with pytest.raises(SetupError, match=r"encoder\.onnx cannot be loaded"):
        Embedder.load(str(folder))


def test_windows_without_a_finite_vector_do_not_count(tmp_path: Path) -> None:
    """A search by sound could not compare them; a recording of such windows alone has no vector."""
    encoder = OnnxEncoder.load(written(tmp_path, Inverse(), ["inverse"]))
    levels = np.repeat([0.1, 0.0, 0.2], N_SAMPLES).astype(np.float32)

    vector, none = (encoder.vector(Signal(mono[None], 8_000, "test", 0.0)) for mono in (levels, 0 * levels))

    assert vector == pytest.approx([(1 / 0.1**2 + 1 / 0.2**2) / 2], rel=1e-4)
    assert none is None


def test_a_network_that_is_never_finite_is_refused(tmp_path: Path) -> None:
    """It is tried on noise."""
    with pytest.raises(SetupError, match="not finite for noise"):
        OnnxEncoder.load(written(tmp_path, Never(), ["never"]))


def test_a_network_for_one_window_at_a_time_is_refused(tmp_path: Path) -> None:
    """Recordings have up to twelve."""
    with pytest.raises(SetupError, match=r"fails for float32 audio of shape \(12, 4000\)|output of shape"):
        OnnxEncoder.load(written(tmp_path, Single(), ["single"]))


def test_weights_in_another_file_change_the_version(folder: Path) -> None:
    """The card does not."""
    before = OnnxEncoder.load(folder).version

    (folder / "CARD.md").write_text("# Levels, revised")
    with_card = OnnxEncoder.load(folder).version
    (folder / "encoder.onnx.data").write_bytes(b"weights")

    assert with_card == before != OnnxEncoder.load(folder).version


def test_a_folder_without_a_description_is_refused(folder: Path) -> None:
    """The message says what it must hold."""
    (folder / "encoder.toml").unlink()

    with pytest.raises(SetupError, match=r"encoder\.toml lacks a setting"):
        Embedder.load(str(folder))
