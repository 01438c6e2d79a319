import io
import json
from pathlib import Path

import pytest
from rich.console import Console

from rag_qa import Answer, Assistant, Settings
from rag_qa.answering import assistant
from rag_qa.answering.receipts.write import read_receipt, write_receipt
from rag_qa.answering.verdict import model
from rag_qa.answering.verdict.model import judge, with_reading
from rag_qa.answering.writing.prompt import load_prompt
from rag_qa.app.chat.repl import chat_with
from rag_qa.backends.locating import STARTER
from rag_qa.testing import HashingEmbedder, QueuedGenerator

PAPERS = [
    {
        "id": "soup",
        "title": "On soup",
        "abstract": "Soup is made of water and vegetables. It is best when it is eaten hot.",
    },
    {
        "id": "auction",
        "title": "On auctions",
        "abstract": "An auction is a competitive game in which players bid for goods.",
    },
]
QUESTION = "What is soup made of?"
REPLY = "Soup is made of water and vegetables."


def queued(*replies, name="queued"):
    """A generator with these replies that the program can open."""
    generator = QueuedGenerator(replies, name=name)
    generator.load_ahead = lambda: None
    return generator


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch, put_index):
    """A working directory with an index, fake models, and replies for the generator to give."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("RAG_QA_MIN_RELEVANCE", "0")
    monkeypatch.setenv("RAG_QA_MODEL", STARTER)
    monkeypatch.setattr(assistant, "open_embedder", lambda settings: HashingEmbedder())
    monkeypatch.setattr(assistant, "open_generator", lambda settings: queued(REPLY))
    put_index(PAPERS, tmp_path)
    return tmp_path


@pytest.fixture(params=["quote", "synthesis"])
def saved(request, run):
    """The file of an answer in quotes or in prose that `ask --save` wrote."""
    code, _, err = run("ask", QUESTION, "-k", "1", "--style", request.param, "--save", "answer.json")
    assert (code, err) == (0, "Saved: answer.json\n")
    return "answer.json"


def change_answer(file, change):
    """Save another answer in the place of a file's, as a forger would."""
    answer = read_receipt(file).answer.model_dump(mode="json")
    change(answer)
    Path(file).unlink()
    write_receipt(Answer.model_validate(answer), file)


def test_every_check_is_a_line(run, saved):
    """`verify` prints a line a check, and exits with 0 where all hold."""
    code, out, err = run("verify", saved)
    assert (code, err) == (0, "")
    assert out.splitlines()[:4] == [
        "ok    file: every byte is as it was saved",
        "ok    answer: whole",
        "ok    paper soup: as it was hashed when saved",
        "ok    quote 1.1: characters 0 to 37 of soup",
    ]
    assert out.splitlines()[4].startswith("ok    verdict 1: supported")


def test_an_index_adds_its_lines(run, saved):
    """`verify --index` also says which generation and papers the index holds."""
    code, out, _ = run("verify", saved, "--index", "rag-qa-index")
    assert code == 0
    assert out.splitlines()[-2:] == [
        "ok    index: generation 1, as when the answer was given",
        "ok    paper soup in the index: the same as when the answer was given",
    ]
    assert run("verify", saved, "--index", "nowhere")[0] == 1


def test_a_changed_file_fails(run, saved, folder):
    """A file with another letter fails by line and status, and is not replayed."""
    raw = (folder / saved).read_text()
    (folder / saved).write_text(raw.replace("made of water", "made of wafer"))
    code, out, _ = run("verify", saved)
    assert code == 1
    assert "FAIL  file: it was changed after it was saved\n" in out
    assert "FAIL  paper soup: its text differs from what was saved\n" in out
    code, out, err = run("replay", saved)
    assert (code, out) == (1, "")
    assert f"rag-qa verify {saved}" in err


def test_verify_as_json(run, saved):
    """`verify --json` prints the checks as a list of name, status and detail."""
    code, out, _ = run("verify", saved, "--json")
    assert code == 0
    assert {check["status"] for check in json.loads(out)} == {"ok"}
    assert {tuple(check) for check in json.loads(out)} == {("name", "status", "detail")}


def test_a_verdict_that_a_model_read_is_judged_with_what_it_said(run, monkeypatch):
    """The probability that a language model gave counts again; another verdict than comes of it is a failure."""
    monkeypatch.setattr(model, "_default", lambda: model.Verifier(HashingEmbedder()))
    run("ask", QUESTION, "-k", "1", "--save", "answer.json")
    said, cites = "Soup is a hot dish made of boiled vegetables.", ["Soup is made of water and vegetables."]
    judged = judge(said, cites, context=["On soup"], question=QUESTION, embedder=HashingEmbedder())

    def prose(answer, verdict):
        answer["sentences"][0] |= {"text": said, "kind": "prose", "verdict": verdict.model_dump(mode="json")}

    change_answer("answer.json", lambda answer: prose(answer, with_reading(judged, 0.99)))
    assert "ok    verdict 1: " in run("verify", "answer.json")[1]
    change_answer("answer.json", lambda answer: prose(answer, judged.model_copy(update={"read": 0.99})))
    assert "FAIL  verdict 1: " in run("verify", "answer.json")[1]


def test_an_answer_comes_again(run, saved):
    """`replay` says that the answer is identical, and nothing else where nothing changed."""
    assert run("replay", saved) == (0, "Identical.\n", "")


def test_settings_of_today_do_not_matter(run, saved, monkeypatch):
    """A replay runs under the saved settings alone: None stays None, whatever the environment says."""
    monkeypatch.setenv("RAG_QA_THREADS", "3")
    monkeypatch.setenv("RAG_QA_MIN_RELEVANCE", "1")
    assert run("replay", saved) == (0, "Identical.\n", "")


def test_another_answer_is_shown(run, monkeypatch):
    """If the model is another and writes something else, both are said, with status 1."""
    run("ask", QUESTION, "--style", "synthesis", "--save", "answer.json")
    other = queued("Soup is made of vegetables and water.", name="other")
    monkeypatch.setattr(assistant, "open_generator", lambda settings: other)
    code, out, _ = run("replay", "answer.json")
    assert code == 1
    assert out.splitlines()[0] == (
        "Differs: sentence 1 was “Soup is made of water and vegetables.” (soup 0:37), and is now “Soup is made of "
        "vegetables and water.” (soup 0:37)."
    )
    assert "generator.name was queued, and is now other." in out.splitlines()
    again = queued("Soup is made of vegetables and water.")
    monkeypatch.setattr(assistant, "open_generator", lambda settings: again)
    assert run("replay", "answer.json")[1].endswith("\nNothing else differs.\n")


def test_words_drawn_at_random_are_said_to_be(run, monkeypatch):
    """Above temperature 0 a difference is explained by that, where nothing else has changed."""
    monkeypatch.setenv("RAG_QA_TEMPERATURE", "0.7")
    run("ask", QUESTION, "--style", "synthesis", "--save", "answer.json")
    monkeypatch.setattr(assistant, "open_generator", lambda settings: queued("Soup is made of water."))
    assert run("replay", "answer.json")[1].endswith(
        "Nothing else differs; above temperature 0, words are drawn at random.\n"
    )


def write_prompts(folder, texts):
    """Write the prompt file of answers with these texts, beside the other that a folder must hold."""
    lines = [f"{name} = {json.dumps(text)}" for name, text in texts.items()]
    (folder / "answer.toml").write_text("\n".join(lines))
    rewrite = load_prompt("rewrite").texts
    lines = [f"{name} = {json.dumps(text)}" for name, text in rewrite.items()]
    (folder / "rewrite.toml").write_text("\n".join(lines))


def test_another_prompt_is_named_and_not_printed(run, folder):
    """A prompt that is not as it was is named; what is long is left to --json."""
    prompts = load_prompt("answer").texts
    write_prompts(folder, {**prompts, "system": "One."})
    run("ask", QUESTION, "--style", "synthesis", "--prompts", ".", "--save", "answer.json")
    write_prompts(folder, {**prompts, "system": "Two. " * 50})
    code, out, _ = run("replay", "answer.json")
    assert code == 0
    assert [line.split(" was ")[0] for line in out.splitlines()] == [
        "Identical.",
        "prompt_sha256",
        "prompt.system differs; --json shows how.",
    ]


def test_replay_as_json(run, saved):
    """`replay --json` says whether it is identical, the first difference, what changed, and the answer."""
    code, out, _ = run("replay", saved, "--json")
    found = json.loads(out)
    assert (code, found["identical"], found["difference"], found["changes"]) == (0, True, None, [])
    assert found["answer"]["question"] == QUESTION


def test_settings_that_no_longer_exist_are_reported(run, saved):
    """A receipt with a setting that this version does not have is reported, with the version that wrote it."""

    def rename(answer):
        answer["provenance"]["settings"]["tempo"] = 1

    change_answer(saved, rename)
    code, _, err = run("replay", saved)
    assert code == 1
    assert "does not have (tempo); replay it with rag_qa" in err


def test_nothing_is_overwritten(run, saved, folder):
    """`ask --save` on a file that exists is reported before anything is asked, and the file stays."""
    before = (folder / saved).read_bytes()
    code, out, err = run("ask", QUESTION, "--save", saved)
    assert (code, out) == (1, "")
    assert "exists already" in err
    assert (folder / saved).read_bytes() == before


def test_an_answer_in_json_is_saved_too(run, folder):
    """`ask --json --save` prints the answer and saves the same one."""
    _, out, _ = run("ask", QUESTION, "--style", "quote", "--json", "--save", "answer.json")
    assert json.loads(out) == json.loads((folder / "answer.json").read_text())["answer"]


@pytest.mark.parametrize("command", ["verify", "replay"])
@pytest.mark.parametrize(
    ("content", "words"),
    [(None, "cannot be read"), ("{", "no JSON"), ("{}", "no receipt"), ('{"receipt_version": 9}', "newer")],
)
def test_what_cannot_be_checked_is_reported(run, folder, command, content, words):
    """No file, no JSON, no receipt and a newer receipt are reported in one line with status 1."""
    if content is not None:
        (folder / "file").write_text(content)
    code, out, err = run(command, "file")
    assert (code, out, err.count("\n")) == (1, "", 1)
    assert words in err


def test_nothing_in_a_file_acts_on_the_terminal(run, saved):
    """A hostile file can neither send escapes nor print a line of its own."""

    def poison(answer):
        answer["sentences"][0]["citations"][0]["paper_id"] = "\x1b[31mx\nok    file: forged \x9b2J"

    change_answer(saved, poison)
    for options in ([], ["--json"]):
        code, out, _ = run("verify", saved, *options)
        assert code == 1
        assert not set(out) & {"\x1b", "\x9b"}
        assert not any(line.startswith("ok    file: forged") for line in out.splitlines())


# --- chat


def session(*lines):
    """What a chat in quotes with these lines prints."""
    console = Console(file=io.StringIO(), width=200)
    settings = Settings(model=STARTER, style="quote", min_relevance=0.0)
    with Assistant.open("rag-qa-index", settings=settings, embedder=HashingEmbedder()) as opened:
        chat_with(opened, console, iter(lines))
    return console.file.getvalue()


def test_chat_saves_the_last_answer(run):
    """/save writes the last answer, a follow-up too, so that it can be verified and replayed on its own."""
    said = session("which papers discuss soup?", "is it best when hot?", "/save second one.json")
    assert said.endswith("Saved: second one.json\n\n")
    assert read_receipt("second one.json").answer.question == "is it best when hot?"
    assert run("verify", "second one.json", "--index", "rag-qa-index")[0] == 0
    assert run("replay", "second one.json") == (0, "Identical.\n", "")


def test_chat_says_what_it_cannot_save(folder):
    """/save without an answer, without a name, or onto a file is reported, and the session continues."""
    said = session("/save x.json", QUESTION, "/save", "/save papers.jsonl", "/save x.json")
    assert said.startswith("There is no answer to save yet.\n\n")
    assert "Name a file: /save FILE\n" in said
    assert "papers.jsonl exists already" in said
    assert (folder / "x.json").is_file()
