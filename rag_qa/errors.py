"""What can go wrong, as one tree.

    RagQAError
    ├── SourceError            a source of papers cannot be read
    │   └── SkippedRecordsError    --strict, and records were skipped
    ├── PaperIndexError            the index folder
    │   ├── IndexNotFoundError     nothing there
    │   ├── IndexLockedError       another process is writing
    │   ├── IndexMismatchError     built with another embedder or schema
    │   └── IndexDamagedError      the truth file itself cannot be read
    ├── ModelError             a model or its runtime
    │   ├── ModelNotFoundError     not on this machine
    │   ├── ModelHashError         the file is not the one the catalogue names
    │   ├── HubUnreachableError    the Hugging Face Hub does not answer
    │   └── BackendError           the runtime crashed or refused
    ├── PromptError            a prompt file is missing or has wrong placeholders
    ├── SettingsError          a setting has an impossible value
    ├── QuestionError          a question that cannot be asked (empty, only control characters)
    │   └── FilterError            a filter that no paper passes, or that cannot be read
    ├── ServiceError           a service cannot do what it was asked
    │   ├── UnknownNameError       no index, paper or conversation of that name
    │   └── ServiceBusyError       too many requests are waiting already
    ├── EvaluationError        an evaluation set is malformed
    ├── ReceiptError           a saved answer cannot be read, or not be saved there
    ├── CommandError           a command of the chat cannot be obeyed
    ├── SessionError           a saved conversation cannot be resumed
    └── ExportError            an unknown format, or nowhere to put what was exported

Every message ends with the command or the edit that fixes it. Only the app layer catches.
"""


class RagQAError(Exception):
    """The root of everything that this package raises on purpose."""


class SourceError(RagQAError):
    """A source of papers cannot be read."""


class SkippedRecordsError(SourceError):
    """Records were skipped although `strict` was asked for."""


class PaperIndexError(RagQAError):
    """Something is wrong with the index folder."""


class IndexNotFoundError(PaperIndexError):
    """There is no index in that folder."""


class IndexLockedError(PaperIndexError):
    """Another process is writing to the index."""


class IndexMismatchError(PaperIndexError):
    """The index was built with another embedder or schema."""


class IndexDamagedError(PaperIndexError):
    """The truth file of the index cannot be read."""


class ModelError(RagQAError):
    """A model or its runtime is not usable."""


class ModelNotFoundError(ModelError):
    """A model is not on this machine."""


class ModelHashError(ModelError):
    """A model file is not the one that the catalogue names."""


class HubUnreachableError(ModelError):
    """The Hugging Face Hub does not answer."""


class BackendError(ModelError):
    """A model's runtime crashed or refused."""


class PromptError(RagQAError):
    """A prompt file is missing or its placeholders are wrong."""


class SettingsError(RagQAError):
    """A setting has an impossible value."""


class QuestionError(RagQAError):
    """A question that cannot be asked."""


class FilterError(QuestionError):
    """A filter that no paper passes, or that cannot be read."""


class ServiceError(RagQAError):
    """A service cannot do what it was asked."""


class UnknownNameError(ServiceError):
    """No index, paper or conversation has that name."""


class ServiceBusyError(ServiceError):
    """Too many requests are waiting already; `retry_after` says in how many seconds to come again."""

    def __init__(self, message: str, *, retry_after: int = 1) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class EvaluationError(RagQAError):
    """An evaluation set is malformed."""


class ReceiptError(RagQAError):
    """A saved answer cannot be read, or an answer not be saved there."""


class CommandError(RagQAError):
    """A command of the chat that cannot be obeyed."""


class SessionError(RagQAError):
    """A saved conversation cannot be resumed."""


class ExportError(RagQAError):
    """An answer or papers cannot be exported in that format or to that target."""
