"""Run a compilation and show its progress: one line that changes in a terminal, a line now and then in a log."""

import re
import subprocess
import sys
import time
from collections import deque

STEP = re.compile(r"\[\s*(?:(\d+)/(\d+)|(\d+)%)\s*\]")
LOG_SECONDS = 15.0
LAST_LINES = 40
# In a terminal the line is rewritten: carriage return, erase to its end.
ERASE = "\r\033[K"


def run_with_progress(title: str, command: list[str], environment: dict[str, str]) -> int:
    """Run a command and return its exit status; if it fails, print its last lines to stderr."""
    progress = Progress(title)
    last: deque[str] = deque(maxlen=LAST_LINES)
    with subprocess.Popen(
        command,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        encoding="utf-8",
        errors="replace",
    ) as process:
        assert process.stdout is not None
        for line in process.stdout:
            last.append(line)
            progress.show(line)
    progress.close()
    if process.returncode != 0:
        sys.stderr.writelines(last)
    return process.returncode


class Progress:
    """The line that shows how far a build is, read from the `[n/m]` of ninja or the `[ n%]` of make."""

    def __init__(self, title: str, step: str = "preparing") -> None:
        self.title = title
        self.start = time.monotonic()
        self.shown = self.start
        self.step = step
        self.terminal = sys.stderr.isatty()

    def show(self, line: str) -> None:
        """Take a line of the build's output."""
        found = STEP.search(line)
        if found:
            self.step = f"{found[1]} of {found[2]} files" if found[1] else f"{found[3]} %"
        now = time.monotonic()
        if self.terminal or now - self.shown >= LOG_SECONDS:
            self.shown = now
            self._print()

    def print_text(self, text: str) -> None:
        """Print lines of text; in a terminal they replace the line of progress."""
        print((ERASE if self.terminal else "") + text, end="", file=sys.stderr, flush=True)

    def close(self) -> None:
        """Leave the last state on the screen."""
        self._print()
        if self.terminal:
            print(file=sys.stderr)

    def _print(self) -> None:
        minutes, seconds = divmod(int(time.monotonic() - self.start), 60)
        text = f"{self.title}: {self.step}, {minutes}:{seconds:02} min"
        start, end = (ERASE, "") if self.terminal else ("", "\n")
        print(start + text, end=end, file=sys.stderr, flush=True)
