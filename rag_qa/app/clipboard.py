"""Text → the clipboard: by a program of the desktop, or by the terminal (OSC 52), which also works over SSH."""

import base64
import os
import shutil
import subprocess
from typing import NamedTuple

from rag_qa.app.printing import CONTROLS
from rag_qa.errors import ExportError

TERMINAL = "the terminal"
PATIENCE_S = 5
# Terminals drop longer sequences, most of them silently.
LONGEST_SEQUENCE = 100_000


class Tool(NamedTuple):
    """A program that fills the clipboard from its standard input, and the environment variable that it needs."""

    command: tuple[str, ...]
    needs: str | None = None
    encoding: str = "utf-8"


TOOLS = (
    Tool(("wl-copy",), needs="WAYLAND_DISPLAY"),
    Tool(("xclip", "-selection", "clipboard"), needs="DISPLAY"),
    Tool(("xsel", "--clipboard", "--input"), needs="DISPLAY"),
    Tool(("pbcopy",)),
    Tool(("termux-clipboard-set",)),
    Tool(("clip.exe",), encoding="utf-16-le"),
)


def copy_text(text: str) -> str:
    """Copy a text without the characters that act on a terminal; return what took it: a program, or the terminal.

    Over SSH the terminal is tried first: its clipboard is the one of the reader's own machine. Raises ExportError if
    nothing takes the text.
    """
    safe = text.translate(CONTROLS)
    near, far = (_by_tool, _by_terminal) if not os.environ.get("SSH_CONNECTION") else (_by_terminal, _by_tool)
    if took := near(safe) or far(safe):
        return took
    raise ExportError(
        "there is no clipboard here; install wl-clipboard or xclip, or write to a file with --export FILE"
    )


def _by_tool(text: str) -> str:
    for tool in TOOLS:
        if (tool.needs is None or os.environ.get(tool.needs)) and _runs(tool, text):
            return tool.command[0]
    return ""


def _runs(tool: Tool, text: str) -> bool:
    program = shutil.which(tool.command[0])
    if program is None:
        return False
    try:
        # xclip goes on running and keeps the streams that it was given, so these are not ours.
        done = subprocess.run(
            [program, *tool.command[1:]],
            input=text.encode(tool.encoding, "replace"),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            timeout=PATIENCE_S,
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0


def _by_terminal(text: str) -> str:
    """Ask the terminal of this process; it does not report whether it did so."""
    sequence = b"\x1b]52;c;" + base64.b64encode(text.encode("utf-8", "replace")) + b"\x07"
    if len(sequence) > LONGEST_SEQUENCE or os.environ.get("TERM") in ("dumb", "linux", None):
        return ""
    try:
        with open("/dev/tty", "wb", buffering=0) as terminal:
            terminal.write(sequence)
    except OSError:
        return ""
    return TERMINAL
