"""Measure which faults the verdict finds, and how often it doubts a true sentence; write benchmarks/faults.json.

    python eval/studies/detect_faults.py SHARED_DATA_FOLDER [--papers 60] [--vectors FILE.npz]

Faults are put into true sentences (eval/studies/faults.py): those of the sample papers, and those of abstracts of
scitldr's dev split, each word for word and lightly paraphrased. A harder group are scitldr's one-sentence summaries by
the papers' authors, against the whole abstract. A fault is found if the verdict is not `supported`. A false alarm is a
true sentence that is not called supported. Compare the table printed with the one in eval/LOG.md.
"""

import json
import random
from pathlib import Path
from typing import Any

from eval.doubles import RememberingEmbedder
from eval.programs import parser_for, read_rows
from eval.studies.faults import Claim, Rate, detections, false_alarms, inject, paraphrased
from rag_qa.answering.verdict.model import Verifier
from rag_qa.backends.embedding import open_embedder
from rag_qa.evaluation.provenance import describe_run
from rag_qa.sample import sample_papers_path
from rag_qa.settings import Settings
from rag_qa.text.sentences import split_sentences

OUTPUT = Path(__file__).parents[1] / "benchmarks" / "faults.json"
FALSE_ALARMS = "false alarms"


def verbatim_claims(papers: list[dict[str, Any]]) -> list[Claim]:
    """Return every sentence of the papers, citing itself."""
    found = []
    for paper in papers:
        for start, end in split_sentences(paper["abstract"]):
            text = paper["abstract"][start:end]
            found.append(Claim(paper_id=paper["id"], sentence=text, evidence=(text,)))
    return found


def scitldr(data: Path, papers: int) -> tuple[list[Claim], list[Claim]]:
    """Return the sentences of random abstracts of the dev split, and the authors' summaries of the same."""
    summaries = [row for row in read_rows(data / "queries.dev.jsonl.gz") if row["kind"] == "author"]
    chosen = random.Random(0).sample(summaries, papers)
    wanted = {row["doc"] for row in chosen}
    documents = {d["id"]: d for d in read_rows(data / "documents.jsonl.gz") if d["id"] in wanted}
    summaries_of = [
        Claim(paper_id=row["doc"], sentence=row["text"], evidence=(documents[row["doc"]]["abstract"],))
        for row in chosen
    ]
    return verbatim_claims(list(documents.values())), summaries_of


def measure(verifier: Verifier, claims: list[Claim], seed: int) -> dict[str, Rate]:
    """Return the rate of alarms for each kind of fault and for the claims as they are."""
    alarms = {FALSE_ALARMS: false_alarms(verifier.judge, claims)}
    return alarms | detections(verifier.judge, inject(claims, seed))


def main() -> None:
    parser = parser_for(__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("--papers", type=int, default=60)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--vectors", type=Path)
    options = parser.parse_args()
    embedder = RememberingEmbedder(open_embedder(Settings()), options.vectors)
    verifier = Verifier(embedder)
    sample = verbatim_claims(read_rows(sample_papers_path()))
    abstracts, summaries = scitldr(options.data / "scitldr", options.papers)
    groups = {
        "sample": sample,
        "sample, paraphrased": paraphrased(sample),
        "scitldr": abstracts,
        "scitldr, paraphrased": paraphrased(abstracts),
        "scitldr summaries": summaries,
    }
    found = {name: measure(verifier, claims, options.seed) for name, claims in groups.items()}
    embedder.save()
    kinds = list(dict.fromkeys(kind for rates in found.values() for kind in rates))
    print("| | " + " | ".join(groups) + " |\n|---|" + "---|" * len(groups))
    for kind in kinds:
        rates = [found[name].get(kind, Rate(0, 0)) for name in groups]
        print(
            f"| {kind} | "
            + " | ".join(f"{r.share:.3f} of {r.total}" if r.total else "-" for r in rates)
            + " |"
        )
    report = {
        "alarms": {
            name: {kind: rate._asdict() for kind, rate in rates.items()} for name, rates in found.items()
        },
        "provenance": describe_run() | {"seed": options.seed, "papers": options.papers},
    }
    OUTPUT.write_text(json.dumps(report, indent=2) + "\n", "utf-8")


if __name__ == "__main__":
    main()
