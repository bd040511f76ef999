"""Removal of an account from the state file."""

from recsys.home import Home
from recsys.state.access import account_of
from recsys.state.store import State

REMOVED = "removed account"


def forget(home: Home, account: str) -> dict[str, int]:
    """
    Remove everything that an account has set, with all labels; the log keeps its actions without the name.

    Args:
        home: The home.
        account: E-mail address, or `sub:` and the provider's id, as the access file names it; or a learner's name.

    Returns:
        How many rows were removed, and in how many entries of the log the name was replaced, by table.
    """
    name, address = account_of(account), account.strip().lower()
    is_theirs = "account = ?1 or (address <> '' and lower(address) = ?2)"
    with State(home).writing() as connection:
        theirs = connection.execute(
            f"select owner_id, account from owners where {is_theirs}", (name, address)
        ).fetchall()
        numbers, accounts = [(number,) for number, _ in theirs], {name, *(found for _, found in theirs)}
        counts = {
            table: sum(
                connection.execute(f"select count(*) from {table} where owner_id = ?", number).fetchone()[0]
                for number in numbers
            )
            for table in ("watched", "views", "alerts")
        }
        counts["practice_takes"] = connection.execute(
            "delete from practice_takes where learner = ?", (account.strip(),)
        ).rowcount
        connection.executemany("delete from owners where owner_id = ?", numbers)
        counts["actions"] = sum(
            connection.execute(
                "update actions set name = ?1, account = '' where account = ?2 or lower(name) = ?3",
                (REMOVED, found, address),
            ).rowcount
            for found in sorted(accounts)
        )
    return counts
