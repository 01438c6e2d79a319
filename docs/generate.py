"""The pages that are made from the code, as an mkdocs hook: none of them is kept, so none can drift.

Commands come from the Typer app, settings from `Settings`, JSON from the models' schemas, HTTP from OpenAPI.
Files of the repository that are pages too (`INCLUDED`) are read in, with their links turned to pages.
"""

import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, cast

import typer
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files

ROOT = Path(__file__).resolve().parent.parent
# Files of the repository, and the pages that they become.
INCLUDED: Mapping[str, str] = {
    "CONTRIBUTING.md": "contributing.md",
    "CHANGELOG.md": "changes.md",
    "models/README.md": "reference/models.md",
    "eval/README.md": "explanation/evaluation.md",
    "eval/LOG.md": "explanation/log.md",
}
PAGES: Mapping[str, str] = {"README.md": "index.md", **INCLUDED}
VALUES = ("Answer", "Hit", "Explanation", "IndexReport", "EvalReport", "Paper")
_LINK = re.compile(r"(?<!!)\[(?P<text>[^\]]*)\]\((?P<target>[^)\s:]+)\)")


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the generated pages to those that stand in docs/."""
    for uri, text in pages().items():
        files.append(File.generated(config, uri, content=text))
    return files


def pages() -> dict[str, str]:
    """Return every generated page as Markdown, by its path in docs/."""
    made = {
        "reference/cli.md": commands_page(),
        "reference/settings.md": settings_page(),
        "reference/python.md": python_page(),
        "reference/json.md": json_page(),
        "reference/http.md": http_page(),
    }
    return made | {page: included(source) for source, page in INCLUDED.items()}


def included(source: str) -> str:
    """Return a file of the repository as a page. A link to what is no page becomes the name of the file."""
    text = (ROOT / source).read_text(encoding="utf-8")
    return _LINK.sub(lambda link: _as_page(link, source), text)


def _as_page(link: re.Match[str], source: str) -> str:
    target, _, anchor = link["target"].partition("#")
    if not target:
        return link[0]
    path = os.path.normpath(os.path.join(os.path.dirname(source), target))
    page = path.removeprefix("docs/") if path.startswith("docs/") else PAGES.get(path)
    if page is None:
        return f"{link['text']} (`{path}`)" if link["text"].strip("`") != path else f"`{path}`"
    here = os.path.dirname(INCLUDED[source]) or "."
    return f"[{link['text']}]({os.path.relpath(page, here)}{'#' if anchor else ''}{anchor})"


def commands_page() -> str:
    """Return every command with its arguments and options, from the Typer app."""
    from typer.main import get_command

    from rag_qa.app.chat.commands import COMMANDS
    from rag_qa.app.cli import app

    parts = [
        "# Commands\n\nAnswers go to standard output, progress and errors to standard error. "
        "Exit status: 0, 1 (an error, in one line that ends with what to do), 2 (usage), 130 (Ctrl-C).\n"
    ]
    for path, command in _commands("rag-qa", get_command(app)):
        parts.append(_command_section(path, command))
    parts += ["## In a chat\n", "| Command | Meaning |", "|---|---|"]
    parts += [
        f"| `{_cell(command.usage)}` | {_cell(command.help)}. {_cell(command.details)} |"
        for command in COMMANDS
    ]
    return "\n".join(parts) + "\n"


def _commands(path: str, command: Any) -> Iterator[tuple[str, Any]]:
    """Yield the commands below one, groups left out, each with the words that call it."""
    below: Mapping[str, Any] = getattr(command, "commands", {})
    if not below:
        yield path, command
    for name, child in below.items():
        yield from _commands(f"{path} {name}", child)


def _command_section(path: str, command: Any) -> str:
    context = typer.Context(command, info_name=path)
    usage = " ".join(command.collect_usage_pieces(context))
    records = [row for item in command.params if (row := item.get_help_record(context))]
    lines = [f"## {path}\n", f"{command.help or ''}\n", f"```text\n{path} {usage}\n```\n"]
    if records:
        lines += ["| Argument or option | Meaning |", "|---|---|"]
        lines += [f"| `{_cell(name)}` | {_cell(meaning)} |" for name, meaning in records]
    return "\n".join(lines) + "\n"


def settings_page() -> str:
    """Return every setting with its environment variable, type, default and meaning."""
    from rag_qa.settings import Settings

    lines = [
        "# Settings\n",
        "A flag wins over the environment, that over `rag_qa.toml` in the working directory, that over the default. "
        "In `rag_qa.toml` a setting has the name below, in the environment the name in capitals after `RAG_QA_`:\n",
        '```toml\nmodel = "Qwen2.5-Coder-1.5B-Instruct"\nk = 20\n```\n',
        "| Setting | Values | Default | Meaning |",
        "|---|---|---|---|",
    ]
    schema = Settings.model_json_schema()["properties"]
    for name, field in Settings.model_fields.items():
        default = "" if field.default is None else f"`{field.default}`"
        lines.append(
            f"| `{name}` | {_cell(_type_of(schema[name]))} | {default} | {_cell(field.description or '')} |"
        )
    return "\n".join([*lines, "\n## Other variables\n", OTHER_VARIABLES])


OTHER_VARIABLES = """\
| Variable | Meaning |
|---|---|
| `RAG_QA_INDEX` | folder of the index, as `--index` |
| `RAG_QA_TOKEN` | token of `rag-qa serve` and `rag-qa mcp --http`, as `--token` |
| `RAG_QA_MODELS_DIR` | folder in which language models are looked for and put |
| `RAG_QA_SESSIONS_DIR` | folder in which `rag-qa chat` saves conversations |
| `RAG_QA_SHARED` | folder with the data of the larger question sets (evaluation only) |
| `HF_ENDPOINT`, `HF_HOME`, `HTTPS_PROXY` | mirror, folder and proxy of downloads from the Hugging Face Hub |
"""


def python_page() -> str:
    """Return a page that mkdocstrings fills with the public names."""
    import rag_qa
    from rag_qa import exports

    names = [name for name in rag_qa.__all__ if not name.startswith("_") and name != "RagQAError"]
    first = ["Assistant", "build_index", "judge", "Settings"]
    ordered = [*first, *(name for name in names if name not in first)]
    sections = [
        ("# Python", [], "What can be imported from `rag_qa`, and the modules that a program may build on."),
        ("## rag_qa", [f"{getattr(rag_qa, n).__module__}.{n}" for n in ordered], ""),
        ("## rag_qa.exports", [f"rag_qa.exports.{n}" for n in exports.__all__], ""),
        ("## Saved answers", RECEIPTS, ""),
        (
            "## Protocols",
            ["rag_qa.protocols"],
            "What rag_qa asks of a model. Yours may take the place of ours.",
        ),
        ("## Fakes for tests", ["rag_qa.testing"], ""),
        ("## Errors", ["rag_qa.errors"], ""),
    ]
    return "\n\n".join(
        "\n\n".join([title, *([text] if text else []), *(f"::: {name}" for name in members)])
        for title, members, text in sections
    )


RECEIPTS = [
    "rag_qa.answering.receipts.write.write_receipt",
    "rag_qa.answering.receipts.write.read_receipt",
    "rag_qa.answering.receipts.verify",
]


def json_page() -> str:
    """Return the fields of the values that commands print as JSON, from the schemas of their models."""
    import rag_qa

    lines = [
        "# JSON\n",
        "`ask --json` prints an `Answer`, `index --json` an `IndexReport` without its fates, `eval --json` an "
        "`EvalReport`. `search --json` prints a list of `paper_id`, `title`, `score` and `components`, with "
        "`--explain` the fields of `Explanation` too. These shapes are public: `provenance.answer_version` grows "
        "if they change. For every citation `paper.abstract[start:end] == quote`.\n",
    ]
    shapes: dict[str, Any] = {}
    for name in VALUES:
        schema = getattr(rag_qa, name).model_json_schema()
        shapes |= {name: schema} | schema.get("$defs", {})
    for name, schema in shapes.items():
        lines += [f"## {name}\n", f"{schema.get('description', '')}\n", *_fields(schema)]
    return "\n".join(lines)


def _fields(schema: Mapping[str, Any]) -> list[str]:
    required = schema.get("required", [])
    rows = [
        f"| `{name}` | {_cell(_type_of(field, link=True))} | {'' if name in required else 'optional'} |"
        for name, field in schema.get("properties", {}).items()
    ]
    return ["| Field | Type | |", "|---|---|---|", *rows, ""]


def _type_of(field: Mapping[str, Any], *, link: bool = False) -> str:
    """Return a type of a JSON schema in words."""
    if "$ref" in field:
        name = str(field["$ref"]).rsplit("/", 1)[-1]
        return f"[{name}](#{name.lower()})" if link else name
    if "anyOf" in field:
        return " or ".join(_type_of(part, link=link) for part in field["anyOf"])
    if "enum" in field:
        return ", ".join(f"`{value}`" for value in field["enum"])
    if field.get("type") == "array":
        return f"list of {_type_of(field.get('items', {}), link=link)}"
    bounds = [f"from {field['minimum']}"] if "minimum" in field else []
    bounds += [f"to {field['maximum']}"] if "maximum" in field else []
    return " ".join([str(field.get("format", field.get("type", "anything"))), *bounds])


def http_page() -> str:
    """Return the routes of `rag-qa serve` from the OpenAPI document."""
    from rag_qa.app.service.app import create_api
    from rag_qa.app.service.state import State

    document = create_api(cast(State, None)).openapi()  # the routes alone are looked at
    lines = [
        "# HTTP\n",
        "`rag-qa serve` answers these requests, and describes them at `/openapi.json`. "
        'Errors are `{"error": {"message", "type", "param", "code"}}`. '
        "[A server for a group](../guides/server.md) shows how to use it.\n",
    ]
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            lines += [
                f"## {method.upper()} {path}\n",
                operation.get("description", operation.get("summary", "")),
                "",
            ]
            lines += _parameters(operation.get("parameters", []))
            lines += _body(operation.get("requestBody", {}))
    lines.append("## Bodies\n")
    for name, schema in document.get("components", {}).get("schemas", {}).items():
        if "properties" in schema:
            lines += [f"### {name}\n", schema.get("description", ""), "", *_fields(schema)]
    return "\n".join(lines)


def _parameters(parameters: list[Mapping[str, Any]]) -> list[str]:
    if not parameters:
        return []
    rows = [
        f"| `{row['name']}` | {row['in']} | {_cell(_type_of(row.get('schema', {}), link=True))} "
        f"| {'' if row.get('required') else 'optional'} |"
        for row in parameters
    ]
    return ["| Parameter | In | Type | |", "|---|---|---|---|", *rows, ""]


def _body(body: Mapping[str, Any]) -> list[str]:
    kinds = [_type_of(part.get("schema", {}), link=True) for part in body.get("content", {}).values()]
    return [f"Body: {', '.join(kinds)}\n"] if kinds else []


def _cell(text: str) -> str:
    return " ".join(text.replace("|", "\\|").split())
