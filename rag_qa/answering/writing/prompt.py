"""Prompt files → prompts: texts with named placeholders, checked when loaded.

Texts from papers and from the user are put in as data: citation marks in them are defused.
"""

import hashlib
import re
import tomllib
from collections.abc import Mapping, Sequence
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from string import Template

from rag_qa.errors import PromptError
from rag_qa.protocols import Generator, Prompt
from rag_qa.types import Evidence, Value

# Each prompt file with its texts and the placeholders that each must use.
PLACEHOLDERS: dict[str, dict[str, set[str]]] = {
    "answer": {
        "system": set(),
        "context": {"evidence"},
        "decide": {"question"},
        "affirm": {"question", "first", "second", "third"},
        "write": {"question"},
        "again": {"question", "draft", "reasons"},
    },
    "rewrite": {"system": set(), "rewrite": {"earlier", "titles", "question"}},
}
MARK = re.compile(r"\[(\s*\d[\d\s,;–-]*)\]")


class PromptFile(Value):
    """The texts of a prompt file by name; `sha256` is that of the file."""

    texts: Mapping[str, str]
    sha256: str

    def fill(self, name: str, evidence: str, **values: str) -> Prompt:
        """Return the prompt of this name over evidence as `layout` gives it; other values are put in as data."""
        data = {key: defuse(value) for key, value in values.items()}
        return Prompt(
            system=self.texts["system"].strip(),
            context=Template(self.texts["context"]).substitute(evidence=evidence).lstrip(),
            user=Template(self.texts[name]).substitute(data).strip(),
        )


def load_prompt(name: str, folder: Path | None = None) -> PromptFile:
    """Load `NAME.toml` from the folder where it holds that, else from those that ship.

    Raises PromptError for a missing folder, bad TOML, or texts and placeholders that are unknown or lacking.
    """
    if folder is not None and not folder.is_dir():
        raise PromptError(
            f"there is no folder {folder}; name one that holds prompt files, such as {name}.toml"
        )
    own = folder / f"{name}.toml" if folder else None
    file: Traversable = own if own and own.exists() else _shipped() / f"{name}.toml"
    try:
        raw = file.read_bytes()
        data = tomllib.loads(raw.decode("utf-8"))
    except OSError as exc:
        raise PromptError(f"the prompt file {file} cannot be read; put {name}.toml there") from exc
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as exc:
        raise PromptError(f"{file} is no valid TOML ({exc}); compare it with the one in prompts/") from exc
    wanted = PLACEHOLDERS[name]
    if set(data) != set(wanted) or not all(isinstance(text, str) for text in data.values()):
        raise PromptError(f"{file} must hold the texts {', '.join(wanted)}; found {sorted(data)}")
    for key, text in data.items():
        _check_placeholders(f"`{key}` in {file}", text, wanted[key])
    return PromptFile(texts=data, sha256=hashlib.sha256(raw).hexdigest())


def layout(evidence: Sequence[Evidence], titles: Mapping[str, str]) -> str:
    """Return the evidence as text: sentences under the titles of their papers, in the order of each abstract."""
    lines: list[str] = []
    for group in by_paper(evidence):
        lines.append(f"From “{defuse(titles[group[0].paper_id])}”:")
        lines += [f"- {defuse(e.sentence)}" for e in sorted(group, key=lambda e: e.start)]
    return "\n".join(lines)


def fit_evidence(
    prompts: PromptFile,
    evidence: Sequence[Evidence],
    titles: Mapping[str, str],
    *,
    generator: Generator,
    wanted: int,
    budget: int,
    **values: str,
) -> list[Evidence]:
    """Return as much evidence, from the best on, as makes the longest prompt no longer than `wanted` tokens.

    One piece is kept up to `budget` tokens. Raises PromptError where not even that fits.
    """
    kept = list(evidence)
    while kept:
        prompt = prompts.fill("again", layout(kept, titles), **values)
        if generator.count_tokens(prompt) <= (min(wanted, budget) if len(kept) > 1 else budget):
            return kept
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


def _check_placeholders(where: str, text: str, wanted: set[str]) -> None:
    template = Template(text)
    if not template.is_valid():
        raise PromptError(f"{where} holds a lone `$`; write `$$` for a dollar sign")
    found = set(template.get_identifiers())
    if found != wanted:
        names = ", ".join(f"${name}" for name in sorted(wanted)) or "no placeholder"
        raise PromptError(f"{where} must use exactly {names}; found {sorted(found)}")


def _shipped() -> Traversable:
    inside = files("rag_qa") / "prompts"
    return inside if inside.is_dir() else Path(__file__).parents[3] / "prompts"
