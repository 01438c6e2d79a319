"""Conditions: what to run, and the least scores, as data in a TOML file."""

import math
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Self

from pydantic import Field, ValidationError, model_validator

from rag_qa.backends.locating import locate_model
from rag_qa.errors import EvaluationError, ModelNotFoundError
from rag_qa.evaluation.complaints import first_complaint
from rag_qa.evaluation.corpora import SHARED, shared_folder
from rag_qa.evaluation.significance import DIGITS
from rag_qa.settings import Style
from rag_qa.types import EvalReport, Value

FROM_SHARED = "$shared/"
COUNTS = frozenset({"invalid_citations"})
BARE = re.compile(r"[\w-]+")
LOWER_IS_BETTER = frozenset(
    {"answerable_refused", "near_answered", "far_answered", "invalid_citations", "leaks"}
)
EITHER = frozenset({"refused", "words_shown", "words_prose"})
CURE = (
    'a condition is [NAME] with a folder, and [NAME.scores] with "recall@5" = { expected = 0.5, tolerance = 0.01 } '
    "or answerable_refused = { maximum = 0.05 }"
)


class Bound(Value):
    """How bad a score may be: `tolerance` under what is expected, or up to a maximum if lower is better."""

    expected: float | None = None
    tolerance: float | None = Field(None, ge=0)
    maximum: float | None = None

    @model_validator(mode="after")
    def _one_sided(self) -> Self:
        if (self.expected is None) == (self.maximum is None):
            raise ValueError("give either expected and tolerance, or maximum")
        if (self.expected is None) != (self.tolerance is None):
            raise ValueError("expected and tolerance go together")
        return self

    def admits(self, found: float) -> bool:
        """Return whether a score is good enough, after rounding to the digits that reports keep."""
        if self.maximum is not None:
            return round(found - self.maximum, DIGITS) <= 0
        return round(found - (self.expected or 0) + (self.tolerance or 0), DIGITS) >= 0

    def __str__(self) -> str:
        if self.maximum is not None:
            return f"at most {self.maximum:.3f}"
        return f"{self.expected:.3f} less {self.tolerance:.3f}"


Bounds = Annotated[Mapping[str, Bound], Field(min_length=1)]


class Condition(Value):
    """One evaluation with the bounds of its scores; paths are resolved.

    `needs` are the paths of shared data that must exist, `model` the language model that must be on this machine.
    """

    name: str
    folder: Path
    split: str | None
    corpus: tuple[Path, ...]
    ids: Path | None
    style: Style | None
    model: str | None
    needs: tuple[Path, ...]
    scores: Bounds

    @property
    def skipped(self) -> str | None:
        """Why it cannot run here (a path or a model that is missing), or None if it can."""
        absent = next((path for path in self.needs if not path.exists()), None)
        if absent is not None:
            return f"{absent} is not there; set {SHARED} to the folder of the shared data"
        if self.model is None:
            return None
        try:
            locate_model(self.model, kind="generator")
        except ModelNotFoundError as exc:
            return str(exc)
        return None


class Finding(Value):
    """A score of a condition: its bound, and the value found (None if the report has no such score)."""

    condition: str
    score: str
    bound: Bound
    found: float | None

    @property
    def ok(self) -> bool:
        """Whether the score was found and is good enough."""
        return self.found is not None and self.bound.admits(self.found)

    def __str__(self) -> str:
        found = "-" if self.found is None else f"{self.found:.3f}"
        verdict = "ok" if self.ok else "MISS"
        return f"{self.condition:<16} {self.score:<22} expected {self.bound!s:<17} found {found:<6} {verdict}"


class _Entry(Value):
    """A condition as it is written: paths are relative to the file, or begin with `$shared/`."""

    folder: str
    split: str | None = None
    corpus: tuple[str, ...] = ()
    ids: str | None = None
    style: Style | None = None
    model: str | None = None
    needs: tuple[str, ...] = ()
    scores: Bounds

    @model_validator(mode="after")
    def _bounded_on_the_right_side(self) -> Self:
        for score, bound in self.scores.items():
            base = score.partition("/")[0]
            lower = base in LOWER_IS_BETTER or base.startswith("seconds")
            if lower != (bound.maximum is not None) and base not in EITHER:
                better, wanted = ("lower", "a maximum") if lower else ("higher", "expected and tolerance")
                raise ValueError(f"{score} is better when {better}: give it {wanted}")
        return self


def load_conditions(path: Path) -> dict[str, Condition]:
    """Read a file of conditions, by name.

    Paths that begin with `$shared/` are in `$RAG_QA_SHARED`, or in `../shared` beside the clone that holds the
    file. Raises EvaluationError naming the condition and the edit that mends it.
    """
    path = Path(path)
    try:
        tables = tomllib.loads(path.read_text("utf-8"))
    except FileNotFoundError as exc:
        raise EvaluationError(
            f"there are no conditions at {path}; run this in the root of a clone, or name a file with --conditions FILE"
        ) from exc
    except (OSError, ValueError) as exc:
        raise EvaluationError(f"{path} is not TOML ({exc}); {CURE}") from exc
    if not tables:
        raise EvaluationError(f"{path} holds no condition; {CURE}")
    return {name: _condition(path, name, table) for name, table in tables.items()}


def _condition(path: Path, name: str, table: object) -> Condition:
    try:
        entry = _Entry.model_validate(table)
    except ValidationError as exc:
        raise EvaluationError(f"{path}, condition {name!r}: {first_complaint(exc)}; {CURE}") from exc
    shared = shared_folder(path)

    def resolve(text: str) -> Path:
        inside = text.startswith(FROM_SHARED)
        return shared / text.removeprefix(FROM_SHARED) if inside else path.parent / text

    written = [entry.folder, *entry.corpus, *([entry.ids] if entry.ids else [])]
    needs = [*entry.needs, *(text for text in written if text.startswith(FROM_SHARED))]
    return Condition(
        name=name,
        folder=resolve(entry.folder),
        split=entry.split,
        corpus=tuple(map(resolve, entry.corpus)),
        ids=resolve(entry.ids) if entry.ids else None,
        style=entry.style,
        model=entry.model,
        needs=tuple(map(resolve, needs)),
        scores=entry.scores,
    )


def choose(conditions: Mapping[str, Condition], names: list[str]) -> list[Condition]:
    """Return the conditions named, or all if none is. Raises EvaluationError for an unknown name."""
    for name in names:
        if name not in conditions:
            raise EvaluationError(f"there is no condition {name!r}; name one of {', '.join(conditions)}")
    return [conditions[name] for name in dict.fromkeys(names)] or list(conditions.values())


def judge(condition: Condition, report: EvalReport) -> list[Finding]:
    """Return a finding for each score of a condition."""
    return [
        Finding(condition=condition.name, score=score, bound=bound, found=report.scores.get(score))
        for score, bound in condition.scores.items()
    ]


def record(condition: Condition, report: EvalReport) -> str:
    """Return the condition's scores as found, in TOML to paste; the tolerance is the weight of one question.

    A count gets itself as its maximum. Raises EvaluationError if the report lacks one of the scores.
    """
    lines = [f"[{condition.name}.scores]"]
    for score, bound in condition.scores.items():
        if (found := report.scores.get(score)) is None:
            raise EvaluationError(
                f"the report of {condition.name!r} has no score {score!r}; remove it from the condition"
            )
        weight = _weight(score, report)
        key = score if BARE.fullmatch(score) else f'"{score}"'
        bounds = (
            f"maximum = {found + weight:.3f}"
            if bound.maximum is not None
            else f"expected = {found:.3f}, tolerance = {weight:.3f}"
        )
        lines.append(f"{key} = {{ {bounds} }}")
    return "\n".join(lines)


def _weight(score: str, report: EvalReport) -> float:
    """Return the weight of one question in a mean, rounded up to three digits; 0 for a count or a constant score."""
    base, _, kind = score.partition("/")
    rows = [row for row in report.per_query if not kind or row.get("kind") == kind]
    values = [row["scores"][base] for row in rows if base in row.get("scores", {})]
    if base in COUNTS or score.startswith("seconds"):
        return 0.0
    if not values:  # an area, of all confidences
        return math.ceil(1000 / max(1, len(rows))) / 1000
    return math.ceil(1000 / len(values)) / 1000 if len(set(values)) > 1 else 0.0
