"""Writes docs/cost.md: what running this costs, by prices and formulas; `--check` shows what has drifted instead."""

import argparse
import difflib
import json
import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from samcli.yamlhelper import yaml_parse  # type: ignore[import-untyped]

from boosts.simulation import BATCH_WRITES, STEP_WRITES, VIDEO_WRITES, step_usd
from local.paths import ROOT
from local.routes import routes_in, unconditional
from sluice import prices
from sluice.prices import Price
from views.rules import Rules

DOCUMENT = ROOT / "docs" / "cost.md"

BUDGETS = {
    "views": 1.60,
    "steps": 5.00,
    "impressions": 6.20,
    "impressions together": 1.50,
    "worst day": 100.00,
    "worst day of sponsorships": 70.00,
    "worst day of webhooks": 300.00,
    "worst day of the console": 40.00,
    "messages": 41.00,
    "messages together": 14.00,
    "deliveries": 8.00,
    "idle": 35.00,
}
"""USD a million, USD a day, and USD a month."""
DAY_SECONDS = 86_400
OFF = {"HasOidc", "HasTrackUrl"}
"""Conditions that do not hold unless somebody chooses so: what depends on them is not there."""
URL_RATE = 10
"""Requests a second that AWS lets through to a Function URL, for each call that may run at once:
https://docs.aws.amazon.com/lambda/latest/dg/urls-configuration.html
"""
HOURS = 730  # a month
MEMORY_GB = 0.25

# What a view takes. Milliseconds and ECPUs are assumptions: the script's 5 us are two of AWS's 3 us.
VIEW_MS, VIEW_ECPUS = 8, 2
ANSWER_BYTES = 600
VIEWS_TOGETHER, TOGETHER_MS = 20, 15
# A viewer with one view, and with the fifty of a batch, in Redis.
VIEWER_BYTES, VIEWER_OF_MANY_BYTES = 200, 1300
# What a synced content takes: its total, its day, an old and a new entry in the index of the most viewed, and its part
# of the platform's day, which 49 contents write together.
CONTENTS_TOGETHER = 49
CONTENT_WRITES, CONTENT_ECPUS, PAGE_CONTENTS, PAGE_SECONDS = 6 + 2 / CONTENTS_TOGETHER, 10, 500, 2
# A view without Redis: its row with an index; then its content, and the row again, marked and out of the index. 33 such
# views, each of a content of its own, are one transaction with the platform's day.
FALLBACK_WRITES = 2 + 6 + 2 * 2 + 2 / 33
# A row, and at most the sum of its hour: 50 rows are one transaction, and a page is in the order of their sums.
# RULES_TOGETHER is a generous count of the rules that can refuse together.
REFUSAL_WRITES = (2, 4)
REFUSALS_TOGETHER, RULES_TOGETHER = 50, 12
# What a standing schedule's run takes, and the requests by which Lambda waits at a queue: five at a time, 20 s each.
RUN_SECONDS, RUN_READS, RUN_LOG_BYTES = 0.2, 10, 1000
POLLERS, POLL_SECONDS = 5, 20

# A campaign that changes once a second, as a stream tells it: its own topic, its context's, each with a query; one page
# watches it, for which that second is open.
HINT_SECONDS, HINT_READS = 0.03, 2 * 0.5

# Lambda's own lines about a call, as it writes them with LogFormat JSON; one about a cold start is left out.
PLATFORM_LINES = (
    '{"time":"2026-11-20T12:00:00.000Z","type":"platform.start","record":{"requestId":'
    '"c6af9ac6-7b61-11e6-9a41-93e812345678","functionArn":"arn:aws:lambda:us-east-1:123456789012:function:'
    'sluice-prod-ViewsTrackApiFunction-0123456789AB","version":"$LATEST"}}',
    '{"time":"2026-11-20T12:00:00.008Z","type":"platform.report","record":{"requestId":'
    '"c6af9ac6-7b61-11e6-9a41-93e812345678","metrics":{"durationMs":7.113,"billedDurationMs":8,"memorySizeMB":256,'
    '"maxMemoryUsedMB":91},"status":"success"}}',
)
_CONTEXT = {
    "requestId": "JKJaXmPLvHcESHA=",
    "requestTime": "20/Nov/2026:12:00:00 +0000",
    "routeKey": "POST /api/views",
    "status": "200",
    "responseLatency": "12",
    "authorizer.subject": "-",
    "error.message": "-",
}


@dataclass(frozen=True)
class Request:
    """What a request takes beside the gateway, its invocation and the log lines of both."""

    what: str
    milliseconds: float
    answer_bytes: int
    reads: float = 0
    ecpus: float = 0
    own_log_bytes: int = 0
    writes: float = 0
    body_bytes: int = 0


# The dearest requests of each route that is open to all. A script on each of 16 shards takes one ECPU, and one more for
# every two contents. `tests/integration/test_views_cost.py` has the sizes of the answers.
SHARDS, ERROR_BYTES, REFUSED_LOG_BYTES = 16, 1000, 600
# A transaction writes each item twice: the row and its tally. The participation and its tallies are read after it.
# Refusals are plain writes. A tally takes 20 impressions a second, so that at the throttle there are 16 at most.
CAMPAIGN, TALLIES, IMPRESSION_WRITES, REFUSED_WRITES, STANDING_READS = "/api/v1/campaigns/{campaign_id}", 16, 4, 1, 3
TOKEN_MS, IMPRESSION_MS, REPORT_BYTES, IMPRESSIONS_TOGETHER = 10, 35, 260, 25
# A webhook's function has 512 MB, so that its time counts twice. It takes bodies of 3 MiB, reads the instance, and
# hashes or parses the body before it can say that nothing proves it. The gateway counts 512 KB as a request.
WEBHOOKS, WEBHOOK_BYTES, UNIT_BYTES = "/webhooks", 3 * 1024 * 1024, 512 * 1024
_UNPROVEN = Request(
    "3 MB that nothing proves", 2 * 30, ERROR_BYTES, reads=1, own_log_bytes=REFUSED_LOG_BYTES, body_bytes=WEBHOOK_BYTES
)
# A client that takes no gzip gets the largest file as it is.
CONSOLE, PAGE_BYTES, APP_BYTES = "/console", 2_500, 270_000
# Whoever has no ticket opens no socket, and may ask all the same: the row of a made-up ticket is looked for. Assumed to
# be paid for as a message is: AWS's list names messages and minutes.
_NO_TICKET = Request("a made-up ticket", 10, ERROR_BYTES, reads=1)
OPEN: dict[str, tuple[Request, ...]] = {
    "POST /api/views": (
        Request("a view", VIEW_MS, ANSWER_BYTES, ecpus=VIEW_ECPUS),
        Request("a body with unknown fields", 5, ERROR_BYTES),
    ),
    "POST /api/views/batch": (
        Request("50 views that every rule refuses", 25, 7_500, ecpus=50 * VIEW_ECPUS),
        Request("50 views with unknown fields", 10, 13_000),
    ),
    "GET /api/views/{content_type}/{content_id}": (
        Request("a content", 12, 650, reads=2, ecpus=SHARDS),
        Request("unknown parameters", 8, ERROR_BYTES, own_log_bytes=REFUSED_LOG_BYTES),
    ),
    "POST /api/views/counts": (
        Request("20 contents", 20, 6_500, reads=40, ecpus=SHARDS * 11),
        Request("a body with unknown fields", 8, 3_000, own_log_bytes=REFUSED_LOG_BYTES),
    ),
    "GET /health": (Request("a request", 5, ANSWER_BYTES),),
    f"POST {CAMPAIGN}/impressions/token": (
        Request("a token", TOKEN_MS, 1_100),
        Request("a streamer who does not participate", TOKEN_MS, ERROR_BYTES, reads=STANDING_READS),
    ),
    f"POST {CAMPAIGN}/impressions": (
        Request(
            f"an impression, on {TALLIES} tallies",
            IMPRESSION_MS,
            1_200,
            reads=1 + TALLIES,
            writes=IMPRESSION_WRITES,
            own_log_bytes=REPORT_BYTES,
        ),
        Request(
            "a viewer who was counted before",
            IMPRESSION_MS,
            800,
            writes=IMPRESSION_WRITES + REFUSED_WRITES,
            own_log_bytes=REPORT_BYTES,
        ),
    ),
    f"POST {CAMPAIGN}/impressions/batch": (
        Request(
            f"50 impressions, on {TALLIES} tallies",
            60,
            40_000,
            reads=1 + TALLIES,
            writes=2 * (50 + 1),
            own_log_bytes=REPORT_BYTES,
        ),
    ),
    f"POST {WEBHOOKS}/evolution/{{instance}}": (_UNPROVEN,),
    f"POST {WEBHOOKS}/evolution/{{instance}}/{{event}}": (_UNPROVEN,),
    f"POST {WEBHOOKS}/meta/{{instance}}": (_UNPROVEN,),
    f"GET {WEBHOOKS}/meta/{{instance}}": (
        Request("a wrong token", 2 * 8, ERROR_BYTES, reads=1, own_log_bytes=REFUSED_LOG_BYTES),
    ),
    f"GET {CONSOLE}": (Request("the page", 2, PAGE_BYTES),),
    f"GET {CONSOLE}/{{proxy+}}": (Request("the modules, without gzip", 5, APP_BYTES),),
    f"POST {CAMPAIGN}/clicks": (
        Request("a click", IMPRESSION_MS, 700, writes=IMPRESSION_WRITES, own_log_bytes=REPORT_BYTES),
    ),
}


@dataclass(frozen=True)
class Sending:
    """What a message takes: units as `make bench` measures them; batches and events are fractions of a message."""

    writes: float
    reads: float
    steps: float
    step_seconds: float
    """Assumed, with a provider that answers in 300 ms."""
    events: float
    applied: float
    """Batches of what its three webhooks tell."""
    applied_seconds: float


# The worker, the relay of its event, and the webhooks of sent, delivered and read; `tests/bench_broadcasts.py`.
TOGETHER = 45
ONE_BY_ONE = Sending(
    writes=29 + 3 + 8, reads=10 + 1 + 12, steps=1, step_seconds=0.4, events=1, applied=3, applied_seconds=0.04
)
# Their outcomes are recorded in five transactions, with an event each; ten webhooks are applied together.
IN_BATCHES = Sending(
    writes=7.18 + 0.42 + 4.4,
    reads=1.44 + 0.11 + 6.6,
    steps=1 / TOGETHER,
    step_seconds=1.8,
    events=5 / TOGETHER,
    applied=3 / 10,
    applied_seconds=0.08,
)
HEARD, HEARD_SECONDS, RELAY_SECONDS, SENDING_GB = 3, 0.015, 0.03, 0.5


@dataclass(frozen=True)
class Posting:
    """What webhooks take: units as `make bench` measures them; times are assumed, with a receiver of 200 ms."""

    writes: float
    reads: float
    invocations: float
    """Of the fan-out, of the worker, and of the claim's own message, which finds a worker that lives."""
    seconds: float
    schedules: float = 0


# The fan-out, then the worker: claim and record, each with a check of the platform; `tests/bench_hooks.py`.
DELIVERED = Posting(writes=5 + 11, reads=2 + 12, invocations=3, seconds=0.05 + 0.3 + 0.02)
# An endpoint's failure is noted too. Of nine waits seven are longer than a message of SQS can wait.
REFUSED_POST = Posting(writes=12 + 1, reads=12, invocations=2, seconds=0.3 + 0.02, schedules=7 / 9)
POST_LOG_BYTES = 500


@dataclass(frozen=True)
class Item:
    """One line of a bill: so many of a price's unit."""

    what: str
    quantity: float
    price: Price

    @property
    def usd(self) -> float:
        return self.quantity * self.price.usd


@dataclass(frozen=True)
class Bill:
    """What something costs, by its parts."""

    title: str
    about: str
    items: tuple[Item, ...]

    @property
    def usd(self) -> float:
        return sum(item.usd for item in self.items)


def views(template: dict[str, Any]) -> Bill:
    return Bill(
        "A million tracked views",
        f"Counted or refused, one per request. Assumed: {VIEW_MS} ms of 256 MB and {VIEW_ECPUS} ECPUs. The logs are "
        "one line of the gateway and two of Lambda; the function writes none. "
        f"The answers, {ANSWER_BYTES} bytes each to the internet, are listed apart.",
        (
            Item("the gateway", 1, prices.API_REQUESTS),
            Item("invocations", 1, prices.LAMBDA_REQUESTS),
            Item("their time", MEMORY_GB * VIEW_MS / 1000, prices.LAMBDA_TIME),
            Item("Redis", VIEW_ECPUS, prices.CACHE_UNITS),
            Item("logs", log_bytes(template) / 1000, prices.LOGS),
        ),
    )


def views_together(template: dict[str, Any]) -> Bill:
    calls = 1 / VIEWS_TOGETHER
    return Bill(
        f"A million views, {VIEWS_TOGETHER} a request",
        f"`POST /api/views/batch`. Assumed: {TOGETHER_MS} ms of 256 MB a request.",
        (
            Item("the gateway", calls, prices.API_REQUESTS),
            Item("invocations", calls, prices.LAMBDA_REQUESTS),
            Item("their time", calls * MEMORY_GB * TOGETHER_MS / 1000, prices.LAMBDA_TIME),
            Item("Redis", VIEW_ECPUS, prices.CACHE_UNITS),
            Item("logs", calls * log_bytes(template) / 1000, prices.LOGS),
        ),
    )


def views_by_url() -> Bill:
    return Bill(
        "A million views, by `TrackUrl`",
        "One per request, as above, without the gateway and without log lines.",
        (
            Item("invocations", 1, prices.LAMBDA_REQUESTS),
            Item("their time", MEMORY_GB * VIEW_MS / 1000, prices.LAMBDA_TIME),
            Item("Redis", VIEW_ECPUS, prices.CACHE_UNITS),
        ),
    )


def impressions(template: dict[str, Any]) -> Bill:
    return Bill(
        "A million impressions, each with its token",
        "`POST .../impressions/token`, then `POST .../impressions`, on one tally. The row and its tally are written in "
        "one transaction, so each takes two write units; the participation and its tally are read after it. "
        f"Assumed: {TOKEN_MS} ms and {IMPRESSION_MS} ms of 256 MB. On 16 tallies the reads are "
        f"{(1 + TALLIES) * prices.READS.usd:.2f} USD. A transaction that conflicts is paid for as well.",
        (
            Item("the gateway", 2, prices.API_REQUESTS),
            Item("invocations", 2, prices.LAMBDA_REQUESTS),
            Item("their time", MEMORY_GB * (TOKEN_MS + IMPRESSION_MS) / 1000, prices.LAMBDA_TIME),
            Item("writes", IMPRESSION_WRITES, prices.WRITES),
            Item("reads", 2, prices.READS),
            Item("logs", (2 * log_bytes(template) + REPORT_BYTES) / 1000, prices.LOGS),
        ),
    )


def impressions_together(template: dict[str, Any]) -> Bill:
    calls = 1 / IMPRESSIONS_TOGETHER
    return Bill(
        f"A million impressions, {IMPRESSIONS_TOGETHER} a request",
        "`POST .../impressions/batch`, as a platform's server sends them: one transaction for all of a participation. "
        f"Without their tokens. Assumed: {TOGETHER_MS * 2} ms of 256 MB a request.",
        (
            Item("the gateway", calls, prices.API_REQUESTS),
            Item("invocations", calls, prices.LAMBDA_REQUESTS),
            Item("their time", calls * MEMORY_GB * TOGETHER_MS * 2 / 1000, prices.LAMBDA_TIME),
            Item("writes", 2 * (1 + calls), prices.WRITES),
            Item("reads", 2 * calls, prices.READS),
            Item("logs", calls * (log_bytes(template) + REPORT_BYTES) / 1000, prices.LOGS),
        ),
    )


def messages(template: dict[str, Any]) -> Bill:
    return _messages(
        "A million messages, one a second",
        "At Evolution: each message is a step of its own, and each webhook is applied alone.",
        ONE_BY_ONE,
        template,
    )


def messages_together(template: dict[str, Any]) -> Bill:
    return _messages(
        f"A million messages, {TOGETHER} a step",
        "At the Cloud API, which sends our own data back, so that no item says whose a message is; ten webhooks are "
        "applied together.",
        IN_BATCHES,
        template,
    )


def _messages(title: str, about: str, each: Sending, template: dict[str, Any]) -> Bill:
    platform = sum(map(len, PLATFORM_LINES))
    seconds = each.steps * each.step_seconds + HEARD * HEARD_SECONDS + each.applied * each.applied_seconds
    return Bill(
        title,
        f"{about} With the event of what was sent, and the webhooks of sent, delivered and read; without the "
        f"provider's fee. Assumed: {1000 * each.step_seconds:.0f} ms of 512 MB a step, and "
        f"{1000 * each.applied_seconds:.0f} ms a batch of webhooks. `make bench` measures the units.",
        (
            Item("the gateway", HEARD, prices.API_REQUESTS),
            Item("invocations", each.steps + each.events + HEARD + each.applied, prices.LAMBDA_REQUESTS),
            Item("their time", SENDING_GB * seconds + MEMORY_GB * each.events * RELAY_SECONDS, prices.LAMBDA_TIME),
            Item("writes", each.writes, prices.WRITES),
            Item("reads", each.reads, prices.READS),
            Item(
                "messages of queues: sent, received, deleted",
                3 * each.steps + HEARD + 2 * each.applied,
                prices.QUEUE_REQUESTS,
            ),
            Item("events", each.events, prices.EVENTS),
            Item(
                "logs",
                (HEARD * log_bytes(template) + (each.steps + each.events + each.applied) * platform) / 1000,
                prices.LOGS,
            ),
        ),
    )


def deliveries() -> Bill:
    return _posts(
        "A million webhooks delivered",
        "One event for one endpoint, at the first attempt. The event itself is in the bill of what it tells of. One "
        "write a minute, which notes that the endpoint answers, is left out.",
        DELIVERED,
    )


def attempts() -> Bill:
    return _posts("A million attempts that fail", "Each further attempt of a delivery.", REFUSED_POST)


def _posts(title: str, about: str, each: Posting) -> Bill:
    platform = sum(map(len, PLATFORM_LINES))
    return Bill(
        title,
        f"{about} Assumed: {1000 * each.seconds:.0f} ms of 256 MB in {each.invocations:.0f} invocations. `make bench` "
        "measures the units.",
        (
            Item("writes", each.writes, prices.WRITES),
            Item("reads", each.reads, prices.READS),
            Item("messages of queues: sent, received, deleted", 3 * each.invocations, prices.QUEUE_REQUESTS),
            Item("invocations", each.invocations, prices.LAMBDA_REQUESTS),
            Item("their time", MEMORY_GB * each.seconds, prices.LAMBDA_TIME),
            *([Item("schedules", each.schedules, prices.SCHEDULES)] if each.schedules else []),
            Item("logs", (each.invocations * platform + POST_LOG_BYTES) / 1000, prices.LOGS),
        ),
    )


def answers() -> Item:
    """What a million tracked views are answered."""
    return Item("answers", ANSWER_BYTES / 1000, prices.DATA_OUT)


def steps_usd() -> float:
    """What a million boost steps cost, of one video each."""
    return step_usd(STEP_WRITES + BATCH_WRITES + VIDEO_WRITES)


def contents() -> Bill:
    pages = 1 / PAGE_CONTENTS
    return Bill(
        "A million synced contents",
        "Contents with new views, not views: each sync writes a content in one transaction, however many views it "
        "gained. The write units are those of the total and the day (2 each) and of the index of the most viewed "
        f"(2); {CONTENTS_TOGETHER} contents together write the platform's day (2). A content with views of several "
        "days has a row for each. "
        f"A page of {PAGE_CONTENTS} contents is one message.",
        (
            Item("writes", CONTENT_WRITES, prices.WRITES),
            Item("messages: sent, received, deleted", 3 * pages, prices.QUEUE_REQUESTS),
            Item("invocations", pages, prices.LAMBDA_REQUESTS),
            Item("their time", pages * MEMORY_GB * PAGE_SECONDS, prices.LAMBDA_TIME),
            Item("Redis", CONTENT_ECPUS, prices.CACHE_UNITS),
            Item("logs", pages * RUN_LOG_BYTES / 1000, prices.LOGS),
        ),
    )


def idle(template: dict[str, Any]) -> Bill:
    resources = [each for each in template["Resources"].values() if each.get("Condition") not in OFF]
    endpoints = [
        each["Properties"]
        for each in resources
        if each["Type"] == "AWS::EC2::VPCEndpoint" and each["Properties"]["VpcEndpointType"] == "Interface"
    ]
    zones = sum(len(endpoint["SubnetIds"]) for endpoint in endpoints)
    triggers = [event for each in resources for event in _events(each)]
    polls = POLLERS * HOURS * 3600 / POLL_SECONDS * sum(event["Type"] == "SQS" for event in triggers)
    runs = sum(
        HOURS * 60 / _minutes(event["Properties"]["ScheduleExpression"], template)
        for event in triggers
        if event["Type"] == "ScheduleV2"
    )
    # An alarm that computes with several metrics is paid for each of them.
    watched = sum(
        sum("MetricStat" in metric for metric in each["Properties"].get("Metrics", [])) or 1
        for each in resources
        if each["Type"] == "AWS::CloudWatch::Alarm"
    )
    return Bill(
        "A month in which nothing happens",
        "The resources of the template. With your own `RedisUrl` there is neither the endpoint nor the cache. A metric "
        "made of log lines is paid for in the hours in which it gets a value: those that a schedule logs each time "
        "always do, and those that count what went wrong, or requests, do not. `WithDashboard=false` leaves the "
        "dashboard out; the three that an account has for free show 50 metrics at most, and this one shows more.",
        (
            Item("SQS endpoint in the cache's network", zones * HOURS, prices.ENDPOINT_HOURS),
            Item("the cache's minimum storage, 100 MB", 0.1 * HOURS, prices.CACHE_STORAGE),
            Item("metrics that alarms watch", watched, prices.ALARMS),
            Item("metrics that schedules log", len(_always_logged(resources)), prices.METRICS),
            Item("dashboard", _count(resources, "AWS::CloudWatch::Dashboard"), prices.DASHBOARDS),
            Item("secrets", _count(resources, "AWS::SecretsManager::Secret"), prices.SECRETS),
            Item("Lambda polling the queues", polls / 1e6, prices.QUEUE_REQUESTS),
            Item("schedules", runs / 1e6, prices.SCHEDULES),
            Item("their invocations", runs / 1e6, prices.LAMBDA_REQUESTS),
            Item("their time", runs / 1e6 * MEMORY_GB * RUN_SECONDS, prices.LAMBDA_TIME),
            Item("their reads", runs / 1e6 * RUN_READS, prices.READS),
            Item("their logs", runs * RUN_LOG_BYTES / 1e9, prices.LOGS),
        ),
    )


def hints() -> Bill:
    unheard = (
        Item("Lambda invocations", 1, prices.LAMBDA_REQUESTS),
        Item(f"Lambda, {1000 * HINT_SECONDS:.0f} ms each", MEMORY_GB * HINT_SECONDS, prices.LAMBDA_TIME),
        Item("DynamoDB reads", HINT_READS, prices.READS),
        Item("Lambda's log", sum(map(len, PLATFORM_LINES)) / 1000, prices.LOGS),
    )
    return Bill(
        "A million changes that are hinted to one page",
        "Of one campaign, a second apart, so that each is a batch of its stream. A stream does not know whether a page "
        "is open: when none is, the two lines of the socket are left out, and "
        f"{_usd(sum(item.usd for item in unheard))} USD remain. To remember for some seconds that nobody watches would "
        "save a part of the reads, and lose the first hints of whoever opens a page. With more pages, each has a "
        "message more. What the page then reads is a request as any other. `WithLive=false` leaves all of it out.",
        (
            *unheard,
            Item("messages", 1, prices.SOCKET_MESSAGES),
            Item("the open socket", 1 / 60, prices.SOCKET_MINUTES),
        ),
    )


def _always_logged(resources: Sequence[dict[str, Any]]) -> set[tuple[str, str]]:
    """The metrics, by namespace and name, that are numbers in the lines of functions which a schedule runs."""
    logs = {
        json.dumps(each["Properties"]["LoggingConfig"]["LogGroup"])
        for each in resources
        if any(event["Type"] == "ScheduleV2" for event in _events(each)) and "LoggingConfig" in each["Properties"]
    }
    return {
        (json.dumps(made["MetricNamespace"]), made["MetricName"])
        for each in resources
        if each["Type"] == "AWS::Logs::MetricFilter" and json.dumps(each["Properties"]["LogGroupName"]) in logs
        for made in each["Properties"]["MetricTransformations"]
        if str(made["MetricValue"]).startswith("$.")
    }


@dataclass(frozen=True)
class WorstDay:
    """An open route at its throttle for a whole day, with its dearest request."""

    route: str
    parameter: str
    per_second: float
    dearest: Bill

    @property
    def usd(self) -> float:
        return self.usd_of(self.per_second)

    def usd_of(self, per_second: float) -> float:
        """A day's dollars at another rate."""
        return per_second * DAY_SECONDS / 1e6 * self.dearest.usd


def worst_days(template: dict[str, Any]) -> list[WorstDay]:
    """Of each open route, at the throttle that the template has. Raises KeyError for one that OPEN does not know."""
    throttles = template["Resources"]["Api"]["Properties"]["RouteSettings"]
    days = []
    for route in open_routes(template):
        _, limits = unconditional(throttles[route])
        parameter = limits["ThrottlingRateLimit"]["Ref"]
        bills = [through_the_gateway(request, template) for request in OPEN[route]]
        per_second = float(template["Parameters"][parameter]["Default"])
        days.append(WorstDay(route, parameter, per_second, max(bills, key=lambda bill: bill.usd)))
    return days


def worst_day_of_the_socket(template: dict[str, Any]) -> WorstDay:
    """Of `$connect`, which is open to all."""
    limits = template["Resources"]["LiveStage"]["Properties"]["DefaultRouteSettings"]
    parameter = limits["ThrottlingRateLimit"]["Ref"]
    per_second = float(template["Parameters"][parameter]["Default"])
    asked = (
        Item("messages", 1, prices.SOCKET_MESSAGES),
        Item("logs", sum(map(len, PLATFORM_LINES)) / 1000, prices.LOGS),
    )
    refused = Bill(_NO_TICKET.what, "", (*asked, *_in_the_function(_NO_TICKET)))
    return WorstDay("$connect of the WebSocket", parameter, per_second, refused)


def worst_days_by_url(template: dict[str, Any]) -> list[WorstDay]:
    """Of `TrackUrl`, if it is on: with a view in each request, and with the dearest request there is."""
    parameter = "TrackUrlConcurrency"
    per_second = URL_RATE * float(template["Parameters"][parameter]["Default"])
    (view, *_), (*_, dearest) = OPEN["POST /api/views"], OPEN["POST /api/views/batch"]
    return [
        WorstDay("TrackUrl", parameter, per_second, Bill(each.what, "", _in_the_function(each)))
        for each in (view, dearest)
    ]


def open_routes(template: dict[str, Any]) -> list[str]:
    """The routes that no token is needed for, as `POST /api/views`."""
    return [route.key for route in routes_in(template) if route.authorizer is None]


def through_the_gateway(request: Request, template: dict[str, Any]) -> Bill:
    """A million such requests, with what they are answered."""
    logged = log_bytes(template) + request.own_log_bytes
    units = max(1, -(-request.body_bytes // UNIT_BYTES))
    gateway = (Item("the gateway", units, prices.API_REQUESTS), Item("logs", logged / 1000, prices.LOGS))
    return Bill(request.what, "", (*gateway, *_in_the_function(request)))


def _in_the_function(request: Request) -> tuple[Item, ...]:
    return (
        Item("invocations", 1, prices.LAMBDA_REQUESTS),
        Item("their time", MEMORY_GB * request.milliseconds / 1000, prices.LAMBDA_TIME),
        Item("reads", request.reads, prices.READS),
        Item("writes", request.writes, prices.WRITES),
        Item("Redis", request.ecpus, prices.CACHE_UNITS),
        Item("answers", request.answer_bytes / 1e3, prices.DATA_OUT),
    )


def sync_of_junk(template: dict[str, Any], hours: int = 25, *, is_registered_only: bool = False) -> Bill:
    """What one sync writes at most, when made-up ids have filled every shard with views and with refusals.

    `hours` are the hours of the clock since the last one. With a complete set of registered contents no other content
    counts, and the refusals of others have a tenth of the room.
    """
    parameters = template["Parameters"]
    shards, most = parameters["ViewShards"]["Default"], parameters["MaxContentsPerShard"]["Default"]
    full, unknown = shards * most / 1e6, shards * Rules(max_contents=most).max_unknown_contents / 1e6
    moved = tuple(Item(item.what, unknown * item.quantity, item.price) for item in contents().items)
    refused = (unknown if is_registered_only else full) * refusal_writes(hours * RULES_TOGETHER)
    return Bill(
        "One sync of shards full of made-up ids",
        "",
        (*(() if is_registered_only else moved), Item("rows of refusals and their sums", refused, prices.WRITES)),
    )


def refusal_writes(sums: int) -> float:
    """Write units of a row of refusals and its part of the sums, on a page whose rows have so many sums."""
    row, most = REFUSAL_WRITES
    return min(most, row + (most - row) * (PAGE_CONTENTS / REFUSALS_TOGETHER + sums) / PAGE_CONTENTS)


def viewers_gb(days: Sequence[WorstDay]) -> float:
    """What made-up viewers keep in Redis after such a day."""
    sizes = {"POST /api/views": VIEWER_BYTES, "POST /api/views/batch": VIEWER_OF_MANY_BYTES}
    return sum(day.per_second * DAY_SECONDS * sizes.get(day.route, 0) for day in days) / 1e9


def log_bytes(template: dict[str, Any]) -> int:
    """What a tracked view leaves in the logs."""
    line = template["Resources"]["Api"]["Properties"]["AccessLogSettings"]["Format"]
    access = re.sub(r"\$context\.([a-zA-Z]+(?:\.[a-zA-Z]+)?)", lambda found: _CONTEXT[found[1]], line)
    return sum(len(each) for each in (access, *PLATFORM_LINES))


def _events(resource: dict[str, Any]) -> list[dict[str, Any]]:
    return list(resource.get("Properties", {}).get("Events", {}).values())


def _count(resources: Sequence[dict[str, Any]], kind: str) -> int:
    return sum(resource["Type"] == kind for resource in resources)


def _minutes(expression: Any, template: dict[str, Any]) -> int:
    if isinstance(expression, dict):
        expression = template["Parameters"][expression["Ref"]]["Default"]
    if re.fullmatch(r"cron\(\d+ \d+ \* \* \? \*\)", expression):
        return 24 * 60
    found = re.fullmatch(r"rate\((\d+) minutes?\)", expression)
    if found is None:
        raise ValueError(f"{expression} is no rate in minutes, and not daily")
    return int(found[1])


def document(template: dict[str, Any]) -> str:
    """The text of docs/cost.md."""
    seen, seen_together = impressions(template), impressions_together(template)
    one, by_url, together, synced = views(template), views_by_url(), views_together(template), contents()
    nothing = idle(template)
    sent, sent_together = messages(template), messages_together(template)
    posted, failed, hinted = deliveries(), attempts(), hints()
    bills = (one, by_url, together, synced, seen, seen_together, sent, sent_together, posted, failed, hinted, nothing)
    refusals = " to ".join(_usd(writes * prices.WRITES.usd) for writes in REFUSAL_WRITES)
    parts = [
        "# What it costs",
        "`make cost` writes this file from `local/cost.py` and `sluice/prices.py`: change those, not this file. List "
        "prices in USD, us-east-1, arm64, without free tiers. Storage, backups and traffic between zones are left out.",
        _table(
            ("", "USD", "budget"),
            [
                (one.title, _usd(one.usd), f"at most {_usd(BUDGETS['views'])}"),
                ("their answers", _usd(answers().usd), ""),
                (by_url.title, _usd(by_url.usd), ""),
                (together.title, _usd(together.usd), ""),
                (
                    "A million boost steps (a billion boosted views)",
                    _usd(steps_usd()),
                    f"at most {_usd(BUDGETS['steps'])}",
                ),
                (synced.title, _usd(synced.usd), ""),
                (seen.title, _usd(seen.usd), f"at most {_usd(BUDGETS['impressions'])}"),
                (seen_together.title, _usd(seen_together.usd), f"at most {_usd(BUDGETS['impressions together'])}"),
                ("A million rows of refusals moved (rules, content and hour each)", refusals, ""),
                (sent.title, _usd(sent.usd), f"at most {_usd(BUDGETS['messages'])}"),
                (sent_together.title, _usd(sent_together.usd), f"at most {_usd(BUDGETS['messages together'])}"),
                (posted.title, _usd(posted.usd), f"at most {_usd(BUDGETS['deliveries'])}"),
                (failed.title, _usd(failed.usd), ""),
                (hinted.title, _usd(hinted.usd), ""),
                (nothing.title, _usd(nothing.usd), f"at most {_usd(BUDGETS['idle'])}"),
            ],
        ),
        "A boost step is over its budget: [decisions.md](decisions.md) says why. It writes "
        f"{STEP_WRITES + BATCH_WRITES + VIDEO_WRITES} units for one video, and {VIDEO_WRITES} for each further video "
        f"(${VIDEO_WRITES * prices.WRITES.usd:.2f} a million). `boosts/simulation.py` has the formula, and every "
        "simulation returns the price of its own campaign.",
        "A message, a webhook and the idle month are over their budgets as well; decisions.md has the reasons.",
        _worst_day(template),
        *(f"## {bill.title}\n\n{bill.about}\n\n{_parts(bill)}" for bill in bills),
        "## Prices",
        "*As of* is the month of the newest source with that figure. AWS's pages have today's prices: compare before "
        "you rely on a figure.",
        _table(
            ("USD", "for one", "as of", "AWS's page"),
            [(f"{price.usd:g}", price.unit, price.seen, f"<{price.page}>") for price in every_price()],
        ),
    ]
    return "\n\n".join(parts) + "\n"


def _worst_day(template: dict[str, Any]) -> str:
    days, sync = worst_days(template), sync_of_junk(template)
    of_sponsorships = [day for day in days if CAMPAIGN in day.route]
    of_webhooks = [day for day in days if WEBHOOKS in day.route]
    of_the_console = [*(day for day in days if CONSOLE in day.route), worst_day_of_the_socket(template)]
    of_the_rest = [day for day in days if day not in (*of_sponsorships, *of_webhooks, *of_the_console)]
    together = sum(day.usd for day in of_the_rest) + sync.usd
    recorded = sum(day.usd for day in of_sponsorships)
    heard = sum(day.usd for day in of_webhooks)
    shown = sum(day.usd for day in of_the_console)
    rows = [
        *map(_cells, of_the_rest),
        (sync.title, "", "", "", "", _usd(sync.usd), ""),
        ("**together**", "", "", "", "", f"**{_usd(together)}**", ""),
        *map(_cells, of_sponsorships),
        ("**sponsorships together**", "", "", "", "", f"**{_usd(recorded)}**", ""),
        *map(_cells, of_webhooks),
        ("**webhooks together**", "", "", "", "", f"**{_usd(heard)}**", ""),
        *map(_cells, of_the_console),
        ("**the console together**", "", "", "", "", f"**{_usd(shown)}**", ""),
        *map(_cells, worst_days_by_url(template)),
    ]
    away = prices.WRITES.usd * FALLBACK_WRITES
    return "\n\n".join(
        (
            "## The worst day of what is open to all",
            "Everybody may call these routes, so somebody may call each of them all day, as often as its throttle "
            "lets through, with the dearest request there is. The throttle is for all clients together, so one of them "
            "can keep the others out of a route. A parameter raises it; the last column says what that costs. "
            f"The budget is {BUDGETS['worst day']:.0f} USD a day for all of them, and "
            f"{BUDGETS['worst day of sponsorships']:.0f} USD for those of sponsorships. Those of webhooks have "
            f"{BUDGETS['worst day of webhooks']:.0f} USD: an Evolution server may tell of each message by one of two "
            "paths. Whoever has no instance of a provider may set its throttle to 1. The console has "
            f"{BUDGETS['worst day of the console']:.0f} USD, and `WithConsole=false` takes it away; its WebSocket is "
            "in that sum, and `WithLive=false` takes that away.",
            _table(
                ("route", "dearest request", "parameter", "a second", "USD a million", "USD a day", "for 100/s"), rows
            ),
            f"`TrackUrl` is off by default and not in the sum. AWS lets {URL_RATE} requests a second through to it "
            "for each call that may run at once. `POST /session`, which `OidcIssuer` adds, asks for a "
            "token of the provider before anything of ours runs.",
            "Of each shard, a sync moves at most a tenth of `MaxContentsPerShard` of contents that nobody vouches for, "
            "and `MaxContentsPerShard` refusals; with a complete set of registered contents no such content, and a "
            f"tenth of the refusals. With `SyncSchedule` at `rate(1 hour)` that is {_usd(hourly(template))} USD a day, "
            f"and {_usd(hourly(template, is_registered_only=True))} USD with such a set. Three things "
            "are not in the sum. A request that the "
            "gateway throttles costs its log line. Made-up viewers take up to "
            f"{viewers_gb(days):.1f} GB of Redis by the end of the day, which then cost "
            f"{viewers_gb(days) * prices.CACHE_STORAGE.usd:.2f} USD an hour; `ViewsRedisMemoryAlarm` rings before. "
            "While Redis is away, a view of a made-up id costs a row and its fold, "
            f"{away:.2f} USD a million views; `ViewsDegradedAlarm` rings then.",
        )
    )


def hourly(template: dict[str, Any], *, is_registered_only: bool = False) -> float:
    """What made-up ids let an hourly sync cost in a day. From one to the next it is two hours of the clock."""
    return 24 * sync_of_junk(template, 2, is_registered_only=is_registered_only).usd


def _cells(day: WorstDay) -> tuple[str, ...]:
    where = (f"`{day.route}`", day.dearest.title, f"`{day.parameter}`", f"{day.per_second:g}")
    return (*where, _usd(day.dearest.usd), _usd(day.usd), _usd(day.usd_of(100)))


def every_price() -> list[Price]:
    """The prices there are, in their order."""
    return [each for each in vars(prices).values() if isinstance(each, Price)]


def _parts(bill: Bill) -> str:
    rows = [(item.what, f"{item.quantity:,.6g}", item.price.unit, _usd(item.usd)) for item in bill.items]
    return _table(("part", "how many", "unit", "USD"), [*rows, ("**together**", "", "", f"**{_usd(bill.usd)}**")])


def _table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    return "\n".join(f"| {' | '.join(cells)} |" for cells in (heads, ["---"] * len(heads), *rows))


def _usd(usd: float) -> str:
    return f"{usd:.2f}" if usd >= 0.01 else f"{usd:.4f}"


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; fail when the document has drifted")
    check = parser.parse_args(arguments).check

    text = document(yaml_parse((ROOT / "template.yaml").read_text()))
    if not check:
        DOCUMENT.write_text(text)
        print(text)
        return 0
    stored = DOCUMENT.read_text() if DOCUMENT.exists() else ""
    sys.stdout.writelines(
        difflib.unified_diff(stored.splitlines(True), text.splitlines(True), "docs/cost.md", "the code")
    )
    return int(stored != text)


if __name__ == "__main__":
    sys.exit(main())
