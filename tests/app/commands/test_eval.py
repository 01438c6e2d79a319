import gzip
import json
from functools import partial
from pathlib import Path

import ir_measures
import numpy as np
import pytest
from scipy.stats import bootstrap  # type: ignore[import-untyped]

from rag_qa import build_index
from rag_qa.answering import assistant
from rag_qa.backends.locating import STARTER
from rag_qa.evaluation import measuring, read_run
from rag_qa.index import builder
from rag_qa.testing import HashingEmbedder

TOPICS = "games soup bridges tides orchids clocks".split()
PAPERS = [
    {
        "id": f"p{n}",
        "title": f"On {topic}",
        "abstract": f"We study {topic} and what is known of {topic} today.",
    }
    for n, topic in enumerate(TOPICS)
]
QUERIES = {f"q{n}": f"what is known of {topic} today?" for n, topic in enumerate(TOPICS)}
# The last query's gold paper is about something else, so that scores differ between queries.
GOLD = {"q0": "p0", "q1": "p1", "q2": "p2", "q3": "p3", "q4": "p4", "q5": "p0"}
CONDITION = """
[{name}]
folder = "{folder}"
corpus = ["{corpus}"]
[{name}.scores]
"mrr@10" = {{ expected = {expected}, tolerance = 0.001 }}
"""


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working directory with a BEIR folder, a cache of its own, and a fake embedder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("RAG_QA_MODEL", STARTER)
    monkeypatch.setenv("RAG_QA_SHARED", str(tmp_path / "shared"))
    monkeypatch.setattr(measuring, "user_cache_path", lambda name: tmp_path / "cache" / name)
    monkeypatch.setattr(assistant, "open_embedder", lambda settings: HashingEmbedder())
    monkeypatch.setattr(builder, "open_embedder", lambda settings: HashingEmbedder())
    write_lines(tmp_path / "beir" / "corpus.jsonl", map(json.dumps, PAPERS))
    write_lines(
        tmp_path / "beir" / "queries.jsonl",
        (json.dumps({"_id": query, "text": text}) for query, text in QUERIES.items()),
    )
    write_qrels(tmp_path / "beir" / "qrels" / "test.tsv", GOLD)
    return tmp_path


def write_lines(path: Path, lines) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(f"{line}\n" for line in lines), "utf-8")


def write_qrels(path: Path, gold: dict[str, str]) -> None:
    write_lines(path, ["query-id\tcorpus-id\tscore", *(f"{q}\t{p}\t1" for q, p in gold.items())])


@pytest.fixture
def run_eval(run):
    """A function that runs `rag-qa eval` with arguments."""
    return partial(run, "eval")


@pytest.fixture
def report(run_eval):
    """A function that runs `rag-qa eval … --json` and returns the report."""

    def run_one(*arguments: str) -> dict:
        code, out, err = run_eval(*arguments, "--json")
        assert (code, err) == (0, "")
        return json.loads(out)

    return run_one


def fails_with(result: tuple[int, str, str], words: str) -> None:
    """The run failed with status 1 and one line on stderr that holds the words."""
    code, _, err = result
    assert code == 1
    assert err.startswith("rag-qa: ")
    assert err.count("\n") == 1
    assert words in err


# --- a folder


def test_a_folder_is_indexed_and_scored(report, folder: Path) -> None:
    """A BEIR folder is scored in total and per query over an index of its corpus, kept in the user's cache."""
    found = report("beir")
    assert set(found["scores"]) == {"ndcg@10", "mrr@10", "recall@5", "recall@20", "recall@100"}
    assert found["scores"]["recall@20"] == 1
    assert [row["id"] for row in found["per_query"]] == list(QUERIES)
    assert all(row["scores"].keys() == found["scores"].keys() for row in found["per_query"])
    assert sorted(path.name for path in folder.iterdir()) == ["beir", "cache"]


def test_a_gzipped_folder_scores_alike(report, folder: Path) -> None:
    """Corpus, queries and judgments may be gzipped, each."""
    plain = report("beir")["scores"]
    for path in [*(folder / "beir").glob("*.jsonl"), *(folder / "beir").glob("qrels/*.tsv")]:
        path.with_name(f"{path.name}.gz").write_bytes(gzip.compress(path.read_bytes()))
        path.unlink()
    assert report("beir")["scores"] == plain


def test_without_a_corpus_an_index_is_needed(run_eval, report, folder: Path) -> None:
    """A folder of queries and judgments is scored over an index that is named, or over papers that are."""
    plain = report("beir")["scores"]
    (folder / "beir" / "corpus.jsonl").rename(folder / "papers.jsonl")
    fails_with(run_eval("beir"), "--corpus SOURCE, or an index of them with --index DIR")
    build_index([folder / "papers.jsonl"], folder / "index", embedder=HashingEmbedder())
    assert report("beir", "--index", "index")["scores"] == plain
    assert report("beir", "--corpus", "papers.jsonl")["scores"] == plain


def test_ids_choose_from_a_corpus(report, folder: Path) -> None:
    """With --ids only the listed papers are indexed, and gold papers outside them count as not found."""
    write_lines(folder / "ids.txt", ["p0", "p1"])
    found = report("beir", "--ids", "ids.txt")
    assert found["provenance"]["gold_not_in_index"] == ["p2", "p3", "p4"]
    assert found["scores"]["recall@100"] == 0.5


def test_a_split_is_chosen(run_eval, report, folder: Path) -> None:
    """--split names one of several splits; without it test is taken; one that is not there is reported."""
    write_qrels(folder / "beir" / "qrels" / "train.tsv", {"q1": "p1"})
    assert len(report("beir")["per_query"]) == 6
    train = report("beir", "--split", "train")
    assert (train["name"], [row["id"] for row in train["per_query"]]) == ("beir-train", ["q1"])
    fails_with(run_eval("beir", "--split", "dev"), "--split: test, train")


def test_a_question_set_has_no_splits(run_eval, folder: Path) -> None:
    """--split with a question set is reported instead of ignored."""
    (folder / "beir" / "set.toml").touch()
    fails_with(run_eval("beir", "--split", "dev"), "leave --split out")


# --- runs and baselines


@pytest.mark.parametrize("name", ["run.trec", "run.trec.gz"])
def test_the_ranking_is_written_as_a_run(report, folder: Path, name: str) -> None:
    """--run writes what ir_measures scores as the report does, gzipped where the name says so."""
    scores = report("beir", "--run", name)["scores"]
    content = (folder / name).read_bytes()
    text = (gzip.decompress(content) if name.endswith(".gz") else content).decode()
    figures = {"ndcg@10": ir_measures.nDCG @ 10, "mrr@10": ir_measures.RR @ 10, "recall@5": ir_measures.R @ 5}
    theirs = ir_measures.calc_aggregate(
        figures.values(),
        [ir_measures.Qrel(query, paper, 1) for query, paper in GOLD.items()],
        ir_measures.read_trec_run(text),
    )
    for score, figure in figures.items():
        assert scores[score] == pytest.approx(theirs[figure], abs=1e-6)


@pytest.mark.parametrize("name", ["before.trec", "before.trec.gz"])
def test_differences_are_those_of_scipy(report, folder: Path, name: str) -> None:
    """Each score's difference to a baseline run has the paired bootstrap interval that scipy finds."""
    first = report("beir", "--run", "run.trec")
    rows = [
        f"{query} Q0 {paper} {rank} {-rank} other"
        for query in QUERIES
        for rank, (paper, _) in enumerate(reversed(read_run(folder / "run.trec").rankings[query]), 1)
    ]
    text = "\n".join(rows).encode()
    (folder / name).write_bytes(gzip.compress(text) if name.endswith(".gz") else text)
    found = report("beir", "--baseline", name)
    assert found["differences"].keys() == found["scores"].keys()
    new = np.array([row["scores"]["mrr@10"] for row in first["per_query"]])
    before = np.array([reciprocal_rank(rows, query) for query in QUERIES])
    assert (new != before).any()
    theirs = bootstrap(
        (new - before,), np.mean, method="percentile", n_resamples=20_000, rng=np.random.default_rng(5)
    ).confidence_interval
    interval = found["differences"]["mrr@10"]
    assert interval["difference"] == pytest.approx((new - before).mean(), abs=1e-6)
    assert (interval["low"], interval["high"]) == pytest.approx((theirs.low, theirs.high), abs=0.02)
    assert (interval["n"], interval["confidence"]) == (6, 0.95)
    assert found["provenance"]["baseline"]["file"] == name


def reciprocal_rank(rows: list[str], query: str) -> float:
    ranking = [row.split()[2] for row in rows if row.startswith(f"{query} ")]
    return 1 / (ranking.index(GOLD[query]) + 1)


def test_a_stored_report_is_a_baseline(run_eval, folder: Path) -> None:
    """The same search against its own stored report differs by exactly zero, in print as in JSON."""
    assert run_eval("beir", "--results", "kept")[0] == 0
    code, out, _ = run_eval("beir", "--baseline", "kept/beir.json")
    assert code == 0
    line = next(line for line in out.splitlines() if line.startswith("| mrr@10"))
    assert [cell.strip() for cell in line.split("|")[3:6]] == ["+0.000", "[+0.000, +0.000]", "6"]
    assert "Differences are to beir.json" in out


def test_a_baseline_that_is_none_is_reported(run_eval, folder: Path) -> None:
    """A file that is neither a run nor a report, and a run over other queries, are reported."""
    (folder / "x.json").write_text("{}")
    (folder / "x.trec").write_text("what is this?")
    (folder / "other.trec").write_text("z Q0 p0 1 1 t\n")
    fails_with(run_eval("beir", "--baseline", "x.json"), "x.json is not a report")
    fails_with(run_eval("beir", "--baseline", "x.trec"), "x.trec, line 1")
    fails_with(run_eval("beir", "--baseline", "other.trec"), "ranks no query of 'beir'")
    fails_with(run_eval("beir", "--baseline", "gone.trec"), "gone.trec cannot be read")


def test_the_report_is_written_as_a_page(run_eval, folder: Path) -> None:
    """--html writes a page with scores and failures too; a file that cannot be written is an error."""
    code, out, _ = run_eval("beir", "--html", "kept/page.html")
    assert (code, out.startswith("beir: 6 questions")) == (0, True)
    html = (folder / "kept" / "page.html").read_text("utf-8")
    assert html.startswith("<!DOCTYPE html>")
    assert "mrr@10" in html
    fails_with(run_eval("beir", "--html", "kept"), "name another file with --html")


# --- conditions


@pytest.fixture
def conditions(folder: Path):
    """A function that adds a condition over the BEIR folder to eval/conditions.toml."""

    def add(name: str, expected: float, where: str = "../beir", corpus: str = "../beir/corpus.jsonl") -> None:
        path = folder / "eval" / "conditions.toml"
        path.parent.mkdir(exist_ok=True)
        with path.open("a") as stream:
            stream.write(CONDITION.format(name=name, folder=where, corpus=corpus, expected=expected))

    return add


def test_a_condition_that_is_met_is_ok(run_eval, report, conditions) -> None:
    """A score at its expectation or above ends in status 0, with one line a score."""
    found = report("beir")["scores"]["mrr@10"]
    conditions("even", found)
    conditions("above", found - 0.2)
    code, out, err = run_eval("--check")
    assert (code, err) == (0, "")
    lines = [line.split() for line in out.splitlines()]
    assert [(line[0], line[1], line[-1]) for line in lines] == [
        ("even", "mrr@10", "ok"),
        ("above", "mrr@10", "ok"),
    ]
    assert f"{found:.3f}" in lines[0]


def test_a_miss_is_a_failure(run_eval, report, conditions) -> None:
    """A score below its bound is marked and ends in status 1, after every condition has run."""
    found = report("beir")["scores"]["mrr@10"]
    conditions("below", found + 0.01)
    conditions("even", found)
    code, out, err = run_eval("--check")
    assert (code, err) == (1, "")
    assert [line.split()[-1] for line in out.splitlines()] == ["MISS", "ok"]
    assert run_eval("--check", "even")[0] == 0


def test_a_condition_without_its_data_is_skipped(run_eval, conditions) -> None:
    """Absent shared data skips a condition with the reason; where nothing else was checked, that fails."""
    conditions("absent", 0.1, where="$shared/beir")
    conditions("there", 0.1)
    code, out, _ = run_eval("--check")
    assert code == 0
    assert "absent           skipped: " in out
    assert "RAG_QA_SHARED" in out.splitlines()[0]
    result = run_eval("--check", "absent")
    fails_with(result, "nothing was checked: absent skipped")
    assert "skipped: " in result[1]


def test_findings_can_be_json(run_eval, conditions) -> None:
    """--check --json prints findings and skipped conditions, with the same status."""
    conditions("absent", 0.1, where="$shared/beir")
    conditions("below", 2)
    code, out, _ = run_eval("--check", "--json")
    assert code == 1
    found = json.loads(out)
    assert list(found["skipped"]) == ["absent"]
    (row,) = found["findings"]
    assert (row["condition"], row["score"], row["ok"]) == ("below", "mrr@10", False)


def test_checking_keeps_no_results(run_eval, conditions, folder: Path) -> None:
    """A check writes no report beside the set: it is no measurement to publish."""
    conditions("there", 0.1)
    assert run_eval("--check")[0] == 0
    assert sorted(path.name for path in folder.iterdir()) == ["beir", "cache", "eval"]
    assert [path.name for path in (folder / "eval").iterdir()] == ["conditions.toml"]


def test_wrong_conditions_are_reported(run_eval, conditions, folder: Path) -> None:
    """A missing file, an unknown name and a malformed condition are reported with the edit."""
    fails_with(run_eval("--check"), "--conditions FILE")
    conditions("there", 0.1)
    fails_with(run_eval("--check", "three"), "no condition 'three'; name one of there")
    (folder / "eval" / "conditions.toml").write_text("[there]\nfolder = 'x'\n")
    fails_with(
        run_eval("--check"),
        "conditions.toml, condition 'there': scores: Field required; a condition is [NAME]",
    )


@pytest.mark.parametrize(
    "arguments", [[], ["beir", "beir"], ["--check", "--run", "x"], ["--check", "--html", "x"]]
)
def test_wrong_usage_is_status_2(run_eval, arguments: list[str]) -> None:
    """No folder, two of them, and options that a condition decides are usage errors."""
    code, out, err = run_eval(*arguments)
    assert (code, out) == (2, "")
    assert "Usage: " in err
