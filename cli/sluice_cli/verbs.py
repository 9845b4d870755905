"""Nouns and verbs: groups and commands of Click with the options that all have, and an example in their help."""

import difflib
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import click

from sluice_cli.session import Session

Run = Callable[..., None]


def _keep(context: click.Context, parameter: click.Parameter, value: Any) -> None:
    if value and parameter.name:
        session = context.find_object(Session)
        if session is None:
            session = context.find_root().ensure_object(Session)
            context.obj = session
        setattr(session, parameter.name, value)


def shared_options() -> list[click.Parameter]:
    """The options of every command, which may stand before it too."""

    def option(*names: str, help: str, **more: Any) -> click.Parameter:
        return click.Option(names, callback=_keep, expose_value=False, help=help, **more)

    return [
        option("--json", is_flag=True, help="Print the API's own answer; JSON lines while watching."),
        option("--url", metavar="URL", help="The API's address, instead of SLUICE_URL."),
        option("--token", metavar="TOKEN", help="A token; rather set SLUICE_TOKEN, as others see a command's options."),
        option("--profile", metavar="NAME", help="A profile of `sluice login`, instead of SLUICE_PROFILE."),
        option("--utc", is_flag=True, help="Print moments in UTC."),
        option("--no-input", is_flag=True, help="Never ask."),
        option("-v", "--verbose", is_flag=True, help="Print each call's method, path, status, time and request id."),
    ]


def help_option() -> click.Option:
    """`--help`, as Click makes it, but in the words of the other options."""

    def show(context: click.Context, parameter: click.Parameter, value: bool) -> None:
        if value and not context.resilient_parsing:
            click.echo(context.get_help(), color=False)
            context.exit()

    return click.Option(
        ("-h", "--help"), is_flag=True, is_eager=True, expose_value=False, callback=show, help="Print this, and end."
    )


class Verb(click.Command):
    """A command. Its docstring's first line is its help; `example` is a line that can be run."""

    def __init__(self, *args: Any, example: str, **more: Any) -> None:
        more["add_help_option"] = False
        super().__init__(*args, **more)
        self.example = example
        self.own_options = [each for each in self.params if isinstance(each, click.Option)]
        self.params += [*shared_options(), help_option()]

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Example"):
            formatter.write(f"{'':{formatter.current_indent}}{self.example}\n")


class Group(click.Group):
    """A group that names the nearest command when there is no such one, and all when none is named."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        if not args and not ctx.resilient_parsing:
            click.echo(ctx.get_help(), err=True, color=False)
            ctx.exit(2)
        return super().parse_args(ctx, args)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        name = args[0]
        if self.get_command(ctx, name) is None and not name.startswith("-"):
            near = difflib.get_close_matches(name, self.list_commands(ctx), 1, 0.5)
            hint = f" Did you mean {near[0]!r}?" if near else f" `{ctx.command_path} --help` lists what there is."
            ctx.fail(f"No such command {name!r}.{hint}")
        return super().resolve_command(ctx, args)


class Noun(Group):
    """What the commands of one noun stand in; they are listed as they stand in the file."""

    def __init__(self, name: str, help: str) -> None:
        super().__init__(name, help=help, add_help_option=False)
        self.params += [*shared_options(), help_option()]

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(self.commands)

    def verb(self, name: str, *, example: str) -> Callable[[Run], Verb]:
        """A decorator for a function that takes the session, then its options and arguments by name."""

        def decorate(run: Run) -> Verb:
            made = verb(name, example=example)(run)
            self.add_command(made)
            return made

        return decorate


def verb(name: str, *, example: str) -> Callable[[Run], Verb]:
    """A decorator for a command that stands in no noun."""

    def decorate(run: Run) -> Verb:
        made = click.command(name, cls=Verb, example=example)(click.make_pass_decorator(Session, ensure=True)(run))
        assert isinstance(made, Verb)
        return made

    return decorate


class Id(click.ParamType):
    """A part of a path: not empty, and no sign that could make another path of it. It comes quoted."""

    name = "id"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        text = str(value)
        if not text or text in (".", "..") or not text.isprintable() or any(each in "/?#% " for each in text):
            self.fail(f"{text!r} is no id: it is empty, or has a sign that ids do not have.", param, ctx)
        return quote(text, safe=":@~")


ID = Id()
COUNT = click.IntRange(min=1)


def id_argument(name: str = "id") -> Callable[[Any], Any]:
    return click.argument(name, type=ID)


def paged(run: Any) -> Any:
    """The options of a list that comes page by page."""
    run = click.option("--cursor", metavar="CURSOR", help="Go on where the page before ended.")(run)
    return click.option("--limit", type=COUNT, metavar="N", help="At most N entries.")(run)


def yes_option(run: Any) -> Any:
    return click.option("--yes", "-y", is_flag=True, help="Do not ask.")(run)


def reason_option(run: Any) -> Any:
    return click.option("--reason", metavar="TEXT", help="Why; it goes into the audit trail.")(run)


def watch_option(run: Any) -> Any:
    return click.option("--watch", is_flag=True, help="Then follow it to its end.")(run)


def every_option(run: Any) -> Any:
    seconds = click.FloatRange(min=0.05)
    return click.option("--every", type=seconds, metavar="SECONDS", help="How often to look; by itself otherwise.")(run)


def output_option(run: Any) -> Any:
    file = click.File("wb", lazy=True)
    return click.option("-o", "--output", type=file, default="-", metavar="FILE", help="Write there.")(run)


def given(**values: object) -> dict[str, Any]:
    """The fields that were given."""
    return {name: value for name, value in values.items() if value is not None and value != ()}
