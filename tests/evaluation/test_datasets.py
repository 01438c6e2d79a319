import gzip
import json
import os
from pathlib import Path

import pytest

from rag_qa.errors import EvaluationError
from rag_qa.evaluation import load_beir, load_question_set
from rag_qa.evaluation.evaluating import find_set

GOOD = {"_id": "q2", "text": "how many?", "kind": "fact", "answerable": True, "key_facts": [["4"]]}


def test_a_sound_set_is_read(write_set) -> None:
    """Header, questions in order with their facts, and judgments come back as written."""
    question_set = load_question_set(write_set())
    assert (question_set.name, question_set.corpus) == ("tiny", ("papers.jsonl",))
    assert [q.kind for q in question_set.questions] == ["which", "fact", "near", "far", "hostile"]
    assert question_set.questions[1].key_facts == (("1024 players", "1024 agents"), ("vector",))
    assert question_set.qrels == {"q1": {"g1": 1, "unloaded": 1}, "q2": {"game": 1}}


def test_the_hash_follows_the_content(write_set) -> None:
    """The same files hash alike, and a changed judgment changes the hash."""
    first = load_question_set(write_set()).sha256
    assert load_question_set(write_set()).sha256 == first
    changed = write_set(qrels="query_id\tdoc_id\trelevance\nq1\tgame\t2\nq2\tgame\t1\n")
    assert load_question_set(changed).sha256 != first


@pytest.mark.parametrize("name", ["set.toml", "queries.jsonl", "qrels.tsv"])
def test_a_missing_file_is_named(write_set, name: str) -> None:
    """Without one of its three files a set is refused with that file's name."""
    folder = write_set()
    (folder / name).unlink()
    with pytest.raises(EvaluationError, match=f"{name} is missing"):
        load_question_set(folder)


@pytest.mark.parametrize(
    ("header", "message"),
    [
        ("name = ", "not TOML"),
        ('name = "x"\ncorpus = "sample"\n', "description"),
        ('name = ""\ndescription = ""\ncorpus = "sample"\n', "name"),
        ('name = "x"\ndescription = ""\ncorpus = "sample"\nauthor = "me"\n', "author"),
    ],
)
def test_a_broken_header_is_an_error(write_set, header: str, message: str) -> None:
    """A header that is no TOML, lacks a field or has an unknown one is refused by name."""
    with pytest.raises(EvaluationError, match=rf"set\.toml.*{message}"):
        load_question_set(write_set(header=header))


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("{", "not JSON"),
        ("[]", "not a JSON object"),
        ({**GOOD, "_id": "q1"}, "'q1' is in the file twice"),
        ({**GOOD, "kind": "trivia"}, "kind"),
        ({**GOOD, "answerable": "perhaps"}, "answerable"),
        ({**GOOD, "kind": "near"}, "unanswerable"),
        ({**GOOD, "answerable": False}, "no key facts"),
        ({**GOOD, "key_facts": [[]]}, "key_facts"),
        ({**GOOD, "key_facts": [[" "]]}, "key_facts"),
        ({**GOOD, "key_facts": ["4"]}, "key_facts"),
        ({**GOOD, "text": " "}, "empty"),
        ({**GOOD, "keyfacts": []}, "keyfacts"),
    ],
)
def test_a_broken_question_is_an_error_with_its_line(write_set, line: object, message: str) -> None:
    """The error of a broken question names file, line and the shape that a line should have."""
    first = {"_id": "q1", "text": "which?", "kind": "which", "answerable": True, "key_facts": []}
    with pytest.raises(EvaluationError, match=rf"queries\.jsonl, line 2: .*{message}"):
        load_question_set(write_set(questions=[first, line]))


@pytest.mark.parametrize(
    ("qrels", "line", "message"),
    [
        ("", 1, "no header"),
        ("q1\tgame\t1\n", 1, "no header"),
        ("query_id\tdoc_id\trelevance\nq1 game 1\n", 2, "1 fields"),
        ("query_id\tdoc_id\trelevance\nq1\t\t1\n", 2, "not empty"),
        ("query_id\tdoc_id\trelevance\nq1\tgame\thigh\n", 2, "'high' is not a whole number"),
        ("query_id\tdoc_id\trelevance\nq9\tgame\t1\n", 2, "unknown query 'q9'"),
        ("query_id\tdoc_id\trelevance\nq1\tgame\t1\n\nq1\tgame\t1\n", 4, "second time"),
    ],
)
def test_a_broken_judgment_is_an_error_with_its_line(write_set, qrels: str, line: int, message: str) -> None:
    """The error of broken judgments names file and line."""
    with pytest.raises(EvaluationError, match=rf"qrels\.tsv, line {line}: .*{message}"):
        load_question_set(write_set(qrels=qrels))


def test_an_answerable_question_needs_a_gold_paper(write_set) -> None:
    """An answerable question that nobody judged, or judged with 0 only, is refused by id."""
    with pytest.raises(EvaluationError, match=r"'q2'.*no gold paper"):
        load_question_set(write_set(qrels="query_id\tdoc_id\trelevance\nq1\tgame\t1\nq2\tgame\t0\n"))


def test_a_set_needs_questions(write_set) -> None:
    """An empty questions file is an error and not a set of no questions."""
    with pytest.raises(EvaluationError, match="no questions"):
        load_question_set(write_set(questions=[]))


def test_bytes_that_are_not_utf8_are_an_error(write_set) -> None:
    """A file in another encoding is named instead of raising a decoding error."""
    folder = write_set()
    (folder / "queries.jsonl").write_bytes(b"\xff\xfe{}")
    with pytest.raises(EvaluationError, match=r"queries\.jsonl cannot be read"):
        load_question_set(folder)


def test_a_byte_order_mark_is_no_fault(write_set) -> None:
    """Files saved with a byte order mark are read like others."""
    folder = write_set()
    for name in ("queries.jsonl", "qrels.tsv"):
        (folder / name).write_bytes(b"\xef\xbb\xbf" + (folder / name).read_bytes())
    assert len(load_question_set(folder).questions) == 5


def write_beir(folder: Path, queries: str, qrels: str, documents: str | None = None) -> Path:
    """Write a BEIR folder under the given file names, gzipped if these end in .gz."""
    files = {
        queries: "".join(json.dumps({"id": i, "text": f"about {i}"}) + "\n" for i in ("a", "b", "c")),
        qrels: "query_id\tdoc_id\trelevance\na\td1\t2\nb\td2\t0\n",
    }
    for name, content in (files | ({documents: "{}\n"} if documents else {})).items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(gzip.compress(content.encode()) if name.endswith(".gz") else content.encode())
    return folder


@pytest.mark.parametrize(
    ("queries", "qrels", "documents"),
    [
        ("queries.jsonl", "qrels.tsv", "corpus.jsonl"),
        ("queries.jsonl.gz", "qrels.tsv.gz", "documents.jsonl.gz"),
        ("queries.jsonl", "qrels/test.tsv", "corpus.jsonl.gz"),
        ("queries.dev.jsonl.gz", "qrels.dev.tsv", None),
    ],
)
def test_beir_folders_of_every_shape_are_read(
    tmp_path: Path, queries: str, qrels: str, documents: str | None
) -> None:
    """Plain, gzipped and split folders give the queries that have a relevant document, and those alone."""
    beir = load_beir(write_beir(tmp_path / "set", queries, qrels, documents))
    assert beir.name == "set"
    assert beir.queries == {"a": "about a"}
    assert beir.qrels == {"a": {"d1": 2}}
    assert beir.documents == (tmp_path / "set" / documents if documents else None)


def test_a_split_can_be_named(tmp_path: Path) -> None:
    """Where a folder holds several splits, the one asked for is read."""
    write_beir(tmp_path, "queries.jsonl", "qrels/test.tsv")
    (tmp_path / "qrels" / "train.tsv").write_text("query-id\tcorpus-id\tscore\nc\td9\t1\n", "utf-8")
    train = load_beir(tmp_path, split="train")
    assert (train.name, train.queries) == (f"{tmp_path.name}-train", {"c": "about c"})
    assert load_beir(tmp_path).queries == {"a": "about a"}
    with pytest.raises(EvaluationError, match=r"no qrels of a split dev; .*--split: test, train"):
        load_beir(tmp_path, split="dev")


def test_judgments_and_queries_are_of_one_split(tmp_path: Path) -> None:
    """Undivided judgments are read with the undivided queries, though a split has queries of its own."""
    write_beir(tmp_path, "queries.jsonl", "qrels.tsv")
    (tmp_path / "queries.dev.jsonl").write_text('{"id": "other", "text": "else"}\n', "utf-8")
    assert load_beir(tmp_path).queries == {"a": "about a"}


def test_a_split_of_unknown_name_has_to_be_named(tmp_path: Path) -> None:
    """If there is neither test nor dev, the error names the splits that there are, and one can be named."""
    write_beir(tmp_path, "queries.jsonl", "qrels.holdout.tsv.gz")
    with pytest.raises(EvaluationError, match="--split: holdout"):
        load_beir(tmp_path)
    assert load_beir(tmp_path, split="holdout").queries == {"a": "about a"}


def test_judgments_without_queries_are_an_error(tmp_path: Path) -> None:
    """Judgments whose queries are not there are named."""
    write_beir(tmp_path, "queries.jsonl", "qrels.tsv")
    (tmp_path / "queries.jsonl").unlink()
    with pytest.raises(EvaluationError, match=r"no queries for qrels\.tsv; add a queries\.jsonl"):
        load_beir(tmp_path)


def test_packing_does_not_change_the_hash(tmp_path: Path) -> None:
    """The same set hashes alike plain and gzipped, so that its reports compare."""
    plain = load_beir(write_beir(tmp_path / "plain", "queries.jsonl", "qrels.tsv"))
    packed = load_beir(write_beir(tmp_path / "packed", "queries.jsonl.gz", "qrels.tsv.gz"))
    assert plain.sha256 == packed.sha256


def test_an_empty_folder_is_no_beir_folder(tmp_path: Path) -> None:
    """What a folder lacks is said, with what a BEIR folder holds."""
    with pytest.raises(EvaluationError, match=r"has no qrels.*a BEIR folder holds"):
        load_beir(tmp_path)


def test_judgments_without_a_relevant_document_are_refused(tmp_path: Path) -> None:
    """Judgments that call nothing relevant can measure nothing, and are refused."""
    write_beir(tmp_path, "queries.jsonl", "qrels.tsv")
    (tmp_path / "qrels.tsv").write_text("query_id\tdoc_id\trelevance\nb\td2\t0\n", "utf-8")
    with pytest.raises(EvaluationError, match="judges no document relevant"):
        load_beir(tmp_path)


def test_a_damaged_archive_is_an_error(tmp_path: Path) -> None:
    """A cut-off gzip file is named instead of raising EOFError."""
    write_beir(tmp_path, "queries.jsonl.gz", "qrels.tsv")
    path = tmp_path / "queries.jsonl.gz"
    path.write_bytes(path.read_bytes()[:-9])
    with pytest.raises(EvaluationError, match=r"queries\.jsonl\.gz cannot be read"):
        load_beir(tmp_path)


@pytest.mark.shared
@pytest.mark.parametrize(
    ("name", "queries"), [("scifact", 505), ("classic/cranfield", 225), ("litsearch", 100), ("csfcube", 50)]
)
def test_real_collections_are_read(name: str, queries: int) -> None:
    """Judged collections as they are published load with all their judged queries."""
    shared = Path(os.environ.get("RAG_QA_SHARED") or Path(__file__).parents[3] / "shared")
    if not (shared / "data" / name).is_dir():
        pytest.skip(f"no test data at {shared}/data/{name} (set RAG_QA_SHARED)")
    assert len(load_beir(shared / "data" / name).queries) == queries


@pytest.mark.parametrize("name", ["fields/dev", "fields/heldout", "lists/dev", "lists/heldout"])
def test_our_sets_over_several_fields_are_sound(name: str) -> None:
    """Each is read, over four files of the shared data and the papers that one file lists."""
    found = load_question_set(Path(__file__).parents[2] / "eval" / "sets" / name)
    assert found.name == name.replace("/", "_")
    assert len(found.corpus) == 4
    assert found.ids is not None
    listed = set(found.ids.read_text("utf-8").split())
    assert len(listed) == 500
    assert {paper for grades in found.qrels.values() for paper in grades} <= listed
    assert {paper for question in found.questions for paper in question.maybe} <= listed


def test_a_set_is_found_by_its_bare_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In a clone a name is a set of eval/sets, unless a folder here has that name; any other is left as it is."""
    monkeypatch.chdir(tmp_path)
    for folder in ("eval/sets/sample", "eval/sets/fields/dev", "fields/dev"):
        (tmp_path / folder).mkdir(parents=True)
    assert find_set("sample") == Path("eval/sets/sample")
    assert find_set("fields/dev") == Path("fields/dev")
    assert find_set("nowhere") == Path("nowhere")
