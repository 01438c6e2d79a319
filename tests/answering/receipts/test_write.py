import json
from contextlib import suppress

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rag_qa import Assistant, Filter, Settings, build_index
from rag_qa.answering.receipts.replay import compare
from rag_qa.answering.receipts.verify import recheck
from rag_qa.answering.receipts.write import hash_paper, read_receipt, write_receipt
from rag_qa.answering.verdict.model import judge
from rag_qa.backends.locating import STARTER
from rag_qa.errors import ReceiptError
from rag_qa.index.reader import Index
from rag_qa.testing import HashingEmbedder, QueuedGenerator

FACT = "How much of the variance did EigenGame reach?"
WHICH = "which papers discuss eigendecomposition as a game?"
RESULT = "EigenGame reached 98.5% of the variance on a dataset of 200,000 images."
REPLY = RESULT
METADATA = ["taken from the index's metadata, not from the abstract"]


@pytest.fixture
def save(tmp_path):
    """A function that saves an answer and returns the file."""

    def save_one(answer, name="answer.json"):
        write_receipt(answer, tmp_path / name)
        return tmp_path / name

    return save_one


@pytest.fixture(scope="module")
def written(library, tmp_path_factory):
    """The bytes of a small receipt of an answer in prose."""
    options = Settings(model=STARTER, min_relevance=0.0, evidence_sentences=1)
    generator = QueuedGenerator([REPLY])
    with Assistant.open(library, settings=options, embedder=HashingEmbedder(), generator=generator) as opened:
        path = tmp_path_factory.mktemp("written") / "answer.json"
        write_receipt(opened.ask(FACT), path)
    return path.read_bytes()


def failed(path, index=None):
    """The names of the checks that fail."""
    return [check.name for check in recheck(read_receipt(path), index) if check.status == "fail"]


def statuses(path, index):
    """The status of each check against an index, by name."""
    opened = Index.open(index)
    try:
        return {check.name: check.status for check in recheck(read_receipt(path), opened)}
    finally:
        opened.close()


def forge(path, change):
    """Change the answer of a receipt, and seal it again as a forger would."""
    answer = read_receipt(path).answer.model_dump(mode="json")
    change(answer)
    forged = read_receipt(path).answer.model_validate(answer)
    path.unlink()
    write_receipt(forged, path)
    return path


# --- what is saved


@pytest.mark.parametrize("replies", [None, [REPLY]], ids=["quotes", "prose"])
@pytest.mark.parametrize(
    "question", [FACT, WHICH, "How many papers are there?", "who wrote EigenGame?", "?a"]
)
def test_an_answer_comes_back_whole_and_passes(open_assistant, save, library, replies, question):
    """What is read is what was saved, and every check of it passes, alone and against its index."""
    answer = open_assistant(replies).ask(question)
    path = save(answer)
    saved = read_receipt(path)
    assert (saved.answer, saved.intact) == (answer, True)
    assert failed(path) == []
    assert set(statuses(path, library).values()) == {"ok"}


def test_an_abstention_can_be_checked(open_assistant, save, library):
    """An answer that the papers don't give is saved with the nearest papers, and passes."""
    path = save(open_assistant(min_relevance=1.0).ask("How do bees find their hive?"))
    assert len(read_receipt(path).papers) == 3
    assert set(statuses(path, library).values()) == {"ok"}


def test_everything_needed_is_in_the_file(open_assistant, save):
    """The file names generation, hashes of papers and texts, prompt, grammar, model, seed, settings and verdicts."""
    content = json.loads(save(open_assistant([REPLY], seed=7).ask(FACT)).read_text())
    answer, made = content["answer"], content["answer"]["provenance"]
    assert made["index_generation"] == 1
    assert made["generator"]["sha256"] == QueuedGenerator().spec.sha256
    assert (made["settings"]["seed"], made["settings"]["temperature"]) == (7, 0.0)
    assert FACT in answer["model_input"]["user"]
    assert answer["model_input"]["system"]
    assert answer["model_input"]["grammar"].startswith("root ::=")
    assert answer["sentences"][0]["verdict"]["label"] == "supported"
    (paper,) = answer["papers"]
    assert set(content["papers"][paper["id"]]) == {"paper_sha256", "text_sha256"}


def test_the_prompt_saved_is_the_one_given(open_assistant, library):
    """The model's input in an answer is word for word what the generator was asked; quotes have none."""
    generator = QueuedGenerator([REPLY])
    with Assistant.open(
        library,
        settings=Settings(model=STARTER, min_relevance=0.0),
        embedder=HashingEmbedder(),
        generator=generator,
    ) as assistant:
        given = assistant.ask(FACT).model_input
    (asked,) = generator.prompts
    assert (given.system, given.user) == (asked.system, asked.context + asked.user)
    assert open_assistant().ask(FACT).model_input is None


def test_sources_and_aliases_do_not_count_as_the_paper(open_assistant):
    """A paper that is found in one more source has the same hashes; with another year only its text's."""
    paper = open_assistant().paper("eigengame")
    merged = paper.model_copy(update={"sources": (), "aliases": ("another",)})
    older = paper.model_copy(update={"year": 1999})
    assert hash_paper(merged) == hash_paper(paper)
    assert hash_paper(older).text_sha256 == hash_paper(paper).text_sha256
    assert hash_paper(older).paper_sha256 != hash_paper(paper).paper_sha256


def test_nothing_is_overwritten(open_assistant, save):
    """A file that exists is an error, and stays as it is."""
    answer = open_assistant().ask(FACT)
    path = save(answer)
    before = path.read_bytes()
    with pytest.raises(ReceiptError, match="exists already"):
        write_receipt(answer, path)
    assert path.read_bytes() == before


@pytest.mark.parametrize(
    ("name", "words"), [("no/where.json", "no folder"), ("a\0b", "control characters"), (".", "exists")]
)
def test_a_file_that_cannot_be_written_is_an_error(open_assistant, tmp_path, name, words):
    """A missing folder, an impossible name and a folder in place of a file are errors."""
    with pytest.raises(ReceiptError, match=words):
        write_receipt(open_assistant().ask(FACT), tmp_path / name)


# --- what is found


@pytest.mark.slow
@given(st.data())
@settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_changed_byte_is_found(written, tmp_path, data):
    """If any byte of a file is changed to any other, the file is refused or its check fails."""
    place = data.draw(st.integers(0, len(written) - 1))
    byte = data.draw(st.integers(0, 255).filter(lambda value: value != written[place]))
    path = tmp_path / "changed.json"
    path.write_bytes(written[:place] + bytes([byte]) + written[place + 1 :])
    with suppress(ReceiptError):
        assert "file" in failed(path)


@pytest.mark.parametrize(
    "change",
    [
        lambda raw: raw.replace(b"\n", b"\r\n"),
        lambda raw: raw.rstrip(b"\n"),
        lambda raw: raw + b" ",
        lambda raw: json.dumps(json.loads(raw)).encode(),
        lambda raw: raw.replace(b"{", b'{"receipt_version": 1,', 1),
        lambda raw: raw.replace(b'"temperature": 0.0', b'"temperature": 0e0'),
    ],
    ids=["line ends", "no last line end", "a blank more", "other layout", "a name twice", "other zero"],
)
def test_the_same_content_in_other_bytes_is_found(written, tmp_path, change):
    """A file whose values are all the same but whose bytes are not is said to be changed, and all else holds."""
    path = tmp_path / "changed.json"
    assert change(written) != written
    path.write_bytes(change(written))
    assert failed(path) == ["file"]


def quote_of(answer):
    return answer["sentences"][0]["citations"][0]


@pytest.mark.parametrize(
    ("change", "names"),
    [
        (lambda a: a["sentences"][0].update(text="EigenGame reached 12% of the variance."), ["verdict 1"]),
        (lambda a: a["sentences"][0]["verdict"].update(label="partial"), ["verdict 1"]),
        (lambda a: a["sentences"][0]["verdict"].update(probability=0.5), ["verdict 1"]),
        (lambda a: a["sentences"][0].update(kind="quote", text="Quoth the raven."), ["verdict 1"]),
        (lambda a: a["sentences"][0]["verdict"].update(reasons=METADATA), ["verdict 1"]),
        (lambda a: quote_of(a).update(start=quote_of(a)["start"] - 1), ["quote 1.1"]),
        (lambda a: quote_of(a).update(start=-5), ["quote 1.1"]),
        (lambda a: quote_of(a).update(paper_id="music"), ["quote 1.1"]),
        (lambda a: a["sentences"][0].update(citations=[]), ["quote 1", "verdict 1"]),
        (lambda a: a.update(abstained=True), ["answer"]),
    ],
)
def test_a_forged_receipt_is_found_by_what_it_claims(open_assistant, save, change, names):
    """If the file was sealed again, the quotes and verdicts that do not hold are found one by one."""
    path = save(open_assistant([REPLY]).ask(FACT))
    assert failed(forge(path, change)) == names


def test_what_is_said_of_a_list_must_stand_in_each_paper(open_assistant, save):
    """A sentence before a list that one paper states word for word, and another does not, is found."""

    def say_of_both(answer):
        first, second = answer["papers"]
        (other,) = (p for p in (first, second) if RESULT not in p["abstract"])
        (own,) = (p for p in (first, second) if RESULT in p["abstract"])
        start = own["abstract"].index(RESULT)
        cited = {"paper_id": own["id"], "quote": RESULT, "start": start, "end": start + len(RESULT)}
        (quote,) = (s for s in answer["sentences"] if s["citations"][0]["paper_id"] == other["id"])
        said = {"text": RESULT, "kind": "prose", "verdict": quote["verdict"]}
        answer["sentences"][0] = said | {"citations": [cited, *quote["citations"]]}

    path = save(open_assistant(listed_papers=2).ask(WHICH))
    assert failed(path) == []
    assert "verdict 1" in failed(forge(path, say_of_both))


def test_a_yes_or_no_is_judged_without_its_question(open_assistant, save):
    """The verdict on an answer to a yes/no question counts nothing as known that only the question says."""
    text = "EigenGame reached 98.5% of the variance within 77 hours."
    verdict = judge(text, [RESULT], context=["EigenGame: PCA as a Nash Equilibrium"]).model_dump()

    def ask_yes_or_no(answer):
        answer["query"].update(kind="yesno", text="Does EigenGame reach 98.5% within 77 hours?")
        answer["sentences"][0].update(text=text, verdict=verdict)

    assert failed(forge(save(open_assistant([REPLY]).ask(FACT)), ask_yes_or_no)) == []


def test_told_metadata_are_checked(open_assistant, save):
    """A sentence on a paper's authors is checked against the paper saved with it."""
    path = save(open_assistant().ask("who wrote EigenGame?"))
    forge(path, lambda a: a["sentences"][0].update(text="Written by Ada Lovelace."))
    assert failed(path) == ["verdict 1"]


def test_prose_cannot_pass_for_a_count(open_assistant, save):
    """A sentence of the model that is said to be a count has not the verdict of one."""
    path = save(open_assistant([REPLY]).ask(FACT))
    assert failed(forge(path, lambda a: a["sentences"][0].update(kind="metadata"))) == ["verdict 1"]


def test_a_count_needs_its_index(open_assistant, save, library):
    """A number of papers is not checked without the index, and is counted again with it."""
    path = save(open_assistant().ask("How many papers mention games?"))
    (count,) = [check for check in recheck(read_receipt(path)) if check.name == "verdict 1"]
    assert count.status == "note"
    assert statuses(path, library)["verdict 1"] == "ok"
    forge(path, lambda a: a["sentences"][0].update(text="4 of 5 papers in the index mention “games”."))
    assert statuses(path, library)["verdict 1"] == "fail"
    forge(path, lambda a: a["query"]["filter"].update(since=3000))
    assert statuses(path, library)["verdict 1"] == "fail"


# --- against the index


@pytest.fixture
def grown(library, tmp_path):
    """A function that builds an index of the library's papers, changes them, and updates the index."""

    def grow(change):
        rows = [json.loads(line) for line in (library.parent / "papers.jsonl").read_text().splitlines()]
        for now in (rows, change(rows)):
            (tmp_path / "papers.jsonl").write_text("\n".join(map(json.dumps, now)))
            build_index(
                [tmp_path / "papers.jsonl"], tmp_path / "index", embedder=HashingEmbedder(), prune=True
            )
        return tmp_path / "index"

    return grow


def with_eigengame(rows, **fields):
    return [row | fields if row["id"] == "eigengame" else row for row in rows]


def test_an_index_that_moved_on_is_a_note(open_assistant, save, grown):
    """If the index has another generation but the same papers, there is a note and nothing fails."""
    path = save(open_assistant().ask(FACT))
    new = {"id": "new", "title": "On bees", "abstract": "Bees find their hive by the sun and by smell."}
    found = statuses(path, grown(lambda rows: [*rows, new]))
    assert found["index"] == "note"
    assert set(found.values()) == {"ok", "note"}


@pytest.mark.parametrize(
    "fields", [{"abstract": f"{RESULT} And one more sentence."}, {"title": "EigenGame!"}, {"year": 1999}]
)
def test_a_paper_that_changed_in_the_index_is_found(open_assistant, save, grown, fields):
    """Another abstract, title or year in the index fails, and only that."""
    path = save(open_assistant(evidence_sentences=1).ask(FACT))
    found = statuses(path, grown(lambda rows: with_eigengame(rows, **fields)))
    assert [name for name, status in found.items() if status == "fail"] == ["paper eigengame in the index"]


def test_a_paper_that_left_the_index_is_found(open_assistant, save, grown):
    """A cited paper that the index no longer holds fails."""
    path = save(open_assistant(evidence_sentences=1).ask(FACT))
    found = statuses(path, grown(lambda rows: [row for row in rows if row["id"] != "eigengame"]))
    assert found["paper eigengame in the index"] == "fail"


def test_a_count_in_an_index_that_grew_is_a_note(open_assistant, save, grown):
    """Another number of papers in a later generation is a note and no failure."""
    path = save(open_assistant().ask("How many papers are there?"))
    new = {"id": "new", "title": "On bees", "abstract": "Bees find their hive by the sun and by smell."}
    found = statuses(path, grown(lambda rows: [*rows, new]))
    assert found["verdict 1"] == "note"
    assert "fail" not in found.values()


# --- again


@pytest.mark.parametrize("question", [FACT, WHICH, "How many papers are there?", "who wrote EigenGame?"])
def test_quotes_come_again(open_assistant, save, question):
    """An answer in quotes is identical in another session over the same index."""
    saved = read_receipt(save(open_assistant().ask(question))).answer
    found = compare(saved, open_assistant().again(saved))
    assert (found.identical, found.changes) == (True, ())


def test_prose_comes_again(open_assistant, save):
    """The same reply of the model makes the same answer, from the same prompt."""
    saved = read_receipt(save(open_assistant([REPLY]).ask(FACT))).answer
    found = compare(saved, open_assistant([REPLY]).again(saved))
    assert (found.identical, found.changes) == (True, ())
    assert found.answer.model_input == saved.model_input


def test_another_reply_is_a_difference(open_assistant, save):
    """Another sentence of the model is shown as the first difference, with nothing else changed."""
    saved = read_receipt(save(open_assistant([REPLY]).ask(FACT))).answer
    found = compare(saved, open_assistant(["EigenGame reached 98.5% of the variance."]).again(saved))
    assert found.difference.startswith(f"sentence 1 was “{RESULT}” (eigengame 143:214)")
    assert "is now “EigenGame reached 98.5% of the variance.”" in found.difference
    assert found.changes == ()


def test_a_shorter_answer_is_a_difference(open_assistant):
    """A sentence that is no longer there is a difference, and so is an answer that is now refused."""
    saved = open_assistant(evidence_sentences=1).ask(FACT)
    found = compare(saved, open_assistant(min_relevance=1.0).ask(FACT))
    assert found.difference.endswith("and is now not there")
    refused = compare(found.answer, found.answer.model_copy(update={"reason": "of a whim"}))
    assert "is now “of a whim”" in refused.difference


def test_what_changed_is_named(open_assistant, library):
    """Model, version, generation and settings that are not as they were are named with both values."""
    saved = open_assistant([REPLY], seed=1).ask(FACT)
    made = dict(saved.provenance) | {"index_generation": 7, "rag_qa": "0.0.1"}
    generator = QueuedGenerator([REPLY], name="another")
    options = Settings(model=STARTER, min_relevance=0.0, style="quote", seed=2)
    with Assistant.open(library, settings=options, embedder=HashingEmbedder(), generator=generator) as other:
        found = compare(saved.model_copy(update={"provenance": made}), other.again(saved))
    changed = {change.name: (change.saved, change.now) for change in found.changes}
    assert found.identical
    assert set(changed) == {
        "rag_qa",
        "index_generation",
        "generator.name",
        "generator.sha256",
        "settings.seed",
    }
    assert changed["settings.seed"] == ("1", "2")


def test_a_follow_up_is_asked_again_without_the_turns_before(open_assistant, save):
    """ "The second one" of a saved answer is asked of the same paper in a session that knows no turns."""
    assistant = open_assistant(listed_papers=2)
    first = assistant.ask(WHICH)
    saved = read_receipt(save(assistant.ask("what does the second one say?", history=[first]))).answer
    assert saved.query.within == (first.papers[1].id,)
    found = compare(saved, open_assistant(listed_papers=2).again(saved))
    assert found.identical
    assert found.answer.query == saved.query


@pytest.mark.parametrize("literal", [True, False])
def test_filter_and_literal_are_kept(open_assistant, literal):
    """An answer under a filter, literal or not, is answered again in the same way."""
    question = "papers by Ian Gemp"
    saved = open_assistant().ask(question, filter=Filter(since=2020), literal=literal)
    assert saved.query.filter == Filter(since=2020, authors=() if literal else ("Ian Gemp",))
    again = open_assistant().again(saved)
    assert (again.sentences, again.query) == (saved.sentences, saved.query)


def test_an_answer_without_its_query_is_an_error(open_assistant):
    """An answer made by other means, without what it was asked as, cannot be asked again."""
    assistant = open_assistant()
    with pytest.raises(ReceiptError, match=r"Assistant\.ask"):
        assistant.again(assistant.ask(FACT).model_copy(update={"query": None}))


# --- what is told


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "no JSON"),
        (b"{", "no JSON"),
        (b"\xff\xfe", "no JSON"),
        (b"[" * 100_000, "no JSON"),
        (b"7" * 5000, "no JSON"),
        (b"[]", "no receipt"),
        (b"{}", "no receipt"),
        (b'{"receipt_version": "1"}', "no receipt"),
        (b'{"receipt_version": true}', "no receipt"),
        (b'{"receipt_version": 0}', "no receipt"),
        (b'{"receipt_version": 3}', "newer rag_qa"),
        (b'{"receipt_version": 1}', "no whole receipt"),
        (b'{"receipt_version": 1, "answer": {}, "papers": {}}', "no whole receipt"),
    ],
)
def test_what_is_no_receipt_is_an_error(tmp_path, content, words):
    """Files that are no JSON, no receipt, half of one, or of a newer version have different errors."""
    (tmp_path / "file").write_bytes(content)
    with pytest.raises(ReceiptError, match=words):
        read_receipt(tmp_path / "file")


@pytest.mark.parametrize("name", ["nothing.json", ".", "a\0b"])
def test_a_file_that_cannot_be_read_is_an_error(tmp_path, name):
    """A missing file, a folder and an impossible name are errors."""
    with pytest.raises(ReceiptError, match="cannot be read"):
        read_receipt(tmp_path / name)
