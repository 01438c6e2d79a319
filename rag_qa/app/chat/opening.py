"""The assistant of a conversation: opened once, and again when style or model change."""

from pathlib import Path
from types import TracebackType

from rag_qa.answering.assistant import Assistant
from rag_qa.settings import Settings


class Opener:
    """Holds the assistant of one index. Close it, or use it in a `with` statement."""

    def __init__(self, index: Path, settings: Settings) -> None:
        """Open the assistant. Raises as `Assistant.open` does."""
        self.index = index
        self.settings = settings
        self.assistant = Assistant.open(index, settings=settings)

    def change(self, **fields: str) -> None:
        """Open another assistant with some settings changed; if that fails, the old one stays."""
        settings = self.settings.model_copy(update=fields)
        opened = Assistant.open(self.index, settings=settings)
        self.assistant.close()
        self.assistant, self.settings = opened, settings

    def __enter__(self) -> "Opener":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.assistant.close()
