"""`sluice templates`: texts for broadcasts, in versions that never change."""

import click

from sluice_cli.verbs import COUNT, OWNER, PAGE, Field, Noun, edited, table

TEMPLATES = "/api/templates"
_ONE = f"{TEMPLATES}/{{id}}"
_TERMS = (
    Field("name", "--name", "TEXT", "What you call it.", required=True),
    Field("text", "--text", "TEXT", "The text; {{name|friend}} is a variable with a default.", required=True),
    Field("language", "--language", "CODE", "Such as en or pt_BR.", required=True),
    Field(
        "category",
        "--category",
        "",
        "What it is for; it decides the price.",
        type=click.Choice(("marketing", "utility", "authentication", "service")),
    ),
    Field("providerName", "--provider-name", "NAME", "The provider's template that it stands for."),
    Field("header", "--header", "NAME", "A variable of its header, in their order; give several.", multiple=True),
    Field("parameters", "--parameter", "NAME", "A variable of its text, in their order; give several.", multiple=True),
)

command = Noun("templates", "Texts for broadcasts, in versions that never change.")

command.call(
    "list",
    f"GET {TEMPLATES}",
    "List templates, the oldest first.",
    "",
    OWNER,
    *PAGE,
    show=table("id", "name", "version", "language", "category", "approval", "updatedAt=updated"),
)
command.call(
    "show",
    f"GET {_ONE}",
    "Show a template, as it is now or as it was.",
    "tpl_01 --version 1",
    Field("version", "--version", "N", "An earlier version, from 1.", type=COUNT),
)
command.call(
    "create",
    f"POST {TEMPLATES}",
    "Create a template with its first version.",
    '--name Winter --language en --text "Hello {{name|friend}}"',
    *_TERMS,
)
command.call(
    "update",
    f"PUT {_ONE}",
    "Change a template; another content is a new version.",
    'tpl_01 --text "Hello again, {{name|friend}}"',
    *edited(_TERMS, "provider-name"),
)
command.call(
    "delete",
    f"DELETE {_ONE}",
    "Delete a template, once its broadcasts have ended.",
    "tpl_01 --yes",
    ask="Delete {id} with all its versions?",
)
command.call(
    "sync",
    f"POST {_ONE}/sync",
    "Read the approval and the category of Meta's template.",
    "tpl_01 --instance ins_01 --account 102290129340398",
    Field("instanceId", "--instance", "ID", "An instance at Meta.", required=True),
    Field("accountId", "--account", "ID", "The WhatsApp business account.", required=True),
)
