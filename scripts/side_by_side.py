"""Compile llama.cpp and download everything else meanwhile: one needs the processor, the other the network.

The compiler's progress is a line that changes, so the output of the downloads goes to a file first and is printed when
the compiler is done. A failed download is no error here: later steps of the Makefile repeat it.
The first argument names the file for that output; the others go to download.py.
"""

import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from types import FrameType
from typing import TextIO

from build_llama import ready_wheel
from build_progress import Progress

DOWNLOAD = Path(__file__).parent / "download.py"
FOLLOW_SECONDS = 0.2


def main() -> None:
    """Start the downloads, build the wheel, then print the output of the downloads and wait for them."""
    log, *arguments = sys.argv[1:]
    with Path(log).open("w+", encoding="utf-8", errors="replace") as output:
        downloads = start([sys.executable, str(DOWNLOAD), *arguments], output)
        try:
            ready_wheel()
            follow(downloads, Path(log))
        finally:
            stop(downloads)


def start(command: list[str], output: TextIO) -> subprocess.Popen[str]:
    """Start a command in a process group of its own; it is ended if this process is ended."""
    print("Bringing torch, the libraries and the models in the background.", file=sys.stderr)
    process = subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, text=True, start_new_session=True
    )

    def end(number: int, frame: FrameType | None) -> None:
        stop(process)
        os._exit(128 + number)

    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, end)
    return process


def stop(process: subprocess.Popen[str]) -> None:
    """End a command and its child processes, unless it has ended."""
    if process.poll() is None:
        # macOS refuses this if the command has just ended.
        with suppress(PermissionError):
            os.killpg(process.pid, signal.SIGTERM)
        process.wait()


def follow(process: subprocess.Popen[str], log: Path) -> None:
    """Copy the output of a command from its log to stderr, until it ends."""
    waiting = Progress("downloads", step="waiting for the rest")
    with log.open(encoding="utf-8", errors="replace") as output:
        while process.poll() is None:
            waiting.print_text(output.read())
            waiting.show("")
            time.sleep(FOLLOW_SECONDS)
        waiting.print_text(output.read())


if __name__ == "__main__":
    main()
