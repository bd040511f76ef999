"""Noise of known kind and level is found with its level and taken away; sound without noise stays as it is."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from recsys.arrays import F32
from recsys.audio.denoise import cure
from recsys.audio.denoise.analysis import NoiseReport, analyse
from recsys.audio.denoise.clicks import find_clicks, repair
from recsys.audio.denoise.cure import DenoiseFile
from recsys.audio.denoise.hiss import find_hiss, mean_power, measure_floor, remove_hiss
from recsys.audio.denoise.hum import find_hum, low_spectrum, remove_hum
from recsys.audio.signal import SampleStream
from recsys.audio.writing import Form

RATE_HZ = 22_050


def level_db(samples: F32) -> float:
    """Power relative to full scale [dB]."""
    return float(10 * np.log10(np.square(samples, dtype=np.float64).mean() + 1e-20))


def hum_of(n: int, frequency_hz: float = 50.03) -> F32:
    """Six harmonics at a fiftieth of full scale and less."""
    t = np.arange(n) / RATE_HZ
    harmonics = np.arange(1, 7)[:, None]
    return np.asarray(
        (0.02 / harmonics * np.sin(harmonics * (2 * np.pi * frequency_hz * t + 1))).sum(axis=0), np.float32
    )


def test_a_hum_is_found_with_its_frequency_and_level(song: F32) -> None:
    """Frequency to .02 Hz and level to 1 dB, under music; the first harmonic may be hidden."""
    hum = hum_of(song.shape[1])

    found = find_hum([spectrum for spectrum in [low_spectrum(song[0] + hum, RATE_HZ)] if spectrum is not None])

    assert found is not None
    assert found.frequency_hz == pytest.approx(50.03, abs=0.02)
    assert found.level_db == pytest.approx(level_db(hum), abs=1.5)


@pytest.mark.parametrize("frequency_hz", [49.9, 60.05])
def test_a_hum_is_taken_away_and_music_is_not(frequency_hz: float, song: F32) -> None:
    """The hum is 20 dB lower, and the music keeps its power within .5 dB."""
    hum = hum_of(song.shape[1], frequency_hz)
    found = find_hum([spectrum for spectrum in [low_spectrum(song[0] + hum, RATE_HZ)] if spectrum is not None])
    assert found is not None

    of_hum, of_song = remove_hum(hum, RATE_HZ, found), remove_hum(song[0], RATE_HZ, found)

    inner = slice(RATE_HZ, -RATE_HZ)
    assert level_db(of_hum[inner]) <= level_db(hum[inner]) - 20
    assert level_db(of_song) == pytest.approx(level_db(song[0]), abs=0.5)


def test_music_and_short_sounds_have_no_hum(song: F32) -> None:
    """A tune with a bass is no hum, nor is silence; below ten seconds there is no answer."""
    spectrum = low_spectrum(song[0], RATE_HZ)

    assert spectrum is not None
    assert find_hum([spectrum]) is None
    assert find_hum([0 * spectrum]) is None
    assert find_hum([]) is None
    assert low_spectrum(song[0, : 9 * RATE_HZ], RATE_HZ) is None


def clicked(song: F32, n: int) -> tuple[F32, np.ndarray]:
    """A song with n clicks of a millisecond and less, and their places."""
    rng = np.random.default_rng(8)
    places = np.sort(rng.choice(np.arange(1_000, len(song) - 1_000, 2_000), n, replace=False))
    with_clicks = song.copy()
    for place in places:
        pulse = rng.standard_normal(rng.integers(3, 20))
        with_clicks[place : place + len(pulse)] += (0.6 * pulse / np.abs(pulse).max()).astype(np.float32)
    return with_clicks, places


def test_clicks_are_found_and_repaired(song: F32) -> None:
    """Nine tenths of the planted clicks are found where they are, and the error is lower by 6 dB; the song has none."""
    with_clicks, places = clicked(song[0], 60)

    found = find_clicks(with_clicks, RATE_HZ)
    repaired = repair(with_clicks, RATE_HZ, found)

    hits = [any(start - 3 <= place <= end for start, end in found) for place in places]
    assert np.mean(hits) >= 0.9
    assert level_db(repaired - song[0]) < level_db(with_clicks - song[0]) - 6
    assert len(find_clicks(song[0], RATE_HZ)) == 0


def test_a_repair_changes_only_clicks(song: F32) -> None:
    """Samples outside of the clicks are the same bytes."""
    repaired = repair(song[0], RATE_HZ, np.array([[1_000, 1_010]]))

    assert np.array_equal(np.delete(repaired, np.s_[1_000:1_010]), np.delete(song[0], np.s_[1_000:1_010]))
    assert not np.array_equal(repaired, song[0])


def test_square_waves_have_no_clicks() -> None:
    """Their edges are the sound itself."""
    wave = np.sign(np.sin(2 * np.pi * 110 * np.arange(4 * RATE_HZ) / RATE_HZ)).astype(np.float32)

    assert len(find_clicks(wave, RATE_HZ)) == 0
    assert len(find_clicks(np.zeros(RATE_HZ, np.float32), RATE_HZ)) == 0
    assert len(find_clicks(np.ones(10, np.float32), RATE_HZ)) == 0


def notes(n: int) -> F32:
    """Plucked notes with pauses, of a few harmonics."""
    t = np.arange(n) / RATE_HZ
    within = t % 0.8
    hz = 220 * 2 ** (np.floor(t / 0.8) % 5 / 12 * 2)
    harmonics = np.arange(1, 9)[:, None]
    wave = (np.sin(2 * np.pi * harmonics * hz * within) / harmonics).sum(axis=0)
    return np.asarray(0.2 * wave * np.exp(-6 * within), np.float32)


def test_a_drum_that_begins_with_noise_has_no_clicks() -> None:
    """Kicks from silence, each with a burst of noise of .7 ms: a cure would take the attack."""
    rng, length, t = np.random.default_rng(1), 8 * RATE_HZ, np.arange(RATE_HZ // 2) / RATE_HZ
    drums = np.zeros(length)
    for start in range(0, length - len(t), round(0.9 * RATE_HZ)):
        drums[start : start + len(t)] += 0.8 * np.sin(2 * np.pi * (55 * t + 2 * (1 - np.exp(-30 * t)))) * np.exp(-6 * t)
        drums[start : start + 15] += 0.4 * rng.standard_normal(15) * np.linspace(1, 0, 15)

    assert len(find_clicks(drums.astype(np.float32), RATE_HZ)) == 0


def test_a_repair_is_no_louder_than_its_surroundings() -> None:
    """Where a wave swells, the model would overshoot by half."""
    t = np.arange(2_000) / RATE_HZ
    wave = (0.3 * np.sign(np.sin(2 * np.pi * 90 * t)) * (t > 0.03)).astype(np.float32)
    places = np.stack([np.arange(300, 1_700, 40)] * 2, axis=1) + np.array([0, 30])

    for place in places:
        assert np.abs(repair(wave, RATE_HZ, place[None])).max() <= np.float32(0.3)


def test_a_hiss_is_found_with_its_level_and_lowered() -> None:
    """The level is right to 2 dB, the filter lowers the error by 4 dB, and the notes alone have no hiss."""
    music = notes(11 * RATE_HZ)
    noise = (0.01 * np.random.default_rng(2).standard_normal(len(music))).astype(np.float32)
    sound = music + noise
    floor, clean_floor = measure_floor(sound, RATE_HZ), measure_floor(music, RATE_HZ)
    assert floor is not None
    assert clean_floor is not None

    hiss = find_hiss([floor], [mean_power(sound, RATE_HZ)], RATE_HZ)
    assert hiss is not None
    filtered = remove_hiss(sound, RATE_HZ, hiss)

    assert hiss.level_db == pytest.approx(level_db(noise), abs=2)
    assert level_db(filtered - music) <= level_db(noise) - 4
    assert find_hiss([clean_floor], [mean_power(music, RATE_HZ)], RATE_HZ) is None
    assert measure_floor(np.zeros(RATE_HZ, np.float32), RATE_HZ) is None


def test_a_hiss_is_found_under_chords_that_never_stop() -> None:
    """Level right to 2 dB, error lower by 3 dB, though no moment is noise alone; chords without hiss have none."""
    t = np.arange(11 * RATE_HZ) / RATE_HZ
    roots = 110 * 2 ** (np.array([0, 5, 7, 3])[(t / 1.3).astype(int) % 4] / 12)
    phases = 2 * np.pi * np.cumsum(roots * (1 + 0.003 * np.sin(30 * t))) / RATE_HZ
    harmonics = np.arange(1, 30)[:, None]
    chords = (0.05 * (np.sin(harmonics * phases) + np.sin(1.5 * harmonics * phases)) / harmonics).sum(axis=0)
    music = chords.astype(np.float32)
    noise = (0.01 * np.random.default_rng(2).standard_normal(len(music))).astype(np.float32)
    sound = music + noise
    floor, clean_floor = measure_floor(sound, RATE_HZ), measure_floor(music, RATE_HZ)
    assert floor is not None
    assert clean_floor is not None

    hiss = find_hiss([floor], [mean_power(sound, RATE_HZ)], RATE_HZ)
    assert hiss is not None

    assert hiss.level_db == pytest.approx(level_db(noise), abs=2)
    assert level_db(remove_hiss(sound, RATE_HZ, hiss) - music) <= level_db(noise) - 3
    assert find_hiss([clean_floor], [mean_power(music, RATE_HZ)], RATE_HZ) is None


def test_a_click_is_found_from_its_faint_beginning_to_its_end() -> None:
    """A pulse of a millisecond that swells and dies is one click, and the repair takes all of it."""
    music, rng = notes(2 * RATE_HZ), np.random.default_rng(1)
    pulse = 0.6 * np.hanning(22)[1:-1] * rng.uniform(0.5, 1, 20) * rng.choice([-1, 1], 20)
    sound = music.copy()
    sound[RATE_HZ : RATE_HZ + 20] += pulse.astype(np.float32)

    found = find_clicks(sound, RATE_HZ)

    assert len(found) == 1
    assert found[0, 0] <= RATE_HZ + 2
    assert found[0, 1] >= RATE_HZ + 18
    assert level_db(repair(sound, RATE_HZ, found) - music) < level_db(sound - music) - 20


def test_spectra_have_the_power_of_the_sound() -> None:
    """The bins of noise add up to its mean square, so that levels are those of full scale."""
    noise = (0.1 * np.random.default_rng(2).standard_normal(4 * RATE_HZ)).astype(np.float32)

    assert 10 * np.log10(mean_power(noise, RATE_HZ).sum()) == pytest.approx(level_db(noise), abs=0.1)


class Ears:
    """In place of the voice detector: of the same opinion on every window, or of one per window that is heard."""

    def __init__(self, *scores: float) -> None:
        self._scores = scores
        self._n_heard = 0

    def score(self, _mono: F32) -> float:
        """Return the next opinion, or the last again."""
        self._n_heard += 1
        return self._scores[min(self._n_heard, len(self._scores)) - 1]


class Attenuator:
    """In place of the denoiser of voices: keeps a share of the sound."""

    def __init__(self, share: float) -> None:
        self._share = share

    def clean(self, window: F32, _rate_hz: int) -> F32:
        """Return the share."""
        return np.float32(self._share) * window


def report_on(samples: F32, *scores: float, share: float = 0.9) -> NoiseReport:
    """The report on a sound that the detector has opinions of."""
    stream = SampleStream(RATE_HZ, len(samples), "float", samples.shape[1] / RATE_HZ, iter([samples]))
    return analyse(stream, Ears(*scores), Attenuator(share))  # type: ignore[arg-type]


def noisy_notes() -> F32:
    """Notes with hiss, mono."""
    music = notes(11 * RATE_HZ)
    return (music + 0.01 * np.random.default_rng(2).standard_normal(len(music)).astype(np.float32))[None]


def test_the_denoiser_of_voices_is_used_on_voices_alone() -> None:
    """The same noise is a hiss on what is heard as music, and noise on a voice on what is heard as speech."""
    as_music, as_speech = report_on(noisy_notes(), -1), report_on(noisy_notes(), 1)

    assert (as_music.is_voice, as_music.cures) == (False, ("hiss",))
    assert (as_speech.is_voice, as_speech.cures, as_speech.hiss) == (True, ("voice",), None)
    assert as_speech.noise_db == pytest.approx(-40, abs=2)


def test_music_in_one_window_rules_out_the_denoiser_of_voices() -> None:
    """Speech in the first and the third of four windows does not make music of the others noise on a voice."""
    report = report_on(np.tile(noisy_notes(), 4), 1, -1, 1, 1)

    assert (report.is_voice, report.cures, report.noise_db) == (False, ("hiss",), None)
    assert report.reasons == ("the denoiser of voices would take away what is not speech in it",)


def test_each_channel_is_measured_and_cured_by_itself(tmp_path: Path) -> None:
    """Hiss and hum in the quieter channel are found there, and the louder one, which has none, stays as it is."""
    music = notes(22 * RATE_HZ)
    hiss = (0.01 * np.random.default_rng(2).standard_normal(len(music))).astype(np.float32)
    source = np.stack([music, 0.5 * music + hiss, 0.8 * music + hum_of(len(music))])
    path = tmp_path / "song.wav"
    soundfile.write(path, source.T, RATE_HZ, subtype="FLOAT")

    found = task_for(path, "wav")(path)

    written = soundfile.read(tmp_path / "denoised.wav", dtype="float32", always_2d=True)[0].T
    assert [channel.cures for channel in found.report.channels] == [(), ("hiss",), ("hum",)]
    assert found.report.cures == ("hum", "hiss")
    assert np.array_equal(written[0], source[0])
    assert level_db(written[1] - 0.5 * music) < level_db(hiss) - 4
    assert level_db(written[2] - 0.8 * music) < level_db(hum_of(len(music))) - 5


def test_a_quiet_channel_keeps_its_sound() -> None:
    """A hiss of the loud channel is not taken from a clean one that is quieter than the hiss."""
    music = noisy_notes()[0]

    report = report_on(np.stack([music, 0.02 * notes(len(music))]), -1)

    assert [channel.cures for channel in report.channels] == [("hiss",), ()]


def test_a_voice_is_left_alone_where_a_cure_would_take_more_than_the_noise() -> None:
    """If half of the sound would go, or the noise is far below the voice, the report says so and nothing is done."""
    taking, faint = report_on(noisy_notes(), 1, share=0.3), report_on(notes(11 * RATE_HZ)[None], 1)

    assert taking.cures == faint.cures == ()
    assert taking.reasons == ("more than the noise between the words would be taken away",)
    assert faint.reasons == ("the noise on the voice is too faint to be worth removing",)


def applause(n: int) -> F32:
    """Applause of many: 2,000 claps per second, each a burst of noise that dies within some milliseconds."""
    rng = np.random.default_rng(3)
    claps = rng.poisson(2_000 / RATE_HZ, n) * rng.uniform(0.3, 1, n)
    loudness = np.convolve(claps, np.exp(-np.arange(300) / 80))[:n]
    return np.asarray(0.01 * loudness * rng.standard_normal(n), np.float32)


def test_applause_that_is_taken_for_a_voice_is_left_alone() -> None:
    """The denoiser of voices would leave 20 dB less of it; a voice that loses 4 dB with its noise is cured."""
    sound = applause(11 * RATE_HZ)[None]

    erased, cured = report_on(sound, 1, share=0.1), report_on(sound, 1, share=0.6)

    assert (erased.cures, cured.cures) == ((), ("voice",))
    assert erased.reasons == ("next to nothing would remain, so it is probably no voice",)


@pytest.mark.parametrize("samples", [np.zeros((2, RATE_HZ)), np.full((1, 5), 0.5), np.full((6, 12 * RATE_HZ), 0.9)])
def test_silence_one_moment_and_direct_current_have_no_noise(samples: F32) -> None:
    """Nothing is found, and nothing is to be done."""
    report = report_on(samples.astype(np.float32), -1)

    assert (report.cures, report.hum, report.hiss, report.clicks_per_minute) == ((), None, None, 0)
    assert report.duration_s == pytest.approx(samples.shape[1] / RATE_HZ)


def task_for(path: Path, form: Form, score: float = -1) -> DenoiseFile:
    """The task for one file, with an opinion in place of the detector."""
    outputs: Any = {path: {name: path.with_name(f"{name}.{form}") for name in ("denoised", "noise")}}
    task = DenoiseFile(outputs, form)
    task.__dict__.update(detector=Ears(score), denoiser=Attenuator(0.9))
    return task


@pytest.mark.parametrize(("form", "subtype"), [("wav", "PCM_16"), ("flac", "PCM_24"), ("wav", "FLOAT")])
def test_what_is_written_adds_up_to_the_source(form: Form, subtype: str, tmp_path: Path) -> None:
    """Rate, channels and length are kept, and result and residual add up exactly."""
    path = tmp_path / "song.wav"
    sound = np.repeat(clicked(notes(13 * RATE_HZ + 7), 30)[0][None], 2, axis=0)
    soundfile.write(path, sound.T, RATE_HZ, subtype=subtype)

    found = task_for(path, form)(path)

    (source, _), *written = [
        soundfile.read(file, always_2d=True)
        for file in (path, tmp_path / f"denoised.{form}", tmp_path / f"noise.{form}")
    ]
    assert found.report.cures == ("clicks",)
    assert [rate for _, rate in written] == [RATE_HZ, RATE_HZ]
    assert np.abs(written[0][0] + written[1][0] - source).max() <= (1e-7 if subtype == "FLOAT" else 0)
    assert found.duration_s == pytest.approx(len(source) / RATE_HZ)


@pytest.mark.parametrize(("form", "is_clipped"), [("wav", False), ("flac", True)])
def test_samples_above_full_scale_are_counted(form: Form, is_clipped: bool, tmp_path: Path) -> None:
    """FLAC cannot hold them, WAV of float can."""
    path = tmp_path / "song.wav"
    sound = clicked(notes(13 * RATE_HZ), 30)[0]
    sound[RATE_HZ : RATE_HZ + 200] = 1.2
    soundfile.write(path, sound, RATE_HZ, subtype="FLOAT")

    expected = int((np.abs(sound) > 1).sum()) if is_clipped else 0
    assert task_for(path, form)(path).n_clipped == expected


def test_a_file_without_noise_is_not_written(tmp_path: Path) -> None:
    """It is unchanged, and the folder holds nothing else."""
    path = tmp_path / "song.wav"
    soundfile.write(path, notes(11 * RATE_HZ), RATE_HZ)

    found = task_for(path, "wav")(path)

    assert (found.report.cures, found.taken_db, found.duration_s) == ((), None, 11)
    assert list(tmp_path.iterdir()) == [path]


def test_a_file_of_unknown_length_reports_progress(endless: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """While it is written, too; its length is counted."""
    shares: list[float] = []
    monkeypatch.setattr(cure, "report_progress", shares.append)

    found = task_for(endless, "wav", score=1)(endless)

    assert (found.report.cures, found.duration_s) == (("voice",), 2)
    assert set(shares) == {0.0}
