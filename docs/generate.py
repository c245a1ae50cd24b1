"""Write the generated parts of the documentation anew: the tables of settings.md and cli.md between their markers.

``make docs`` calls it; the suite fails when a table is not what this script would write.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import click
import typer

from hazwatch.cli import app
from hazwatch.settings import Settings

DOCS = Path(__file__).parent
BEGIN, END = "<!-- generated: begin -->", "<!-- generated: end -->"


def _cell(text: object) -> str:
    return str(text).replace("|", "\\|").replace("\n", " ")


def settings_table() -> str:
    """Every setting: name in the environment and in the file, default, meaning."""
    rows = ["| 环境变量 | hazwatch.toml | 默认 | 含义 |", "|---|---|---|---|"]
    for name, field in Settings.model_fields.items():
        default = "(空)" if field.default == "" else f"`{field.default}`"
        rows.append(f"| `HAZWATCH_{name.upper()}` | `{name}` | {_cell(default)} | {_cell(field.description)} |")
    return "\n".join(rows)


def commands() -> Iterator[tuple[str, click.Command]]:
    """Every command that is shown, by its words."""

    def walk(words: str, command: click.Command) -> Iterator[tuple[str, click.Command]]:
        children = getattr(command, "commands", None)
        if children is None:
            yield words, command
            return
        for name, child in children.items():
            if not child.hidden:
                yield from walk(f"{words} {name}", child)

    yield from walk("hazwatch", typer.main.get_command(app))


def parameter_words(parameter: click.Parameter) -> str:
    """How a parameter is written on the command line."""
    if parameter.param_type_name == "argument":
        return str(parameter.name).upper()
    return " / ".join([*parameter.opts, *parameter.secondary_opts])


def cli_tables() -> str:
    """Every command with its arguments and options."""
    parts = []
    for words, command in commands():
        parts.append(f"### `{words}`\n\n{(command.help or '').strip()}\n")
        rows = []
        for parameter in command.params:
            must = "必填" if parameter.required else "" if parameter.default in (None, "") else f"`{parameter.default}`"
            rows.append(f"| `{parameter_words(parameter)}` | {must} | {_cell(getattr(parameter, 'help', '') or '')} |")
        if rows:
            parts.append("\n".join(["| 参数 | 默认 | 含义 |", "|---|---|---|", *rows]) + "\n")
    return "\n".join(parts).rstrip()


def written(path: Path, table: str) -> str:
    """The text of a page with its generated part replaced."""
    head, _, rest = path.read_text(encoding="utf-8").partition(BEGIN)
    _, _, tail = rest.partition(END)
    return f"{head}{BEGIN}\n{table}\n{END}{tail}"


PAGES = {"settings.md": settings_table, "cli.md": cli_tables}


def main() -> None:
    """Write all pages."""
    for name, table in PAGES.items():
        path = DOCS / name
        path.write_text(written(path, table()), encoding="utf-8")
        sys.stdout.write(f"{path}\n")


if __name__ == "__main__":
    main()
