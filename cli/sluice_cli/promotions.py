"""`sluice promotions`: posts at a network, and rewards (S4)."""

from functools import partial
from pathlib import Path
from typing import Any

import click

from sluice_cli.client import Answer, Json
from sluice_cli.following import Look, follow, money_of
from sluice_cli.session import Session
from sluice_cli.verbs import (
    COUNT,
    MINE,
    PAGE,
    Field,
    Noun,
    edited,
    every_option,
    file_argument,
    holds_or_exits,
    id_argument,
    number_pair,
    table,
    uploaded,
    watch_option,
    yes_option,
)

PROMOTIONS = "/v2/campaigns"
STATUSES = ("CampaignDraft", "CampaignPending", "CampaignRunning", "CampaignClosed")
_ONE = f"{PROMOTIONS}/{{id}}"
_EXCEPTION = "/v2/exceptions/{host}/{account}"

command = Noun("promotions", "Posts at a network, and rewards for who engaged with them.")


def _watch(session: Session, id: str, every: float | None, *, until_running: bool = False) -> None:
    def read() -> Answer:
        return session.get(_ONE.format(id=id))

    follow(session, read, partial(_look, until_running), again=f"sluice promotions watch {id}", every=every)


def _trigger(text: str) -> Json:
    """A type of options: METRIC=N."""
    metric, at_least = number_pair(text)
    return {"metric": metric, "at_least": at_least}


_TERMS = (
    Field("title", "--title", "TEXT", "The title, also in the contract.", required=True),
    Field("network", "--network", "NAME", "Where it is posted; `networks` lists them.", required=True),
    Field(
        "texts",
        "--text",
        "TEXT",
        "The first post; given again, the second, which replies to it.",
        multiple=True,
        required=True,
    ),
    Field("budget", "--budget", "N", "In minor units: 330000 is 3,300.00 USD.", type=COUNT, required=True),
    Field("currency", "--currency", "CODE", "Such as USD.", required=True),
    Field("duration_minutes", "--minutes", "N", "How long it runs.", type=COUNT, required=True),
    Field("type", "--type", "", "Whether participants are rewarded.", type=click.Choice(("rewarded", "awareness"))),
    Field("share", "--share", "", "Whether all get the same.", type=click.Choice(("equal", "weighted"))),
    Field(
        "weights",
        "--weight",
        "KIND=N",
        "What a like, reply, repost or quote weighs, where shares are weighted; give several.",
        type=number_pair,
        multiple=True,
    ),
    Field("max_per_participant", "--max-each", "N", "The most that one participant gets, in minor units.", type=COUNT),
    Field("claim_window_hours", "--claim-hours", "N", "How long a share can be claimed.", type=click.IntRange(min=0)),
    Field("media", "--media", "ID", "An uploaded picture of the first post; see `upload`.", multiple=True),
    Field(
        "auto_close",
        "--close-at",
        "METRIC=N",
        "Close it when it has so many likes, reposts, quotes or replies; give several.",
        type=_trigger,
        multiple=True,
    ),
)

command.call(
    "list",
    f"GET {PROMOTIONS}",
    "List promotions, the newest first.",
    "--status CampaignRunning",
    Field("status", "--status", "", "Only those of this status.", type=click.Choice(STATUSES, case_sensitive=False)),
    Field("network", "--network", "NAME", "Only those of this network."),
    Field("error", "--failed", "", "Only those with an error.", is_flag=True, flag_value="true"),
    MINE,
    *PAGE,
    show=table("id", "status", "title", "network", "stage", "budget", "paid", "created_at=created"),
)
command.call("show", f"GET {_ONE}", "Show a promotion, and where its money is.", "prm_01")
command.call(
    "create",
    f"POST {PROMOTIONS}",
    "Create a draft; `publish` funds it, and posts it.",
    '--title Winter --network sandbox --text "Look #ad" --text "All of it" '
    "--budget 330000 --currency USD --minutes 1440",
    *_TERMS,
)
command.call(
    "update",
    f"PATCH {_ONE}",
    "Change a draft; what is not given stays.",
    "prm_01 --title Spring --clear max-each",
    *edited(_TERMS, "max-each"),
)
command.call("delete", f"DELETE {_ONE}", "Delete a draft.", "prm_01 --yes", ask="Delete {id}?")


@command.verb("upload", example="sluice promotions upload prm_01 winter.png")
@id_argument()
@file_argument
@click.option("--type", "kind", metavar="TYPE", help="Such as image/png; by its name otherwise.")
def upload(session: Session, id: str, file: Path, kind: str | None) -> None:
    """Upload a picture for a draft; then name its id by `update --media`."""
    uploaded(session, f"{PROMOTIONS}/{id}/media", file, kind, "type", "media_id")


def _around(session: Session, id: str) -> Json:
    """The promotion, for the currency of an answer that does not say it to people."""
    return {} if session.json else session.get(f"{PROMOTIONS}/{id}").json


@command.verb("publish", example="sluice promotions publish prm_01 --yes --watch")
@id_argument()
@click.option("--dry-run", is_flag=True, help="Only say what would be done, and what it costs.")
@yes_option
@watch_option
@every_option
def publish(session: Session, id: str, dry_run: bool, yes: bool, watch: bool, every: float | None) -> None:
    """Publish a draft: take its budget, and post it."""
    if dry_run:
        answer = session.send("POST", f"{PROMOTIONS}/{id}/publish", query={"dry_run": "true"})
        session.show(answer, around=_around(session, id))
        return
    session.confirm(f"Take the budget of {id}, and post it?", yes=yes)
    answer = session.send("POST", f"{PROMOTIONS}/{id}/publish")
    if watch:
        _watch(session, id, every, until_running=True)
    else:
        session.show(answer)


command.watch(
    "watch",
    _watch,
    "Follow a promotion until it is closed and settled; exit 1 if it ends otherwise or halts.",
    "prm_01",
)
command.call(
    "cancel",
    f"POST {_ONE}/cancel",
    "Cancel a publish: posts are deleted, and the budget goes back.",
    "prm_01 --yes",
    ask="Cancel the publish of {id}?",
)
command.call(
    "close",
    f"POST {_ONE}/close",
    "Close a running promotion now, and reward its participants.",
    "prm_01 --yes --watch",
    ask="Close {id} now?",
    watch=_watch,
)
command.call("resume", f"POST {_ONE}/resume", "Let a promotion that has halted go on at the same stage.", "prm_01")
command.call(
    "abandon",
    f"POST {_ONE}/abandon",
    "Give up a promotion that has halted; its posts stay.",
    'prm_01 --reason "the network is gone" --yes',
    why=True,
    ask="Give up {id}?",
)
command.call(
    "resolve",
    f"POST {_ONE}/resolve",
    "Say what became of a call whose outcome is unknown.",
    'prm_01 --attempt att_01 --outcome sent --reason "it is there"',
    Field("attempt_id", "--attempt", "ID", "The attempt whose outcome is unknown.", required=True),
    Field("outcome", "--outcome", "", "What became of it.", type=click.Choice(("sent", "not_sent")), required=True),
    Field("result", "--result", "ID", "The id of what was made."),
    why=True,
)
command.section("What came of it")
command.call("engagement", f"GET {_ONE}/engagement", "Show the metrics of the posts, as they were read last.", "prm_01")
command.call(
    "events",
    f"GET {_ONE}/events",
    "List what happened to a promotion, the newest first.",
    "prm_01",
    *PAGE,
    show=table("at", "actor", "action", "number"),
)
command.call(
    "operations",
    f"GET {_ONE}/operations",
    "List the publishes of a promotion.",
    "prm_01",
    show=table("number", "state", "began_at=began", "ended_at=ended", "stages"),
)
command.call(
    "operation", f"GET {_ONE}/operations/{{number}}", "Show one publish of a promotion, with its stages.", "prm_01 1"
)


@command.verb("rewards", *PAGE, example="sluice promotions rewards prm_01")
@id_argument()
def rewards(session: Session, id: str, **page: Any) -> None:
    """List the participants with what each gets, or why not."""
    answer = session.get(f"{PROMOTIONS}/{id}/rewards", page)
    columns = ("handle", "network", "kinds", "weight", "eligible", "state", "amount", "reason")
    session.show_page(answer, columns, around=_around(session, id))


command.call(
    "statement",
    f"GET {_ONE}/statement",
    "List what moved in and out of a promotion, the oldest first.",
    "prm_01",
    *PAGE,
    show=table("at", "kind", "amount", "account", "against", "entry"),
)
command.export(
    "export", f"{_ONE}/statement/export", "Write the statement of a promotion as CSV.", "prm_01 -o statement.csv"
)
command.call(
    "verify",
    f"GET {_ONE}/verify",
    "Check a promotion's numbers against the ledger; exit 1 if they differ.",
    "prm_01",
    show=holds_or_exits,
)
command.section("Participants")
command.call(
    "mine",
    "GET /v2/rewards",
    "List your rewards over all promotions, the newest first.",
    "",
    show=table("campaign_id=promotion", "title", "handle", "state", "amount", "claim_until", "reason"),
)
command.call(
    "claim",
    f"POST {_ONE}/claims",
    "Claim your share of a promotion that has closed; a repeat pays nothing twice.",
    "prm_01",
    show=table("handle", "network", "state", "amount", "reason"),
)
command.call(
    "links",
    "GET /v2/links",
    "List the accounts that you have linked.",
    "",
    show=table("id", "network", "handle", "host", "state", "code", "valid_until"),
)
command.call(
    "link",
    "POST /v2/links",
    "Begin to prove that an account is yours: write the code into its profile.",
    "--network sandbox --handle nina",
    Field("network", "--network", "NAME", "Where the account is.", required=True),
    Field("handle", "--handle", "NAME", "Such as nina, or nina@home.example.", required=True),
    Field("host", "--host", "HOST", "For Mastodon: the server of the promotion's posts."),
)
command.call("prove", "POST /v2/links/{id}/verify", "Link an account, if its profile has the code.", "lnk_01")
command.call("unlink", "DELETE /v2/links/{id}", "Delete a link.", "lnk_01 --yes", ask="Delete {id}? Its rewards stop.")
command.section("Networks")
command.call(
    "networks",
    "GET /v2/networks",
    "Show where promotions can be published, and what that costs.",
    "",
    show=table(
        "network", "rewards", "links", "text_limit=text", "media_count=media", "post_price_usd=post USD", "hosts"
    ),
)
command.call(
    "connection", "GET /v2/connections/{network}", "Show with which account you publish at a network.", "sandbox"
)


@command.verb("connect", example="sluice promotions connect mastodon --host mastodon.social --with-token < token.txt")
@id_argument("network")
@click.option("--with-token", is_flag=True, help="Read the token of your account from stdin; else it is asked for.")
@click.option("--host", metavar="HOST", help="For Mastodon: the account's server.")
def connect(session: Session, network: str, with_token: bool, host: str | None) -> None:
    """Connect a network with a token of your account there."""
    token = session.secret(with_token, "--with-token", f"Token at {network}")
    body = {"token": token} | ({"host": host} if host else {})
    session.show(session.send("PUT", f"/v2/connections/{network}", body))


command.call(
    "disconnect",
    "DELETE /v2/connections/{network}",
    "Forget a connection and its token.",
    "sandbox --yes",
    ask="Forget the token at {network}?",
)
command.section("Operators")
command.call("exception", f"GET {_EXCEPTION}", "Show what an operator said of an account.", "sandbox nina")
command.call(
    "except",
    f"PUT {_EXCEPTION}",
    "Say whether an account is eligible, whatever the rules say.",
    'sandbox nina --barred --reason "a farm"',
    Field("eligible", "--eligible/--barred", "", "Always rewarded, or never.", required=True),
    why=True,
)
command.call(
    "unexcept",
    f"DELETE {_EXCEPTION}",
    "Let the rules decide about an account again.",
    "sandbox nina --yes",
    ask="Take back what was said of {account}?",
)


_NUMBER = click.IntRange(min=0)
command.call(
    "sandbox-account",
    "PUT /v2/sandbox/accounts/{handle}",
    "Set what the sandbox knows of an account.",
    "nina --followers 250 --posts 80",
    Field("followers", "--followers", "N", "How many follow it.", type=_NUMBER),
    Field("following", "--following", "N", "How many it follows.", type=_NUMBER),
    Field("posts", "--posts", "N", "How many posts it has.", type=_NUMBER),
    Field("created_at", "--since", "TIME", "Since when it is there."),
    Field("note", "--note", "TEXT", "The text of its profile."),
    Field("bot", "--bot/--no-bot", "", "Whether it says that it is a bot."),
    Field("suspended", "--suspended/--not-suspended", "", "Whether the network has shut it."),
)
command.call(
    "sandbox-engagement",
    "PUT /v2/sandbox/posts/{post}/engagement",
    "Set who engaged with a post of the sandbox.",
    "post_01 --like nina --like leo --repost nina",
    *(
        Field(kind, f"--{kind}", "HANDLE", f"Who did: {kind}; give several.", multiple=True)
        for kind in ("like", "repost", "quote", "reply")
    ),
    Field(
        "counts",
        "--count",
        "METRIC=N",
        "The metrics, where they differ from who engaged: likes, reposts, quotes, replies.",
        type=number_pair,
        multiple=True,
    ),
)


def _look(until_running: bool, answer: Answer) -> Look:
    """The budget's part that is paid or given back; a halt ends it, as a human has to decide."""
    found = answer.json
    status, stage, error = found["status"], found["stage"], found["error"]
    halted = (found["operation"] or {}).get("state") == "halted"
    good: bool | None = None
    if halted or status == "CampaignDraft":
        good = False
    elif (until_running and status in ("CampaignRunning", "CampaignClosed")) or (
        status == "CampaignClosed" and stage in (None, "settled")
    ):
        good = True
    told = f"stage {stage}".replace("_", " ") if stage else ""
    if good is False and error is not None:
        told = f"{told}  {error['reason']}".strip()
    money = found["money"]
    done, total = money["paid"] + money["refunded"], money["funded"] or found["budget"]
    return Look(status, done, total, good, told, 1, written=money_of(found))
