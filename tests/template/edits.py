"""Ways to break a copy of the project, each in one thing."""

from collections.abc import Callable
from datetime import date
from typing import Any

from tests.template.project import Project, as_list, refers_to

type Edit = Callable[[Project], None]

_BESIDE_PROPERTIES = {"DeletionPolicy", "UpdateReplacePolicy"}


def put(path: str, value: Any) -> Edit:
    """Set what is at `Resource.Property...`, or at `Parameters...` and the like."""

    def edit(project: Project) -> None:
        place, name = _find(project, path)
        place[name] = value

    return edit


def drop(path: str) -> Edit:
    """Remove what is there."""

    def edit(project: Project) -> None:
        place, name = _find(project, path)
        del place[name]

    return edit


def replace(path: str, old: str, new: str) -> Edit:
    """Change a part of the text that is there."""

    def edit(project: Project) -> None:
        place, name = _find(project, path)
        assert old in place[name]
        place[name] = place[name].replace(old, new)

    return edit


def _find(project: Project, path: str) -> tuple[Any, Any]:
    steps: list[Any] = [int(step) if step.isdigit() else step for step in path.split(".")]
    if steps[0] not in project.template:
        properties = [] if steps[1] in _BESIDE_PROPERTIES else ["Properties"]
        steps = ["Resources", steps[0], *properties, *steps[1:]]
    place: Any = project.template
    for step in steps[:-1]:
        place = place[step]
    return place, steps[-1]


def add(name: str, resource: dict[str, Any]) -> Edit:
    """Add a resource."""
    return put(f"Resources.{name}", resource)


def rename(old: str, new: str) -> Edit:
    """Rename a resource everywhere."""

    def renamed(value: Any) -> Any:
        match value:
            case dict():
                return {new if key == old else key: renamed(each) for key, each in value.items()}
            case list():
                return [renamed(each) for each in value]
            case str():
                return new if value == old else value.replace(f"${{{old}}}", f"${{{new}}}")
        return value

    def edit(project: Project) -> None:
        project.template = renamed(project.template)

    return edit


def grant(function: str, action: str | list[str], resource: Any, **more: Any) -> Edit:
    """Give a function one more permission."""

    def edit(project: Project) -> None:
        policies = project.template["Resources"][function]["Properties"]["Policies"]
        policies.append({"Statement": [{"Effect": "Allow", "Action": action, "Resource": resource, **more}]})

    return edit


def restate(function: str, action: str, resource: str, **changes: Any) -> Edit:
    """Change a function's statement about an action on a resource; None removes a part of it."""

    def edit(project: Project) -> None:
        for policy in project.template["Resources"][function]["Properties"]["Policies"]:
            for statement in policy["Statement"]:
                is_on_it = resource in map(refers_to, as_list(statement["Resource"]))
                if is_on_it and action in as_list(statement["Action"]):
                    statement |= {name: value for name, value in changes.items() if value is not None}
                    for name in [name for name, value in changes.items() if value is None]:
                        del statement[name]
                    return
        raise LookupError(f"{function} has no statement about {action} on {resource}")

    return edit


def revoke(function: str, action: str, resource: str) -> Edit:
    """Take a permission from a function: its statement now speaks of nothing."""
    return restate(function, action, resource, Action="dynamodb:DescribeTable")


def all_of(*edits: Edit) -> Edit:
    def edit(project: Project) -> None:
        for each in edits:
            each(project)

    return edit


def write_event(path: str, text: str) -> Edit:
    def edit(project: Project) -> None:
        project.events[path] = text

    return edit


def replace_in_event(path: str, old: str, new: str) -> Edit:
    def edit(project: Project) -> None:
        assert old in project.events[path]
        project.events[path] = project.events[path].replace(old, new)

    return edit


def delete_event(path: str) -> Edit:
    def edit(project: Project) -> None:
        del project.events[path]

    return edit


def read_setting(module: str, name: str) -> Edit:
    def edit(project: Project) -> None:
        project.settings[module].add(name)

    return edit


def on(day: date) -> Edit:
    def edit(project: Project) -> None:
        project.today = day

    return edit


def head_chapters(*, without: str = "", also: str = "") -> Edit:
    """Write docs/operations.md: a chapter for each alarm but one, or for one more."""

    def edit(project: Project) -> None:
        names = [name for name in project.alarms if name != without] + ([also] if also else [])
        project.operations = "".join(f"## {name}: what to do\n\nLook.\n\n" for name in names)

    return edit


def change_model(table: str, model: str, change: Callable[[Any], None]) -> Edit:
    def edit(project: Project) -> None:
        change(next(each for each in project.models[table] if each.name == model))

    return edit


def unbind_model(table: str) -> Edit:
    def edit(project: Project) -> None:
        project.models[""] = project.models.pop(table)

    return edit
