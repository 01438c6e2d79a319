"""Which language model answers, and the one line that says why it is not the better one."""

from rich.console import Console

from rag_qa.app.printing import say
from rag_qa.backends.locating import ModelChoice, choose_model
from rag_qa.settings import Settings


def settle_model(settings: Settings, choice: ModelChoice | None = None) -> tuple[Settings, ModelChoice]:
    """Return the settings with the model `auto` replaced by the one that answers, and the choice itself.

    `choice` is one that was made already, such as by a running service.
    """
    choice = choice or choose_model(settings.model)
    return settings.model_copy(update={"model": choice.name}), choice


def explain_choice(errors: Console, choice: ModelChoice, settings: Settings) -> None:
    """Print why the starter model answers; nothing if it was named, or if answers are quotes."""
    if choice.reason and settings.style != "quote":
        say(errors, f"rag-qa: {choice.name} serves: {choice.reason}")
