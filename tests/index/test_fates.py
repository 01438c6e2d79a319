"""Every record of every file has a fate, and the fates add up to the records found."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rag_qa import build_index
from rag_qa.testing import HashingEmbedder


def fates(report):
    return [(fate.record, fate.fate, fate.paper_id) for fate in report.fates]


def adds_up(report):
    parts = report.added + report.changed + report.merged + report.unchanged + report.skipped
    return report.found == parts == len(report.fates) and report.read == report.found - report.skipped


def test_records_in_order_of_the_file(library, world):
    """Added, merged and skipped records stand in their order, a merged one with the record it equals."""
    library.write(world.GAMES, "{broken", {**world.GAMES, "id": "games-2"}, {"title": "No abstract"})
    report = library.build()
    assert fates(report) == [
        (1, "added", "games"),
        (2, "skipped", None),
        (3, "merged", "games"),
        (4, "skipped", None),
    ]
    assert [fate.reason for fate in report.fates][2:] == [
        "the same paper as record 1: the same title and abstract",
        "no abstract",
    ]
    assert adds_up(report)


def test_a_second_run_tells_the_same_records(library, world):
    """Where nothing changed, every record is unchanged, merged or skipped, without being read again."""
    library.write(world.GAMES, {**world.GAMES, "id": "games-2"}, "{broken", world.SOUP)
    library.build()
    report = library.build()
    assert [fate for _, fate, _ in fates(report)] == ["unchanged", "merged", "skipped", "unchanged"]
    assert adds_up(report)


def test_a_changed_record(library, world):
    """A record that says something new of a known paper has changed it."""
    library.write(world.GAMES, world.SOUP)
    library.build()
    library.write({**world.GAMES, "year": 2021}, world.SOUP)
    report = library.build()
    assert fates(report) == [(1, "changed", "games"), (2, "unchanged", "soup")]
    assert adds_up(report)


def test_merged_into_a_paper_of_another_file(library, world):
    """A record of a paper that the index has from a file not named now is merged, and known the next time."""
    first = library.write(world.SOUP, name="a.jsonl")
    second = library.write({**world.SOUP, "id": "broth"}, name="b.jsonl")
    library.build(first)
    report = library.build(second)
    assert [(fate.fate, fate.reason) for fate in report.fates] == [
        ("merged", f"the same paper as record 1 of {first}: the same title and abstract")
    ]
    assert (report.added, report.removed, report.papers) == (0, 0, 1)
    assert [fate.fate for fate in library.build(second).fates] == ["unchanged"]


def test_records_that_have_gone_have_no_fate(library, world):
    """Records kept in the index though their file no longer holds them are not found."""
    library.write(world.GAMES, world.SOUP)
    library.build()
    library.write(world.SOUP)
    report = library.build()
    assert fates(report) == [(1, "unchanged", "soup")]
    assert adds_up(report)


RECORDS = st.sampled_from(
    [
        {
            "id": "games",
            "title": "Eigenvectors as a game",
            "abstract": "Players own vectors in a game of components.",
        },
        {"title": "Eigenvectors as a game", "abstract": "Players own vectors in a game of components."},
        {"id": "soup", "title": "On soup", "abstract": "Salt the water before the onions go in."},
        {
            "id": "soup",
            "title": "On soup",
            "abstract": "Salt the water after the onions went in, and never before.",
        },
        {
            "id": "broth",
            "title": "On soup",
            "abstract": "Salt the water before the onions go in.",
            "doi": "10.1/soup",
        },
        {"title": "No abstract"},
        {"abstract": 5},
    ]
)
FILES = st.dictionaries(st.sampled_from("abc"), st.lists(RECORDS, max_size=4), min_size=1)


@pytest.mark.slow
@settings(max_examples=8)
@given(st.lists(st.tuples(FILES, st.booleans()), min_size=1, max_size=3))
def test_any_runs_add_up(tmp_path_factory, runs):
    """Whatever files hold, and whatever they held before, found is the sum, and each record stands once."""
    root = tmp_path_factory.mktemp("runs")
    for files, prune in runs:
        paths = [root / f"{name}.jsonl" for name in files]
        for path, records in zip(paths, files.values(), strict=True):
            path.write_text("\n".join(json.dumps(record) for record in records))
        report = build_index(paths, root / "index", embedder=HashingEmbedder(), prune=prune)
        assert adds_up(report)
        assert len({(fate.path, fate.record) for fate in report.fates}) == report.found
        assert report.found == sum(max(len(records), 1) for records in files.values())


def test_a_guessed_encoding_is_told(library, world):
    """A file that is no UTF-8 is named with the encoding by which it was read; others are not."""
    library.write(world.GAMES)
    path = library.sources / "b.jsonl"
    text = json.dumps(
        {"title": "Größe", "abstract": "Die Länge und die Größe zählen für Bögen."}, ensure_ascii=False
    )
    path.write_bytes(text.encode("cp1252"))
    assert dict(library.build().encodings) == {str(path): "cp1252"}


def test_a_text_under_many_titles_is_skipped_wherever_it_stands(library, world):
    """One text under many titles describes none: its records are skipped, in files read before as well."""
    advert = "Read about it in this journal, which appears four times a year in print and online for all."
    papers = [{"id": f"n{n}", "title": f"Of {word}", "abstract": advert} for n, word in enumerate(TITLES)]
    first = library.write(*papers[:2], world.SOUP, name="a.jsonl")
    library.build()
    second = library.write(*papers[2:], name="b.jsonl")
    report = library.build(second)
    assert {fate.fate for fate in report.fates} == {"skipped"}
    assert "other titles" in report.fates[0].reason
    assert library.ids() == ["soup"]
    for report in (library.build(), library.build()):
        assert adds_up(report)
        assert [fate.fate for fate in report.fates if fate.path == str(first)] == [
            "skipped",
            "skipped",
            "unchanged",
        ]
    second.write_text("")
    library.build(prune=True)
    assert library.ids() == ["n0", "n1", "soup"]


TITLES = "kettles spoons saucers trays urns caddies strainers cosies doilies napkins".split()
