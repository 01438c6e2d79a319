"""What a run of the builder reports, embeds, keeps and removes."""

import json
import os
import sys
from io import BytesIO, TextIOWrapper
from itertools import pairwise
from pathlib import Path

import pytest

from rag_qa import RagQAError, build_index
from rag_qa.errors import (
    BackendError,
    IndexDamagedError,
    IndexLockedError,
    IndexMismatchError,
    PaperIndexError,
    SkippedRecordsError,
    SourceError,
)
from rag_qa.index.lock import writing
from rag_qa.index.manifest import SCHEMA_VERSION
from rag_qa.index.store import Store
from rag_qa.testing import HashingEmbedder


def counts(report, *names):
    return [getattr(report, name) for name in names]


def test_first_run_adds_every_paper(library, world):
    """The first run reads, adds and embeds each paper once and says what it skipped and why."""
    path = library.write(world.GAMES, world.SOUP, {"id": "x", "title": "No abstract"}, "{broken")
    report = library.build()
    assert counts(report, "read", "added", "changed", "merged", "unchanged", "removed") == [2, 2, 0, 0, 0, 0]
    assert counts(report, "skipped", "embedded", "papers") == [2, 2, 2]
    assert [(skip.path, skip.record) for skip in report.skips] == [(str(path), 3), (str(path), 4)]
    assert len(library.embedder.encoded) == 2
    assert library.ids() == ["games", "soup"]


def test_same_sources_again_embed_nothing(library, world):
    """A second run over the same sources encodes no text, reports the same and keeps the generation."""
    library.write(world.GAMES, world.SOUP, "{broken")
    library.build()
    before = library.derived()
    report = library.build()
    assert counts(report, "read", "added", "unchanged", "skipped", "embedded") == [2, 0, 2, 1, 0]
    assert library.embedder.encoded == []
    assert library.derived() == before


def test_duplicates_merge_and_resolve(library, world):
    """Records of one paper in two files make one paper, whose other ids resolve to it."""
    library.write(world.SOUP, world.BEES, name="a.jsonl")
    library.write({**world.SOUP, "id": "soup-2"}, name="b.jsonl")
    report = library.build()
    assert counts(report, "read", "added", "merged", "papers", "embedded") == [3, 2, 1, 2, 2]
    index = library.open()
    paper = index.paper("soup")
    assert {index.paper(name).id for name in (paper.id, "soup-2", "doi:10.1000/soup")} == {paper.id}
    assert len(paper.sources) == 2
    with pytest.raises(KeyError):
        index.paper("nobody")
    index.close()


def test_changed_paper_is_replaced(library, world):
    """A paper whose text changed is replaced under its id and only its new text is embedded."""
    library.write(world.GAMES, world.SOUP)
    library.build()
    library.write(world.GAMES, {**world.SOUP, "abstract": "Soup needs time and nothing else at all."})
    report = library.build()
    assert counts(report, "read", "added", "changed", "unchanged", "embedded") == [2, 0, 1, 1, 1]
    index = library.open()
    assert index.paper("soup").abstract == "Soup needs time and nothing else at all."
    rows, _ = index.passage_vectors(["soup"])
    assert [row.end for row in rows] == [len(index.paper("soup").abstract)]
    index.close()


def test_moved_records_are_unchanged(library, world):
    """A new first line in a file moves the other records: they count as unchanged but know their places."""
    library.write(world.SOUP)
    library.build()
    library.write(world.GAMES, world.SOUP)
    report = library.build()
    assert counts(report, "added", "changed", "unchanged") == [1, 0, 1]
    index = library.open()
    assert [source.record for source in index.paper("soup").sources] == [2]
    index.close()


def test_metadata_change_embeds_nothing(library, world):
    """A new year changes the paper, its stored metadata and nothing that has to be embedded."""
    library.write(world.GAMES)
    library.build()
    library.write({**world.GAMES, "year": 2021})
    assert counts(library.build(), "changed", "embedded") == [1, 0]
    index = library.open()
    assert index.paper("games").year == 2021
    index.close()


def test_vanished_record_stays_until_pruned(library, world):
    """A record that left its file stays, is not counted as read, and goes with --prune, even much later."""
    library.write(world.GAMES, world.SOUP)
    library.build()
    library.write(world.SOUP)
    report = library.build()
    assert counts(report, "read", "unchanged", "merged", "removed", "papers") == [1, 1, 0, 0, 2]
    assert counts(library.build(), "read", "unchanged", "removed", "papers") == [1, 1, 0, 2]
    assert library.ids() == ["games", "soup"]
    report = library.build(prune=True)
    assert counts(report, "read", "unchanged", "removed", "papers", "embedded") == [1, 1, 1, 1, 0]
    assert library.ids() == ["soup"]


def test_vanished_records_keep_apart_from_new_ones(library, world):
    """Records that took the places of vanished ones are counted to their own papers."""
    library.write(world.GAMES, world.SOUP)
    library.build()
    library.write(world.BEES, world.SOUP, {**world.SOUP, "id": "soup-2"})
    report = library.build()
    assert counts(report, "read", "added", "changed", "merged", "papers") == [3, 1, 1, 1, 3]
    places = [paper.sources for paper in library.open().papers()]
    flat = [(s.path, s.record) for sources in places for s in sources]
    assert len(set(flat)) == len(flat) == 4


def test_deleted_file_stays_until_pruned(library, world):
    """Papers of a deleted file stay without --prune and go with it; those of other files remain."""
    library.write(world.GAMES, name="a.jsonl")
    gone = library.write(world.SOUP, name="b.jsonl")
    library.build()
    gone.unlink()
    assert counts(library.build(), "removed", "papers") == [0, 2]
    assert counts(library.build(prune=True), "removed", "papers") == [1, 1]
    assert library.ids() == ["games"]
    assert counts(library.build(prune=True), "removed", "unchanged") == [0, 1]


def test_pruned_half_of_a_merged_paper(library, world):
    """A paper found in two files loses the one that was deleted, and its alias, but stays."""
    library.write(world.SOUP, name="a.jsonl")
    gone = library.write({**world.SOUP, "id": "broth"}, name="b.jsonl")
    library.build()
    gone.unlink()
    assert counts(library.build(prune=True), "removed", "papers", "embedded") == [1, 1, 0]
    assert library.ids() == ["soup"]


def test_dry_run_writes_nothing(library, world):
    """A dry run reports what would happen and leaves not even a folder."""
    library.write(world.GAMES, world.SOUP)
    report = library.build(dry_run=True)
    assert counts(report, "read", "added", "embedded", "papers") == [2, 2, 0, 2]
    assert not library.index.exists()
    assert library.embedder.encoded == []


def test_dry_run_over_an_index_changes_nothing(library, world):
    """A dry run over an index tells additions and removals, and needs no lock."""
    library.write(world.GAMES)
    library.build()
    library.write(world.SOUP)
    with writing(library.index):
        report = library.build(dry_run=True, prune=True)
    assert counts(report, "added", "removed", "papers") == [1, 1, 1]
    assert library.ids() == ["games"]


def test_strict_makes_a_skip_an_error(library, world):
    """With `strict` a skipped record is an error that names file, record and reason, and nothing is added."""
    path = library.write(world.GAMES, {"id": "x", "title": "No abstract"})
    with pytest.raises(SkippedRecordsError, match=rf"{path.name}, record 2: .*--strict"):
        library.build(strict=True)
    library.build()
    with pytest.raises(SkippedRecordsError):
        library.build(strict=True)


def test_other_embedder_is_told(library, world):
    """Another embedder is an error that names both and the command that builds a new index."""
    library.write(world.GAMES)
    library.build()
    with pytest.raises(IndexMismatchError, match=r"'hashing' ≠ 'other'.*rag-qa index SOURCE --index"):
        library.build(embedder=HashingEmbedder(name="other"))


@pytest.mark.parametrize(("version", "age"), [(SCHEMA_VERSION - 1, "older"), (SCHEMA_VERSION + 1, "newer")])
def test_other_schema_is_told(library, world, version, age):
    """An index of an older or newer schema is told as such, to readers and to writers."""
    library.write(world.GAMES)
    library.build()
    store = Store.create(library.index)
    store.write_manifest(store.manifest().model_copy(update={"schema_version": version}))
    store.close()
    for use in (library.open, library.build):
        with pytest.raises(IndexMismatchError, match=f"of an? {age} rag_qa.*rag-qa index"):
            use()


def test_second_writer_is_told(library, world):
    """While one process writes, another that wants to is told at once."""
    library.write(world.GAMES)
    with writing(library.index), pytest.raises(IndexLockedError, match="wait until it ends"):
        library.build()
    assert library.build().added == 1


def test_index_path_that_is_a_file(library, world):
    """An index path that is a file, or lies below one, is a told error."""
    path = library.write(world.GAMES)
    for index in (path, path / "below"):
        with pytest.raises(PaperIndexError, match="cannot hold an index"):
            build_index([path], index, embedder=library.embedder)
    assert path.read_text().startswith("{")


def test_papers_without_words(library):
    """Papers without a single word that BM25 takes can be indexed and found by what they are."""
    library.write({"id": "the", "title": "The the", "abstract": "the the of and"})
    library.build()
    assert library.open().lexical.scores("the").tolist() == [0.0]


def test_no_sources_make_an_empty_index(library, world):
    """An index of no papers can be opened, and papers can be added to it."""
    library.sources.joinpath("empty.jsonl").write_text("")
    report = library.build()
    assert counts(report, "read", "skipped", "papers") == [0, 1, 0]
    assert library.ids() == []
    library.write(world.GAMES)
    assert counts(library.build(), "added", "papers") == [1, 1]
    assert library.ids() == ["games"]


def test_every_paper_pruned(library, world):
    """When all sources are gone, --prune leaves an index of no papers that still opens."""
    library.write(world.GAMES).unlink()
    library.write(world.SOUP, name="b.jsonl")
    library.build()
    library.write("{broken", name="c.jsonl")
    (library.sources / "b.jsonl").unlink()
    assert counts(library.build(prune=True), "removed", "papers") == [1, 0]
    assert library.ids() == []


def test_missing_source_leaves_no_index(library):
    """A source that does not exist is an error before anything is made."""
    with pytest.raises(SourceError):
        library.build(library.sources / "nothing.jsonl")
    assert not library.index.exists()


def test_index_inside_its_source_is_not_read(library, world):
    """An index that stands inside the folder of its papers is no source of papers."""
    library.write(world.GAMES)
    library.index = library.sources / "index"
    assert counts(library.build(), "read", "skipped") == [1, 0]
    assert counts(library.build(), "read", "skipped", "unchanged") == [1, 0, 1]


def test_format_is_heeded_for_a_file_read_before(library, world):
    """A format given for a file that was read in another one makes the run read it again."""
    path = library.sources / "papers.txt"
    path.write_text("TY  - JOUR\nTI  - Soup\nAB  - Salt the water before the onions go in.\nER  - \n")
    assert library.build(format="csv").added == 0
    assert library.build(format="ris").added == 1
    assert counts(library.build(format="ris"), "added", "unchanged") == [0, 1]
    assert counts(library.build(), "added", "unchanged") == [0, 1]


def test_standard_input_is_a_source(library, world, monkeypatch):
    """What comes through standard input is indexed, stays with --prune, and changes with the next input."""
    for papers, expected in (([world.GAMES], [1, 0]), ([world.GAMES, world.SOUP], [1, 0])):
        lines = "\n".join(json.dumps(paper) for paper in papers)
        monkeypatch.setattr(sys, "stdin", TextIOWrapper(BytesIO(lines.encode())))
        assert counts(library.build("-", prune=True), "added", "removed") == expected


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


@pytest.mark.parametrize("paper_id", ["a#1", "50%25", "x" * 200, "漢 字/§'\"; DROP TABLE papers", "-", "?"])
def test_odd_ids(library, world, paper_id):
    """Ids may hold any characters and stay as they are."""
    library.write({**world.GAMES, "id": paper_id}, {**world.SOUP, "id": "a"})
    library.build()
    assert set(library.ids()) == {paper_id, "a"}
    index = library.open()
    assert index.paper(paper_id).title == world.GAMES["title"]
    assert index.papers_of_passages([row.id for row in index.passage_vectors([paper_id])[0]]) == {paper_id}
    index.close()


def test_one_id_for_two_papers(library, world):
    """Two sources that give one id to different papers make two papers, again and again the same."""
    library.write({**world.GAMES, "id": "1"}, name="a.jsonl")
    library.write({**world.SOUP, "id": "1"}, name="b.jsonl")
    report = library.build()
    assert counts(report, "read", "added", "merged", "papers") == [2, 2, 0, 2]
    ids = library.ids()
    assert counts(library.build(), "unchanged", "embedded") == [2, 0]
    assert library.ids() == ids


def test_one_id_twice_in_a_file(library, world):
    """Two papers under one id in one file are both kept."""
    library.write({**world.GAMES, "id": "1"}, {**world.SOUP, "id": "1"}, {**world.BEES, "id": "1"})
    assert counts(library.build(), "read", "papers") == [3, 3]


def test_step_by_step_equals_all_at_once(library, tmp_path, world):
    """An index grown by updates, with changes and removals between, equals one built in one go."""
    papers = world.made_up(range(40))
    library.write(*papers[30:], name="b.jsonl")
    library.build()
    library.write(
        *papers[:20], {**papers[20], "abstract": "Something else stood here at first."}, name="a.jsonl"
    )
    library.build()
    library.write(*papers[:30], name="a.jsonl")
    library.build(prune=True)
    other = tmp_path / "other"
    build_index([library.sources], other, embedder=HashingEmbedder())
    assert contents(library.index) == contents(other)
    for name in ("vocab.index.json", "indices.csc.index.npy", "data.csc.index.npy", "paper_ids.json"):
        mine = library.derived() / "lexical" / name
        assert mine.read_bytes() == (other / "derived" / "1" / "lexical" / name).read_bytes()


def contents(folder):
    store = Store.open(folder)
    held = (list(store.papers()), list(store.passage_vectors()), store.count("vectors"))
    store.close()
    return held


def test_more_rows_than_chroma_takes_at_once(library, world):
    """More passages than Chroma takes in one batch (5,461) are all stored and found."""
    library.write(*world.made_up(range(6000)))
    assert library.build().papers == 6000
    index = library.open()
    assert len(index.vectors) == index.manifest.counts.passages >= 6000
    rows, vectors = index.passage_vectors(["p00000", "p02999", "p05999"])
    found = [index.vectors.search(vector, 1)[0][0] for vector in vectors]
    assert found == [row.id for row in rows]
    index.close()


def test_long_abstracts_are_cut_and_covered(library):
    """An abstract longer than the embedder takes becomes passages that cover it."""
    abstract = " ".join(
        f"Sentence number {n} says something of its own about topic {n * 7}." for n in range(60)
    )
    library.embedder = HashingEmbedder(max_tokens=64)
    library.write({"id": "long", "title": "Long", "abstract": abstract})
    library.build()
    assert max(library.embedder.count_tokens(library.embedder.encoded)) <= 64
    index = library.open()
    rows, _ = index.passage_vectors(["long"])
    assert len(rows) > 5
    assert (rows[0].start, rows[-1].end) == (0, len(abstract))
    assert all(a.end + 1 >= b.start for a, b in pairwise(rows))
    index.close()


def test_an_embedder_that_returns_nonsense_is_told(library, world):
    """Vectors that are not finite are refused before they are stored."""

    class Broken(HashingEmbedder):
        def encode(self, texts, *, role):
            return super().encode(texts, role=role) * float("nan")

    library.write(world.GAMES)
    with pytest.raises(BackendError, match="finite"):
        library.build(embedder=Broken())
    assert library.build().embedded == 1


def test_an_embedder_in_double_precision_is_stored_in_single(library, world):
    """An embedder that returns float64 gives the same index."""

    class Double(HashingEmbedder):
        def encode(self, texts, *, role):
            return super().encode(texts, role=role).astype("float64")

    library.write(world.GAMES)
    library.build(embedder=Double())
    index = library.open()
    assert index.passage_vectors(["games"])[1].shape == (1, 64)
    index.close()


def test_progress_is_told_to_the_end(library, world):
    """Each stage is told up to its end, for a progress bar."""
    told = []
    library.write(*world.made_up(range(5)))
    library.build(progress=lambda stage, done, total: told.append((stage, done, total)))
    last = {stage: (done, total) for stage, done, total in told}
    assert set(last) == {"reading", "merging", "cutting", "embedding", "writing"}
    assert all(done == total for done, total in last.values())


def test_interruption_keeps_what_was_embedded(library, world, monkeypatch):
    """A run that fails half-way keeps its finished batches, and the next one embeds only the rest."""
    monkeypatch.setattr("rag_qa.index.builder.EMBED_CHUNK", 10)

    class Failing(HashingEmbedder):
        def encode(self, texts, *, role):
            if len(self.encoded) >= 20:
                raise KeyboardInterrupt
            return super().encode(texts, role=role)

    library.write(*world.made_up(range(35)))
    with pytest.raises(KeyboardInterrupt):
        library.build(embedder=Failing())
    with pytest.raises(RagQAError, match="no finished index"):
        library.open()
    assert counts(library.build(), "added", "embedded") == [35, 15]


def test_truth_file_of_another_kind_is_told(library, world):
    """A truth file that is no database is told as damaged, to readers and to writers, and not overwritten."""
    library.write(world.GAMES)
    library.index.mkdir()
    (library.index / "papers.sqlite3").write_bytes(b"not a database, " * 1000)
    for use in (library.open, library.build):
        with pytest.raises(IndexDamagedError, match="rag-qa index"):
            use()


def test_a_new_version_reads_again(library, world, monkeypatch):
    """After an upgrade every source is read again, as a new version may read more, and nothing is embedded."""
    library.write(world.GAMES)
    library.build()
    monkeypatch.setattr("rag_qa.index.changes.__version__", "99.0")
    monkeypatch.setattr("rag_qa.index.builder.__version__", "99.0")
    told = []
    assert library.build(progress=lambda *step: told.append(step[0])).embedded == 0
    assert "reading" in told
    told.clear()
    library.build(progress=lambda *step: told.append(step[0]))
    assert told == []


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_folder_without_permission_is_told(library, world):
    """An index folder that may not be written is a told error."""
    library.write(world.GAMES)
    library.index.mkdir(mode=0o500)
    with pytest.raises(PaperIndexError, match="cannot hold an index"):
        library.build()


def test_relative_index_survives_a_change_of_folder(library, world, monkeypatch):
    """An index opened by a relative path keeps working when the process changes its folder."""
    from rag_qa.index.reader import Index

    library.write(world.GAMES)
    library.build()
    monkeypatch.chdir(library.root)
    index = Index.open(Path("index"))
    monkeypatch.chdir("/")
    assert index.lexical.scores("game")[0] > 0
    assert len(index.vectors) == 1
    index.close()
