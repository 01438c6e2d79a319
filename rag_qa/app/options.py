"""The options that commands share, and the settings that flags make.

An option of one command alone stands in the file of that command. A group of options that several commands take is
a table here, and a decorator that gives a command the whole group as one argument.
"""

import tomllib
from collections.abc import Callable, Mapping
from functools import wraps
from inspect import Parameter, Signature, signature
from pathlib import Path
from typing import Annotated, Any

import typer
from pydantic import ValidationError
from pydantic_core import ErrorDetails

from rag_qa.app.filtering import make_filter
from rag_qa.app.nearest import did_you_mean
from rag_qa.errors import SettingsError
from rag_qa.settings import Settings

DEFAULT_INDEX = Path("rag-qa-index")
Command = Callable[..., None]
# What some options were given as, by the names of the settings; None if an option was not given.
Flags = dict[str, Any]

IndexOption = Annotated[
    Path, typer.Option("--index", envvar="RAG_QA_INDEX", help="Folder of the index.", show_default=True)
]
StyleOption = Annotated[
    str | None, typer.Option("--style", help="How to answer: auto, quote or synthesis.", show_default="auto")
]
ModelOption = Annotated[
    str | None, typer.Option("--model", help="Language model: a name from the catalogue, or a GGUF file.")
]
EmbedderOption = Annotated[
    str | None, typer.Option("--embedder", help="Embedder: a name from the catalogue, or a folder.")
]
ChromaOption = Annotated[
    str | None,
    typer.Option(
        "--chroma", metavar="URL", help="Chroma server that holds the vectors, such as http://127.0.0.1:8000."
    ),
]
RerankerOption = Annotated[
    str | None,
    typer.Option(
        "--reranker",
        help="Reranker: a name from the catalogue, a folder, or `model` for the language model.",
    ),
]
PapersOption = Annotated[int | None, typer.Option("-k", help="How many papers.", min=1)]
LiteralOption = Annotated[
    bool,
    typer.Option("--literal", help="Take questions literally: read no filter ('papers by …') out of them."),
]
CopyOption = Annotated[bool, typer.Option("--copy", help="Copy the result to the clipboard.")]
NoServiceOption = Annotated[
    bool, typer.Option("--no-service", help="Do the work in this process, even if `rag-qa serve` is running.")
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON on standard output.")]
ReceiptArgument = Annotated[
    Path, typer.Argument(metavar="FILE", help="An answer saved with `ask --save` or /save.")
]

# Options by the names of what `make_filter` takes.
FILTER_OPTIONS: dict[str, Any] = {
    "year": Annotated[
        str | None,
        typer.Option("--year", help="Only papers from these years: 2020, 2019..2022, 2019.. or ..2022."),
    ],
    "since": Annotated[int | None, typer.Option("--since", help="Only papers from this year or later.")],
    "venue": Annotated[
        list[str] | None, typer.Option("--venue", help="Only papers at this venue (repeatable: any of them).")
    ],
    "author": Annotated[
        list[str] | None,
        typer.Option("--author", help="Only papers by this author (repeatable: all of them)."),
    ],
    "source": Annotated[
        list[str] | None,
        typer.Option("--source", help="Only papers from this file: part of its path, or a pattern."),
    ],
    "status": Annotated[
        list[str] | None,
        typer.Option(
            "--status",
            help="Only papers with this status: retracted, concern, corrected or preprint (repeatable: any).",
        ),
    ],
    "without": Annotated[
        list[str] | None,
        typer.Option("--without", help="No papers with this status, such as retracted (repeatable)."),
    ],
}
# Options by the names of the settings that they set.
MODEL_OPTIONS: dict[str, Any] = {
    "style": StyleOption,
    "model": ModelOption,
    "embedder": EmbedderOption,
    "chroma_url": ChromaOption,
    "context_tokens": Annotated[
        int | None, typer.Option("--context", help="Context of the language model, in tokens.")
    ],
    "threads": Annotated[int | None, typer.Option("--threads", help="Threads of the language model.")],
    "gpu_layers": Annotated[
        int | None,
        typer.Option("--gpu-layers", help="Layers to run on the GPU; default: all, if llama.cpp can."),
    ],
    "prompts": Annotated[
        Path | None, typer.Option("--prompts", help="Folder of prompt files that replace the built-in ones.")
    ],
    "strict": Annotated[
        bool | None,
        typer.Option(
            "--strict", help="Leave out prose that its citations do not support.", show_default=False
        ),
    ],
}


def with_filter(command: Command) -> Command:
    """Give a command the filter options; it receives them as one argument `filter`, a `Filter`."""
    return with_group("filter", FILTER_OPTIONS, make_filter)(command)


def with_model_flags(command: Command) -> Command:
    """Give a command the options of the language model; it receives them as `flags`, for `load_settings`."""
    return with_group("flags", MODEL_OPTIONS)(command)


def with_group(
    argument: str, options: Mapping[str, Any], gather: Callable[..., Any] = dict
) -> Callable[[Command], Command]:
    """Return a decorator that replaces one keyword argument of a command by options, which default to None.

    The command receives in that argument what `gather` makes of the options. Typer reads signatures, and that of the
    decorated command lists every option.
    """

    def decorate(command: Command) -> Command:
        @wraps(command)
        def extended(**given: Any) -> None:
            values = {name: given.pop(name) for name in options}
            command(**given, **{argument: gather(**values)})

        parameters: list[Parameter] = []
        for own in signature(command).parameters.values():
            if own.name == argument:
                parameters += [
                    Parameter(name, Parameter.KEYWORD_ONLY, default=None, annotation=annotation)
                    for name, annotation in options.items()
                ]
            else:
                parameters.append(own.replace(kind=Parameter.KEYWORD_ONLY))
        extended.__signature__ = Signature(parameters)  # type: ignore[attr-defined]
        return extended

    return decorate


def examples(*lines: str) -> str:
    """Return the examples that stand below a command's help, one a line."""
    return "\b\nExamples:\n" + "\n".join(f"  {line}" for line in lines)


def load_settings(**flags: Any) -> Settings:
    """Return the settings; a flag that was given wins, None means not given. Raises SettingsError."""
    return exact_settings({name: value for name, value in flags.items() if value is not None})


def exact_settings(given: Mapping[str, Any]) -> Settings:
    """Return the settings with exactly these values, None included. Raises SettingsError that names the setting."""
    try:
        return Settings(**given)
    except ValidationError as exc:
        raise SettingsError(_explain(exc.errors()[0])) from exc
    except tomllib.TOMLDecodeError as exc:
        raise SettingsError(f"rag_qa.toml is not valid TOML ({exc}); correct that line") from exc
    except (UnicodeDecodeError, OSError) as exc:
        raise SettingsError(f"rag_qa.toml cannot be read ({exc}); save it as UTF-8 text") from exc


def _explain(error: ErrorDetails) -> str:
    name = ".".join(map(str, error["loc"]))
    if error["type"] == "extra_forbidden":
        hint = did_you_mean(name, Settings.model_fields)
        return f"there is no setting {name}{hint}; change that line of rag_qa.toml"
    reason = error["msg"][:1].lower() + error["msg"][1:]
    return (
        f"the setting {name} cannot be {error['input']!r}: {reason}; change the flag, "
        f"RAG_QA_{name.upper()} or rag_qa.toml"
    )
