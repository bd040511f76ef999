"""The steps, found in the modules of `pipeline/steps/`, and their order: each follows those that make what it reads."""

from collections.abc import Mapping, Sequence
from functools import cache
from graphlib import TopologicalSorter
from pathlib import Path

from recsys.installation.plugins import plugin, plugin_names
from recsys.pipeline.results import Artefact, Result, Step
from recsys.warehouse.build import ResultTable
from recsys.warehouse.internal import internal_names

PACKAGE = "recsys.pipeline.steps"
FILE = "_file"  # the ending of a parameter that is the path of a table or artefact
BUILD = "build"
OF_WAREHOUSE = {"interactions", "split", "validation", "fingerprint_index"}  # inputs read from the built warehouse
PUBLISHED = "published_results"  # the parameter of a step that needs every table that SQL reads


@cache
def steps() -> dict[str, Step]:
    """Return all steps by name, in the order in which they are done."""
    modules = [plugin(PACKAGE, name) for name in plugin_names(PACKAGE)]
    found = {value.name: value for module in modules for value in vars(module).values() if isinstance(value, Step)}
    needs = {name: _needs(step, found) for name, step in found.items()}
    return {name: found[name] for name in TopologicalSorter(needs).static_order()}


def _needs(step: Step, found: Mapping[str, Step]) -> list[str]:
    """Return the names of the steps that make what a step reads."""
    reads = {name.removesuffix(FILE) for name in step.reads}
    if reads & (OF_WAREHOUSE | internal_names()):
        reads.add(BUILD)
    if PUBLISHED in reads:
        reads |= {made.name for other in found.values() for made in other.makes if _is_for_sql(made)}
    makers = {made.name: name for name, other in found.items() for made in other.makes if other is not step}
    return sorted({makers[name] for name in reads & makers.keys()})


def steps_up_to(last: str) -> list[Step]:
    """Return a step and all steps that it depends on, in the order in which they are done."""
    needed, chosen = {last}, []
    for name, step in reversed(steps().items()):
        if name in needed:
            needed.update(_needs(step, steps()))
            chosen.append(step)
    return chosen[::-1]


def steps_after(first: str) -> list[Step]:
    """Return a step and all steps that depend on it, in the order in which they are done."""
    changed: dict[str, Step] = {first: steps()[first]}
    for name, step in steps().items():
        if changed.keys() & set(_needs(step, steps())):
            changed[name] = step
    return list(changed.values())


def made_by_steps() -> dict[str, Result | Artefact]:
    """Return all tables and artefacts that steps make, by name."""
    return {made.name: made for step in steps().values() for made in step.makes}


def results() -> dict[str, Result]:
    """Return the tables that steps make for SQL, by name."""
    return {name: made for name, made in made_by_steps().items() if isinstance(made, Result) and _is_for_sql(made)}


def _is_for_sql(made: Result | Artefact) -> bool:
    return isinstance(made, Result) and made.history is not None


def result_tables(paths: Mapping[str, Sequence[Path]] | None = None) -> dict[str, ResultTable]:
    """Return the tables that steps make for SQL, as the warehouse reads them; a table without files is empty."""
    return {name: ResultTable(result.schema, tuple((paths or {}).get(name, ()))) for name, result in results().items()}


def removable_files() -> list[str]:
    """Return patterns of the files in a run's folder that are not needed once its release is removed."""
    gone = [made for made in made_by_steps().values() if made.lifetime != "always"]
    return [f"{made.name}.parquet" if isinstance(made, Result) else f"{made.name}*" for made in gone]
