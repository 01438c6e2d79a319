"""Fit how a follow-up question refers to the conversation; write rag_qa/answering/query/looking_back.npz.

    python eval/fit/followups.py [--indexes FOLDER] [--failures]

Fitted on the conversations for development: sets/dev, sets/conversations and the dev half of sets/followups. A turn's
label follows from what the set expects: `alone` if it must stand alone, `shown` if it is about all papers shown last,
`carries` if its own words do not find what is expected. Turns that rules resolve (by position or by name) are no
examples. sets/dev/looks.jsonl holds more follow-ups with their labels. First questions of other conversations, and
those of sets/dev/kinds.jsonl, are further examples of `alone`. Prints ten-fold cross-validation by conversation.

Takes some minutes on two cores; the corpus of sets/dev lies in $RAG_QA_SHARED. Check afterwards:
`rag-qa eval --check conversations`, and `rag-qa eval followups --split dev`.
"""

import random
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple
from unittest.mock import patch

import numpy as np
from sklearn.linear_model import LogisticRegression  # type: ignore[import-untyped]
from sklearn.model_selection import GroupKFold  # type: ignore[import-untyped]

from eval.doubles import RememberingEmbedder
from eval.logistic import fit_logistic
from eval.programs import parser_for, read_rows
from rag_qa import build_index
from rag_qa.answering.query import followups
from rag_qa.answering.query.kinds import asking_words, kind_of
from rag_qa.answering.query.looking_back import FILE, LOOKS, PRONOUN, Look, features
from rag_qa.answering.query.parse import parse
from rag_qa.backends.embedding import open_embedder
from rag_qa.evaluation.conversations import (
    ConversationSet,
    Expected,
    LabelledConversation,
    is_as_expected,
    load_conversations,
)
from rag_qa.evaluation.corpora import resolve_corpus, select_papers
from rag_qa.index.reader import Index
from rag_qa.protocols import Embedder
from rag_qa.settings import Settings
from rag_qa.types import Answer, Paper, Query

SETS = Path(__file__).parents[1] / "sets"
CONVERSATIONS = (("dev", None), ("conversations", None), ("followups", "dev"))
LABELLED = "conversations"
# Kinds of turns that rules resolve in most cases.
RULED = ("number", "name")
STRENGTH = 1.0
# The least number of conversations with a word or bigram of the vocabulary.
COMMON = 3
FOLDS = 10
# Examples of `alone` for each turn: the first question of another conversation, and a whole question.
BEGINNINGS = 2
# The weight of such an example. A model of words alone takes too many questions for follow-ups without a high one.
WEIGHTS = {"words": 2.0, "both": 0.25}


class Asked(NamedTuple):
    """A turn of a set with the history that the set gives it."""

    group: str
    folder: str
    question: str
    history: tuple[Answer, ...]
    kind: str = ""
    expect: Expected | None = None
    look: Look | None = None


def main() -> None:
    """Fit, print how well turns are resolved (cross-validated by conversation), and write the coefficients."""
    parser = parser_for(__doc__)
    parser.add_argument("--failures", action="store_true", help="also print the turns that are not resolved")
    parser.add_argument("--indexes", type=Path, help="a folder that keeps the indexes")
    args = parser.parse_args()
    real = open_embedder(Settings())
    embedder = RememberingEmbedder(real)
    with TemporaryDirectory() as temporary:
        asked: list[Asked] = []
        indexes: dict[str, Index] = {}
        for name, split in CONVERSATIONS:
            judged = load_conversations(SETS / name, split=split)
            folder = (args.indexes or Path(temporary)) / name
            build_index(_shown(judged, folder.parent), folder, embedder=real)
            indexes[name] = Index.open(folder)
            for conversation in judged.conversations:
                asked += _turns(name, conversation, indexes[name])
        asked += _labelled(indexes[LABELLED])
        rights = [_rights(turn, indexes[turn.folder], embedder) for turn in asked]
        vocabulary = _vocabulary(asked)
        found = {
            name: _fit_and_judge(name, asked, rights, vocabulary, indexes, reader, failures=args.failures)
            for name, reader in (("words", None), ("both", embedder))
        }
        for index in indexes.values():
            index.close()
    np.savez_compressed(
        FILE,
        embedder=np.array(embedder.spec.name),
        vocabulary=np.array(vocabulary),
        words=found["words"],
        both=found["both"],
    )
    print(f"{FILE}: {FILE.stat().st_size} bytes, {len(vocabulary)} words")


def _shown(judged: ConversationSet, folder: Path) -> list[Path]:
    """Return a file of the papers that the conversations show; for the sample, which is small, all papers."""
    sources = resolve_corpus(judged)
    if judged.corpus == ("sample",):
        return sources
    ids = sorted(
        {key for conversation in judged.conversations for turn in conversation.turns for key in turn.shows}
    )
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{judged.name}.txt").write_text("\n".join(ids), "utf-8")
    return [select_papers(sources, folder / f"{judged.name}.txt", folder / f"{judged.name}.jsonl")]


def _labelled(index: Index) -> Iterator[Asked]:
    for row in read_rows(SETS / "dev" / "looks.jsonl"):
        papers = tuple(index.paper(key) for key in row["shows"])
        former = _answer(row["former"], papers, Query(text=row["former"], topic=row["former"]))
        yield Asked(f"looks/{row['former']}", LABELLED, row["question"], (former,), look=row["look"])


def _vocabulary(asked: Sequence[Asked]) -> list[str]:
    """Return the words and bigrams that are in enough conversations."""
    seen = {(word, turn.group) for turn in asked for word in asking_words(turn.question)}
    counts = Counter(word for word, _ in seen)
    return sorted(word for word, count in counts.items() if count >= COMMON)


def _turns(name: str, conversation: LabelledConversation, index: Index) -> Iterator[Asked]:
    history: list[Answer] = []
    for turn in conversation.turns:
        papers = tuple(index.paper(key) for key in turn.shows)
        if turn.expect:
            group = f"{name}/{conversation.id}"
            yield Asked(group, name, turn.question, tuple(history), turn.kind, turn.expect)
        last = next((answer.papers for answer in reversed(history) if answer.papers), ())
        picked = bool(history) and {paper.id for paper in papers} <= {paper.id for paper in last}
        query = Query(
            text=turn.question,
            topic=turn.question,
            within=tuple(paper.id for paper in last) if picked and papers else None,
        )
        history.append(_answer(turn.question, papers, query))


def _answer(question: str, papers: tuple[Paper, ...], query: Query) -> Answer:
    return Answer(
        question=question,
        abstained=not papers,
        reason=None,
        sentences=(),
        papers=papers,
        provenance={},
        timings={},
        query=query,
    )


def _understood(turn: Asked, look: Look, index: Index, embedder: Embedder) -> Query:
    with patch.object(followups, "look_of", lambda *_: look):
        return parse(turn.question, turn.history, facets=index.facets, index=index, embedder=embedder)


def _rights(turn: Asked, index: Index, embedder: Embedder) -> dict[Look, bool]:
    """Return which ways of looking back resolve a turn as expected."""
    if turn.expect is None:
        return {look: look == turn.look for look in LOOKS}
    return {
        look: is_as_expected(
            turn.question,
            _understood(turn, look, index, embedder),
            turn.expect,
            turn.history,
            index.lexical,
        )
        for look in LOOKS
    }


def _label(turn: Asked, right: dict[Look, bool]) -> Look | None:
    """Return how a turn looks back, or None if that does not matter or no way is right."""
    if turn.expect is None or turn.expect.alone:
        return turn.look or "alone"
    if turn.kind in RULED and (all(right.values()) or not any(right.values())):
        return None
    if not right["shown"] and turn.kind == "ellipsis":
        return "carries"
    order: tuple[Look, ...] = ("shown", "narrows", "drops", "alone", "carries")
    return next((look for look in order if right[look]), None)


def _features(
    turn: Asked, question: str, vocabulary: Sequence[str], embedder: Embedder | None, index: Index
) -> np.ndarray:
    papers = next((answer.papers for answer in reversed(turn.history) if answer.papers), ())
    words = {word: n for n, word in enumerate(vocabulary)}
    kind = kind_of(question, embedder)
    return features(question, turn.history[-1].question, papers, kind, words, embedder, index)


def _others(asked: Sequence[Asked]) -> list[str]:
    """Return for each turn BEGINNINGS questions that stand alone: the beginning of another, and a whole one."""
    draw = random.Random(0)
    firsts = sorted({turn.history[0].question for turn in asked if len(turn.history) == 1})
    texts = [row["text"] for row in read_rows(SETS / "dev" / "kinds.jsonl")]
    wholes = [re.sub(r"[{}<>]", "", text) for text in texts if "{" in text and not PRONOUN.search(text)]
    return [
        draw.choice(other)
        for turn in asked
        for other in ([first for first in firsts if first != turn.history[0].question], wholes)
    ]


def _fit_and_judge(
    name: str,
    asked: Sequence[Asked],
    rights: Sequence[dict[Look, bool]],
    vocabulary: Sequence[str],
    indexes: dict[str, Index],
    embedder: Embedder | None,
    *,
    failures: bool,
) -> np.ndarray:
    """Print the figures of ten folds, and return the coefficients fitted on all; float16, (looks, features + 1)."""
    labels = [_label(turn, right) for turn, right in zip(asked, rights, strict=True)]

    def read(turn: Asked, question: str) -> np.ndarray:
        return _features(turn, question, vocabulary, embedder, indexes[turn.folder])

    seen = np.stack([read(turn, turn.question) for turn in asked])
    turns = [turn for turn in asked for _ in range(BEGINNINGS)]
    others = np.stack([read(turn, other) for turn, other in zip(turns, _others(asked), strict=True)])
    groups = np.array([turn.group for turn in asked])
    usable = np.array([label is not None for label in labels])
    known = np.array([label or "" for label in labels])
    chosen = np.empty(len(asked), dtype=object)
    begun = []
    for train, test in GroupKFold(FOLDS).split(seen, groups=groups):
        inside = np.isin(np.repeat(groups, BEGINNINGS), groups[train])
        model = _fit(seen[train][usable[train]], known[train][usable[train]], others[inside], WEIGHTS[name])
        chosen[test] = model.predict(seen[test])
        begun += list(model.predict(others[~inside]) != "alone")
    right = [rights[n][look] for n, look in enumerate(chosen)]
    labelled = (chosen == known)[usable].mean()
    print(f"{name}: labels {labelled:.3f} of {usable.sum()}, beginnings {np.mean(begun):.3f} of {len(begun)}")
    for part in ("", *dict.fromkeys(turn.group.split("/")[0] for turn in asked)):
        own = [n for n, turn in enumerate(asked) if turn.group.startswith(part)]
        leaks = [not right[n] for n in own if labels[n] == "alone"]
        print(f"  {part or 'all'}: resolution {np.mean([right[n] for n in own]):.3f} of {len(own)}", end="")
        print(f", leaks {np.mean(leaks):.3f} of {len(leaks)}")
    for n, turn in enumerate(asked):
        if failures and not right[n]:
            print(f"    {turn.group} {turn.question!r} {turn.kind}: {chosen[n]}, wanted {labels[n]}")
    model = _fit(seen[usable], known[usable], others, WEIGHTS[name])
    assert tuple(model.classes_) == LOOKS
    return np.hstack([model.coef_, model.intercept_[:, None]]).astype(np.float16)


def _fit(seen: np.ndarray, labels: np.ndarray, others: np.ndarray, weight: float) -> LogisticRegression:
    weights = np.concatenate([np.ones(len(seen)), np.full(len(others), weight)])
    known = [*labels, *["alone"] * len(others)]
    return fit_logistic(np.vstack([seen, others]), known, strength=STRENGTH, weights=weights)


if __name__ == "__main__":
    main()
