"""Alarms: heard by somebody, and telling him what to do."""

import re

from tests.template.project import Project, refers_to

# What somebody woken at night can do.
ADVICE = re.compile(r"\b(call|check|find|look|lower|mend|purge|raise|read|redrive|restart|rotate|stop|wait)\b", re.I)
HEADING = re.compile(r"^## .*$", re.MULTILINE)


def alarms_ring_somewhere(project: Project) -> list[str]:
    topics = project.of_type("AWS::SNS::Topic")
    return [
        f"{name}: set AlarmActions: [!Ref AlarmTopic]"
        for name, alarm in project.alarms.items()
        if not {refers_to(action) for action in alarm.get("AlarmActions", [])} & topics.keys()
        or alarm.get("ActionsEnabled") is False
    ]


def alarms_say_what_to_do(project: Project) -> list[str]:
    """First what is the matter, then what to do."""
    return [
        f"{name}: let AlarmDescription say what to do"
        for name, alarm in project.alarms.items()
        if not re.search(r"[.;:,] ", alarm.get("AlarmDescription", "")) or not ADVICE.search(alarm["AlarmDescription"])
    ]


def alarms_have_a_chapter(project: Project) -> list[str]:
    """docs/operations.md has a `## ` heading with each alarm's logical id, and none with the id of an alarm gone."""
    named = {word for heading in HEADING.findall(project.operations) for word in re.findall(r"\w+Alarm\b", heading)}
    problems = [
        f"{name}: add a heading `## ... {name} ...` to docs/operations.md"
        for name in sorted(project.alarms.keys() - named)
    ]
    problems += [f"docs/operations.md: {name} is no alarm" for name in sorted(named - project.alarms.keys())]
    return problems


RULES = (alarms_ring_somewhere, alarms_say_what_to_do, alarms_have_a_chapter)
