"""Print the Python version, or exit with what is missing. It runs on any Python, old ones too."""

# ruff: noqa: UP031 - f-strings are a syntax error on the old Pythons that this file reports.

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
