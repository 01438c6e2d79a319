"""One evaluation, from a folder to a report."""

from pathlib import Path

from rag_qa.errors import EvaluationError
from rag_qa.evaluation.baselines import read_baseline, with_differences
from rag_qa.evaluation.caching import CachedGenerator
from rag_qa.evaluation.conversations import (
    ConversationSet,
    Talker,
    conversations_file,
    load_conversations,
    run_conversations,
)
from rag_qa.evaluation.datasets import QuestionSet, RetrievalSet, load_beir, load_question_set
from rag_qa.evaluation.grounding import Support, verbatim
from rag_qa.evaluation.phrasings import PhrasingSet, is_phrasing_set, load_phrasings, run_phrasings
from rag_qa.evaluation.reports import fill_readme, write_results
from rag_qa.evaluation.retrieval_runs import Progress, run_retrieval
from rag_qa.evaluation.running import run_question_set
from rag_qa.types import EvalReport

# In the root of a clone.
SETS = Path("eval/sets")


def find_set(name: str | Path) -> Path:
    """Return the folder of a set: a path, or in the root of a clone the name of one in eval/sets (fields/dev)."""
    named = SETS / name
    return named if named.is_dir() and not Path(name).is_dir() else Path(name)


def load_set(
    folder: Path, *, split: str | None = None
) -> ConversationSet | PhrasingSet | QuestionSet | RetrievalSet:
    """Read a folder of conversations, phrasings, questions or BEIR files.

    Raises EvaluationError if it is none of these, or malformed.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise EvaluationError(
            f"there is no folder {folder}; give the path of a question set, or in a clone the name of one in "
            f"{SETS}, such as sample"
        )
    if not (folder / "set.toml").exists():
        return load_beir(folder, split=split)
    if is_phrasing_set(folder):
        return load_phrasings(folder, split=split)
    if conversations_file(folder, split).exists():
        return load_conversations(folder, split=split)
    if split is not None:
        raise EvaluationError(f"the question set {folder} has no splits; leave --split out")
    return load_question_set(folder)


def evaluate(
    folder: Path,
    assistant: Talker,
    *,
    split: str | None = None,
    results: Path | None = None,
    run_file: Path | None = None,
    baseline: Path | None = None,
    support: Support = verbatim,
    cache: CachedGenerator | None = None,
    progress: Progress | None = None,
) -> EvalReport:
    """Evaluate an assistant on conversations, phrasings, a question set, or a BEIR folder (retrieval alone).

    Args:
        folder: the set.
        assistant: what is measured.
        split: the part of a BEIR folder, of conversations or of phrasings.
        results: a folder for the report, as NAME.json; the table of a README.md beside it is brought up to date.
        run_file: a file for the first hundred papers of each query, as a TREC run.
        baseline: a TREC run or a report; the report then holds the difference of every score to it.
        support: decides whether quotes support a sentence that is not verbatim.
        cache: the assistant's generator if it keeps results; cached questions are not timed.
        progress: called with (done, total).

    Raises EvaluationError if the set or the baseline is malformed, or the index is of another corpus.
    """
    judged = load_set(folder, split=split)
    parsed = isinstance(judged, ConversationSet | PhrasingSet)
    if parsed and (run_file is not None or baseline is not None):
        raise EvaluationError(
            "conversations and phrasings have no run to write or compare; leave --run and --baseline out"
        )
    before = None if baseline is None else read_baseline(baseline)
    if isinstance(judged, ConversationSet):
        report = run_conversations(assistant, judged, progress=progress)
    elif isinstance(judged, PhrasingSet):
        report = run_phrasings(assistant, judged, progress=progress)
    elif isinstance(judged, QuestionSet):
        report = run_question_set(assistant, judged, support=support, cache=cache, progress=progress)
        judged = judged.retrieval
        if run_file is not None:  # questions are ranked ten deep, runs a hundred
            run_retrieval(assistant, judged, run_file=run_file)
    else:
        report = run_retrieval(assistant, judged, run_file=run_file, progress=progress)
    if before is not None and isinstance(judged, RetrievalSet):
        report = with_differences(report, before, judged, assistant)
    if results is not None:
        write_results(report, results)
        fill_readme(Path(results).parent / "README.md", Path(results))
    return report
