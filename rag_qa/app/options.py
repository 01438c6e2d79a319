"""What the commands have in common: settings from flags, and told errors."""

import tomllib
from pathlib import Path
from typing import Annotated, Any

import typer
from pydantic import ValidationError

from rag_qa.errors import SettingsError
from rag_qa.settings import Settings

DEFAULT_INDEX = Path("rag-qa-index")

IndexOption = Annotated[
    Path, typer.Option("--index", envvar="RAG_QA_INDEX", help="Folder of the index.", show_default=True)
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON on standard output.")]


def load_settings(**flags: Any) -> Settings:
    """Return the settings, flags that were given winning. Raises SettingsError naming the field."""
    given = {name: value for name, value in flags.items() if value is not None}
    try:
        return Settings(**given)
    except ValidationError as exc:
        error = exc.errors()[0]
        name = ".".join(map(str, error["loc"]))
        raise SettingsError(
            f"the setting {name} cannot be {error.get('input')!r}: {error['msg'].lower()}; change the flag, "
            f"RAG_QA_{name.upper()} or rag_qa.toml"
        ) from exc
    except tomllib.TOMLDecodeError as exc:
        raise SettingsError(f"rag_qa.toml is no valid TOML ({exc}); mend that line") from exc
