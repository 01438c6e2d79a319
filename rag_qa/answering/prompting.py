"""Prompt files → prompts: two texts with named placeholders, checked when loaded.

Texts from papers and from the user are put in as data: citation marks in them are defused, so that the only
marks a model sees are ours.
"""

import hashlib
import re
import tomllib
from collections.abc import Sequence
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from string import Template

from rag_qa.errors import PromptError
from rag_qa.protocols import Generator, Prompt
from rag_qa.types import Evidence, Value

PLACEHOLDERS = {"synthesis": {"question", "evidence"}}
MARK = re.compile(r"\[(\s*\d[\d\s,;–-]*)\]")


class PromptTemplate(Value):
    """A prompt with named placeholders; `sha256` is that of its file."""

    system: str
    user: str
    sha256: str

    def fill(self, question: str, evidence: Sequence[Evidence], titles: dict[str, str]) -> Prompt:
        """Return the prompt for a question and its evidence: sentences under the titles of their papers."""
        lines: list[str] = []
        for group in by_paper(evidence):
            lines.append(f"From “{defuse(titles[group[0].paper_id])}”:")
            lines += [f"[{e.label}] {defuse(e.sentence)}" for e in group]
        values = {"question": defuse(question), "evidence": "\n".join(lines)}
        return Prompt(
            system=Template(self.system).substitute(values).strip(),
            user=Template(self.user).substitute(values).strip(),
        )


def load_prompt(name: str, folder: Path | None = None) -> PromptTemplate:
    """Load `NAME.toml` from the folder, else from those that ship.

    Raises PromptError for a missing file, bad TOML, or placeholders that are unknown or lacking.
    """
    file: Traversable = (folder or _shipped()) / f"{name}.toml"
    try:
        raw = file.read_bytes()
        data = tomllib.loads(raw.decode("utf-8"))
    except OSError as exc:
        raise PromptError(f"the prompt file {file} cannot be read; put {name}.toml there") from exc
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as exc:
        raise PromptError(f"{file} is no valid TOML ({exc}); compare it with the one in prompts/") from exc
    if set(data) != {"system", "user"} or not all(isinstance(text, str) for text in data.values()):
        raise PromptError(f"{file} must hold two texts, `system` and `user`; found {sorted(data)}")
    _check_placeholders(str(file), data, PLACEHOLDERS[name])
    return PromptTemplate(**data, sha256=hashlib.sha256(raw).hexdigest())


def fit_evidence(
    template: PromptTemplate,
    question: str,
    evidence: Sequence[Evidence],
    titles: dict[str, str],
    *,
    generator: Generator,
    budget: int,
) -> tuple[Prompt, list[Evidence]]:
    """Return the prompt and as much evidence, from the best on, as fits in `budget` tokens of the model.

    Raises PromptError where not even one piece fits.
    """
    kept = list(evidence)
    while kept:
        prompt = template.fill(question, kept, titles)
        if generator.count_tokens(prompt) <= budget:
            return prompt, kept
        kept.pop()
    raise PromptError(
        f"the question and one piece of evidence take more than {budget} tokens; shorten the question or set "
        "RAG_QA_CONTEXT_TOKENS higher"
    )


def by_paper(evidence: Sequence[Evidence]) -> list[list[Evidence]]:
    """Return the evidence paper by paper, in the order in which the papers come first."""
    papers: dict[str, list[Evidence]] = {}
    for piece in evidence:
        papers.setdefault(piece.paper_id, []).append(piece)
    return list(papers.values())


def defuse(text: str) -> str:
    """Return the text with its own citation marks in round brackets: `[7]` becomes `(7)`."""
    return MARK.sub(r"(\1)", text)


def _check_placeholders(file: str, data: dict[str, str], wanted: set[str]) -> None:
    templates = [Template(text) for text in data.values()]
    if not all(template.is_valid() for template in templates):
        raise PromptError(f"{file} holds a lone `$`; write `$$` for a dollar sign")
    found = {name for template in templates for name in template.get_identifiers()}
    if found != wanted:
        names = ", ".join(f"${name}" for name in sorted(wanted))
        raise PromptError(f"{file} must use exactly the placeholders {names}; found {sorted(found)}")


def _shipped() -> Traversable:
    inside = files("rag_qa") / "prompts"
    return inside if inside.is_dir() else Path(__file__).parents[2] / "prompts"
