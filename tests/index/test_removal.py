"""Records and sources that are gone: they stay until they are pruned."""


def test_vanished_record_stays_until_pruned(library, world):
    """A record that left its file stays, is not counted as read, and goes with --prune, even much later."""
    library.write(world.GAMES, world.SOUP)
    library.build()
    library.write(world.SOUP)
    report = library.build()
    assert library.counts(report, "read", "unchanged", "merged", "removed", "papers") == [1, 1, 0, 0, 2]
    assert library.counts(library.build(), "read", "unchanged", "removed", "papers") == [1, 1, 0, 2]
    assert library.ids() == ["games", "soup"]
    report = library.build(prune=True)
    assert library.counts(report, "read", "unchanged", "removed", "papers", "embedded") == [1, 1, 1, 1, 0]
    assert library.ids() == ["soup"]


def test_vanished_records_keep_apart_from_new_ones(library, world):
    """Records with the numbers of vanished ones belong to their own papers."""
    library.write(world.GAMES, world.SOUP)
    library.build()
    library.write(world.BEES, world.SOUP, {**world.SOUP, "id": "soup-2"})
    report = library.build()
    assert library.counts(report, "read", "added", "changed", "merged", "papers") == [3, 1, 1, 1, 3]
    found = [paper.sources for paper in library.open().papers()]
    flat = [(s.path, s.record) for sources in found for s in sources]
    assert len(set(flat)) == len(flat) == 4


def test_deleted_file_stays_until_pruned(library, world):
    """Papers of a deleted file stay without --prune and go with it; those of other files remain."""
    library.write(world.GAMES, name="a.jsonl")
    gone = library.write(world.SOUP, name="b.jsonl")
    library.build()
    gone.unlink()
    assert library.counts(library.build(), "removed", "papers") == [0, 2]
    assert library.counts(library.build(prune=True), "removed", "papers") == [1, 1]
    assert library.ids() == ["games"]
    assert library.counts(library.build(prune=True), "removed", "unchanged") == [0, 1]


def test_pruned_half_of_a_merged_paper(library, world):
    """A paper found in two files loses the one that was deleted, and its alias, but stays."""
    library.write(world.SOUP, name="a.jsonl")
    gone = library.write({**world.SOUP, "id": "broth"}, name="b.jsonl")
    library.build()
    gone.unlink()
    assert library.counts(library.build(prune=True), "removed", "papers", "embedded") == [1, 1, 0]
    assert library.ids() == ["soup"]


def test_every_paper_pruned(library, world):
    """When all sources are gone, --prune leaves an index of no papers that still opens."""
    library.write(world.GAMES).unlink()
    library.write(world.SOUP, name="b.jsonl")
    library.build()
    library.write("{broken", name="c.jsonl")
    (library.sources / "b.jsonl").unlink()
    assert library.counts(library.build(prune=True), "removed", "papers") == [1, 0]
    assert library.ids() == []
