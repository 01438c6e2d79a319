"""Query rewriting: the language model turns a follow-up question into one that stands alone, on one line."""

from collections.abc import Mapping, Sequence
from string import Template

from rag_qa.corpus.cleaning import clean_text
from rag_qa.protocols import Generator, Prompt

# One line of at most 200 characters, without brackets that could pass for citation marks.
GRAMMAR = "root ::= [^\\[\\]\\x00-\\x1f\\x7f-\\x9f\\u2028\\u2029]{1,200}"
MAX_TOKENS = 50
# Earlier questions and titles that the model reads.
EARLIER, TITLES = 2, 3


class Rewriter:
    """Rewrites questions with one generator; `texts` are those of prompts/rewrite.toml."""

    def __init__(self, generator: Generator, texts: Mapping[str, str], seed: int) -> None:
        self._generator = generator
        self._texts = texts
        self._seed = seed

    def rewrite(self, question: str, earlier: Sequence[str], titles: Sequence[str]) -> str:
        """Return a question that stands alone, given the earlier ones and the titles shown; "" if none is written."""
        shown = [title for title in titles if title][:TITLES]
        values = {"earlier": "\n".join(earlier[-EARLIER:]), "titles": "\n".join(shown), "question": question}
        prompt = Prompt(
            system=self._texts["system"].strip(),
            user=Template(self._texts["rewrite"]).substitute(values).strip(),
        )
        pieces = self._generator.generate(
            prompt, grammar=GRAMMAR, max_tokens=MAX_TOKENS, temperature=0.0, seed=self._seed
        )
        return clean_text("".join(pieces))
