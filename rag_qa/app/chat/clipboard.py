"""Text → the clipboard: by the program of this system, and by the terminal itself where it is one."""

import base64
import os
import shutil
import subprocess
from collections.abc import Mapping

from rich.console import Console

from rag_qa.app.chat.screen import can_draft

# Programs that take a text on standard input, each with the variable of the display that it needs.
PROGRAMS = (
    ("WAYLAND_DISPLAY", ("wl-copy",)),
    ("DISPLAY", ("xclip", "-selection", "clipboard")),
    (None, ("pbcopy",)),
)
SECONDS = 5
# Terminals take no more than this in one sequence.
LONGEST = 74_994


def copy(text: str, console: Console, environment: Mapping[str, str] = os.environ) -> list[str]:
    """Copy a text, and return by what: programs, and the terminal, which does not say whether it did."""
    by = [command[0] for variable, command in PROGRAMS if _has(variable, environment) and _run(command, text)]
    sequence = base64.b64encode(text.encode()).decode("ascii")
    if can_draft(console) and len(sequence) <= LONGEST:
        console.file.write(f"\x1b]52;c;{sequence}\x07")
        console.file.flush()
        by.append("the terminal (OSC 52)")
    return by


def _has(variable: str | None, environment: Mapping[str, str]) -> bool:
    return variable is None or bool(environment.get(variable))


def _run(command: tuple[str, ...], text: str) -> bool:
    program = shutil.which(command[0])
    if program is None:
        return False
    try:
        done = subprocess.run(
            [program, *command[1:]],
            input=text.encode(),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            timeout=SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0
