"""The tree of commands, each imported when it is named, and how a run ends."""

import os
import sys
from importlib import import_module
from typing import NoReturn

import click

from sluice_cli import VERSION, verbs
from sluice_cli.errors import CliError, Interrupted
from sluice_cli.session import Session

COMMANDS = {
    "boosts": ("boosts", "Campaigns of views, delivered in batches by a plan."),
    "views": ("views", "What contents show, what is pending, and what was refused."),
    "sponsorships": ("sponsorships", "Campaigns that pay streamers for impressions."),
    "promotions": ("promotions", "Posts at a network, and rewards for who engaged with them."),
    "broadcasts": ("broadcasts", "A message to many people, each once."),
    "instances": ("instances", "The numbers that broadcasts are sent from."),
    "templates": ("templates", "Texts for broadcasts, in versions that never change."),
    "quotas": ("quotas", "What an owner may send, and what is used of it."),
    "suppressions": ("suppressions", "People whom no broadcast writes to."),
    "consents": ("consents", "People who have agreed to be written to."),
    "media": ("media", "Files that broadcasts carry."),
    "wallets": ("wallets", "Money: balances, statements, and what came from outside."),
    "audit": ("audit", "Who did what, in a chain that can be checked."),
    "health": ("switch:health", "Say whether everything works; exit 1 if something does not."),
    "ping": ("switch:ping", "Say whether the API answers; it checks nothing behind it, and takes no token."),
    "stopped": ("switch:stopped", "Say whether the platform is stopped, since when, by whom and why."),
    "stop": ("switch:stop", "Stop every campaign of every kind."),
    "resume": ("switch:resume", "Let the stopped platform go on."),
    "redrive": (
        "switch:redrive",
        "Put dead letters back on their QUEUE, or without QUEUE on all; exit 1 if some are left.",
    ),
    "hooks": ("hooks", "Webhooks: events, sent to your own servers by signed requests."),
    "token": ("tokens", "Tokens for people and services."),
    "login": ("login", "Keep an address and a token in a profile."),
    "profiles": ("login:profiles", "List the profiles."),
    "api": ("api", "Call any route, and print its answer."),
    "completion": ("completion", "Print a script that completes commands in a shell."),
}
"""Name -> module (and its attribute, where that is not `command`), and the line in the root's help."""
_HEADINGS = {
    "boosts": "Campaigns",
    "instances": "What broadcasts need",
    "wallets": "Money and records",
    "health": "The platform",
    "login": "This command",
}
"""The headings of the root's help, each by the first command below it."""


class Tree(verbs.Group):
    """The root. Its help imports no command."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module, _, attribute = COMMANDS[cmd_name][0].partition(":")
        found = getattr(import_module(f"sluice_cli.{module}"), attribute or "command")
        assert isinstance(found, click.Command)
        return found

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        heading, rows = "", dict[str, list[tuple[str, str]]]()
        for name, (_, line) in COMMANDS.items():
            heading = _HEADINGS.get(name, heading)
            rows.setdefault(heading, []).append((name, line))
        for heading, lines in rows.items():
            with formatter.section(heading):
                formatter.write_dl(lines)


def _version(context: click.Context, parameter: click.Parameter, value: bool) -> None:
    if value:
        click.echo(f"sluice {VERSION}")
        context.exit()


tree = Tree(
    "sluice",
    help="Measured campaigns: boosts, sponsorships, promotions and broadcasts.\n\n"
    "SLUICE_URL and SLUICE_TOKEN say where and as whom; `sluice login` keeps them instead.",
    epilog="Exit codes: 0 done; 1 failed, or does not hold; 2 wrong use or input; 3 not found; 4 not allowed; "
    "5 refused as things stand; 6 not reached; 130 interrupted; 141 the reader of a pipe has gone.",
    add_help_option=False,
    params=[
        *verbs.shared_options(),
        click.Option(
            ("--version",),
            is_flag=True,
            is_eager=True,
            expose_value=False,
            callback=_version,
            help="Print the version.",
        ),
        verbs.help_option(),
    ],
)


def run() -> NoReturn:
    """The script `sluice`."""
    code = main(sys.argv[1:])
    sys.exit(code)


def main(arguments: list[str]) -> int:
    """Run one command, and return its exit code."""
    if "_SLUICE_COMPLETE" in os.environ:
        from click.shell_completion import shell_complete

        return shell_complete(tree, {}, "sluice", "_SLUICE_COMPLETE", os.environ["_SLUICE_COMPLETE"])
    try:
        code = _run(arguments)
        if sys.stdout is not None:
            sys.stdout.flush()
    except BrokenPipeError:
        _discard_stdout()
        return 141
    return code


def _run(arguments: list[str]) -> int:
    try:
        with tree.make_context("sluice", arguments, obj=Session()) as context:
            tree.invoke(context)
    except click.exceptions.Exit as ended:
        return ended.exit_code
    except click.ClickException as error:
        return _usage(error)
    except CliError as error:
        _tell(f"error: {error.message}", *error.more)
        return error.exit_code
    except click.Abort:
        _tell("", "Nothing was changed.")
        return 130
    except KeyboardInterrupt:
        _tell("")
        return 130
    except Interrupted as error:
        _tell("", str(error))
        return 130
    except BrokenPipeError:
        raise
    except OSError as error:  # a full disk, a file that may not be written
        _tell(f"error: {error.filename or 'writing'}: {error.strerror}")
        return 1
    return 0


def _usage(error: click.ClickException) -> int:
    context = getattr(error, "ctx", None)
    hint = [f"`{context.command_path} --help` says more."] if context is not None else []
    _tell(f"error: {' '.join(error.format_message().split())}", *hint)  # click lists choices in lines of their own
    return 2


def _tell(*lines: str) -> None:
    for line in lines:
        click.echo(line, err=True, color=False)


def _discard_stdout() -> None:
    """So that the interpreter's own flush at its end finds nobody missing."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
