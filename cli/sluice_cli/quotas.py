"""`sluice quotas`: what an owner may send."""

import click

from sluice_cli.client import Json
from sluice_cli.verbs import COUNT, OWNER, Field, Noun

command = Noun("quotas", "What an owner may send, and what is used of it.")


def _cap(text: str) -> Json:
    """A type of options: COUNT/HOURS."""
    count, _, hours = text.partition("/")
    if not (count.isdecimal() and hours.isdecimal()):
        raise click.BadParameter(f"it is COUNT/HOURS, such as 2/168: {text!r}")
    return {"count": int(count), "hours": int(hours)}


command.call("show", "GET /api/quotas", "Show an owner's limits, and what is used of them.", "", OWNER)
command.call(
    "set",
    "PUT /api/quotas/{owner}",
    "Set an owner's limits, in place of all that were set before.",
    "acme --daily-limit 5000 --cap 2/168 --require-consent --yes",
    Field("dailyLimit", "--daily-limit", "N", "Messages a day; no limit otherwise.", type=COUNT),
    Field(
        "frequencyCap",
        "--cap",
        "COUNT/HOURS",
        "At most so many messages to one person in so many hours, over all broadcasts.",
        type=_cap,
    ),
    Field("requiresConsent", "--require-consent", "", "Write only to who has consented.", is_flag=True),
    Field(
        "optOutWords",
        "--opt-out",
        "WORD",
        "A word that suppresses who writes it, beside STOP, SAIR and the others; give several.",
        multiple=True,
    ),
    Field("timeZone", "--time-zone", "ZONE", "Whose midnight begins a day; UTC otherwise."),
    ask="Replace all limits of {owner}? What is not given is as if nobody had set it.",
)
