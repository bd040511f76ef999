"""Open a home for a change: hold its lock, and erase listeners whom a restored backup has brought back."""

from collections.abc import Iterator
from contextlib import contextmanager

from recsys.home import Home, locked


@contextmanager
def opened(home: Home) -> Iterator[None]:
    """Hold the lock of the home in a `with` block; listeners whom a restored backup has brought back are erased."""
    from recsys.lake.denied import DenyList  # noqa: PLC0415 - most commands need no lake at their start

    with locked(home):
        denied = DenyList(home)
        if not denied.is_applied():
            from recsys.erasure.erase import erase_again  # noqa: PLC0415

            erase_again(home, denied)
        yield
