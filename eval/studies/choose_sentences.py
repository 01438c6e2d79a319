"""Measure whether the language model chooses sentences better than the retriever's scores, on SciFact's rationales.

    python eval/studies/choose_sentences.py SHARED_DATA_FOLDER [--claims 120]

For each supported claim the candidates are the sentences of its gold abstracts and of the five nearest others. The
sentences that annotators marked as rationale are the right ones. `model` is the mean log-probability of the claim given
the sentence under the starter model (query likelihood), for the retriever's first eight. Prints hit@1, hit@3 and hit@4:
the share of claims with a right sentence among the first k.

The model takes 1.6 s a claim on two cores. Among 120 claims, differences of about .08 are within chance.
"""

import random
import time
from collections import Counter
from math import log
from pathlib import Path

import numpy as np

from eval.programs import parser_for, read_rows
from rag_qa.answering.evidence.scoring import score_sentences
from rag_qa.backends.embedding import open_embedder
from rag_qa.backends.likelihood import LikelihoodReranker
from rag_qa.backends.llama import open_generator
from rag_qa.backends.locating import STARTER
from rag_qa.settings import Settings
from rag_qa.text.words import content_terms, question_terms
from rag_qa.types import Paper

DEPTH, NEAR, POOL = 8, 5, 400
REQUEST = "\nWrite a statement that the passage supports:"


def z(values: np.ndarray, among: np.ndarray) -> np.ndarray:
    """Return z-scores: values minus the mean of some of them, in their standard deviations."""
    scores: np.ndarray = (values - values[among].mean()) / (values[among].std() + 1e-6)
    return scores


def main() -> None:
    parser = parser_for(__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("--claims", type=int, default=120)
    options = parser.parse_args()
    rng = random.Random(5)
    rows = [
        r for r in read_rows(options.data / "scifact" / "queries.dev.jsonl.gz") if r["label"] == "SUPPORT"
    ]
    claims = rng.sample(rows, options.claims)
    documents = {d["id"]: d for d in read_rows(options.data / "scifact" / "documents.jsonl.gz")}
    gold_ids = {e["doc"] for c in claims for e in c["evidence"]}
    pool = sorted(gold_ids | set(rng.sample(sorted(documents), POOL)))
    papers = {i: Paper(id=i, title=documents[i]["title"], abstract=documents[i]["abstract"]) for i in pool}
    frequency = Counter(t for p in papers.values() for t in set(content_terms(f"{p.title} {p.abstract}")))
    embedder = open_embedder(Settings())
    vectors = embedder.encode([f"{p.title}. {p.abstract}"[:1500] for p in papers.values()], role="document")
    generator = open_generator(Settings(model=STARTER))
    likelihood = LikelihoodReranker(generator, request=REQUEST)
    hits: dict[str, list[list[bool]]] = {}
    spent, tokens = 0.0, 0
    for claim in claims:
        text = claim["text"]
        near = np.argsort(-(vectors @ embedder.encode([text], role="query")[0]))
        gold = {e["doc"] for e in claim["evidence"]}
        chosen = [papers[i] for i in sorted(gold)] + [papers[pool[n]] for n in near if pool[n] not in gold][
            :NEAR
        ]
        terms = question_terms(text)
        weights = {t: log(1 + (len(pool) - frequency[t] + 0.5) / (frequency[t] + 0.5)) for t in terms}
        scored = score_sentences(text, terms, chosen, weights, embedder)
        right = [" ".join(e["text"].split()) for e in claim["evidence"]]
        is_right = [any(s.text in r or r in s.text for r in right) and s.paper_id in gold for s in scored]
        query = embedder.encode([text], role="query")[0]
        cov = np.array([s.coverage for s in scored])
        met = np.array([s.alignment for s in scored])
        sim = embedder.encode([s.text for s in scored], role="sentence") @ query
        headed = [f"{papers[s.paper_id].heading}: {s.text}" for s in scored]
        tsim = embedder.encode(headed, role="sentence") @ query
        first = np.argsort(-(sim + cov))[:DEPTH]
        start = time.perf_counter()
        lm = np.full(len(scored), -99.0)
        titled = [f"{papers[scored[n].paper_id].title}. {scored[n].text}" for n in first]
        lm[first] = likelihood.score(text, titled)
        spent += time.perf_counter() - start
        tokens += sum(len(generator.tokenize(f"{one}{REQUEST}{text}")) for one in titled)
        near_only = np.where(lm > -99, 0, -1e6)
        systems = {
            "similarity": sim,
            "titled similarity": tsim,
            "coverage": cov,
            "similarity + coverage": sim + cov,
            "similarity + .5 coverage": sim + 0.5 * cov,
            "both similarities + coverage": (sim + tsim) / 2 + cov,
            "both similarities + .5 coverage": (sim + tsim) / 2 + 0.5 * cov,
            "titled similarity + coverage": tsim + cov,
            "titled similarity + .5 coverage": tsim + 0.5 * cov,
            "titled similarity + similarity": tsim + sim,
            "alignment": met,
            "both similarities + alignment": (sim + tsim) / 2 + met,
            "both similarities + coverage + alignment": (sim + tsim) / 2 + cov + met,
            "model": lm,
            "similarity + coverage + model": z(sim + cov, first) + z(lm, first) + near_only,
            "both similarities + coverage + model": z((sim + tsim) / 2 + cov, first)
            + z(lm, first)
            + near_only,
            "both similarities + coverage + alignment + model": z((sim + tsim) / 2 + cov + met, first)
            + z(lm, first)
            + near_only,
            "similarity + coverage + .5 model": z(sim + cov, first) + 0.5 * z(lm, first) + near_only,
        }
        for name, scores in systems.items():
            order = np.argsort(-scores, kind="stable")
            hits.setdefault(name, []).append([any(is_right[n] for n in order[:k]) for k in (1, 3, 4)])
    for name, rows_ in hits.items():
        print(name.ljust(48), np.round(np.mean(rows_, axis=0), 3))
    print(f"model: {tokens / len(claims):.0f} tokens and {spent / len(claims):.2f} s a claim")


if __name__ == "__main__":
    main()
