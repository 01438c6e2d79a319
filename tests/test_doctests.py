"""The examples in docstrings give what they show."""

import doctest
import importlib
from pathlib import Path

import pytest

import rag_qa

PACKAGE = Path(rag_qa.__file__).parent
WITH_EXAMPLES = sorted(path for path in PACKAGE.rglob("*.py") if ">>> " in path.read_text("utf-8"))


def name_of(path: Path) -> str:
    """`rag_qa/index/store.py` → `rag_qa.index.store`."""
    return ".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts)


@pytest.mark.parametrize("path", WITH_EXAMPLES, ids=name_of)
def test_examples_are_true(path):
    """Each example of a module prints what stands below it."""
    found = doctest.testmod(importlib.import_module(name_of(path)))
    assert found.attempted > 0
    assert found.failed == 0
