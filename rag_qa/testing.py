"""Public fakes: an embedder, two generators and a reranker that need no model, for tests of code that uses rag_qa.

`QueuedGenerator` gives the replies that it holds. `RandomGenerator` is hostile: it writes at random what a grammar
allows. It reads the part of GBNF that answers use: literals, character sets, groups, `|` and repetition.
"""

import hashlib
import re
from collections import deque
from collections.abc import Generator, Iterable, Iterator, Sequence
from contextlib import contextmanager
from random import Random

import numpy as np

from rag_qa.errors import BackendError
from rag_qa.protocols import ONE_AT_A_TIME, EmbedderSpec, GeneratorSpec, Matrix, Prompt, Role, TokenEncoding

DIMENSION = 64
SPECIAL_TOKENS = 2
# The most repetitions of an item with `+`.
_MOST = 600
_WORD = re.compile(r"\w+")
_PIECE = re.compile(r"\s*\S+|\s+\Z")
_TOKEN = re.compile(
    r'"(?P<text>(?:\\.|[^"\\])*)"|(?P<set>\[(?:\\.|[^\]\\])*\])|(?P<name>[a-z][a-z-]*)'
    r"|\{(?P<least>\d+)(?:,(?P<most>\d+))?\}|(?P<sign>[()|?+])|\s+"
)
# Control and format characters that a grammar may allow and that must never be shown, and letters of several scripts.
_CHARACTERS = (
    "".join(map(chr, range(0x20, 0x7F)))
    + "\x00\x07\x08\n\r\t\x1b\x7f\x9b\x9d\xa0\xad\u2028\u2029\u200b\u200d\u202e\u2066\u2069\ufeff\ufffd\ud800"
    + "äßΩя中文ـعرب०१ﬁ𝔸😀\u0301"
)


class HashingEmbedder:
    """An embedder whose vectors are bags of hashed words: texts that share words are near.

    `encoded` holds every text that it was asked to encode, in order.

    >>> HashingEmbedder().encode(["a game"], role="query").shape
    (1, 64)
    """

    def __init__(self, *, name: str = "hashing", max_tokens: int = 256) -> None:
        self.spec = EmbedderSpec(
            name=name,
            revision="1",
            weights_sha256=hashlib.sha256(name.encode()).hexdigest(),
            dtype="float32",
            dimension=DIMENSION,
            max_tokens=max_tokens,
        )
        self.encoded: list[str] = []

    def encode(self, texts: Sequence[str], *, role: Role) -> Matrix:
        """Return vectors, shape (n, 64), float32, rows of length 1. Raises ValueError for a blank text."""
        if any(not text.strip() for text in texts):
            raise ValueError("a blank text cannot be embedded; leave it out")
        self.encoded.extend(texts)
        return np.stack([_bag(text) for text in texts]) if texts else np.empty((0, DIMENSION), np.float32)

    def encode_tokens(self, texts: Sequence[str], *, role: Role) -> list[TokenEncoding]:
        """Return the vectors of the texts and of their words. Raises ValueError for a blank text."""
        spans = [[m.span() for m in _WORD.finditer(text)] or [(0, len(text))] for text in texts]
        return [
            TokenEncoding(vector, np.stack([_bag(text[a:b]) for a, b in words]), np.array(words))
            for text, vector, words in zip(texts, self.encode(texts, role=role), spans, strict=True)
        ]

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """Return each text's number of words plus two, for the special tokens that real models add."""
        return [len(text.split()) + SPECIAL_TOKENS for text in texts]


class QueuedGenerator:
    """A generator that gives its replies one after the other, whatever it is asked; `prompts` holds what it was asked.

    A reply comes word by word, up to `max_tokens` words, and ignores the grammar. Each of `choices` holds the
    probabilities that one call of `choose` returns; after the last, the first option is certain.

    >>> fake = QueuedGenerator(["It is wet."])
    >>> "".join(fake.generate(Prompt(system="", user="?"), grammar=None, max_tokens=9, temperature=0, seed=0))
    'It is wet.'
    """

    def __init__(
        self,
        replies: Iterable[str] = (),
        *,
        choices: Iterable[Sequence[float]] = (),
        name: str = "queued",
        n_ctx: int = 4096,
    ) -> None:
        self.spec = GeneratorSpec(
            name=name,
            sha256=hashlib.sha256(name.encode()).hexdigest(),
            n_ctx=n_ctx,
            threads=1,
            gpu_layers=0,
            offload_supported=False,
            runtime="rag_qa.testing",
        )
        self.replies = deque(replies)
        self.choices = deque(choices)
        self.prompts: list[Prompt] = []
        self._writing = False

    def generate(
        self, prompt: Prompt, *, grammar: str | None, max_tokens: int, temperature: float, seed: int
    ) -> Generator[str, None, None]:
        """Yield the next reply in pieces.

        Raises BackendError if the prompt leaves no room for `max_tokens`, IndexError if no reply is left.
        """
        self._record(prompt, max_tokens)
        with self._writing_now():
            yield from _PIECE.findall(self.replies.popleft())[:max_tokens]

    def choose(self, prompt: Prompt, options: Sequence[str]) -> list[float]:
        """Return the next choice.

        Raises BackendError if the prompt leaves no room, ValueError if two options begin with the same word.
        """
        self._record_choice(prompt, options)
        return list(self.choices.popleft()) if self.choices else [1.0, *(0.0 for _ in options[1:])]

    def count_tokens(self, prompt: Prompt) -> int:
        """Return the number of words of the prompt."""
        return sum(len(text.split()) for text in (prompt.system, prompt.context, prompt.user, prompt.reply))

    def _record_choice(self, prompt: Prompt, options: Sequence[str]) -> None:
        if len({option.split(maxsplit=1)[0] for option in options}) < len(options):
            raise ValueError(f"some of {list(options)} begin with the same word; give others")
        self._record(prompt, 1)

    @contextmanager
    def _writing_now(self) -> Iterator[None]:
        self._writing = True
        try:
            yield
        finally:
            self._writing = False

    def _record(self, prompt: Prompt, max_tokens: int) -> None:
        if self._writing:
            raise RuntimeError(ONE_AT_A_TIME)
        self.prompts.append(prompt)
        if self.count_tokens(prompt) + max_tokens > self.spec.n_ctx:
            raise BackendError(
                f"the prompt leaves no room for {max_tokens} tokens; shorten it or raise n_ctx"
            )


class RandomGenerator(QueuedGenerator):
    """A hostile generator: it writes at random what the grammar allows, and sometimes stops early.

    `replies` holds what it wrote, and `broke_off` says whether the last reply is unfinished. Half of the texts are
    random characters, half are copied from the prompt, so some are true. The same seed gives the same replies.
    """

    def __init__(self, seed: int = 0, *, name: str = "random", n_ctx: int = 4096) -> None:
        super().__init__(name=name, n_ctx=n_ctx)
        self.broke_off = False
        self._random = Random(seed)

    def generate(
        self, prompt: Prompt, *, grammar: str | None, max_tokens: int, temperature: float, seed: int
    ) -> Generator[str, None, None]:
        """Yield a reply in pieces of a few characters, at most `max_tokens` pieces.

        Raises BackendError if the prompt leaves no room, ValueError without a grammar or for one that it cannot read.
        """
        if grammar is None:
            raise ValueError("random text needs a grammar; give one")
        self._record(prompt, max_tokens)
        rules = dict(line.split(" ::= ", 1) for line in grammar.splitlines())
        lines = f"{prompt.context}{prompt.user}".splitlines()
        text = _RandomText(rules, [line.removeprefix("- ") for line in lines], self._random).write()
        pieces: list[str] = []
        position = 0
        while position < len(text) and len(pieces) < max_tokens:
            pieces.append(text[position : position + self._random.randint(1, 9)])
            position += len(pieces[-1])
        if self._random.random() < 0.3:
            pieces = pieces[: self._random.randint(0, len(pieces))]
        self.replies.append("".join(pieces))
        self.broke_off = self.replies[-1] != text
        yield from pieces

    def choose(self, prompt: Prompt, options: Sequence[str]) -> list[float]:
        """Return random probabilities. Raises like `QueuedGenerator.choose`."""
        self._record_choice(prompt, options)
        weights = [self._random.random() + 1e-9 for _ in options]
        return [weight / sum(weights) for weight in weights]


class _RandomText:
    """Follows the rules of a grammar, choosing at random; `lines` are texts to copy from."""

    def __init__(self, rules: dict[str, str], lines: Sequence[str], random: Random) -> None:
        self._rules = rules
        self._lines = [line for line in lines if line.strip()]
        self._random = random

    def write(self, rule: str = "root") -> str:
        """Return a text that the rule allows. Raises ValueError for syntax that it cannot read."""
        tokens: list[re.Match[str]] = []
        position = 0
        while position < len(self._rules[rule]):
            token = _TOKEN.match(self._rules[rule], position)
            if token is None:
                raise ValueError(f"{self._rules[rule][position:]!r} cannot be read; see _TOKEN")
            tokens += [token] if token.lastgroup else []
            position = token.end()
        return self._choose(deque(tokens))

    def _choose(self, tokens: deque[re.Match[str]]) -> str:
        """Write one of the alternatives up to the end or the closing bracket."""
        alternatives: list[list[deque[re.Match[str]]]] = [[]]
        while tokens and tokens[0]["sign"] != ")":
            if tokens[0]["sign"] == "|":
                tokens.popleft()
                alternatives.append([])
            else:
                alternatives[-1].append(_item(tokens))
        return "".join(map(self._repeat, self._random.choice(alternatives)))

    def _repeat(self, item: deque[re.Match[str]]) -> str:
        least, most = 1, 1
        if item[-1]["sign"] == "?":
            least = 0
            item.pop()
        elif item[-1]["sign"] == "+":
            most = _MOST
            item.pop()
        elif item[-1]["least"]:
            last = item.pop()
            least, most = int(last["least"]), int(last["most"] or last["least"])
        times = self._random.choice((least, most, self._random.randint(least, most)))
        if item[0]["set"]:
            return self._characters(re.compile(item[0]["set"]), least, most, times)
        return "".join(self._once(item) for _ in range(times))

    def _once(self, item: deque[re.Match[str]]) -> str:
        if item[0]["sign"]:
            return self._choose(deque(list(item)[1:-1]))
        return self.write(item[0]["name"]) if item[0]["name"] else item[0]["text"]

    def _characters(self, allowed: re.Pattern[str], least: int, most: int, times: int) -> str:
        """Return up to three lines of the prompt, if the characters may repeat, or random characters."""
        if most > 1 and self._lines and self._random.random() < 0.5:
            copied = " ".join(self._random.choices(self._lines, k=self._random.randint(1, 3)))
            text = "".join(filter(allowed.fullmatch, copied))[:most]
            if len(text) >= least:
                return text
        choices = [character for character in _CHARACTERS if allowed.fullmatch(character)]
        return "".join(self._random.choices(choices, k=times))


class OverlapReranker:
    """A reranker whose score is the share of the query's words that a text holds, 0 to 1.

    `scored` holds every text that it was asked to score, in order.

    >>> OverlapReranker().score("a game", ["A game of two.", "Soup."])
    [1.0, 0.0]
    """

    def __init__(self) -> None:
        self.scored: list[str] = []

    def score(self, query: str, texts: Sequence[str]) -> list[float]:
        """Return a score for each text. Raises ValueError for a blank query or text."""
        if not query.strip() or any(not text.strip() for text in texts):
            raise ValueError("a blank query or text cannot be scored; leave it out")
        self.scored.extend(texts)
        wanted = set(_WORD.findall(query.lower()))
        return [len(wanted & set(_WORD.findall(text.lower()))) / max(1, len(wanted)) for text in texts]


def _item(tokens: deque[re.Match[str]]) -> deque[re.Match[str]]:
    """Take the next item and its repetition: a literal, a set, a name, or a group in brackets."""
    item: deque[re.Match[str]] = deque()
    depth = 0
    while not item or depth:
        item.append(tokens.popleft())
        depth += {"(": 1, ")": -1}.get(item[-1]["sign"], 0)
    if tokens and (tokens[0]["sign"] in ("?", "+") or tokens[0]["least"]):
        item.append(tokens.popleft())
    return item


def _bag(text: str) -> Matrix:
    """Return word counts by hash, scaled to length 1; a text without words counts as one word."""
    vector = np.zeros(DIMENSION, dtype=np.float32)
    for word in _WORD.findall(text.lower()) or [text]:
        vector[int.from_bytes(hashlib.sha256(word.encode()).digest()[:4], "big") % DIMENSION] += 1
    return vector / np.linalg.norm(vector)
