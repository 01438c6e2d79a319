"""Check whether any file makes a reader take more than linear time.

    python eval/studies/hostile_files.py [--format bibtex] [--size 60000]

Takes the valid example of each format in tests/corpus/test_fates.py and puts a piece of text, repeated up to `--size`
characters, into it at several places. Also gives each field of a record such a text. The five slowest of each format
(or field) at 1,000 characters are read at full size. One that takes over two seconds is stopped and listed, and the
exit status is 1. Takes about two minutes for all.
"""

import argparse
import json
import runpy
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from rag_qa.corpus.reading import read_source
from rag_qa.corpus.sources import SourceFile
from rag_qa.text.body import body_sentences
from rag_qa.text.words import words

PROBE = 1000
SLOWEST = 5
SECONDS = 2.0
PLACES = 6
SINGLE = " \n\t.,;:-_aZ0([{<\"'$\\*@&#=%|~^é中\u2014\ufeff\x00"
SHORT = r"""and |group and |"a" #|a #|et al. |A. B., |Weaver W, |Van |(1)| 1|10.5555/a|© 2020 |p<0.05 |a-|1,|1.|www.
|e.g. |U.S. |A.|{}|[]|, |. |; | and|\a|\a{|$a$|\SI{|\documentclass\begin{document}
|a"|","|a,|a;|""|"a""b|<a>|</a>|&amp;|<entry>
|</entry>|<article>|<math>|<sub>|<!--|<![CDATA[|<?xml?>|<?xml|@a{|@a{b,c={|{"a":|{"a":[|[1,|{"title":"a"}|"a",
|null,|{'a':|# |* |**a|_a_|Abstract: |Abstract""".replace("\n", "")
LINES = r"""|"|a","b|<entry>|@a{b,|# a|---|%0 Book|%T a|TY  - JOUR|ER  -|PMID- 7|PT J|AB  - a|1. a 2020
|Abstract: a|Title: a|{"a":1}""".replace("\n", "")
PIECES = (*SINGLE, *SHORT.split("|"), *(f"{line}\n" for line in LINES.split("|")), "\n\n", "1. a 2020\n\n")
FIELDS = (
    "title",
    "abstract",
    "authors",
    "venue",
    "year",
    "doi",
    "url",
    "id",
    "arxiv",
    "pmid",
    "note",
    "status",
)


class Stopped(BaseException):
    """Raised by the alarm; no handler in the readers catches it."""


class Hostile(NamedTuple):
    """A file of any size: `before`, then `piece` many times, then `after`."""

    before: str
    piece: str
    after: str

    def of_size(self, size: int) -> bytes:
        """Return a file with about `size` characters of the piece."""
        return (self.before + self.piece * max(1, size // len(self.piece)) + self.after).encode()


def files(example: str) -> Iterator[Hostile]:
    """Yield hostile files made of a valid one."""
    places = {len(example) * n // PLACES for n in range(PLACES + 1)}
    places |= {example.find(mark) for mark in ("zigzagging", "Weaver", "Knitting", "2021") if mark in example}
    for place in sorted(places):
        for piece in PIECES:
            yield Hostile(example[:place], piece, example[place:])
    yield from (Hostile("", piece, "") for piece in PIECES)


def records(field: str) -> Iterator[Hostile]:
    """Yield JSON records with a hostile field, as text and as a list."""
    for piece in PIECES:
        written = json.dumps(piece)[1:-1]
        rest = {"title": "Knitting", "abstract": "We knit wool and linen."}
        rest.pop(field, None)
        for begin in ("", "We knit wool. ", "Weaver, Wilma"):
            opening = f'{json.dumps(rest)[:-1]}, "{field}": "{begin}'
            yield Hostile(opening, written, 'x"}')
            yield Hostile(opening, written, '"}')
        yield Hostile(f'{json.dumps(rest)[:-1]}, "{field}": ["a"', f', "{written}"', "]}")


def seconds(content: bytes, format: str | None) -> float:
    """Return how much processor time a file takes to be read and split into sentences and words, at most SECONDS."""
    begun = time.process_time()
    try:
        signal.setitimer(signal.ITIMER_VIRTUAL, SECONDS)
        try:
            for paper in read_source(SourceFile(path="-", digest="", content=content), format).papers:
                body_sentences(paper.abstract)
                words(paper.abstract)
        finally:
            signal.setitimer(signal.ITIMER_VIRTUAL, 0)
    except Stopped:
        return SECONDS
    return time.process_time() - begun


def _stop(*_: object) -> None:
    raise Stopped


def stopped(name: str, hostile: Iterator[Hostile], format: str | None, size: int) -> Iterator[str]:
    """Yield the files that had to be stopped, and print the slowest."""
    slowest = sorted(hostile, key=lambda file: -seconds(file.of_size(PROBE), format))[:SLOWEST]
    took = [(seconds(file.of_size(size), format), file) for file in slowest]
    print(f"{name}: {max(took)[0]:.2f} s", flush=True)
    for time_taken, file in took:
        if time_taken >= SECONDS:
            yield f"{name}: {file.before[-30:]!r}, many {file.piece!r}, {file.after[:30]!r}"


def main() -> None:
    """List the files that are not read in time."""
    options = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    options.add_argument("--format", default="", help="the beginning of formats or of “field NAME”")
    options.add_argument("--size", type=int, default=60_000)
    given = options.parse_args()
    signal.signal(signal.SIGVTALRM, _stop)
    tests = Path(__file__).parents[2] / "tests" / "corpus" / "test_fates.py"
    examples = runpy.run_path(str(tests))["EXAMPLES"]
    found: list[str] = []
    for format, example in examples.items():
        if format.startswith(given.format) and isinstance(example, str):
            found += stopped(format, files(example), format, given.size)
    for field in FIELDS:
        if f"field {field}".startswith(given.format):
            found += stopped(f"field {field}", records(field), "jsonl", given.size)
    print("\n".join([*found, f"{len(found)} stopped"]))
    sys.exit(bool(found))


if __name__ == "__main__":
    main()
