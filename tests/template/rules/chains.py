"""The rows of operations/chains.py, and the resources that they name."""

from operations.chains import QUEUES, Chain, StepQueue
from tests.template.project import Project, refers_to


def rows_have_their_resources(project: Project) -> list[str]:
    """What a row's name stands for: Health names the alarms, and people find the queues by the outputs."""
    problems = []
    for row in QUEUES:
        names = {f"{row.logical_name}Queue", f"{row.logical_name}DeadLetters", row.dead_letters_alarm}
        names |= {row.worker_alarm} if isinstance(row, Chain) else set()
        problems += [f"{name}: add it, for the row {row.name}" for name in sorted(names - project.resources.keys())]
        outputs = project.template["Outputs"]
        for part in ("Queue", "DeadLetters"):
            name = f"{row.logical_name}{part}"
            if refers_to(outputs.get(f"{name}Url", {}).get("Value", "")) != name:
                problems.append(f"Outputs: let {name}Url be !Ref {name}, for the row {row.name}")
    return problems


def settings_of_rows_name_their_resources(project: Project) -> list[str]:
    """The same variable means the same queue, or table, in every function that has it."""
    wanted = {name: resource for row in QUEUES for name, resource in _resources(row).items()}
    return [
        f"{function}: let {name} be !Ref {wanted[name]}"
        for function, properties in project.functions.items()
        for name, value in properties.get("Environment", {}).get("Variables", {}).items()
        if name in wanted and refers_to(value) != wanted[name]
    ]


def _resources(row: StepQueue) -> dict[str, str]:
    """By the names of the environment that the row's settings are."""
    found = {row.queue_url.upper(): f"{row.logical_name}Queue"}
    found[row.dead_letters_url.upper()] = f"{row.logical_name}DeadLetters"
    if isinstance(row, Chain):
        found[row.table.upper()] = row.table.title().replace("_", "")
    return found


RULES = (rows_have_their_resources, settings_of_rows_name_their_resources)
