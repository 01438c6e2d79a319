"""`rag-qa chat` as a program; tests/app/chat has the conversation itself."""

import io

WHICH = "which papers discuss a competitive game?"


def test_chat_reads_piped_lines(run, indexed, monkeypatch):
    """`chat` answers the lines of a pipe."""
    monkeypatch.setattr("sys.stdin", io.StringIO(f"{WHICH}\n/quit\n"))
    code, out, err = run("chat")
    assert (code, err) == (0, "")
    assert out.count("\u201d [") == 3
