"""Stand-ins that several programs of eval/ share: an embedder that encodes a text once, a judge that believes all."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from rag_qa.protocols import Embedder, Matrix, Role, TokenEncoding
from rag_qa.types import Verdict


class RememberingEmbedder:
    """An embedder that encodes each text once; with a file, once over all runs.

    The file (.npz) holds the vectors as float16, so a later run sees them with three digits.
    """

    def __init__(self, embedder: Embedder, file: Path | None = None) -> None:
        self.spec = embedder.spec
        self._embedder = embedder
        self._file = file
        self._vectors: dict[tuple[Role, str], Matrix] = {}
        self._tokens: dict[tuple[Role, str], TokenEncoding] = {}
        if file and file.exists():
            stored = np.load(file)
            keys = zip(stored["roles"].tolist(), stored["texts"].tolist(), strict=True)
            self._vectors = dict(zip(keys, stored["vectors"].astype(np.float32), strict=True))

    def encode(self, texts: Sequence[str], *, role: Role) -> Matrix:
        """Return unit vectors, shape (len(texts), dimension), encoding only the texts that are new."""
        new = [text for text in dict.fromkeys(texts) if (role, text) not in self._vectors]
        if new:
            found = self._embedder.encode(new, role=role)
            self._vectors.update(((role, text), vector) for text, vector in zip(new, found, strict=True))
        return np.stack([self._vectors[role, text] for text in texts])

    def encode_tokens(self, texts: Sequence[str], *, role: Role) -> list[TokenEncoding]:
        """Return each text's vectors of its tokens, encoding only the texts that are new."""
        new = [text for text in dict.fromkeys(texts) if (role, text) not in self._tokens]
        if new:
            found = self._embedder.encode_tokens(new, role=role)
            self._tokens.update(((role, text), tokens) for text, tokens in zip(new, found, strict=True))
        return [self._tokens[role, text] for text in texts]

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """Return each text's length in tokens."""
        return self._embedder.count_tokens(texts)

    def save(self) -> None:
        """Write the vectors to the file, if there is one."""
        if self._file:
            np.savez(
                self._file,
                roles=np.array([role for role, _ in self._vectors]),
                texts=np.array([text for _, text in self._vectors]),
                vectors=np.stack(list(self._vectors.values())).astype(np.float16),
            )


class CredulousJudge:
    """A judge that calls everything supported."""

    def judge(
        self, sentence: str, evidence: Sequence[str], *, context: Sequence[str] = (), question: str = ""
    ) -> Verdict:
        return Verdict(label="supported", probability=1.0)
