"""
Plug-ins: every module in the folder of certain packages is one, found by its name alone.

A recommender, a rule for lists, a source format, a product, an audio task: each is added by adding a file.
"""

from collections.abc import Collection
from importlib import import_module
from pkgutil import iter_modules
from types import ModuleType
from typing import Any


def plugin_names(package: str, *, besides: Collection[str] = ()) -> list[str]:
    """Return the names of the modules in a package's folder, sorted, without sub-packages and those in `besides`."""
    found = iter_modules(import_module(package).__path__)
    return sorted(module.name for module in found if not module.ispkg and module.name not in besides)


def plugin(package: str, name: str) -> ModuleType:
    """Import a module of a package; the name has to be one of `plugin_names`."""
    return import_module(f"{package}.{name}")


def plugin_class(package: str, name: str, base: type[Any]) -> type[Any]:
    """Return the class that derives from `base` and is defined in a module of a package."""
    module = plugin(package, name)
    classes = (value for value in vars(module).values() if isinstance(value, type) and issubclass(value, base))
    return next(found for found in classes if found.__module__ == module.__name__)
