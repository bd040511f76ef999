"""Events follow the log: they end with it, and nobody does the same thing to a track twice."""

import numpy as np

from recsys.demo.events import make_events
from recsys.demo.playing import ACTIVE, Listens
from recsys.demo.sessions import DAY_S
from recsys.demo.world import World


def _log(n: int, at_s: int, *, skipped: int = 0) -> Listens:
    """A log of `n` discoveries at one moment, each of another listener and three minutes long."""
    same = np.full(n, 1)
    return Listens(
        listener=np.arange(n),
        track=same,
        at_s=same * at_s,
        day=same * (at_s // DAY_S),
        ms_played=same * 180_000,
        skipped=same * skipped,
        offset_min=same * 0,
        is_new=same == 1,
        source=same * ACTIVE,
    )


def test_no_event_is_after_the_period() -> None:
    """A listen that crosses the last midnight gives only the events before it."""
    world = World()
    end = world.n_days * DAY_S

    events = make_events(world, _log(5_000, end - 60), np.random.default_rng(1))

    assert len(events.at_s) > 0
    assert events.at_s.max() < end


def test_a_skipped_listen_gives_no_event() -> None:
    """Whoever skips a track neither likes nor saves it."""
    events = make_events(World(), _log(5_000, 3_600, skipped=1), np.random.default_rng(1))

    assert len(events.at_s) == 0


def test_a_listener_does_each_thing_once_to_a_track() -> None:
    """Many listens of one pair give at most one event of each kind."""
    log = _log(5_000, 3_600)
    of_one = Listens(**{name: getattr(log, name) for name in log.__slots__ if name != "listener"}, listener=log.track)

    kinds = make_events(World(), of_one, np.random.default_rng(1)).kind.tolist()

    assert len(set(kinds)) == len(kinds) > 0
