"""Where papers come from: files of any name, standard input, formats."""

import json
import sys
from io import BytesIO, TextIOWrapper
from pathlib import Path

import pytest

from rag_qa import build_index
from rag_qa.errors import SourceError
from rag_qa.index.reader import Index
from rag_qa.testing import HashingEmbedder


def test_missing_source_leaves_no_index(library):
    """A source that does not exist is an error before anything is made."""
    with pytest.raises(SourceError):
        library.build(library.sources / "nothing.jsonl")
    assert not library.index.exists()


def test_index_inside_its_source_is_not_read(library, world):
    """An index inside the folder of its papers is not read as a source."""
    library.write(world.GAMES)
    library.index = library.sources / "index"
    assert library.counts(library.build(), "read", "skipped") == [1, 0]
    assert library.counts(library.build(), "read", "skipped", "unchanged") == [1, 0, 1]


def test_format_is_heeded_for_a_file_read_before(library, world):
    """A format given for a file that was read in another one makes the run read it again."""
    path = library.sources / "papers.txt"
    path.write_text("TY  - JOUR\nTI  - Soup\nAB  - Salt the water before the onions go in.\nER  - \n")
    assert library.build(format="csv").added == 0
    assert library.build(format="ris").added == 1
    assert library.counts(library.build(format="ris"), "added", "unchanged") == [0, 1]
    assert library.counts(library.build(), "added", "unchanged") == [0, 1]


def test_what_is_over_a_limit_is_skipped_until_the_limit_is_raised(library, world, monkeypatch):
    """A record over a limit is among the skipped ones with its reason, and a higher limit reads its file again."""
    library.write(world.GAMES, world.SOUP | {"abstract": "Salt the water before the onions go in. " * 100})
    monkeypatch.setenv("RAG_QA_ABSTRACT_CHARACTERS", "1000")
    report = library.build()
    assert library.counts(report, "added", "skipped") == [1, 1]
    assert "an abstract of 4,000 characters, more than 1,000" in report.skips[0].reason
    assert library.counts(library.build(), "unchanged", "skipped") == [1, 1]
    monkeypatch.setenv("RAG_QA_ABSTRACT_CHARACTERS", "5000")
    assert library.counts(library.build(), "added", "skipped") == [1, 0]


def test_standard_input_is_a_source(library, world, monkeypatch):
    """What comes through standard input is indexed, stays with --prune, and changes with the next input."""
    for papers, expected in (([world.GAMES], [1, 0]), ([world.GAMES, world.SOUP], [1, 0])):
        lines = "\n".join(json.dumps(paper) for paper in papers)
        monkeypatch.setattr(sys, "stdin", TextIOWrapper(BytesIO(lines.encode())))
        assert library.counts(library.build("-", prune=True), "added", "removed") == expected


@pytest.mark.parametrize("name", ["ünï 漢字", "a b#c%20d?e", "it's"])
def test_odd_paths(tmp_path, world, name):
    """Folders with spaces, accents and signs that mean something in addresses hold sources and indexes."""
    folder = tmp_path / name
    folder.mkdir()
    source = folder / f"{name}.jsonl"
    source.write_text(json.dumps(world.GAMES))
    embedder = HashingEmbedder()
    assert build_index([folder], folder / "index", embedder=embedder).added == 1
    assert build_index([folder], folder / "index", embedder=embedder).unchanged == 1


def test_relative_index_survives_a_change_of_folder(library, world, monkeypatch):
    """An index opened by a relative path keeps working when the process changes its folder."""
    library.write(world.GAMES)
    library.build()
    monkeypatch.chdir(library.root)
    index = Index.open(Path("index"))
    monkeypatch.chdir("/")
    assert index.lexical.scores("game")[0] > 0
    assert len(index.vectors) == 1
    index.close()
