import io
import json
import shutil

import pytest

from rag_qa import build_index
from rag_qa.answering import assistant
from rag_qa.app import cli
from rag_qa.app.options import DEFAULT_INDEX
from rag_qa.backends.locating import STARTER, WRITER, ModelChoice
from rag_qa.index import builder
from rag_qa.index.lock import writing
from rag_qa.testing import HashingEmbedder, OverlapReranker, QueuedGenerator
from rag_qa.version import __version__

ESCAPED = "\x1b[31mred\x1b[0m \x1b]0;owned\x07 \x9b2J"
PAPERS = [
    {
        "id": "eigengame",
        "title": "EigenGame: PCA as a Nash Equilibrium",
        "abstract": "We present principal component analysis as a competitive game [7]. Players own eigenvectors.",
        "authors": ["Ian Gemp", "Brian McWilliams"],
        "year": 2020,
        "venue": "ICLR",
        "url": "https://arxiv.org/abs/2010.00554",
    },
    {
        "id": "markup",
        "title": "On [bold]markup[/] and [/]",
        "abstract": "Markup such as [red]this[/red] is a trap in a competitive game of parsers.",
    },
    {
        "id": f"escapes {ESCAPED}",
        "title": f"On escapes {ESCAPED}",
        "abstract": f"An abstract with {ESCAPED} escapes speaks of a competitive game of terminals, in which whoever "
        "moves the cursor first has won, and of the many ways in which a reader may be led astray by it.",
        "authors": [f"A {ESCAPED} B"],
        "venue": f"V {ESCAPED}",
    },
]
WHICH = "which papers discuss a competitive game?"


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """A working directory with papers.jsonl, without settings of the machine, and with a fake embedder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("RAG_QA_MIN_RELEVANCE", "0")
    monkeypatch.setenv("RAG_QA_MODEL", STARTER)
    monkeypatch.setattr(assistant, "open_embedder", lambda settings: HashingEmbedder())
    monkeypatch.setattr(builder, "open_embedder", lambda settings: HashingEmbedder())
    (tmp_path / "papers.jsonl").write_text("\n".join(map(json.dumps, PAPERS)))
    return tmp_path


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """A folder with papers.jsonl and its index in the default place."""
    folder = tmp_path_factory.mktemp("built")
    (folder / "papers.jsonl").write_text("\n".join(map(json.dumps, PAPERS)))
    build_index([folder / "papers.jsonl"], folder / DEFAULT_INDEX, embedder=HashingEmbedder())
    return folder


@pytest.fixture
def indexed(built, folder):
    """The working directory with a copy of that index."""
    shutil.copytree(built / DEFAULT_INDEX, folder / DEFAULT_INDEX)
    return folder


def told(result, words):
    """The run failed with status 1, one line on stderr that holds the words, and nothing on stdout."""
    code, out, err = result
    assert (code, out) == (1, "")
    assert err.startswith("rag-qa: ")
    assert err.count("\n") == 1
    assert words in err


# --- what works


def test_indexing_reports_on_stdout(run):
    """`index` says what it did on stdout and is silent on stderr when nobody watches."""
    code, out, err = run("index", "papers.jsonl")
    assert (code, err) == (0, "")
    assert out.startswith(
        "3 records found: 3 added, 0 merged, 0 unchanged, 0 skipped; 3 passages embedded.\n3 papers in"
    )


def test_indexing_again_embeds_nothing(run):
    """The same sources again change nothing, and JSON says so field by field."""
    run("index", "papers.jsonl")
    code, out, _ = run("index", "papers.jsonl", "--json")
    report = json.loads(out)
    assert code == 0
    assert (report["unchanged"], report["added"], report["embedded"]) == (3, 0, 0)


def test_skips_go_to_stderr(run, folder):
    """Skipped records are named on stderr; the run succeeds."""
    (folder / "bad.jsonl").write_text(
        '{"title": "x"}\n{"title": "y", "abstract": "Words enough for a paper."}\n'
    )
    code, out, err = run("index", "bad.jsonl")
    assert code == 0
    assert "1 skipped" in out
    assert err.startswith("skipped: ")
    assert err.count("\n") == 1


def test_a_report_has_a_line_for_each_record(run, folder):
    """`--report FILE` writes path, record, fate, paper and reason of every record as JSON Lines."""
    (folder / "more.jsonl").write_text(json.dumps(PAPERS[0]) + '\n{"title": "x"}\n')
    code, out, _ = run("index", "papers.jsonl", "more.jsonl", "--report", "fates.jsonl")
    rows = [json.loads(line) for line in (folder / "fates.jsonl").read_text().splitlines()]
    assert code == 0
    assert out.startswith("5 records found: 3 added, 1 merged, 0 unchanged, 1 skipped;")
    assert [set(row) for row in rows] == [{"path", "record", "fate", "paper_id", "reason"}] * 5
    assert [row["fate"] for row in rows] == ["added", "added", "added", "merged", "skipped"]
    assert [row["paper_id"] for row in rows[::3]] == ["eigengame", "eigengame"]
    assert rows[4]["reason"] == "no abstract"


@pytest.mark.parametrize("target", ["nowhere/fates.jsonl", "."])
def test_a_report_that_cannot_be_written_is_told_before_the_run(run, folder, target):
    """A report in no folder, or in place of one, is told, and nothing is indexed."""
    told(run("index", "papers.jsonl", "--report", target), "--report cannot write")
    assert not (folder / DEFAULT_INDEX).exists()


@pytest.mark.parametrize("flags", [[], ["--json"], ["--dry-run"]])
def test_a_run_that_took_nothing_fails_and_says_why(run, folder, flags):
    """Where no record became a paper, the counts are told all the same, then why, and the status is 1."""
    (folder / "bad.jsonl").write_text('{"title": "x"}\n{"title": "y"}\n')
    code, out, err = run("index", "bad.jsonl", *flags)
    assert code == 1
    assert "2 records found" in out or json.loads(out)["found"] == 2
    assert "no paper was taken: 2 records: 2 × no abstract" in err
    assert "BibTeX, RIS" in err


def test_a_dry_run_writes_nothing(run, folder):
    """`--dry-run` says what would change and leaves no index behind."""
    code, out, _ = run("index", "papers.jsonl", "--dry-run")
    assert code == 0
    assert "Dry run: nothing was written" in out
    told(run("ask", WHICH), "no finished index")


def test_search_prints_papers(run, indexed):
    """`search` prints a rank and a paper, then a score and a passage, for -k papers."""
    code, out, err = run("search", "a competitive game", "-k", "2")
    assert (code, err) == (0, "")
    assert [line[:4] for line in out.splitlines()] == [" 1. ", "    ", " 2. ", "    "]


def test_search_json_is_the_contract(run, indexed):
    """`search --json` prints a list of paper_id, title, score and components, and nothing else."""
    code, out, err = run("search", "principal component analysis", "--json")
    rows = json.loads(out)
    assert (code, err) == (0, "")
    assert [set(row) for row in rows] == [{"paper_id", "title", "status", "score", "components"}] * 3
    assert rows[0]["paper_id"] == "eigengame"
    assert set(rows[0]["components"]) == {"dense", "feedback", "lexical", "pairs"}


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


def test_search_reranks_on_request(run, indexed, monkeypatch):
    """`search --reranker NAME` opens that reranker and shows its scores among the components."""
    names = []

    def open_one(settings, generator):
        names.append(settings.reranker)
        return OverlapReranker()

    monkeypatch.setattr(assistant, "open_reranker", open_one)
    code, out, _ = run("search", "competitive game", "--reranker", "a-folder", "--json")
    assert (code, names) == (0, ["a-folder"])
    assert all("rerank" in row["components"] for row in json.loads(out))


def test_an_unknown_reranker_is_told(run, indexed):
    """A reranker that is neither in the catalogue nor a folder is told, for `ask` too."""
    told(run("search", "game", "--reranker", "nobody"), "no reranker called 'nobody'")
    told(run("ask", "Which game?", "--reranker", "nobody"), "no reranker called 'nobody'")


def test_an_answer_is_on_stdout(run, indexed):
    """`ask` prints quotes with marks, then the papers under their numbers, and nothing on stderr."""
    code, out, err = run("ask", "Which papers present principal component analysis?", "-k", "1")
    assert (code, err) == (0, "")
    assert out.splitlines() == [
        "\u201cWe present principal component analysis as a competitive game [7].\u201d [1]",
        "",
        "[1] EigenGame: PCA as a Nash Equilibrium. Ian Gemp, Brian McWilliams, ICLR, 2020, eigengame",
    ]


PROSE = "Principal component analysis is presented as a competitive game of players."


@pytest.fixture
def writes(monkeypatch):
    """A function that makes the program's language model the writer, with these replies."""

    def write(*replies, choices=()):
        generator = QueuedGenerator(replies, choices=choices)
        generator.load_ahead = lambda: None
        monkeypatch.setenv("RAG_QA_MODEL", WRITER)
        monkeypatch.setattr(assistant, "open_generator", lambda settings: generator)
        return generator

    return write


def test_prose_stands_above_its_papers_and_quotes(run, indexed, writes):
    """`ask` prints prose with marks, then under each mark the paper and the verbatim quote."""
    writes(PROSE)
    code, out, err = run("ask", "What is principal component analysis?")
    assert (code, err) == (0, "")
    assert out.splitlines() == [
        f"{PROSE} [1]",
        "",
        "[1] EigenGame: PCA as a Nash Equilibrium. Ian Gemp, Brian McWilliams, ICLR, 2020, eigengame",
        "    \u201cWe present principal component analysis as a competitive game [7].\u201d",
    ]


def test_a_list_shows_each_quote_once(run, indexed, writes):
    """A list with an introduction prints each paper's quote as a sentence, and not again under the paper."""
    writes(" presents principal component analysis as a competitive game.")
    code, out, err = run("ask", "Which papers present principal component analysis?", "-k", "1")
    assert (code, err) == (0, "")
    assert out.splitlines() == [
        "The paper \u201cEigenGame: PCA as a Nash Equilibrium\u201d presents principal component analysis as a "
        "competitive game. [1]",
        "\u201cWe present principal component analysis as a competitive game [7].\u201d [1]",
        "",
        "[1] EigenGame: PCA as a Nash Equilibrium. Ian Gemp, Brian McWilliams, ICLR, 2020, eigengame",
    ]


def test_a_refusal_of_the_model_is_an_answer(run, indexed, writes, monkeypatch):
    """Where the model reads that the papers do not state the answer, `ask` says so and names what is near."""
    writes(choices=[(0.01, 0.99)])
    monkeypatch.delenv("RAG_QA_MIN_RELEVANCE")
    code, out, err = run("ask", "What is principal component analysis?")
    assert (code, err) == (0, "")
    assert out.startswith("The papers don't say: ")
    assert "Nearest papers, which do not answer it:" in out


WHY = "the writer is not on this machine; `rag-qa models pull X` (1.1 GB) brings it"


@pytest.fixture
def fallen_back(monkeypatch):
    """`auto` finds no writer."""
    monkeypatch.delenv("RAG_QA_MODEL")
    monkeypatch.setattr(cli, "choose_model", lambda model: ModelChoice(name=STARTER, reason=WHY))


def test_why_the_starter_serves_is_said_once(run, indexed, fallen_back, monkeypatch):
    """Where `auto` fell back, `ask` and `chat` say why in one line on stderr, and stdout is the answer alone."""
    said = f"rag-qa: {STARTER} serves: {WHY}\n"
    monkeypatch.setattr("sys.stdin", io.StringIO(f"{WHICH}\n{WHICH}\n/quit\n"))
    for arguments in (["ask", WHICH], ["ask", WHICH, "--json"], ["chat"]):
        code, out, err = run(*arguments)
        assert (code, err) == (0, said)
        assert WHY not in out


def test_where_no_model_is_wanted_nothing_is_said_of_one(run, indexed, fallen_back):
    """In quotes, in search, and where the run fails anyway, nothing is said of the language model."""
    assert run("ask", WHICH, "--style", "quote")[2] == ""
    assert run("search", "game")[2] == ""
    told(run("ask", WHICH, "--index", "nowhere"), "no finished index")


def test_ask_json_is_the_contract(run, indexed):
    """`ask --json` prints the documented fields of the answer, its sentences, citations and papers."""
    code, out, err = run("ask", WHICH, "--json")
    answer = json.loads(out)
    assert (code, err) == (0, "")
    fields = "question abstained reason sentences papers provenance timings"
    assert set(fields.split()) <= set(answer)
    assert (answer["question"], answer["abstained"], answer["reason"]) == (WHICH, False, None)
    for sentence in answer["sentences"]:
        assert set(sentence) == {"text", "kind", "verdict", "citations"}
        assert [set(citation) for citation in sentence["citations"]] == [
            {"paper_id", "quote", "start", "end"}
        ]
    for paper in answer["papers"]:
        assert set("id title abstract authors year venue url".split()) <= set(paper)


def test_json_papers_stand_in_order_of_citation(run, indexed):
    """The papers of the JSON come in the order in which sentences cite them, with the quotes cut from them."""
    answer = json.loads(run("ask", WHICH, "--json")[1])
    citations = [c for sentence in answer["sentences"] for c in sentence["citations"]]
    papers = {paper["id"]: paper for paper in answer["papers"]}
    assert list(papers) == list(dict.fromkeys(c["paper_id"] for c in citations))
    for citation in citations:
        abstract = papers[citation["paper_id"]]["abstract"]
        assert abstract[citation["start"] : citation["end"]] == citation["quote"]


def test_an_abstention_is_no_failure(run, indexed, monkeypatch):
    """Where the papers don't say, that is the answer: status 0, a reason, the nearest papers."""
    monkeypatch.setenv("RAG_QA_MIN_RELEVANCE", "1")
    code, out, err = run("ask", "How do bees find their hive?")
    assert (code, err) == (0, "")
    assert out.startswith("The papers don't say: ")
    answer = json.loads(run("ask", "How do bees find their hive?", "--json")[1])
    assert answer["abstained"]
    assert answer["reason"]
    assert answer["sentences"] == []


def test_chat_reads_piped_lines(run, indexed, monkeypatch):
    """`chat` answers the lines of a pipe."""
    monkeypatch.setattr("sys.stdin", io.StringIO(f"{WHICH}\n/quit\n"))
    code, out, err = run("chat")
    assert (code, err) == (0, "")
    assert out.count("\u201d [") == 3


def test_the_version_is_printed(run):
    """`--version` prints name and version."""
    assert run("--version") == (0, f"rag-qa {__version__}\n", "")


# --- hostile papers


@pytest.mark.parametrize(
    "arguments", [["ask", WHICH], ["ask", WHICH, "--json"], ["search", "game"], ["search", "game", "--json"]]
)
def test_nothing_from_a_paper_acts_on_the_terminal(run, indexed, arguments):
    """Escapes in any field of a paper never reach stdout, and a pipe gets no colours."""
    _, out, _ = run(*arguments)
    assert not set(out) & {"\x1b", "\x9b", "\x07"}
    assert "owned" not in out


def test_markup_in_papers_is_printed_as_it_is(run, indexed):
    """What looks like rich markup, whole or broken, is text."""
    _, out, _ = run("ask", WHICH)
    assert "On [bold]markup[/] and [/]. markup" in out
    assert "[red]this[/red]" in out


# --- what is told


def test_no_index_is_told(run):
    """Without an index, the message has the command that makes one."""
    told(run("ask", WHICH), "rag-qa index SOURCE")
    told(run("search", WHICH, "--index", "nowhere"), "nowhere")
    told(run("chat", "--index", "nowhere"), "nowhere")


@pytest.mark.parametrize("command", [["ask", WHICH], ["index", "papers.jsonl"]])
def test_an_index_that_is_a_file_is_told(run, command):
    """A file where the index should be is told, by readers and by writers."""
    told(run(*command, "--index", "papers.jsonl"), "papers.jsonl")


@pytest.mark.parametrize("source", ["missing.jsonl", "*.nothing", "empty"])
def test_a_source_that_is_not_there_is_told(run, folder, source):
    """A missing file, a glob without a match and an empty folder are told by name."""
    (folder / "empty").mkdir()
    told(run("index", source), source)


@pytest.mark.parametrize("blank", ["", "  ", "\x1b[31m", "?!"])
@pytest.mark.parametrize("command", ["ask", "search"])
def test_a_blank_question_is_told(run, indexed, command, blank):
    """A question without words is told."""
    told(run(command, blank), "the question is empty")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["index"], "nothing to index"),
        (["index", "papers.jsonl", "--format", "docx"], "There is no format 'docx'"),
        (["ask", WHICH, "--style", "poem"], "style cannot be 'poem'"),
        (["ask", WHICH, "--model", "nope"], "no generator called 'nope'"),
        (["ask", WHICH, "--model", "papers.jsonl", "--context", "5"], "context_tokens cannot be 5"),
        (["ask", WHICH, "--gpu-layers", "-5"], "gpu_layers cannot be -5"),
        (["ask", WHICH, "--prompts", "nowhere"], "there is no folder nowhere"),
        (["ask", "x" * 5000], "5000 characters"),
        (["search", "game", "-k", "5000"], "k cannot be 5000"),
        (["similar", "nobody"], "no paper 'nobody'; `rag-qa search WORDS`"),
        (["similar"], "give one"),
        (["similar", "markup", "--text-file", "papers.jsonl"], "give one"),
        (["similar", "--text-file", "nowhere.txt"], "nowhere.txt cannot be read"),
        (["similar", "--text-file", "blank.txt"], "the text is empty"),
        (["similar", "--text-file", "long.txt"], "30000 characters"),
        (["eval", "nowhere"], "there is no folder nowhere"),
    ],
)
def test_a_wrong_argument_is_told(run, indexed, arguments, words):
    """A value that cannot be is told in one line with what to do, and is no traceback."""
    (indexed / "blank.txt").write_text(" ?!\n")
    (indexed / "long.txt").write_text("word " * 5999 + "words")
    told(run(*arguments), words)


@pytest.mark.parametrize(
    ("content", "words"),
    [("k = ", "no valid TOML"), ("kk = 1", "no setting kk"), ('k = "x"', "k cannot be 'x'")],
)
def test_a_broken_settings_file_is_told(run, indexed, content, words):
    """A rag_qa.toml that cannot be used is told."""
    (indexed / "rag_qa.toml").write_text(content)
    told(run("search", "game"), words)


def test_a_wrong_variable_is_told(run, indexed, monkeypatch):
    """A RAG_QA_ variable that cannot be is told with its name."""
    monkeypatch.setenv("RAG_QA_TEMPERATURE", "hot")
    told(run("ask", WHICH), "RAG_QA_TEMPERATURE")


def test_a_locked_index_is_told(run, indexed):
    """While another run writes, a second one is told to wait, and readers are answered."""
    with writing(indexed / DEFAULT_INDEX):
        told(run("index", "papers.jsonl"), "another process is writing")
        assert run("ask", WHICH)[0] == 0


def test_strict_makes_a_skip_an_error(run, folder):
    """`--strict` refuses a source with a broken record and says which."""
    (folder / "bad.jsonl").write_text('{"title": "x"}\n')
    told(run("index", "bad.jsonl", "--strict"), "record 1")


# --- usage


@pytest.mark.parametrize(
    "arguments",
    [
        ["nonsense"],
        ["ask"],
        ["search"],
        ["ask", WHICH, "--bogus"],
        ["ask", WHICH, "-k", "0"],
        ["search", "x", "-k", "a"],
    ],
)
def test_wrong_usage_is_status_2(run, arguments):
    """A command, argument or option that does not exist is a usage error on stderr."""
    code, out, err = run(*arguments)
    assert (code, out) == (2, "")
    assert "Usage: " in err
    assert "Traceback" not in err
