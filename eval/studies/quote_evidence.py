"""Measure whether answers in quotes hold the sentences that hold the answer, on the questions in sets/dev.

    python eval/studies/quote_evidence.py SHARED_DATA_FOLDER

The authors of the questions marked the evidence of each fact and each comparison. For the sentences that an answer
would quote, prints the mean share of the evidence that is quoted, the share of questions with all of it, and the mean
number of sentences: as rag_qa chooses, and as if no question were a comparison. Refusals do not count here. Embeds 160
abstracts; compare the table with the one in eval/LOG.md.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from eval.fit.relevance import HITS, SETS, index_papers, read_questions
from eval.programs import parser_for
from rag_qa.answering.evidence.choosing import choose_sentences
from rag_qa.answering.evidence.relevance import assess, keep_relevant
from rag_qa.answering.evidence.scoring import ScoredSentence, score_sentences
from rag_qa.answering.query.kinds import kind_of
from rag_qa.backends.embedding import open_embedder
from rag_qa.retrieval.searching import Retriever
from rag_qa.settings import Settings
from rag_qa.text.words import question_terms

KINDS = ("fact", "comparison")


def quoted(chosen: Sequence[ScoredSentence], evidence: Sequence[Mapping[str, Any]]) -> list[bool]:
    """Return for each piece of evidence whether one of the sentences overlaps it."""
    return [
        any(s.paper_id == e["paper"] and s.start < e["end"] and s.end > e["start"] for s in chosen)
        for e in evidence
    ]


def main() -> None:
    parser = parser_for(__doc__)
    parser.add_argument("data", type=Path)
    options = parser.parse_args()
    settings = Settings()
    embedder = open_embedder(settings)
    rows: dict[tuple[str, str, str], list[tuple[float, bool, int]]] = {}
    for name in SETS:
        with TemporaryDirectory() as work:
            index = index_papers(options.data, name, Path(work), embedder)
            retriever = Retriever(index, embedder)
            for row in (row for row in read_questions(name) if row["kind"] in KINDS):
                hits, terms = retriever.search(row["text"], HITS), question_terms(row["text"])
                weights = index.term_weights(terms)
                papers = [hit.paper for hit in hits]
                sentences = score_sentences(row["text"], terms, papers, weights, embedder)
                kept = keep_relevant(assess(hits, sentences, terms, weights))
                for how, kind in (("as it is", kind_of(row["text"], None).kind), ("as facts", "fact")):
                    chosen = choose_sentences(kept, kind, settings)
                    found = quoted(chosen, row["evidence"])
                    cell = rows.setdefault((name, row["kind"], how), [])
                    cell.append((float(np.mean(found)), all(found), len(chosen)))
            index.close()
    print("| set | questions | chosen | evidence quoted | all of it | sentences |\n|---|---|---|---|---|---|")
    for (name, asked, how), cells in rows.items():
        share, whole, count = np.mean(np.array(cells, dtype=float), axis=0)
        print(f"| {name} | {len(cells)} {asked} | {how} | {share:.3f} | {whole:.3f} | {count:.1f} |")


if __name__ == "__main__":
    main()
