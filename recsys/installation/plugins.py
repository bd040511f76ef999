"""
Plug-ins: modules that are found by their file names in the folder of a package, without registration.

Recommenders, rerank rules, source formats, products, metrics, steps of the nightly run and audio training tasks are
added by adding one file.
"""

from collections.abc import Collection
from importlib import import_module
from pkgutil import iter_modules
from types import ModuleType
from typing import Any


def plugin_names(package: str, *, exclude: Collection[str] = ()) -> list[str]:
    """Return the sorted names of the modules in a package, except sub-packages and the names in `exclude`."""
    modules = iter_modules(import_module(package).__path__)
    return sorted(module.name for module in modules if not module.ispkg and module.name not in exclude)


def plugin(package: str, name: str) -> ModuleType:
    """Import a plug-in module by its name, one of `plugin_names`."""
    return import_module(f"{package}.{name}")


def plugin_class(package: str, name: str, base: type[Any]) -> type[Any]:
    """Return the first class derived from `base` that a plug-in module defines."""
    module = plugin(package, name)
    classes = (value for value in vars(module).values() if isinstance(value, type) and issubclass(value, base))
    return next(candidate for candidate in classes if candidate.__module__ == module.__name__)
