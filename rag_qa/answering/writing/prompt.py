"""Prompt files → prompts: texts with named placeholders, which are checked when a file is loaded.

Citation marks in texts of papers and of the user are defused, so that nothing reads as a citation of ours.
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

# The texts of each prompt file, and the placeholders that each text must use.
PLACEHOLDERS: dict[str, dict[str, set[str]]] = {
    "answer": {
        "system": set(),
        "context": {"evidence"},
        "decide": {"question"},
        "match": {"question"},
        "affirm": {"question", "first", "second", "third"},
        "claim": {"claim"},
        "write": {"question"},
        "again": {"question", "draft", "reasons"},
    },
    "rewrite": {"system": set(), "rewrite": {"earlier", "titles", "question"}},
}
MARK = re.compile(r"\[(\s*\d[\d\s,;–-]*)\]")


class PromptFile(Value):
    """The texts of a prompt file by name, and the SHA-256 of the file."""

    texts: Mapping[str, str]
    sha256: str

    def fill(self, name: str, evidence: str, **values: str) -> Prompt:
        """Return the prompt of this name, with evidence from `layout`; citation marks in the values are defused."""
        data = {key: defuse(value) for key, value in values.items()}
        return Prompt(
            system=self.texts["system"].strip(),
            context=Template(self.texts["context"]).substitute(evidence=evidence).lstrip(),
            user=Template(self.texts[name]).substitute(data).strip(),
        )


def load_prompt(name: str, folder: Path | None = None) -> PromptFile:
    """Load `NAME.toml` from the folder if it is there, else the one that ships.

    Raises PromptError for a missing folder, bad TOML, or texts or placeholders that are unknown or missing.
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
        raise PromptError(f"{file} is not valid TOML ({exc}); compare it with the one in prompts/") from exc
    wanted = PLACEHOLDERS[name]
    if set(data) != set(wanted) or not all(isinstance(text, str) for text in data.values()):
        raise PromptError(f"{file} must hold the texts {', '.join(wanted)}; found {sorted(data)}")
    for key, text in data.items():
        _check_placeholders(f"`{key}` in {file}", text, wanted[key])
    return PromptFile(texts=data, sha256=hashlib.sha256(raw).hexdigest())


def layout(evidence: Sequence[Evidence], titles: Mapping[str, str]) -> str:
    """Return the evidence as text: under the title of each paper, its sentences in the order of the abstract."""
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
    """Return as much evidence, best first, as fits when the longest prompt may have `wanted` tokens.

    A single piece may take up to `budget` tokens. Raises PromptError if not even that fits.
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
    """Group the evidence by paper; papers come in the order of their first piece."""
    papers: dict[str, list[Evidence]] = {}
    for piece in evidence:
        papers.setdefault(piece.paper_id, []).append(piece)
    return list(papers.values())


def defuse(text: str) -> str:
    """Put the text's own citation marks in round brackets.

    >>> defuse("as shown before [7, 12]")
    'as shown before (7, 12)'
    """
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
