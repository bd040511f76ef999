"""Events agree with the log: they end with it, and no listener has two events of one kind for a track."""

import numpy as np

from recsys.demo.events import make_events
from recsys.demo.playing import ACTIVE, Listens
from recsys.demo.sessions import DAY_S
from recsys.demo.world import World


def _log(n: int, at_s: int, *, skipped: int = 0) -> Listens:
    """Return a log of `n` discoveries at one moment, of different listeners, three minutes long each."""
    ones = np.full(n, 1)
    return Listens(
        listener=np.arange(n),
        track=ones,
        at_s=ones * at_s,
        day=ones * (at_s // DAY_S),
        ms_played=ones * 180_000,
        skipped=ones * skipped,
        offset_min=ones * 0,
        is_new=ones == 1,
        source=ones * ACTIVE,
    )


def test_no_event_is_after_the_period() -> None:
    """A listen that crosses the last midnight gives only the events before it."""
    world = World()
    end = world.n_days * DAY_S

    events = make_events(world, _log(5_000, end - 60), np.random.default_rng(1))

    assert len(events.at_s) > 0
    assert events.at_s.max() < end


def test_a_skipped_listen_gives_no_event() -> None:
    """A listener who skips a track has no event for it."""
    events = make_events(World(), _log(5_000, 3_600, skipped=1), np.random.default_rng(1))

    assert len(events.at_s) == 0


def test_a_listener_has_one_event_of_a_kind_per_track() -> None:
    """Many listens of one listener and track give at most one event per kind."""
    log = _log(5_000, 3_600)
    repeated = Listens(**{name: getattr(log, name) for name in log.__slots__ if name != "listener"}, listener=log.track)

    kinds = make_events(World(), repeated, np.random.default_rng(1)).kind.tolist()

    assert len(set(kinds)) == len(kinds) > 0
