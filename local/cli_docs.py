"""Writes docs/cli.md from the command line's own help."""

import click

from local.errors import run
from local.paths import ROOT
from sluice_cli.main import tree
from sluice_cli.verbs import Verb

FILE = ROOT / "docs" / "cli.md"
_WIDTH = 100
_SECRETS = """\
No secret has to be an argument, which everybody on the machine can list. A token of the API comes from
`SLUICE_TOKEN`, from `sluice login`, or from a profile's `token_command`. `sluice login --with-token` and
`sluice promotions connect --with-token` read theirs from stdin; without the flag they ask, and show nothing of what is
typed. The credentials of an instance are a file (`sluice instances create ... --credentials secrets.json`), stdin
(`vault read ... | sluice instances update ins_01 --credentials -`), or variables of the environment
(`--credentials-from-env`). Files of G-Keys, impression tokens and phones may be `-`, stdin, too."""


def reference() -> str:
    """The text of docs/cli.md."""
    root = click.Context(tree, info_name="sluice", terminal_width=_WIDTH, max_content_width=_WIDTH)
    parts = [
        "# The command line `sluice`",
        "`make cli-docs` writes this file from the command's own help; edit the help, not this file.",
        "`uv tool install ./cli` installs it for you; in a checkout, `make` puts it into `.venv/bin/sluice`. "
        "The options of `sluice --help` may stand behind every command too, and are not repeated below.",
        _SECRETS,
        _block(tree.get_help(root)),
    ]
    for name in tree.list_commands(root):
        command = tree.get_command(root, name)
        assert command is not None
        context = click.Context(command, info_name=name, parent=root)
        if isinstance(command, click.Group):
            parts += [f"## sluice {name}", command.help or ""]
            for verb in command.list_commands(context):
                found = command.get_command(context, verb)
                assert isinstance(found, Verb)
                parts += _verb(found, click.Context(found, info_name=verb, parent=context), "###")
        else:
            assert isinstance(command, Verb)
            parts += _verb(command, context, "##")
    return "\n\n".join(parts) + "\n"


def _verb(verb: Verb, context: click.Context, level: str) -> list[str]:
    own = click.HelpFormatter(width=_WIDTH, max_width=_WIDTH)
    pieces = " ".join(verb.collect_usage_pieces(context))
    own.write(f"{context.command_path} {pieces}\n")
    rows = [row for option in verb.own_options if (row := option.get_help_record(context)) is not None]
    if rows:
        own.write_paragraph()
        own.write_dl(rows)
    own.write_paragraph()
    own.write(f"$ {verb.example}\n")
    return [f"{level} {context.command_path}", verb.help or "", _block(own.getvalue())]


def _block(text: str) -> str:
    return f"```text\n{text.rstrip()}\n```"


def main() -> None:
    FILE.write_text(reference(), encoding="utf-8")


if __name__ == "__main__":
    run(main)
