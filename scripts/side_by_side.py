"""Compile llama.cpp and download all else meanwhile: one takes the processor, the other the network.

The compiler's progress is a line that changes, so what the downloads say goes to a file first and is shown when
the compiler is done. Downloads that fail fail nothing here: the steps of the Makefile that need them do them again.
Call it with the file for the downloads' words; what follows goes to download.py.
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
    """Start the downloads, build the wheel, then show what the downloads said and wait for them."""
    log, *arguments = sys.argv[1:]
    with Path(log).open("w+", encoding="utf-8", errors="replace") as words:
        downloads = start([sys.executable, str(DOWNLOAD), *arguments], words)
        try:
            ready_wheel()
            follow(downloads, Path(log))
        finally:
            stop(downloads)


def start(command: list[str], words: TextIO) -> subprocess.Popen[str]:
    """Start a command in a group of its own, which ends if this process is ended."""
    print("Bringing torch, the libraries and the models in the background.", file=sys.stderr)
    process = subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=words, stderr=words, text=True, start_new_session=True
    )

    def end(number: int, frame: FrameType | None) -> None:
        stop(process)
        os._exit(128 + number)

    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, end)
    return process


def stop(process: subprocess.Popen[str]) -> None:
    """End a command and all that it started, unless it has ended."""
    if process.poll() is None:
        # macOS refuses it if the command ended this moment.
        with suppress(PermissionError):
            os.killpg(process.pid, signal.SIGTERM)
        process.wait()


def follow(process: subprocess.Popen[str], log: Path) -> None:
    """Copy what a command has written and goes on to write to stderr, until it ends."""
    waiting = Progress("downloads", step="waiting for the rest")
    with log.open(encoding="utf-8", errors="replace") as words:
        while process.poll() is None:
            waiting.tell(words.read())
            waiting.show("")
            time.sleep(FOLLOW_SECONDS)
        waiting.tell(words.read())


if __name__ == "__main__":
    main()
