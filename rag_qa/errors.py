"""Every error that rag_qa raises on purpose, as one tree.

    RagQAError
    ├── SourceError                a source of papers cannot be read
    │   └── SkippedRecordsError    records were skipped under --strict
    ├── PaperIndexError            the index folder cannot be used
    │   ├── IndexNotFoundError     there is no index in it
    │   ├── IndexLockedError       another process is writing to it
    │   ├── IndexMismatchError     it was built with another embedder or schema
    │   └── IndexDamagedError      something in it is not as it was written
    ├── ModelError                 a model or its runtime cannot be used
    │   ├── ModelNotFoundError     it is not on this machine
    │   ├── ModelHashError         the file is not the one in the catalogue
    │   ├── HubUnreachableError    the Hugging Face Hub does not answer
    │   └── BackendError           the runtime crashed or refused
    ├── PromptError                a prompt file is missing or has wrong placeholders
    ├── SettingsError              a setting or an option has an impossible value
    ├── QuestionError              a question cannot be asked
    │   └── FilterError            a filter cannot be read, or no paper passes it
    ├── ServiceError               the HTTP service cannot do what it was asked
    │   ├── UnknownNameError       no index, paper, model or conversation has that name
    │   └── ServiceBusyError       too many requests are waiting
    ├── EvaluationError            an evaluation set, run or condition is malformed
    ├── ReceiptError               a saved answer cannot be read or written
    ├── CommandError               a chat command cannot be obeyed
    ├── SessionError               a saved conversation cannot be read, written or resumed
    └── ExportError                answers or papers cannot be exported so, or not to that target

Every message ends with the command or the edit that fixes it. Only rag_qa.app catches these errors: it prints one line
and exits with status 1. A bug raises something else, and its traceback is shown.
"""


class RagQAError(Exception):
    """The base class of every error that rag_qa raises on purpose."""


class SourceError(RagQAError):
    """A source of papers cannot be read."""


class SkippedRecordsError(SourceError):
    """Records were skipped under `strict`."""


class PaperIndexError(RagQAError):
    """The index folder cannot be used."""


class IndexNotFoundError(PaperIndexError):
    """There is no index in that folder."""


class IndexLockedError(PaperIndexError):
    """Another process is writing to the index."""


class IndexMismatchError(PaperIndexError):
    """The index was built with another embedder or schema."""


class IndexDamagedError(PaperIndexError):
    """Something in the index cannot be read, or is not as it was written."""


class ModelError(RagQAError):
    """A model or its runtime cannot be used."""


class ModelNotFoundError(ModelError):
    """A model is not on this machine."""


class ModelHashError(ModelError):
    """A model file is not the one in the catalogue: its SHA-256 differs."""


class HubUnreachableError(ModelError):
    """The Hugging Face Hub does not answer."""


class BackendError(ModelError):
    """A model's runtime crashed or refused."""


class PromptError(RagQAError):
    """A prompt file is missing or its placeholders are wrong."""


class SettingsError(RagQAError):
    """A setting or an option has an impossible value."""


class QuestionError(RagQAError):
    """A question cannot be asked, such as an empty one."""


class FilterError(QuestionError):
    """A filter cannot be read, or no paper passes it."""


class ServiceError(RagQAError):
    """The HTTP service cannot do what it was asked."""


class UnknownNameError(ServiceError):
    """No index, paper, model or conversation has that name."""


class ServiceBusyError(ServiceError):
    """Too many requests are waiting. Try again after `retry_after` seconds."""

    def __init__(self, message: str, *, retry_after: int = 1) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class EvaluationError(RagQAError):
    """An evaluation set, run or condition is malformed."""


class ReceiptError(RagQAError):
    """A saved answer cannot be read or written."""


class CommandError(RagQAError):
    """A chat command cannot be obeyed."""


class SessionError(RagQAError):
    """A saved conversation cannot be read, written or resumed."""


class ExportError(RagQAError):
    """Answers or papers cannot be exported in that format or to that target."""
