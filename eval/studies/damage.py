"""Check that damage to an index is never silent: it is told, mended, or without effect.

    python eval/studies/damage.py [--damages 600] [--seed 0] [--dense exact|hnsw] [--doctor 4]

Indexes the sample papers with a fake embedder and damages a copy at random, file after file: one bit or 20 flipped, 512
random bytes, truncated, emptied, deleted; half of them with the time of the file put back. Child processes then search,
ask for quotes, list and look up papers; every fourth time (`--doctor`) they also check the index as doctor does, and
mend it. Prints counts of what came of each damage, and each bad case; ends with status 1 if there is one.

600 damages take about ten minutes on one core.
"""

import importlib
import json
import os
import random
import shutil
import sys
import tempfile
import traceback
from collections import Counter
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from eval.programs import parser_for
from rag_qa import Assistant, Settings, build_index
from rag_qa.app.lookup import find_paper
from rag_qa.errors import RagQAError
from rag_qa.index.health import examine
from rag_qa.index.repair import repair_index
from rag_qa.sample import sample_papers_path
from rag_qa.testing import HashingEmbedder
from rag_qa.types import Answer, Filter, Paper

QUESTIONS = (
    "Which papers discuss eigendecomposition as a game?",
    "How does dropout regularise neural networks?",
    "Which papers by Ian Gemp are there?",
    "How many papers mention attention?",
    "What is said about graph neural networks?",
    "papers since 2021 at ICLR",
)
TEXTS = (
    "attention",
    "games and equilibria",
    "learning from few examples",
    "optimal transport",
    "language models",
)
BAD = ("silently wrong", "traceback", "signal", "doctor fell", "repair fell", "not mended")

Damage = Callable[[bytearray, random.Random], bytearray | None]
Results = dict[str, tuple[str, str]]


class Outcome(NamedTuple):
    """What came of a damage: its number, what was done to which part, the outcome in a word or two, and details."""

    number: int
    damage: str
    part: str
    what: str
    detail: str


def _flip(content: bytearray, chance: random.Random, bits: int) -> bytearray:
    for _ in range(bits):
        content[chance.randrange(len(content))] ^= 1 << chance.randrange(8)
    return content


def _overwrite(content: bytearray, chance: random.Random) -> bytearray:
    start = chance.randrange(max(1, len(content) - 512))
    end = min(len(content), start + 512)
    content[start:end] = chance.randbytes(end - start)
    return content


DAMAGES: dict[str, Damage] = {
    "1 bit flipped": lambda content, chance: _flip(content, chance, 1),
    "20 bits flipped": lambda content, chance: _flip(content, chance, 20),
    "512 bytes overwritten": _overwrite,
    "truncated": lambda content, chance: content[: chance.randrange(len(content))],
    "emptied": lambda content, chance: bytearray(),
    "deleted": lambda content, chance: None,
}


def main() -> int:
    """Damage, use, check, mend and count."""
    parser = parser_for(__doc__)
    parser.add_argument("--damages", type=int, default=600)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--dense", choices=["exact", "hnsw"], default="exact")
    parser.add_argument("--doctor", type=int, default=4)
    parser.add_argument("--folder", type=Path, default=Path(tempfile.gettempdir()))
    args = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=args.folder) as name:
        counts: Counter[tuple[str, str]] = Counter()
        for outcome in run_damages(Path(name), args.damages, args.seed, args.dense, args.doctor):
            counts[outcome.what, outcome.part] += 1
            if outcome.number % 20 == 0:
                print(f"{outcome.number} of {args.damages}: {_totals(counts)}", file=sys.stderr, flush=True)
            if outcome.what in BAD:
                print(outcome, flush=True)
    for what in dict.fromkeys(what for what, _ in sorted(counts)):
        parts = {part: number for (other, part), number in sorted(counts.items()) if other == what}
        listed = ", ".join(f"{part} {number}" for part, number in parts.items())
        print(f"{what:16} {sum(parts.values()):5}  ({listed})")
    return int(any(what in BAD for what, _ in counts))


def _totals(counts: Counter[tuple[str, str]]) -> dict[str, int]:
    totals: Counter[str] = Counter()
    for (what, _), number in counts.items():
        totals[what] += number
    return dict(totals)


def run_damages(folder: Path, damages: int, seed: int, dense: str, doctor: int = 1) -> Iterator[Outcome]:
    """Yield what came of each damage to an index in a folder: once for its use, and once for doctor and repair."""
    sound = folder / "sound"
    in_child(lambda: build_index([sample_papers_path()], sound, embedder=HashingEmbedder()).papers)
    # What is loaded now need not be loaded by every child. Chroma must not be used before a fork, or it hangs.
    use(sound, "exact")
    importlib.import_module("chromadb.api.client")
    expected, _ = in_child(lambda: use(sound, dense))
    for number in range(damages):
        chance = random.Random(seed * 1_000_000 + number)
        damaged = folder / "damaged"
        shutil.rmtree(damaged, ignore_errors=True)
        shutil.copytree(sound, damaged)
        part, said = damage(damaged, number, chance)
        for what, detail in judge(damaged, dense, expected, doctor=chance.randrange(doctor) == 0):
            yield Outcome(number, said, part, what, detail)


def damage(index: Path, number: int, chance: random.Random) -> tuple[str, str]:
    """Damage one file of an index; return the part that it belongs to, and what was done."""
    files = [path for path in sorted(index.rglob("*")) if path.is_file() and path.stat().st_size]
    store = [path for path in files if path.name == "papers.sqlite3"]
    path = store[0] if number % 3 == 0 else files[number % len(files)]
    name = chance.choice(list(DAMAGES))
    status = path.stat()
    content = DAMAGES[name](bytearray(path.read_bytes()), chance)
    if content is None:
        path.unlink()
    else:
        path.write_bytes(content)
    put_back = bool(chance.getrandbits(1))
    if put_back and content is not None:
        os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    inside = path.relative_to(index)
    part = inside.parts[2] if len(inside.parts) > 3 else inside.name
    return part, f"{inside} {name}{', time put back' if put_back else ''}"


def judge(index: Path, dense: str, expected: Results, *, doctor: bool) -> Iterator[tuple[str, str]]:
    """Yield what came of a damage in use, and what doctor made of it, each with details."""
    generations = sorted(path.name for path in (index / "derived").glob("*"))
    used, status = in_child(lambda: use(index, dense))
    yield _in_use(
        used, status, expected, generations != sorted(p.name for p in (index / "derived").glob("*"))
    )
    if not doctor:
        return
    problems, status = in_child(lambda: list(examine(index).problems))
    if status or problems is None:
        yield "doctor fell", f"status {status}"
        return
    told = used is not None and any(kind == "told" for kind, _ in used.values())
    if not problems:
        yield ("doctor ok", "") if not told else ("not mended", f"doctor finds nothing: {used}")
        return
    yield _after_repair(index, dense, expected)


def _in_use(used: Results | None, status: int, expected: Results, rebuilt: bool) -> tuple[str, str]:
    if used is None:
        return "signal", f"status {status}"
    kinds = {kind for kind, _ in used.values()}
    if "traceback" in kinds:
        return "traceback", next(detail for kind, detail in used.values() if kind == "traceback")
    wrong = [name for name, (kind, result) in used.items() if kind == "ok" and expected[name][1] != result]
    if wrong:
        return "silently wrong", f"{wrong}"
    return ("told", "") if "told" in kinds else ("mended", "") if rebuilt else ("no effect", "")


def _after_repair(index: Path, dense: str, expected: Results) -> tuple[str, str]:
    """Mend an index; return whether all is as before, or what is lost is told."""
    lost, status = in_child(lambda: len(repair_index(index, HashingEmbedder).lost))
    if status or lost is None:
        missing = not (index / "papers.sqlite3").exists()
        return ("store gone", "") if missing else ("repair fell", f"status {status}")
    problems, _ = in_child(lambda: list(examine(index).problems))
    used, _ = in_child(lambda: use(index, dense))
    kinds = {kind for kind, _ in used.values()} if used else {"signal"}
    if problems or not kinds <= ({"ok", "told"} if lost else {"ok"}):
        return "not mended", f"{problems} {used}"
    if lost:
        return "rest mended", ""
    return ("all mended", "") if used == expected else ("not mended", "the results differ")


def use(index: Path, dense: str) -> Results:
    """Search, ask, list and look up; return for each whether it went well, and the result or error."""
    results: Results = {}
    settings = Settings(style="quote", dense=dense)
    try:
        assistant = Assistant.open(index, settings=settings, embedder=HashingEmbedder())
    except RagQAError as exc:
        return {"open": ("told", str(exc))}
    except Exception:
        return {"open": ("traceback", traceback.format_exc())}
    steps: dict[str, Callable[[], Any]] = {
        **{f"ask {n}": partial(_asked, assistant, text) for n, text in enumerate(QUESTIONS)},
        **{f"search {n}": partial(_searched, assistant, text) for n, text in enumerate(TEXTS)},
        "papers": lambda: _plain(list(assistant.papers())),
        "2020": lambda: _plain(assistant.search("learning", filter=Filter(since=2020, venues=("ICLR",)))),
        "paper": lambda: _plain(find_paper(assistant, "arXiv:2010.00554")),
    }
    for name, step in steps.items():
        try:
            results[name] = ("ok", step())
        except RagQAError as exc:
            results[name] = ("told", str(exc))
        except Exception:
            results[name] = ("traceback", traceback.format_exc())
    assistant.close()
    return results


def _asked(assistant: Assistant, question: str) -> str:
    return _plain(assistant.ask(question))


def _searched(assistant: Assistant, text: str) -> str:
    return _plain(assistant.search(text))


def _plain(value: Any) -> str:
    """Return what a user sees of a result, without times and the number of the generation."""
    if isinstance(value, Answer):
        value = [
            value.reason,
            [paper.model_dump() for paper in value.papers],
            [s.model_dump() for s in value.sentences],
        ]
    elif isinstance(value, Paper):
        value = value.model_dump()
    else:
        value = [item.model_dump() for item in value]
    return json.dumps(value, default=str)


def in_child(work: Callable[[], Any]) -> tuple[Any, int]:
    """Return what a function returns in a child process, None if it raises or crashes, and the exit status."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        try:
            with os.fdopen(writing, "w", encoding="utf-8") as pipe:
                json.dump(work(), pipe)
            os._exit(0)
        except BaseException:
            traceback.print_exc()
            os._exit(1)
    os.close(writing)
    with os.fdopen(reading, encoding="utf-8") as pipe:
        said = pipe.read()
    _, status = os.waitpid(child, 0)
    return (json.loads(said) if status == 0 else None), os.waitstatus_to_exitcode(status)


if __name__ == "__main__":
    sys.exit(main())
