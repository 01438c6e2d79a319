"""Check that a condition turns red if a stage is broken: break each stage in turn, and check the condition.

    python eval/studies/mutations.py [--condition sample] [--writer] [--only NAME ...] [--cache FOLDER]

Without `--writer` the mutations are of stages that answers in quotes pass through. With it the condition is
`seeds_writer` unless one is named, and the stages around the language model are broken; earlier generations come from
the cache of `rag-qa eval`. A mutation is caught if it turns a score red that is green without it. Prints what turned
red; ends with status 1 if a mutation is not caught. Takes about a minute on two cores without the writer.
"""

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any
from unittest.mock import patch

from platformdirs import user_cache_path

from eval.doubles import CredulousJudge, RememberingEmbedder
from eval.programs import parser_for
from rag_qa.answering import assistant, pipeline, synthesis
from rag_qa.answering.evidence.answerability import decide, decide_list
from rag_qa.answering.evidence.choosing import choose_sentences
from rag_qa.answering.evidence.relevance import Relevance
from rag_qa.answering.evidence.scoring import ScoredSentence
from rag_qa.answering.writing.attribution import Attribution
from rag_qa.answering.writing.writer import Writer
from rag_qa.app.options import load_settings
from rag_qa.backends.embedding import open_embedder
from rag_qa.evaluation.conditions import Condition, choose, judge, load_conditions
from rag_qa.evaluation.measuring import measure
from rag_qa.retrieval.searching import Retriever
from rag_qa.settings import Settings
from rag_qa.types import Evidence, Hit, Sentence, Verdict

CONDITIONS = Path(__file__).parents[1] / "conditions.toml"
GARBLED = "The moon is made of green cheese. "
Mutation = Callable[[], AbstractContextManager[Any]]


def search_reversed() -> AbstractContextManager[Any]:
    """The worst of the papers found come first."""
    search = Retriever.search

    def reversed_search(self: Retriever, *given: Any, **options: Any) -> list[Hit]:
        hits = search(self, *given, **options)
        return [hit.model_copy(update={"rank": n}) for n, hit in enumerate(hits[::-1], 1)]

    return patch.object(Retriever, "search", reversed_search)


def decision_always_yes() -> AbstractContextManager[Any]:
    """No question is refused."""
    return _wanting(0.0)


def decision_always_no() -> AbstractContextManager[Any]:
    """Every question is refused."""
    return _wanting(1.1)


def _wanting(confidence: float) -> AbstractContextManager[Any]:
    return patch.multiple(
        pipeline,
        decide=lambda *given, **options: decide(*given, **options | {"wanted": confidence}),
        decide_list=lambda *given, **options: decide_list(*given, **options | {"wanted": confidence}),
    )


def sentences_reversed() -> AbstractContextManager[Any]:
    """The sentences farthest from the question count as the nearest."""

    def upside_down(relevant: Sequence[Relevance], *rest: Any) -> list[ScoredSentence]:
        worst = [
            paper.model_copy(update={"sentences": tuple(map(negated, paper.sentences[::-1]))})
            for paper in relevant
        ]
        return choose_sentences(worst, *rest)

    def negated(s: ScoredSentence) -> ScoredSentence:
        return s.model_copy(update={"similarity": -s.similarity - 2 * (s.coverage + s.alignment)})

    return patch.object(pipeline, "choose_sentences", upside_down)


def quotes_cut_short() -> AbstractContextManager[Any]:
    """Each quote lacks its last character."""
    citation: property = vars(Evidence)["citation"]
    cut = property(lambda self: citation.__get__(self).model_copy(update={"quote": self.sentence[:-1]}))
    return patch.object(Evidence, "citation", cut)


def other_paper_cited() -> AbstractContextManager[Any]:
    """Each quote is cited from the paper found last."""
    answer = pipeline._answer

    def misattributed(question: str, query: Any, sentences: Sequence[Sentence], hits: Any, trace: Any) -> Any:
        moved = [
            s.model_copy(
                update={
                    "citations": tuple(
                        c.model_copy(update={"paper_id": hits[-1].paper.id}) for c in s.citations
                    )
                }
            )
            for s in sentences
        ]
        return answer(question, query, moved, hits, trace)

    return patch.object(pipeline, "_answer", misattributed)


def first_candidate_cited() -> AbstractContextManager[Any]:
    """Whatever a sentence says, it cites the first candidate, and passes."""

    def first(
        sentence: str, candidates: Sequence[Evidence], *rest: Any, **options: Any
    ) -> Attribution | None:
        verdict = Verdict(label="supported", probability=1.0)
        return Attribution((candidates[0],), verdict) if candidates else None

    return patch.object(synthesis, "attribute", first)


def writing_garbled() -> AbstractContextManager[Any]:
    """The model writes a sentence that has nothing to do with the evidence."""

    def write(self: Writer, *given: Any, **options: Any) -> Iterator[str]:
        yield GARBLED

    return patch.multiple(Writer, write=write, rewrite=lambda self, *given: GARBLED.strip())


def verdict_always_supported() -> AbstractContextManager[Any]:
    """Everything written passes, with the citation tried first."""
    return patch.object(assistant, "open_verifier", lambda *given: CredulousJudge())


QUOTING: dict[str, Mutation] = {
    "search reversed": search_reversed,
    "decision always yes": decision_always_yes,
    "decision always no": decision_always_no,
    "sentences reversed": sentences_reversed,
    "quotes cut short": quotes_cut_short,
    "other paper cited": other_paper_cited,
}
WRITING: dict[str, Mutation] = {
    "search reversed": search_reversed,
    "decision always yes": decision_always_yes,
    "quotes cut short": quotes_cut_short,
    "first candidate cited": first_candidate_cited,
    "writing garbled": writing_garbled,
    "verdict always supported": verdict_always_supported,
}


def red(condition: Condition, cache: Path) -> dict[str, float | None]:
    """Return the scores of the condition that are missed, with the values found."""
    report = measure(
        condition.folder,
        load_settings(style=condition.style, model=condition.model),
        corpus=condition.corpus,
        ids=condition.ids,
        split=condition.split,
        cache=cache,
    )
    return {finding.score: finding.found for finding in judge(condition, report) if not finding.ok}


def main() -> None:
    parser = parser_for(__doc__)
    parser.add_argument("--condition", help="default: sample, with --writer seeds_writer")
    parser.add_argument("--writer", action="store_true", help="break the stages around the language model")
    parser.add_argument("--only", nargs="+", metavar="NAME", help="only these mutations")
    parser.add_argument("--cache", type=Path, default=user_cache_path("rag_qa") / "generations")
    options = parser.parse_args()
    name = options.condition or ("seeds_writer" if options.writer else "sample")
    condition = choose(load_conditions(CONDITIONS), [name])[0]
    if condition.skipped:
        sys.exit(f"{name} cannot be run here: {condition.skipped}")
    mutations = WRITING if options.writer else QUOTING
    if unknown := set(options.only or []) - mutations.keys():
        parser.error(f"there is no mutation {min(unknown)!r}; name one of {', '.join(mutations)}")
    embedder = RememberingEmbedder(open_embedder(Settings()))
    patch.object(assistant, "open_embedder", lambda settings: embedder).start()
    before = red(condition, options.cache)
    print(f"{name}, nothing broken: {_listed(before) or 'green'}", flush=True)
    missed = False
    for mutation in options.only or mutations:
        with mutations[mutation]():
            after = red(condition, options.cache)
        new = {score: found for score, found in after.items() if score not in before}
        missed |= not new
        print(f"{name}, {mutation}: {_listed(new) or 'NOT CAUGHT'}", flush=True)
    sys.exit(1 if missed else 0)


def _listed(scores: dict[str, float | None]) -> str:
    listed = [f"{score} {'-' if found is None else f'{found:.3f}'}" for score, found in scores.items()]
    return f"red: {', '.join(listed)}" if listed else ""


if __name__ == "__main__":
    main()
