"""What an indexing run reports, adds and changes."""

import pytest

from rag_qa import build_index
from rag_qa.errors import SkippedRecordsError
from rag_qa.index.lock import writing
from rag_qa.testing import HashingEmbedder


def test_first_run_adds_every_paper(library, world):
    """The first run reads, adds and embeds each paper once and says what it skipped and why."""
    path = library.write(world.GAMES, world.SOUP, {"id": "x", "title": "No abstract"}, "{broken")
    report = library.build()
    assert library.counts(report, "read", "added", "changed", "merged", "unchanged", "removed") == [
        2,
        2,
        0,
        0,
        0,
        0,
    ]
    assert library.counts(report, "skipped", "embedded", "papers") == [2, 2, 2]
    assert [(skip.path, skip.record) for skip in report.skips] == [(str(path), 3), (str(path), 4)]
    assert len(library.embedder.encoded) == 2
    assert library.ids() == ["games", "soup"]


def test_same_sources_again_embed_nothing(library, world):
    """A second run over the same sources encodes no text, reports the same and keeps the generation."""
    library.write(world.GAMES, world.SOUP, "{broken")
    library.build()
    before = library.derived()
    report = library.build()
    assert library.counts(report, "read", "added", "unchanged", "skipped", "embedded") == [2, 0, 2, 1, 0]
    assert library.embedder.encoded == []
    assert library.derived() == before


def test_changed_paper_is_replaced(library, world):
    """A paper whose text changed is replaced under its id and only its new text is embedded."""
    library.write(world.GAMES, world.SOUP)
    library.build()
    library.write(world.GAMES, {**world.SOUP, "abstract": "Soup needs time and nothing else at all."})
    report = library.build()
    assert library.counts(report, "read", "added", "changed", "unchanged", "embedded") == [2, 0, 1, 1, 1]
    index = library.open()
    assert index.paper("soup").abstract == "Soup needs time and nothing else at all."
    rows, _ = index.passage_vectors(["soup"])
    assert [row.end for row in rows] == [len(index.paper("soup").abstract)]
    index.close()


def test_moved_records_are_unchanged(library, world):
    """A new first line in a file moves the other records: they count as unchanged, under their new numbers."""
    library.write(world.SOUP)
    library.build()
    library.write(world.GAMES, world.SOUP)
    report = library.build()
    assert library.counts(report, "added", "changed", "unchanged") == [1, 0, 1]
    index = library.open()
    assert [source.record for source in index.paper("soup").sources] == [2]
    index.close()


def test_metadata_change_embeds_nothing(library, world):
    """A new year changes the paper, its stored metadata and nothing that has to be embedded."""
    library.write(world.GAMES)
    library.build()
    library.write({**world.GAMES, "year": 2021})
    assert library.counts(library.build(), "changed", "embedded") == [1, 0]
    index = library.open()
    assert index.paper("games").year == 2021
    index.close()


def test_dry_run_writes_nothing(library, world):
    """A dry run reports what would happen and leaves not even a folder."""
    library.write(world.GAMES, world.SOUP)
    report = library.build(dry_run=True)
    assert library.counts(report, "read", "added", "embedded", "papers") == [2, 2, 0, 2]
    assert not library.index.exists()
    assert library.embedder.encoded == []


def test_dry_run_over_an_index_changes_nothing(library, world):
    """A dry run over an index reports additions and removals, and needs no lock."""
    library.write(world.GAMES)
    library.build()
    library.write(world.SOUP)
    with writing(library.index):
        report = library.build(dry_run=True, prune=True)
    assert library.counts(report, "added", "removed", "papers") == [1, 1, 1]
    assert library.ids() == ["games"]


def test_strict_makes_a_skip_an_error(library, world):
    """With `strict` a skipped record is an error that names file, record and reason, and nothing is added."""
    path = library.write(world.GAMES, {"id": "x", "title": "No abstract"})
    with pytest.raises(SkippedRecordsError, match=rf"{path.name}, record 2: .*--strict"):
        library.build(strict=True)
    library.build()
    with pytest.raises(SkippedRecordsError):
        library.build(strict=True)


def test_papers_without_words(library):
    """Papers without a single word that BM25 takes can be indexed and found by what they are."""
    library.write({"id": "the", "title": "The the", "abstract": "the the of and"})
    library.build()
    assert library.open().lexical.scores("the").tolist() == [0.0]


def test_no_sources_make_an_empty_index(library, world):
    """An index of no papers can be opened, and papers can be added to it."""
    library.sources.joinpath("empty.jsonl").write_text("")
    report = library.build()
    assert library.counts(report, "read", "skipped", "papers") == [0, 1, 0]
    assert library.ids() == []
    library.write(world.GAMES)
    assert library.counts(library.build(), "added", "papers") == [1, 1]
    assert library.ids() == ["games"]


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
    assert library.contents(library.index) == library.contents(other)
    for name in ("vocab.index.json", "indices.csc.index.npy", "data.csc.index.npy", "paper_ids.json"):
        mine = library.derived() / "lexical" / name
        assert mine.read_bytes() == (other / "derived" / "1" / "lexical" / name).read_bytes()


def test_progress_is_shown_to_the_end(library, world):
    """Progress is reported up to the end of each stage."""
    shown = []
    library.write(*world.made_up(range(5)))
    library.build(progress=lambda stage, done, total: shown.append((stage, done, total)))
    last = {stage: (done, total) for stage, done, total in shown}
    assert set(last) == {"reading", "merging", "cutting", "embedding", "writing"}
    assert all(done == total for done, total in last.values())


def test_a_new_version_reads_again(library, world, monkeypatch):
    """After an upgrade every source is read again, as a new version may read more, and nothing is embedded."""
    library.write(world.GAMES)
    library.build()
    monkeypatch.setattr("rag_qa.index.changes.__version__", "99.0")
    monkeypatch.setattr("rag_qa.index.builder.__version__", "99.0")
    shown = []
    assert library.build(progress=lambda *step: shown.append(step[0])).embedded == 0
    assert "reading" in shown
    shown.clear()
    library.build(progress=lambda *step: shown.append(step[0]))
    assert shown == []
