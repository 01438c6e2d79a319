"""Print the Python version, or say what is missing; runs on any Python, so that old ones are told."""

# ruff: noqa: UP031 - f-strings are a syntax error on the Pythons that this file is there to tell.

import sys

OLDEST = (3, 11)

if sys.version_info < OLDEST:
    sys.exit(
        "This is Python %d.%d; rag_qa needs 3.11 or newer. Install one and name it: make PYTHON=python3.12"
        % sys.version_info[:2]
    )
try:
    import ensurepip
    import venv
except ImportError:
    sys.exit(
        "This Python cannot make virtual environments. On Debian or Ubuntu: sudo apt install python3-venv"
    )
assert ensurepip
assert venv
print("%d.%d.%d" % sys.version_info[:3])
