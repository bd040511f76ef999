"""Open a home for a change: hold its lock, and bring it to the form and the content that this program expects."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from recsys.home import VERSION, Home, locked


@contextmanager
def opened(home: Home, tell: Callable[[str], None] = lambda _text: None) -> Iterator[None]:
    """
    Hold the lock of the home in a `with` block.

    A home that an older version has written is migrated, and listeners whom a restored backup has brought back are
    erased.

    Args:
        home: The home.
        tell: Called with a sentence before a migration.

    Raises:
        SetupError: Another process holds the lock, or a newer version of the program has written the home.
    """
    from recsys.lake.denied import DenyList  # noqa: PLC0415 - most commands need no lake at their start

    with locked(home):
        if home.version < VERSION:
            from recsys.migration.migrate import migrate  # noqa: PLC0415

            migrate(home, tell)
        denied = DenyList(home)
        if not denied.is_applied():
            from recsys.erasure.erase import erase_again  # noqa: PLC0415

            erase_again(home, denied)
        yield
