"""What the commands have in common: settings from flags, and told errors."""

import tomllib
from collections.abc import Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any

import typer
from pydantic import ValidationError
from pydantic_core import ErrorDetails

from rag_qa.errors import SettingsError
from rag_qa.settings import Settings

DEFAULT_INDEX = Path("rag-qa-index")

IndexOption = Annotated[
    Path, typer.Option("--index", envvar="RAG_QA_INDEX", help="Folder of the index.", show_default=True)
]
StyleOption = Annotated[
    str | None, typer.Option("--style", help="auto, quote or synthesis.", show_default="auto")
]
ModelOption = Annotated[
    str | None, typer.Option("--model", help="Language model: a catalogue name or a GGUF file.")
]
EmbedderOption = Annotated[
    str | None, typer.Option("--embedder", help="Embedder: a catalogue name or a folder.")
]
RerankerOption = Annotated[
    str | None,
    typer.Option("--reranker", help="Reranker: a catalogue name, a folder, or model: the language model."),
]
PapersOption = Annotated[int | None, typer.Option("-k", help="How many papers.", min=1)]
ContextOption = Annotated[
    int | None, typer.Option("--context", help="Context of the language model, in tokens.")
]
ThreadsOption = Annotated[int | None, typer.Option("--threads", help="Threads of the language model.")]
GpuOption = Annotated[
    int | None, typer.Option("--gpu-layers", help="Layers to offload; default: all if the build can.")
]
PromptsOption = Annotated[
    Path | None, typer.Option("--prompts", help="Folder of prompt files to use instead of ours.")
]
YearOption = Annotated[
    str | None, typer.Option("--year", help="Only papers of these years: 2020, 2019..2022, 2019.. or ..2022.")
]
SinceOption = Annotated[int | None, typer.Option("--since", help="Only papers of this year or later.")]
VenueOption = Annotated[
    list[str] | None, typer.Option("--venue", help="Only papers at this venue (repeatable: any).")
]
AuthorOption = Annotated[
    list[str] | None, typer.Option("--author", help="Only papers by this author (repeatable: all of them).")
]
SourceOption = Annotated[
    list[str] | None,
    typer.Option("--source", help="Only papers from this file: part of its path, or a pattern."),
]
StatusOption = Annotated[
    list[str] | None,
    typer.Option(
        "--status", help="Only papers so marked: retracted, concern, corrected or preprint (repeatable: any)."
    ),
]
WithoutOption = Annotated[
    list[str] | None, typer.Option("--without", help="No papers so marked, such as retracted (repeatable).")
]
LiteralOption = Annotated[
    bool,
    typer.Option(
        "--literal", help="Take questions as they stand: read no filter out of them ('papers by …')."
    ),
]
StrictOption = Annotated[
    bool | None,
    typer.Option("--strict", help="Leave out prose that its citations do not support.", show_default=False),
]
SaveOption = Annotated[
    Path | None, typer.Option("--save", help="Save the answer for `rag-qa verify` and `rag-qa replay`.")
]
ResumeOption = Annotated[
    bool,
    typer.Option("--resume", help="Go on with a saved conversation: SESSION, or the last with this index."),
]
SessionsOption = Annotated[bool, typer.Option("--sessions", help="List the saved conversations and exit.")]
NoHistoryOption = Annotated[
    bool, typer.Option("--no-history", help="Save neither the conversation nor the lines typed.")
]
SessionArgument = Annotated[
    str | None, typer.Argument(metavar="[SESSION]", help="With --resume: a session, or `last`.")
]
ExportOption = Annotated[
    Path | None,
    typer.Option(
        "--export",
        help="Write the answer into a new file: .md, .html, .json, or its papers: .bib, .ris, .csl.json.",
    ),
]
CopyOption = Annotated[bool, typer.Option("--copy", help="Copy the result to the clipboard.")]
NoServiceOption = Annotated[
    bool, typer.Option("--no-service", help="Do the work here, even where `rag-qa serve` runs.")
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON on standard output.")]


def load_settings(**flags: Any) -> Settings:
    """Return the settings, flags that were given winning. Raises SettingsError naming the field."""
    return exact_settings({name: value for name, value in flags.items() if value is not None})


def exact_settings(given: Mapping[str, Any]) -> Settings:
    """Return the settings with just these values, None too, where they name any. Raises SettingsError."""
    try:
        return Settings(**given)
    except ValidationError as exc:
        raise SettingsError(_explain(exc.errors()[0])) from exc
    except tomllib.TOMLDecodeError as exc:
        raise SettingsError(f"rag_qa.toml is no valid TOML ({exc}); mend that line") from exc
    except (UnicodeDecodeError, OSError) as exc:
        raise SettingsError(f"rag_qa.toml cannot be read ({exc}); write it anew as UTF-8 text") from exc


def _explain(error: ErrorDetails) -> str:
    name = ".".join(map(str, error["loc"]))
    if error["type"] == "extra_forbidden":
        near = get_close_matches(name, Settings.model_fields, n=1)
        hint = f" (did you mean {near[0]}?)" if near else ""
        return f"there is no setting {name}{hint}; change that line of rag_qa.toml"
    reason = error["msg"][:1].lower() + error["msg"][1:]
    return (
        f"the setting {name} cannot be {error['input']!r}: {reason}; change the flag, "
        f"RAG_QA_{name.upper()} or rag_qa.toml"
    )
