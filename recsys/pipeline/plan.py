"""The steps in the modules of `pipeline/steps/`, and their order: each runs after the steps whose outputs it reads."""

from collections.abc import Mapping, Sequence
from functools import cache
from graphlib import TopologicalSorter
from pathlib import Path

from recsys.installation.plugins import plugin, plugin_names
from recsys.pipeline.results import Artefact, Result, Step
from recsys.warehouse.build import ResultTable
from recsys.warehouse.internal import internal_names

PACKAGE = "recsys.pipeline.steps"
FILE_SUFFIX = "_file"  # suffix of a parameter that is the path of a table or artefact
BUILD = "build"
WAREHOUSE_INPUTS = {
    "interactions",
    "repeats",
    "split",
    "validation",
    "fingerprint_index",
    "training_inputs",
}  # read from the built warehouse
PUBLISHED = "published_results"  # the parameter of a step that reads every published result


@cache
def steps() -> dict[str, Step]:
    """Return all steps by name, in the order in which they run."""
    modules = [plugin(PACKAGE, name) for name in plugin_names(PACKAGE)]
    found = {value.name: value for module in modules for value in vars(module).values() if isinstance(value, Step)}
    needs = {name: _needs(step, found) for name, step in found.items()}
    return {name: found[name] for name in TopologicalSorter(needs).static_order()}


def _needs(step: Step, found: Mapping[str, Step]) -> list[str]:
    """Return the names of the steps on which a step depends directly."""
    reads = {name.removesuffix(FILE_SUFFIX) for name in step.reads}
    if reads & (WAREHOUSE_INPUTS | internal_names()):
        reads.add(BUILD)
    if PUBLISHED in reads:
        reads |= {output.name for other in found.values() for output in other.outputs if _is_for_sql(output)}
    makers = {output.name: name for name, other in found.items() for output in other.outputs if other is not step}
    return sorted({makers[name] for name in reads & makers.keys()})


def steps_up_to(last: str) -> list[Step]:
    """Return a step and all steps on which it depends, in the order in which they run."""
    needed, chosen = {last}, []
    for name, step in reversed(steps().items()):
        if name in needed:
            needed.update(_needs(step, steps()))
            chosen.append(step)
    return chosen[::-1]


def steps_after(first: str) -> list[Step]:
    """Return a step and all steps that depend on it, in the order in which they run."""
    changed: dict[str, Step] = {first: steps()[first]}
    for name, step in steps().items():
        if changed.keys() & set(_needs(step, steps())):
            changed[name] = step
    return list(changed.values())


def step_outputs() -> dict[str, Result | Artefact]:
    """Return the outputs of all steps, tables and artefacts, by name."""
    return {output.name: output for step in steps().values() for output in step.outputs}


def results() -> dict[str, Result]:
    """Return the published results of all steps, by name; SQL reads them as `raw.<name>`."""
    return {
        name: output
        for name, output in step_outputs().items()
        if isinstance(output, Result) and output.history is not None
    }


def _is_for_sql(output: Result | Artefact) -> bool:
    return isinstance(output, Result) and output.history is not None


def result_tables(paths: Mapping[str, Sequence[Path]] | None = None) -> dict[str, ResultTable]:
    """Return the published results in the form that the warehouse builder expects; a table without files is empty."""
    return {name: ResultTable(result.schema, tuple((paths or {}).get(name, ()))) for name, result in results().items()}


def removable_files() -> list[str]:
    """Return patterns of the files in a run's folder that are no longer needed when its release is removed."""
    gone = [output for output in step_outputs().values() if output.lifetime != "always"]
    return [f"{output.name}.parquet" if isinstance(output, Result) else f"{output.name}*" for output in gone]
