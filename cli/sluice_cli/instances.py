"""`sluice instances`: the numbers that broadcasts are sent from, and their credentials."""

import os
from typing import Any

import click

from sluice_cli.client import Answer, Json
from sluice_cli.session import Session
from sluice_cli.verbs import COUNT, OWNER, PAGE, Field, Noun, edited, json_file, table

INSTANCES = "/api/instances"
_ONE = f"{INSTANCES}/{{id}}"
SECRETS = {
    "SLUICE_API_KEY": "apiKey",
    "SLUICE_JWT_KEY": "jwtKey",
    "SLUICE_ACCESS_TOKEN": "accessToken",
    "SLUICE_APP_SECRET": "appSecret",
    "SLUICE_VERIFY_TOKEN": "verifyToken",
}
"""Variable of the environment -> field of the credentials."""

command = Noun("instances", "The numbers that broadcasts are sent from.")


def _from_environment(context: click.Context, parameter: click.Parameter, value: Any) -> Json | None:
    if not value:
        return None
    found = {field: os.environ[name] for name, field in SECRETS.items() if os.environ.get(name)}
    if not found:
        raise click.BadParameter(f"none of {', '.join(SECRETS)} is set.", context, parameter)
    return found


def _price(text: str) -> Json:
    """A type of options: COUNTRY,CATEGORY,PRICE,FROM."""
    country, category, price, since = (text.split(",") + [""] * 4)[:4]
    if text.count(",") != 3 or not price.isdecimal():
        raise click.BadParameter(f"it is COUNTRY,CATEGORY,PRICE,FROM, such as BR,marketing,62500,2026-11-01: {text!r}")
    return {"country": country, "category": category, "price": int(price), "from": since}


_NAMED = (
    Field("name", "--name", "TEXT", "What you call it.", required=True),
    Field(
        "provider",
        "--provider",
        "",
        "Who sends. It cannot change.",
        required=True,
        type=click.Choice(("sandbox", "evolution", "meta", "aws")),
    ),
    Field("currency", "--currency", "CODE", "Of its prices; USD otherwise. It cannot change."),
)
_TERMS = (
    Field(
        "address",
        "--address",
        "TEXT",
        "Evolution: the instance's name there; Meta and AWS: the phone number's id; sandbox: any.",
        required=True,
    ),
    Field("baseUrl", "--base-url", "URL", "Where the provider is; needed for Evolution."),
    Field(
        "credentials",
        "--credentials",
        "FILE",
        "A JSON object with apiKey and jwtKey (Evolution), or accessToken, appSecret and verifyToken (Meta); "
        "- is stdin. On a change they replace all that were there.",
        type=json_file,
    ),
    Field(
        "credentials",
        "--credentials-from-env",
        "",
        f"Take the credentials from {', '.join(SECRETS)}.",
        is_flag=True,
        callback=_from_environment,
    ),
    Field("rateLimit", "--rate", "N", "Messages a minute; above 60 only for operators.", type=COUNT),
    Field("dailyLimit", "--daily-limit", "N", "The most messages in any 24 hours.", type=COUNT),
    Field("timeZone", "--time-zone", "ZONE", "Such as America/Sao_Paulo."),
    Field(
        "prices",
        "--price",
        "COUNTRY,CATEGORY,PRICE,FROM",
        "A message's price from a day on, in 1/1,000,000, such as BR,marketing,62500,2026-11-01; give several.",
        multiple=True,
        type=_price,
    ),
    Field(
        "pricePerMessage",
        "--price-each",
        "N",
        "The price where there is no other, in 1/1,000,000; for operators.",
        type=click.IntRange(min=0),
    ),
)


def _works_or_exits(session: Session, answer: Answer) -> None:
    session.show(answer)
    if answer.json["works"] is False:
        click.get_current_context().exit(1)


command.call(
    "list",
    f"GET {INSTANCES}",
    "List instances, the oldest first.",
    "",
    OWNER,
    *PAGE,
    show=table("id", "name", "provider", "address", "hasCredentials=credentials", "rateLimit=rate", "dailyLimit=a day"),
)
command.call("show", f"GET {_ONE}", "Show an instance; its credentials are never shown.", "ins_01")
command.call(
    "create",
    f"POST {INSTANCES}",
    "Create an instance; a number has one instance.",
    "--name Support --provider evolution --address support --base-url https://evolution.example.com "
    "--credentials secrets.json",
    *_NAMED,
    *_TERMS,
    Field("owner", "--owner", "NAME", "Whose it is, for operators.", in_query=True),
)
command.call(
    "update",
    f"PUT {_ONE}",
    "Change an instance; what is not given stays.",
    "ins_01 --rate 30 --clear daily-limit",
    *edited((_NAMED[0], *_TERMS), "base-url", "daily-limit", "price-each"),
)
command.call(
    "delete",
    f"DELETE {_ONE}",
    "Delete an instance and its credentials, once its broadcasts have ended.",
    "ins_01 --yes",
    ask="Delete {id} and its credentials?",
)
command.call(
    "test",
    f"POST {_ONE}/test",
    "Ask the provider whether the credentials work; exit 1 if they do not.",
    "ins_01",
    show=_works_or_exits,
)
