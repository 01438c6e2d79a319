"""Measure whether faults of machines and processes lose or change anything in an index.

    python eval/studies/index_faults.py readers --seconds 300    # readers of both kinds, doctor and a writer at once
    python eval/studies/index_faults.py kills --kills 100        # kill -9 of index, update, prune, rebuild
    python eval/studies/index_faults.py full-disk --megabytes 8  # commands with little room left (root)
    python eval/studies/index_faults.py read-only                # another user, read-only mount, immutable (root)

Papers are made-up words and vectors come from the fake embedder, so nothing beside the repository is needed. Each
command prints one JSON object. "untold" counts errors that are not of rag_qa, "lost" wrong contents afterwards.
"""

import argparse
import json
import multiprocessing
import os
import random
import shutil
import signal
import subprocess
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from rag_qa import Assistant, Settings, build_index
from rag_qa.errors import RagQAError
from rag_qa.index.health import check_index
from rag_qa.index.reader import Index
from rag_qa.index.store import Store
from rag_qa.testing import HashingEmbedder

SYLLABLES = "ba ke li mo nu ra se ti vo zu dar fen gol hix jum".split()
PRELOADED = [
    "chromadb",
    "chromadb.config",
    "bm25s",
    "huggingface_hub.file_download",
    "encodings.ascii",
    "filelock",
    "rag_qa.index.builder",
    "rag_qa.answering.assistant",
]
OLD, ALL = 100, 130
NOBODY = 65534
# Processes start by a fork of one that has imported everything and used nothing.
processes = multiprocessing.get_context("forkserver")


def made_up(number: int) -> dict[str, str]:
    """Return a paper in made-up words, always the same for a number."""
    chance = random.Random(number)
    words = ["".join(chance.choices(SYLLABLES, k=3)) for _ in range(24)]
    sentences = [" ".join(words[start : start + 8]).capitalize() + "." for start in (0, 8, 16)]
    return {"id": f"p{number:05}", "title": f"Of {words[0]} {words[9]}", "abstract": " ".join(sentences)}


def write_papers(folder: Path, numbers: Sequence[int]) -> None:
    """Replace the papers of a source folder."""
    folder.mkdir(exist_ok=True)
    (folder / "papers.jsonl").write_text("\n".join(json.dumps(made_up(n)) for n in numbers), encoding="utf-8")


class Slow(HashingEmbedder):
    """The fake embedder with a pause, so that a run can be killed while it embeds."""

    def encode(self, texts: Sequence[str], *, role: Any) -> Any:
        """Return the vectors, late."""
        time.sleep(0.05)
        return super().encode(texts, role=role)


def contents(index: Path) -> tuple[Any, ...]:
    """Return the papers, passages and vectors of an index."""
    store = Store.open(index)
    try:
        return list(store.papers()), list(store.passage_vectors()), store.count("vectors")
    finally:
        store.close()


def generation(index: Path) -> int:
    """Return the number of the generation that a reader opens now."""
    store = Store.open(index)
    try:
        manifest = store.manifest()
        return manifest.generation if manifest else 0
    finally:
        store.close()


def outcome(action: Callable[[], object]) -> str:
    """Return "ok", the name and beginning of an error of ours, or an untold error."""
    try:
        action()
    except RagQAError as exc:
        return f"{type(exc).__name__}: {exc}"
    except Exception as exc:
        return f"untold {type(exc).__name__}: {exc}"
    return "ok"


# --- what child processes do


def search(index: Path, dense: str, number: int = 7) -> None:
    """Open an index, search for a paper by its title, and fail unless it is found."""
    settings = Settings(style="quote", dense=dense)
    with Assistant.open(index, settings=settings, embedder=HashingEmbedder()) as assistant:
        paper = made_up(number)
        found = [hit.paper for hit in assistant.search(f"{paper['title']}. {paper['abstract'][:60]}", 5)]
        if not any(hit.id == paper["id"] and hit.abstract == paper["abstract"] for hit in found):
            raise AssertionError(f"{paper['id']} was not found")


def rebuild(source: Path, index: Path) -> None:
    """Lose the derived files and open the index, which builds them again."""
    shutil.rmtree(index / "derived", ignore_errors=True)
    Index.open(index, graph=True).close()


def update(source: Path, index: Path) -> None:
    """Index the source."""
    build_index([source], index, embedder=Slow())


def prune(source: Path, index: Path) -> None:
    """Index the source and remove what it no longer has."""
    build_index([source], index, embedder=Slow(), prune=True)


def check(index: Path) -> None:
    """Fail if the check of an index finds a problem."""
    health = check_index(index)
    if not health.ok:
        raise AssertionError(health.problems[0])


def repeat(action: Callable[..., None], arguments: tuple[Any, ...], until: float, sender: Connection) -> None:
    """Do the same until a time, and send how often each outcome came."""
    counts: Counter[str] = Counter()
    while time.time() < until:
        counts[outcome(lambda: action(*arguments))[:300]] += 1
    sender.send(dict(counts))


def keep_writing(source: Path, index: Path, until: float, sender: Connection) -> None:
    """Add and remove papers until a time, and send the outcomes and how many updates there were."""
    counts: Counter[str] = Counter()
    for turn in range(1_000_000):
        if time.time() > until:
            break
        write_papers(source, range(ALL if turn % 2 == 0 else OLD))
        counts[outcome(lambda: prune(source, index))[:300]] += 1
        time.sleep(0.3)
    sender.send(dict(counts))


def once(
    action: Callable[..., None], arguments: tuple[Any, ...], sender: Connection, after: Any = None
) -> None:
    """Say that the work begins, do it, and send its outcome; `after` is called first."""
    if after is not None:
        after()
    sender.send("here")
    sender.send(outcome(lambda: action(*arguments)))


def become_nobody() -> None:
    """Give up every right."""
    os.setgroups([])
    os.setresgid(NOBODY, NOBODY, NOBODY)
    os.setresuid(NOBODY, NOBODY, NOBODY)


def run_alone(action: Callable[..., None], *arguments: Any, after: Callable[[], None] | None = None) -> str:
    """Return the outcome of an action in a process of its own, or the signal that ended it."""
    receiver, sender = processes.Pipe(duplex=False)
    child = processes.Process(target=once, args=(action, arguments, sender, after))
    child.start()
    sender.close()
    result = "no outcome"
    with suppress(EOFError):
        receiver.recv()
        result = receiver.recv()
    child.join()
    status = child.exitcode or 0
    return f"untold {signal.Signals(-status).name}" if status < 0 else result


# --- the studies


def readers(root: Path, seconds: float, exact: int, hnsw: int, doctors: int, writers: int) -> dict[str, Any]:
    """Open and search from many processes, with a doctor and a writer beside, and count outcomes and rebuilds."""
    source, index = library(root)
    before, until = generation(index), time.time() + seconds
    work: list[tuple[str, Callable[..., None], tuple[Any, ...]]] = [
        *[("exact", repeat, (search, (index, "exact"), until))] * exact,
        *[("hnsw", repeat, (search, (index, "hnsw"), until))] * hnsw,
        *[("doctor", repeat, (check, (index,), until))] * doctors,
        *[("writer", keep_writing, (source, index, until))] * writers,
    ]
    running = []
    for role, target, arguments in work:
        receiver, sender = processes.Pipe(duplex=False)
        child = processes.Process(target=target, args=(*arguments, sender))
        child.start()
        sender.close()
        running.append((role, child, receiver))
    counts: dict[str, Counter[str]] = {role: Counter() for role, _, _ in work}
    for role, child, receiver in running:
        counts[role].update(receiver.recv())
        child.join()
    updates = counts["writer"]["ok"] if writers else 0
    rebuilt = generation(index) - before - updates
    return {"seconds": seconds, "outcomes": counts, "updates": updates, "needless_rebuilds": rebuilt}


def kills(root: Path, number: int, seed: int) -> dict[str, Any]:
    """Kill processes at random times; each time the old or the new papers must be there, and the next run finishes."""
    chance = random.Random(seed)
    source, index = library(root)
    states = {OLD: contents(index)}
    write_papers(source, range(ALL))
    build_index([source], root / "whole", embedder=HashingEmbedder())
    states[ALL] = contents(root / "whole")
    pristine = Path(shutil.copytree(index, root / "pristine"))
    whole = Path(shutil.copytree(root / "whole", root / "pristine-whole"))
    # What runs, over which index, with which papers in the source, and which states may follow.
    jobs: dict[str, tuple[Callable[..., None], Path | None, int, tuple[int, ...]]] = {
        "index": (update, None, OLD, (0, OLD)),
        "update": (update, pristine, ALL, (OLD, ALL)),
        "prune": (prune, whole, OLD, (ALL, OLD)),
        "rebuild": (rebuild, pristine, OLD, (OLD, OLD)),
    }
    counts: Counter[str] = Counter()
    longest = {name: measured(root, source, *job) for name, job in jobs.items()}
    for _ in range(number):
        name = chance.choice(list(jobs))
        action, start, papers, (old, new) = jobs[name]
        prepare(root, source, start, papers)
        ended = killed(action, (source, index), chance.uniform(0, longest[name]))
        counts[f"{name} {'ended first' if ended else 'killed'}"] += 1
        kept = len(contents(index)[0]) if (index / "papers.sqlite3").exists() else 0
        counts["old set" if kept == old else "new set" if kept == new else "lost"] += 1
        after = outcome(partial(action, source, index))
        counts[f"next run {after}"] += 1
        counts["equal to one built at once" if contents(index) == states[new or OLD] else "lost"] += 1
        counts["leftovers"] += any(path.suffix == ".new" for path in (index / "derived").iterdir())
        counts[f"search {outcome(lambda: search(index, 'hnsw'))}"] += 1
    return {"kills": number, "counts": counts}


def prepare(root: Path, source: Path, start: Path | None, papers: int) -> None:
    """Put the index and the source into the state in which a run begins."""
    shutil.rmtree(root / "index", ignore_errors=True)
    if start is not None:
        shutil.copytree(start, root / "index")
    write_papers(source, range(papers))


def measured(
    root: Path, source: Path, action: Callable[..., None], start: Path | None, papers: int, _: Any
) -> float:
    """Return how many seconds a run takes."""
    prepare(root, source, start, papers)
    begun = time.perf_counter()
    run_alone(action, source, root / "index")
    return time.perf_counter() - begun


def killed(action: Callable[..., None], arguments: tuple[Any, ...], after: float) -> bool:
    """Kill a process some seconds after its work began; return whether it had ended before."""
    receiver, sender = processes.Pipe(duplex=False)
    child = processes.Process(target=once, args=(action, arguments, sender))
    child.start()
    sender.close()
    receiver.recv()
    child.join(after)
    ended = child.exitcode is not None
    child.kill()
    child.join()
    return ended


def full_disk(root: Path, megabytes: int, step: int) -> dict[str, Any]:
    """Run every command with 0 kB to `megabytes` MB of room, then with enough; count outcomes and losses."""
    source, index = library(root)
    write_papers(source, range(ALL))
    outcomes: dict[str, Counter[str]] = {}
    lost: list[str] = []
    disk = root / "disk"
    jobs: dict[str, tuple[bool, Callable[[], str]]] = {
        "first index": (False, lambda: run_alone(update, source, disk / "index")),
        "update": (True, lambda: run_alone(update, source, disk / "index")),
        "rebuild": (True, lambda: run_alone(rebuild, source, disk / "index")),
        "search exact": (True, lambda: run_alone(search, disk / "index", "exact")),
        "search hnsw": (True, lambda: run_alone(search, disk / "index", "hnsw")),
    }
    os.environ["TMPDIR"] = str(disk)
    for name, (has_index, run) in jobs.items():
        outcomes[name] = Counter()
        for room in (0, 8, 20, 50, *range(100, megabytes * 1000 // 2, step)):
            with tmpfs(disk, megabytes):
                if has_index:
                    shutil.copytree(index, disk / "index")
                fill(disk, room)
                result = run()
                outcomes[name][result.replace(str(disk), "DISK").split(" (")[0][:160]] += 1
                (disk / "ballast").unlink()
                after = run_alone(update, source, disk / "index")
                if after != "ok" or len(contents(disk / "index")[0]) != ALL:
                    lost.append(f"{name}, {room} kB: {after}")
    return {"outcomes": outcomes, "lost": lost}


@contextmanager
def tmpfs(folder: Path, megabytes: int) -> Iterator[None]:
    """Mount a small disk."""
    folder.mkdir(exist_ok=True)
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "tmpfs", str(folder)], check=True)
    try:
        yield
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


def fill(folder: Path, room: int) -> None:
    """Fill a disk up to some kilobytes."""
    with (folder / "ballast").open("wb", buffering=0) as file:
        with suppress(OSError):
            while True:
                file.write(bytes(4096))
        file.truncate(max(0, file.tell() - room * 1000))


def read_only(root: Path) -> dict[str, Any]:
    """Search an index that cannot be written to, in three ways."""
    _, index = library(root)
    for path in (root, *root.rglob("*")):
        path.chmod(0o755 if path.is_dir() else 0o644)
    kinds = ("exact", "hnsw")
    found = {f"other user, {kind}": run_alone(search, index, kind, after=become_nobody) for kind in kinds}
    subprocess.run(["mount", "--bind", str(index), str(index)], check=True)
    try:
        subprocess.run(["mount", "-o", "remount,ro,bind", str(index)], check=True)
        found |= {f"read-only mount, {kind}": run_alone(search, index, kind) for kind in kinds}
    finally:
        subprocess.run(["umount", str(index)], check=True)
    if subprocess.run(["chattr", "-R", "+i", str(index)], check=False, capture_output=True).returncode == 0:
        found |= {f"immutable, {kind}": run_alone(search, index, kind) for kind in kinds}
    subprocess.run(["chattr", "-R", "-i", str(index)], check=False, capture_output=True)
    return found


def library(root: Path) -> tuple[Path, Path]:
    """Return a source folder of made-up papers and an index of it."""
    source, index = root / "source", root / "index"
    write_papers(source, range(OLD))
    build_index([source], index, embedder=HashingEmbedder())
    return source, index


def main() -> None:
    """Run the study that the command line names."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("study", choices=("readers", "kills", "full-disk", "read-only"))
    parser.add_argument("--seconds", type=float, default=300)
    parser.add_argument("--exact", type=int, default=4)
    parser.add_argument("--hnsw", type=int, default=4)
    parser.add_argument("--doctors", type=int, default=1)
    parser.add_argument("--writers", type=int, default=1)
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--megabytes", type=int, default=8)
    parser.add_argument("--step", type=int, default=300, help="kB between two sizes of the full disk")
    args = parser.parse_args()
    processes.set_forkserver_preload(PRELOADED)
    studies: dict[str, Callable[[Path], dict[str, Any]]] = {
        "readers": lambda root: readers(
            root, args.seconds, args.exact, args.hnsw, args.doctors, args.writers
        ),
        "kills": lambda root: kills(root, args.kills, args.seed),
        "full-disk": lambda root: full_disk(root, args.megabytes, args.step),
        "read-only": read_only,
    }
    with tempfile.TemporaryDirectory(prefix="index-faults-") as name:
        print(json.dumps(studies[args.study](Path(name)), indent=1, ensure_ascii=False))


if __name__ == "__main__":
    main()
