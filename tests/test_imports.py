"""Imports point one way, and what is heavy loads when it is used."""

import ast
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import rag_qa
from rag_qa.backends.agreement import remember_cosine
from rag_qa.backends.embedding import find_embedder
from rag_qa.backends.light_embedder import LightEmbedder
from rag_qa.index.builder import build_index
from rag_qa.settings import Settings

PACKAGE = Path(rag_qa.__file__).parent
FILES = sorted(PACKAGE.rglob("*.py"))
HEAVY = (
    "torch",
    "chromadb",
    "transformers",
    "sentence_transformers",
    "llama_cpp",
    "sklearn",
    "pandas",
    "mcp",
)

# A module may import from rooms of a lower floor and from its own room.
FLOORS = [
    {"types", "errors", "version", "files"},
    {"settings"},
    {"protocols", "text"},
    {"corpus", "backends", "sample"},
    {"index"},
    {"retrieval"},
    {"answering", "exports"},
    {"evaluation"},
    {"app"},
]
FLOOR_OF = {room: floor for floor, rooms in enumerate(FLOORS) for room in rooms}
# Values show themselves in a notebook by what is exported, which is imported once a notebook asks.
LATE = {("types", "exports")}
# The package itself names what is public, and the fakes stand on the protocols; nothing below may import them.
FLOOR_OF |= {"testing": 3, "rag_qa": len(FLOORS), "__main__": len(FLOORS)}


def room_of(module: str) -> str:
    """`rag_qa.index.store` → `index`; the package itself → `rag_qa`."""
    return module.split(".")[1] if "." in module else module


def module_of(path: Path) -> str:
    parts = [PACKAGE.name, *path.relative_to(PACKAGE).with_suffix("").parts]
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imports_of(path: Path) -> Iterator[str]:
    """Every module of ours that a file imports, in functions too, except for type checking alone."""
    for node in running_code(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: a relative import"
            names = [f"{node.module}.{alias.name}" for alias in node.names]
            names = [name if is_module(name) else str(node.module) for name in names]
        else:
            continue
        yield from (name for name in names if name.split(".")[0] == PACKAGE.name)


def running_code(node: ast.AST) -> Iterator[ast.AST]:
    """A syntax tree without the blocks under `if TYPE_CHECKING`."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.If) and ast.unparse(child.test).endswith("TYPE_CHECKING"):
            continue
        yield child
        yield from running_code(child)


def is_module(name: str) -> bool:
    path = PACKAGE.parent.joinpath(*name.split("."))
    return path.is_dir() or path.with_suffix(".py").is_file()


@pytest.mark.parametrize("path", FILES, ids=[module_of(path) for path in FILES])
def test_imports_point_one_way(path):
    """A module imports only from rooms below its own, from its own room, or (the app alone) the public names."""
    importer = room_of(module_of(path))
    for module in imports_of(path):
        imported = room_of(module)
        below = FLOOR_OF[imported] < FLOOR_OF[importer] or imported == importer
        assert below or (importer, imported) in LATE, f"{module_of(path)} imports {module}"


ROOMS = ("query", "evidence", "writing", "verdict")


@pytest.mark.parametrize("room", ROOMS)
def test_rooms_of_answering_do_not_know_each_other(room):
    """What a query is, what is evidence for it, how it is written and how judged import nothing of each other."""
    files = [path for path in FILES if path.is_relative_to(PACKAGE / "answering" / room)]
    assert len(files) > 1
    for path in files:
        for module in imports_of(path):
            parts = module.split(".")
            other = parts[2] if parts[1:2] == ["answering"] and len(parts) > 2 else room
            assert other == room or other not in ROOMS, f"{module_of(path)} imports {module}"


def test_every_room_has_a_floor():
    """A new room or module at the top is placed in the picture before it is used."""
    assert {room_of(module_of(path)) for path in FILES} <= FLOOR_OF.keys()


def test_the_reader_of_imports_sees_them(tmp_path):
    """Imports in functions are seen, those for type checking are not, and attributes are told from modules."""
    source = tmp_path / "module.py"
    source.write_text(
        "from typing import TYPE_CHECKING\n"
        "from rag_qa.index import store\n"
        "if TYPE_CHECKING:\n    from rag_qa.app import cli\n"
        "def f():\n    import rag_qa.text.words\n    from rag_qa import Paper\n"
    )
    assert list(imports_of(source)) == ["rag_qa.index.store", "rag_qa.text.words", "rag_qa"]


def test_what_may_point_up_does_so_late():
    """The exceptions are imports inside functions: importing the lower module does not import the upper one."""
    for lower, upper in LATE:
        body = ast.parse((PACKAGE / f"{lower}.py").read_text("utf-8")).body
        at_once = [ast.unparse(node) for node in body if isinstance(node, ast.Import | ast.ImportFrom)]
        assert not any(f"rag_qa.{upper}" in line for line in at_once)


@pytest.mark.process
@pytest.mark.parametrize("arguments", [["--help"], ["index", "--help"], ["--version"]], ids=" ".join)
def test_help_loads_nothing_heavy(arguments):
    """Asking the command line for help imports no model runtime and no vector store."""
    assert loaded_by(arguments, HEAVY) == []


def loaded_by(arguments: list[str], modules: tuple[str, ...]) -> list[str]:
    """Which of some modules a process has loaded that ran a command, which printed something."""
    code = (
        "import sys\n"
        "from rag_qa.app.cli import main\n"
        "try:\n    main()\n"
        "except SystemExit as end:\n    assert not end.code, end.code\n"
        f"print(*sorted(set({modules}) & sys.modules.keys()), file=sys.stderr)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments], capture_output=True, text=True, check=True
    )
    assert done.stdout
    return done.stderr.split()


# What a question about an index that stands has no use for.
NOT_TO_SEARCH = (*HEAVY, "scipy", "pandas", "bm25s", "jinja2")


@pytest.mark.parametrize(
    "arguments",
    [
        ["search", "games with players"],
        ["similar", "a"],
        ["papers"],
        ["ask", "which papers discuss games?", "--style", "quote"],
    ],
    ids=lambda arguments: arguments[0],
)
@pytest.mark.process
def test_a_fresh_process_finds_without_torch(arguments, tmp_path, monkeypatch, save_embedder):
    """Searching, finding alike papers, listing them and a quoting answer load neither torch nor a vector store."""
    abstract = "Games have players. Bees dance, and the players of games are vectors."
    folder = save_embedder(tmp_path / "model", [abstract])
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("RAG_QA_EMBEDDER", str(folder))
    spec = find_embedder(Settings())[1]
    remember_cosine(folder, spec, 1.0)
    papers = [{"id": name, "title": f"Games {name}", "abstract": abstract} for name in "ab"]
    (tmp_path / "papers.jsonl").write_text("\n".join(map(json.dumps, papers)))
    build_index([tmp_path / "papers.jsonl"], tmp_path / "index", embedder=LightEmbedder(folder, spec))
    found = loaded_by([*arguments, "--index", str(tmp_path / "index")], NOT_TO_SEARCH)
    assert found == []
