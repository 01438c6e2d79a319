"""The comparison with other libraries: what is asked, in which order, and how it is scored."""

import json

import pytest

from eval.peers.measure import read_rows
from eval.peers.run import turned
from eval.peers.table import BEGIN, END, fill, judge_answers, score, shown, summarise
from eval.peers.task import choose

GOLD = {"q1": ["a"], "q2": ["b", "c"]}


def row(found):
    """Return what a repeat measured."""
    return {
        "build": {"papers": 10, "seconds": 2.0, "seconds_whole": 5.0, "peak_mib": 7.0, "disk_bytes": 2**20}
        | {"versions": {"soup": "1.0"}},
        "search": {"first_s": 1.0, "milliseconds": [1.0, 3.0], "peak_mib": 9.0, "found": found},
    }


def test_rankings_are_scored_against_gold():
    """Recall counts the gold papers among the first, the reciprocal rank the first of them."""
    found = {"q1": ["x", "a"], "q2": ["b", *(f"x{n}" for n in range(10)), "c"]}
    assert score(found, GOLD) == {"recall@5": 0.75, "recall@20": 1.0, "mrr@10": 0.75}


def test_a_question_without_a_ranking_is_an_error():
    """A system cannot leave out the questions that it would lose."""
    with pytest.raises(KeyError):
        score({"q1": ["a"]}, GOLD)


def test_every_system_comes_first_once():
    """The order turns with the repeats, so that none is always measured on a warm machine."""
    names = ["a", "b", "c"]
    assert [turned(names, repeat)[0] for repeat in range(4)] == ["a", "b", "c", "a"]
    assert sorted(turned(names, 2)) == names


def test_the_median_is_shown_with_the_spread():
    """The least and the most stand in brackets, unless rounding makes them equal."""
    assert shown([3.0, 1.0, 2.0], 1) == "2.0 (1.0–3.0)"
    assert shown([1.01, 1.02], 1) == "1.0"


def test_answers_are_judged_by_citations_and_facts():
    """A mark without a source makes an answer's citations invalid; facts under it count as shown, not as text."""
    wanted = {
        "q1": {"gold": ["a"], "key_facts": [["salt"]]},
        "q2": {"gold": ["b"], "key_facts": [["pepper", "chili"]]},
    }
    answers = {
        "q1": {"text": "It is salt [1].", "cited": ["a"], "seconds": 2.0},
        "q2": {"text": "It is hot.", "cited": ["x", None], "quotes": "The chili is hot.", "seconds": 4.0},
    }
    found = judge_answers(answers, wanted)
    assert (found["seconds"], found["valid"], found["gold"]) == (3.0, 0.5, 0.5)
    assert (found["facts"], found["facts_shown"], found["refused"]) == (0.5, 1.0, 0.0)


def test_the_table_goes_between_the_marks(tmp_path):
    """The figures of each system and its packages' versions replace what stood there; the rest stays."""
    readme = tmp_path / "README.md"
    readme.write_text(f"before\n{BEGIN}\nold\n{END}\nafter\n")
    said = {
        "papers": 10,
        "repeats": 1,
        "processor": "P",
        "cores": 2,
        "python": "3",
        "commit": "c",
        "date": "d",
    }
    fill(readme, {"provenance": said, "systems": {"ours": summarise([row({"q1": ["a"], "q2": []})], GOLD)}})
    text = readme.read_text()
    assert text.startswith("before\n")
    assert text.endswith("after\n")
    assert "old" not in text
    assert "| rag_qa | 5.0 | 2.0 | 0.500 |" in text
    assert "soup 1.0" in text


def test_the_papers_are_gold_and_the_same_others(tmp_path):
    """All gold papers are among them, the number is kept, and a larger task holds a smaller one."""
    folder = tmp_path / "paper_search_corpus_small"
    folder.mkdir()
    (folder / "ids.txt").write_text("".join(f"p{n}\n" for n in range(50)))
    small, large = (choose({"p1", "p2"}, tmp_path, count) for count in (10, 20))
    assert {"p1", "p2"} < small < large
    assert (len(small), len(large)) == (10, 20)


def test_rows_are_read_without_the_package(tmp_path):
    """What runs in another environment reads JSON Lines by the standard library."""
    (tmp_path / "rows.jsonl").write_text(json.dumps({"id": "é"}, ensure_ascii=False) + "\n", encoding="utf-8")
    assert read_rows(str(tmp_path / "rows.jsonl")) == [{"id": "é"}]
