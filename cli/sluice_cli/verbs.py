"""Nouns and verbs: groups and commands of Click with the options that all have, and an example in their help."""

import copy
import difflib
import json
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import IO, Any, NamedTuple
from urllib.parse import quote

import click

from sluice_cli.client import Answer, Json
from sluice_cli.errors import CliError, WrongUse
from sluice_cli.session import Session

Run = Callable[..., None]
Show = Callable[[Session, Answer], None]
Watch = Callable[..., None]


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
        self._sections = {"Commands": list[str]()}

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(self.commands)

    def section(self, title: str) -> None:
        """A heading in the help, for the verbs that follow."""
        self._sections[title] = []

    def add_command(self, cmd: click.Command, name: str | None = None) -> None:
        super().add_command(cmd, name)
        [*_, last] = self._sections.values()
        last.append(name or cmd.name or "")

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        for title, names in self._sections.items():
            with formatter.section(title):
                formatter.write_dl([(name, self.commands[name].help or "") for name in names])

    def verb(self, name: str, *fields: click.Parameter, example: str) -> Callable[[Run], Verb]:
        """A decorator for a function that takes the session, then its options and arguments by name."""

        def decorate(run: Run) -> Verb:
            made = verb(name, *fields, example=example)(run)
            self.add_command(made)
            return made

        return decorate

    def call(
        self,
        name: str,
        route: str,
        help: str,
        example: str,
        *fields: "Field | Word",
        body: Json | None = None,
        ask: str = "",
        why: bool = False,
        show: Show = Session.show,
        watch: Watch | None = None,
    ) -> None:
        """A verb that is one call. `route` is METHOD PATH; `{id}` in it is an argument, as is a Word of `fields`.

        The fields that are given are a GET's query, or else stand in the body beside `body`; `why` asks for a reason.
        `ask` is the question before it, `example` what stands behind the verb; `watch` takes the path's arguments.
        """
        method, path = route.split(" ")
        inside = re.findall(r"{(\w+)}", path)
        inner = [each for each in fields if not each.in_query and method != "GET"]

        def run(session: Session, **values: Any) -> None:
            where = path.format_map(values)
            query = body_of([each for each in fields if each.in_query or method == "GET"], values)
            found = {**(body or {}), **body_of(inner, values)}
            if why:
                found["reason"] = session.required(values["reason"], "--reason", "Why")
            if ask:
                session.confirm(ask.format_map(values), yes=values["yes"])
            following = watch if values.get("watch") else None
            if method != "GET":
                answer = session.send(method, where, found if inner or body or why else None, query)
            elif following is None:
                answer = session.get(where, query)
            if following is not None:
                following(session, *(values[each] for each in inside), values["every"])
            else:
                show(session, answer)

        params: list[click.Parameter] = [
            click.Argument([each], type=COUNT if each == "number" else ID) for each in inside
        ]
        params += fields
        params += [WHY] * why + [YES] * bool(ask) + [WATCH, EVERY] * (watch is not None)
        self._add(name, run, params, help, example)

    def export(self, name: str, path: str, help: str, example: str, *fields: "Field | Word") -> None:
        """A verb that writes a CSV with all its pages."""

        def run(session: Session, output: Any, **values: Any) -> None:
            session.save(path.format_map(values), output, body_of(fields, values))

        inside = [click.Argument([each], type=ID) for each in re.findall(r"{(\w+)}", path)]
        self._add(name, run, [*inside, *fields, OUTPUT], help, example)

    def watch(self, name: str, watch: Watch, help: str, example: str) -> None:
        """A verb that follows a thing to its end."""

        def run(session: Session, id: str, every: float | None) -> None:
            watch(session, id, every)

        self._add(name, run, [click.Argument(["id"], type=ID), EVERY], help, example)

    def _add(self, name: str, run: Run, params: list[click.Parameter], help: str, example: str) -> None:
        callback = click.make_pass_decorator(Session, ensure=True)(run)
        whole = f"sluice {self.name} {name} {example}".rstrip()
        self.add_command(Verb(name, callback=callback, params=params, help=help, example=whole))


def verb(name: str, *fields: click.Parameter, example: str) -> Callable[[Run], Verb]:
    """A decorator for a command that stands in no noun."""

    def decorate(run: Run) -> Verb:
        made = click.command(name, cls=Verb, example=example, params=list(fields))(
            click.make_pass_decorator(Session, ensure=True)(run)
        )
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


class Pair(NamedTuple):
    """`name=value`, where many of them are an object."""

    name: str
    value: str | int


class Field(click.Option):
    """An option that is a field of a body or a query: `to` is its name there, `outer.inner` inside another one.

    `in_query`: it stands in the query of a write too. `metavar` is "" where Click says what may stand there.
    """

    def __init__(self, to: str, flag: str, metavar: str, help: str, *, in_query: bool = False, **more: Any) -> None:
        super().__init__([flag], metavar=metavar or None, help=help, **{"default": None, **more})
        self.to = to
        self.in_query = in_query

    def optional(self) -> "Field":
        """The same where nothing has to be given: in a change, and in a list's filter."""
        made = copy.copy(self)
        made.required, made.default, made.show_default = False, None, None
        return made


class Word(click.Argument):
    """An argument that is a field of a body or a query."""

    in_query = False

    def __init__(self, to: str, name: str, **more: Any) -> None:
        super().__init__([name], **more)
        self.to = to


class Cleared(Field):
    """`--clear`: the fields that are to be null, by the words that set them."""

    def __init__(self, fields: Iterable[Field], *names: str) -> None:
        self.by_word = {each.opts[-1].lstrip("-"): each.to for each in fields}
        self.by_word = {name: self.by_word[name] for name in names}
        super().__init__(
            "", "--clear", "", "Take away what this option has set.", multiple=True, type=click.Choice(names)
        )

    def optional(self) -> "Field":
        return self


def edited(fields: Sequence[Field], *clearable: str) -> list[Field]:
    """The fields of a change: none is required, and some can be taken away."""
    found = [each.optional() for each in fields]
    return [*found, Cleared(fields, *clearable)] if clearable else found


def body_of(fields: Sequence[Field | Word], values: Json) -> Json:
    """The fields that were given, as the API has them."""
    found: Json = {}
    for each in fields:
        value = values[each.name or ""]
        if isinstance(each, Cleared):
            found |= dict.fromkeys(each.by_word[word] for word in value)
        elif value is not None and value != ():
            *outer, last = each.to.split(".")
            place = found
            for name in outer:
                place = place.setdefault(name, {})
            if last in place:
                both = " or ".join(other.opts[0] for other in fields if other.to == each.to)
                raise WrongUse(f"Give {both}, not both.")
            place[last] = _in_json(value)
    return found


def _in_json(value: Any) -> Any:
    if not isinstance(value, tuple):
        return value
    return dict(value) if isinstance(value[0], Pair) else list(value)


def pair(text: str) -> Pair:
    """A type of options: NAME=TEXT."""
    name, equals, value = text.partition("=")
    if not equals or not name:
        raise click.BadParameter(f"it is NAME=VALUE: {text!r}")
    return Pair(name, value)


def number_pair(text: str) -> Pair:
    """A type of options: NAME=NUMBER."""
    found = pair(text)
    if not str(found.value).isdecimal():
        raise click.BadParameter(f"it is NAME=NUMBER: {text!r}")
    return Pair(found.name, int(found.value))


def lines_of(file: IO[bytes], most: int) -> Iterator[list[str]]:
    """A file's lines that are not empty, at most so many at once. Raises WrongUse when there is none."""
    try:
        lines = (line.strip() for line in file.read().decode("utf-8-sig").splitlines())
    except UnicodeDecodeError as error:
        raise WrongUse(f"{file.name} is no text.") from error
    found = [line for line in lines if line]
    if not found:
        raise WrongUse(f"{file.name} is empty.")
    for begin in range(0, len(found), most):
        yield found[begin : begin + most]


def json_file(text: str) -> Any:
    """A type of options: a file of JSON, - for stdin."""
    try:
        with click.open_file(text, "rb") as opened:
            return json.loads(opened.read())
    except OSError as error:
        raise click.BadParameter(f"{text}: {error.strerror}") from error
    except ValueError as error:
        raise click.BadParameter(f"{text} is not JSON: {error}") from error


def table(*columns: str, items: str = "items") -> Show:
    """Shows a list with these columns; see `Words.table`."""
    return lambda session, answer: session.show_page(answer, columns, items)


def holds_or_exits(session: Session, answer: Answer, claim: str = "valid") -> None:
    """Show a verification, and end with 1 when it does not hold. Raises CliError when the answer does not say."""
    found = answer.json
    if not isinstance(found.get(claim), bool):
        raise CliError(f"The answer does not say whether it is {claim}.")
    session.show(answer)
    if not found[claim]:
        click.get_current_context().exit(1)


LIMIT = Field("limit", "--limit", "N", "At most N entries.", type=COUNT)
CURSOR = Field("cursor", "--cursor", "CURSOR", "Go on where the page before ended.")
PAGE = (LIMIT, CURSOR)
OWNER = Field("owner", "--owner", "NAME", "Of this owner, for operators.")
MINE = Field("mine", "--mine", "", "Only your own, for operators.", is_flag=True, flag_value="true")


def id_argument(name: str = "id") -> Callable[[Any], Any]:
    return click.argument(name, type=ID)


def paged(run: Any) -> Any:
    """The options of a list that comes page by page."""
    run = click.option("--cursor", metavar="CURSOR", help="Go on where the page before ended.")(run)
    return click.option("--limit", type=COUNT, metavar="N", help="At most N entries.")(run)


def file_argument(run: Any) -> Any:
    kind = click.Path(exists=True, dir_okay=False, readable=True, path_type=Path)
    return click.argument("file", type=kind)(run)


def uploaded(session: Session, path: str, file: Path, kind: str | None, type_field: str, id_field: str) -> None:
    """Ask `path` for a form, and upload a file by it. Raises WrongUse when nobody knows the file's type."""
    from mimetypes import guess_type

    kind = kind or guess_type(file.name)[0]
    if kind is None:
        raise WrongUse(f"What is in {file.name}? Say so with --type, such as --type image/png.")
    answer = session.send("POST", path, {type_field: kind, "bytes": file.stat().st_size})
    form = answer.json
    session.client.upload(form["url"], form["fields"], file, kind)
    session.show(answer, only=(id_field,))


def _both(*names: str, **more: Any) -> tuple[Callable[[Any], Any], click.Option]:
    """An option as a decorator, and as a verb that is declared takes it."""
    return click.option(*names, **more), click.Option(names, **more)


yes_option, YES = _both("--yes", "-y", is_flag=True, help="Do not ask.")
reason_option, WHY = _both("--reason", metavar="TEXT", help="Why; it goes into the audit trail.")
watch_option, WATCH = _both("--watch", is_flag=True, help="Then follow it to its end.")
every_option, EVERY = _both(
    "--every", type=click.FloatRange(min=0.05), metavar="SECONDS", help="How often to look; by itself otherwise."
)
output_option, OUTPUT = _both(
    "-o", "--output", type=click.File("wb", lazy=True), default="-", metavar="FILE", help="Write there."
)
patience_option, _ = _both(
    "--patience",
    type=click.FloatRange(min=0),
    default=600,
    show_default=True,
    metavar="SECONDS",
    help="Give up when nothing has moved for so long.",
)


def given(**values: object) -> dict[str, Any]:
    """The fields that were given."""
    return {name: value for name, value in values.items() if value is not None and value != ()}
