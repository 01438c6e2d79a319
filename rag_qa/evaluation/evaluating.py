"""One evaluation, from a folder to a report: conversations, a question set (set.toml), else a BEIR folder."""

from pathlib import Path

from rag_qa.evaluation.conversations import CONVERSATIONS, Talker, load_conversations, run_conversations
from rag_qa.evaluation.datasets import load_beir, load_question_set
from rag_qa.evaluation.grounding import Support, verbatim
from rag_qa.evaluation.reports import fill_readme, write_results
from rag_qa.evaluation.retrieval_runs import Progress, run_retrieval
from rag_qa.evaluation.running import run_question_set
from rag_qa.types import EvalReport


def evaluate(
    folder: Path,
    assistant: Talker,
    *,
    results: Path | None = None,
    support: Support = verbatim,
    progress: Progress | None = None,
) -> EvalReport:
    """Evaluate an assistant on conversations, a question set (all figures) or a BEIR folder (retrieval alone).

    With `results`, the report is written there as NAME.json, and the table of a README.md beside that folder
    is brought up to date. Raises EvaluationError when the set is malformed or the index is of another corpus.
    """
    folder = Path(folder)
    if (folder / CONVERSATIONS).exists():
        report = run_conversations(assistant, load_conversations(folder), progress=progress)
    elif (folder / "set.toml").exists():
        report = run_question_set(assistant, load_question_set(folder), support=support, progress=progress)
    else:
        report = run_retrieval(assistant, load_beir(folder), progress=progress)
    if results is not None:
        write_results(report, results)
        fill_readme(Path(results).parent / "README.md", Path(results))
    return report
