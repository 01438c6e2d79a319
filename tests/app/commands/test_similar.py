"""`rag-qa similar`: papers like a paper, and like a text."""

import json


def test_similar_prints_other_papers(run, indexed):
    """`similar ID` prints papers as `search` does, without the paper itself."""
    code, out, err = run("similar", "eigengame", "-k", "2")
    assert (code, err) == (0, "")
    assert [line[:4] for line in out.splitlines()] == [" 1. ", "    ", " 2. ", "    "]
    assert "Ian Gemp" not in out


def test_similar_to_a_text_in_json(run, indexed):
    """`similar --text-file FILE --json` prints the papers like a text in the form that `search` has."""
    (indexed / "draft.txt").write_text("Players own eigenvectors.\n\nIt is a game of principal components.")
    code, out, err = run("similar", "--text-file", "draft.txt", "--json")
    rows = json.loads(out)
    assert (code, err) == (0, "")
    assert [set(row) for row in rows] == [{"paper_id", "title", "status", "score", "components"}] * 3
    assert rows[0]["paper_id"] == "eigengame"
