"""The tree of errors."""

import inspect
import re

from rag_qa import errors

BRANCH = re.compile(r"^ {4}(?P<bars>[│├└─ ]*)(?P<name>\w+Error)\b", re.MULTILINE)


def drawn() -> dict[str, str]:
    """The parent of each error as the module's docstring draws it; that of the root is Exception."""
    parents, path = {}, ["Exception"]
    for branch in BRANCH.finditer(errors.__doc__):
        depth = len(branch["bars"]) // 4 + 1
        path[depth:] = [branch["name"]]
        parents[branch["name"]] = path[depth - 1]
    return parents


def test_the_tree_is_as_it_is_drawn():
    """The docstring draws every error under the one that it is a kind of, and no other."""
    found = {
        name: kind.__base__.__name__
        for name, kind in inspect.getmembers(errors, inspect.isclass)
        if kind.__module__ == errors.__name__
    }
    assert drawn() == found
    assert found["RagQAError"] == "Exception"


def test_a_busy_service_names_the_seconds_to_wait():
    """The seconds after which to try again are part of the error."""
    assert errors.ServiceBusyError("wait", retry_after=7).retry_after == 7
