"""Seeded faults are located again after edits, and the tests that can catch one are known."""

import ast
from pathlib import Path

import pytest

from bench.faults.fault import Fault, FaultIsGoneError
from bench.faults.mutations import choose_faults
from bench.faults.running import Result, summary
from bench.faults.tracing import Trace, probed

PYTHON = '''
def share(parts, whole=0):
    """Return a share, 1 - 0."""
    if whole == 0:
        raise ValueError("0 < 1")
    elif parts is None and whole > 2:
        return sum(sorted(parts))
'''
FAULT = Fault(1, "recsys/shares.py", "share", "equality", "if whole == 0:", "if whole != 0:")


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A package with one function, and no SQL."""
    (tmp_path / "recsys").mkdir()
    (tmp_path / "sql").mkdir()
    (tmp_path / "recsys" / "shares.py").write_text(PYTHON)
    return tmp_path


def test_a_fault_is_found_by_its_line(checkout: Path) -> None:
    """Lines above it may change, and other functions may have the same line."""
    same = "def other(whole):\n    if whole == 0:\n        pass\n"
    (checkout / FAULT.file).write_text(same + PYTHON)

    assert FAULT.faulted(checkout) == same + PYTHON.replace("==", "!=")


def test_a_fault_whose_line_has_changed_raises(checkout: Path) -> None:
    """It is not applied to another line."""
    (checkout / FAULT.file).write_text(PYTHON.replace("== 0", "== 0.0"))

    with pytest.raises(FaultIsGoneError, match="0 times, expected once"):
        FAULT.faulted(checkout)


def test_one_fault_per_function_is_chosen_outside_messages(checkout: Path) -> None:
    """The faulty code parses, and neither the docstring nor the error message changes."""
    for seed in range(5):
        (fault,) = choose_faults(checkout, n=100, seed=seed)

        faulty = ast.unparse(ast.parse(fault.faulted(checkout)))
        assert fault.function == "share"
        assert faulty != ast.unparse(ast.parse(PYTHON))
        assert "0 < 1" in faulty
        assert "Return a share, 1 - 0." in faulty


def test_a_probe_stands_before_the_innermost_statement(checkout: Path) -> None:
    """So it shows that this branch was reached, not only the function."""
    text = probed(PYTHON, {10: 7, 20: 4})

    assert ".hit(10)\n        return sum(" in text
    assert "\n    __import__('recsys.faultprobe', fromlist=['hit']).hit(20)\n    if whole" in text


def test_a_test_reaches_what_its_fixtures_reach(tmp_path: Path) -> None:
    """A test that fails without any fault cannot catch one."""
    reports = [
        '{"test": "a", "marks": ["fixture:world[0]"]}',
        '{"test": "a", "outcome": "passed", "seconds": 1.0}',
        '{"test": "b", "marks": ["fixture:world[0]"]}',
        '{"test": "b", "outcome": "failed", "seconds": 1.0}',
        '{"test": "c", "outcome": "passed", "seconds": 2.0}',
        '{"cpu_s": 5.0}',
    ]
    (tmp_path / "reports-fast.jsonl").write_text("\n".join(reports))
    (tmp_path / "hits-fast.tsv").write_text("1\tfixture:world[0]\n2\tb\n2\tc\n3\t\n")

    trace = Trace.read(tmp_path, "fast")

    assert trace.reached == {1: {"a"}, 2: {"c"}, 3: {"a", "c"}}
    assert (trace.failed, trace.cpu_s) == (["b"], 5.0)


def test_the_summary_lists_the_faults_that_were_not_caught() -> None:
    """And counts those that each suite caught."""
    others = [Fault(number, "sql/marts/plays.sql", "", "call", "sum(n)", "max(n)") for number in (2, 3)]
    fast = {1: Result(1, "not reached"), 2: Result(2, "caught", "a"), 3: Result(3, "survived")}
    slow = {1: Result(1, "survived"), 3: Result(3, "caught", "b")}

    lines = list(summary([FAULT, *others], {"fast": fast, "slow": slow}))

    assert "| caught by fast | 1 | 0 | 1 |" in lines
    assert "| caught by slow | 1 | 0 | 1 |" in lines
    assert "| survived | 1 | 1 | 0 |" in lines
    assert lines[-1] == "| 1 | `recsys/shares.py` share | `if whole == 0:` | `if whole != 0:` | survived |"
