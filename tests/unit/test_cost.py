"""docs/cost.md against formulas worked out by hand, and against the budgets."""

import re
from typing import Any

import pytest

from local import cost
from sluice import prices
from sluice.prices import Price
from tests.template.rules.routes import OPEN_ROUTES
from tests.template_reader import source

ZONES, ALARMS, METRICS, SECRETS, QUEUES, SCHEDULES = 2, 3, 2, 1, 2, 2


def a_template() -> dict[str, Any]:
    """A stack of a few parts, of which there is more than one kind."""
    endpoint = {"VpcEndpointType": "Interface", "SubnetIds": ["a", "b"]}
    free = {"VpcEndpointType": "Gateway", "RouteTableIds": ["a"]}
    every = [{"Ref": "Period"}, "rate(10 minutes)"]
    # Two filters make one metric. What counts lines, or is of a function that no schedule runs, costs nothing.
    made = [
        ("Pending", "$.pending", "Logs"),
        ("Parked", "$.parked", "Logs"),
        ("Parked", "$.parked_too", "Logs"),
        ("Failed", "1", "Logs"),
        ("Percent", "$.percent", "OtherLogs"),
    ]
    resources = {
        "Api": {
            "Type": "AWS::Serverless::HttpApi",
            "Properties": {
                "AccessLogSettings": {"Format": "$context.status $context.authorizer.subject"},
                "DefinitionBody": {"paths": {}},
                "Auth": {"DefaultAuthorizer": "Token"},
            },
        },
        "Endpoint": {"Type": "AWS::EC2::VPCEndpoint", "Properties": endpoint},
        "Free": {"Type": "AWS::EC2::VPCEndpoint", "Properties": free},
        "Worker": {
            "Type": "AWS::Serverless::Function",
            "Properties": {
                "LoggingConfig": {"LogGroup": {"Ref": "Logs"}},
                "Events": {
                    **{f"Steps{number}": {"Type": "SQS", "Properties": {}} for number in range(QUEUES)},
                    **{
                        f"Period{number}": {"Type": "ScheduleV2", "Properties": {"ScheduleExpression": rate}}
                        for number, rate in enumerate(every)
                    },
                },
            },
        },
        **{f"Alarm{number}": {"Type": "AWS::CloudWatch::Alarm", "Properties": {}} for number in range(ALARMS)},
        **{
            f"Filter{number}": {
                "Type": "AWS::Logs::MetricFilter",
                "Properties": {
                    "LogGroupName": {"Ref": logs},
                    "MetricTransformations": [
                        {"MetricNamespace": {"Ref": "AWS::StackName"}, "MetricName": name, "MetricValue": value}
                    ],
                },
            }
            for number, (name, value, logs) in enumerate(made)
        },
        "Secret": {"Type": "AWS::SecretsManager::Secret", "Properties": {}},
        "Dashboard": {"Type": "AWS::CloudWatch::Dashboard", "Condition": "HasDashboard", "Properties": {}},
        "AlarmOfTheUrl": {"Type": "AWS::CloudWatch::Alarm", "Condition": "HasTrackUrl", "Properties": {}},
    }
    return {"Parameters": {"Period": {"Default": "rate(5 minutes)"}}, "Resources": resources}


def test_a_million_tracked_views_by_hand() -> None:
    """One request of the gateway and one invocation each; 8 ms of a quarter GB; two ECPUs; what is logged."""
    log_bytes = len("200 -") + sum(map(len, cost.PLATFORM_LINES))

    usd = cost.views(a_template()).usd

    assert usd == pytest.approx(1.00 + 0.20 + 13.3334 * 0.25 * 0.008 + 2 * 0.0023 + 0.50 * log_bytes / 1000)
    assert cost.answers().usd == pytest.approx(0.6 * 0.09)


def test_a_million_views_of_twenty_a_request_by_hand() -> None:
    log_bytes = len("200 -") + sum(map(len, cost.PLATFORM_LINES))

    usd = cost.views_together(a_template()).usd

    per_request = 1.00 + 0.20 + 13.3334 * 0.25 * 0.015 + 0.50 * log_bytes / 1000
    assert usd == pytest.approx(per_request / 20 + 2 * 0.0023)


def test_a_million_synced_contents_by_hand() -> None:
    """Six write units each, and two for 49; 2,000 messages of 500 contents: three requests, an invocation of 2 s, a
    kilobyte of log.
    """
    usd = cost.contents().usd

    messages = 0.002 * (3 * 0.40 + 0.20 + 13.3334 * 0.25 * 2 + 0.50)
    assert usd == pytest.approx((6 + 2 / 49) * 0.625 + messages + 10 * 0.0023)


def test_a_million_rows_of_refusals_by_hand() -> None:
    """A row is two write units; the sum of its hour, shared with up to 49 others, as many at most."""
    (line,) = [line for line in cost.document(source()).splitlines() if "rows of refusals" in line]

    assert line.split(" | ")[1] == f"{2 * 0.625:.2f} to {4 * 0.625:.2f}"


def test_a_million_boost_steps_by_hand() -> None:
    """14 write units, three reads, three requests, 60 ms of a quarter GB, half a kilobyte of log."""
    by_hand = 14 * 0.625 + 3 * 0.125 + 3 * 0.40 + 0.20 + 13.3334 * 0.25 * 0.06 + 0.5 * 0.50

    assert cost.steps_usd() == pytest.approx(by_hand)
    assert by_hand == pytest.approx(10.975, abs=0.0001)


def test_a_million_messages_by_hand() -> None:
    """A step of 400 ms, three webhooks of 15 ms that are applied in 40 ms each, an event that is relayed in 30 ms."""
    platform = sum(map(len, cost.PLATFORM_LINES))
    logs = 3 * (len("200 -") + platform) + 5 * platform

    usd = cost.messages(a_template()).usd

    units = 40 * 0.625 + 23 * 0.125
    functions = 8 * 0.20 + 13.3334 * (0.5 * (0.4 + 3 * 0.015 + 3 * 0.04) + 0.25 * 0.03)
    assert usd == pytest.approx(units + functions + 3 * 1.00 + 4 * 3 * 0.40 + 1.00 + logs / 1000 * 0.50)


def test_a_million_messages_of_45_a_step_by_hand() -> None:
    """A step of 1.8 s for 45 messages, and five events; three webhooks each, of which ten are applied in 80 ms."""
    platform = sum(map(len, cost.PLATFORM_LINES))
    logs = 3 * (len("200 -") + platform) + (1 / 45 + 5 / 45 + 0.3) * platform

    usd = cost.messages_together(a_template()).usd

    units = 12 * 0.625 + 8.15 * 0.125
    functions = (6 / 45 + 3.3) * 0.20 + 13.3334 * (0.5 * (1.8 / 45 + 3 * 0.015 + 0.3 * 0.08) + 0.25 * 0.03 * 5 / 45)
    assert usd == pytest.approx(units + functions + 3 * 1.00 + (3 / 45 + 3.6) * 0.40 + 5 / 45 + logs / 1000 * 0.50)


def test_a_million_hints_by_hand() -> None:
    """An invocation of 30 ms of a quarter GB and its lines of log, a query for each of two topics, a message."""
    log_bytes = sum(map(len, cost.PLATFORM_LINES))

    usd = cost.hints().usd

    by_hand = 0.20 + 13.3334 * 0.25 * 0.03 + 2 * 0.5 * 0.125 + 1.00 + 0.25 / 60 + 0.50 * log_bytes / 1000
    assert usd == pytest.approx(by_hand)


def test_a_million_webhooks_by_hand() -> None:
    """16 write units, 14 reads, three messages, three invocations of a quarter GB for 370 ms together, their logs."""
    logs = 3 * sum(map(len, cost.PLATFORM_LINES)) + 500

    usd = cost.deliveries().usd

    by_hand = 16 * 0.625 + 14 * 0.125 + 9 * 0.40 + 3 * 0.20 + 13.3334 * 0.25 * 0.37 + logs / 1000 * 0.50
    assert usd == pytest.approx(by_hand)
    assert cost.attempts().usd < usd


def test_messages_webhooks_and_the_idle_month_say_that_they_are_over_their_budgets() -> None:
    assert cost.BUDGETS["messages"] == 41 < cost.messages(source()).usd < 45
    assert cost.BUDGETS["messages together"] == 14 < cost.messages_together(source()).usd < 16
    assert cost.BUDGETS["deliveries"] == 8 < cost.deliveries().usd < 19
    # Of the hooks: a secret, two queues that are polled, and eight metrics of four alarms. Of live hints two alarms.
    assert cost.BUDGETS["idle"] == 35 < cost.idle(source()).usd < 41

    assert "A message, a webhook and the idle month are over their budgets as well" in cost.document(source())


def test_a_month_in_which_nothing_happens_by_hand() -> None:
    usd = cost.idle(a_template()).usd

    endpoint = ZONES * 730 * 0.01
    cache = 0.1 * 730 * 0.084
    standing = ALARMS * 0.10 + METRICS * 0.30 + SECRETS * 0.40 + 3.00
    # Five connections at each queue ask again every 20 s.
    polls = QUEUES * 5 * 3 * 60 * 730 * 0.40 / 1e6
    runs = 730 * 12 + 730 * 6
    schedules = runs * (1.00 + 0.20 + 13.3334 * 0.25 * 0.2 + 10 * 0.125) / 1e6 + runs * 1000 * 0.50 / 1e9
    assert usd == pytest.approx(endpoint + cache + standing + polls + schedules)


def test_a_schedule_that_is_no_rate_in_minutes_and_not_daily_is_not_guessed_at() -> None:
    template = a_template()
    template["Parameters"]["Period"]["Default"] = "cron(0 0 ? * MON *)"

    with pytest.raises(ValueError, match="no rate in minutes"):
        cost.idle(template)


def test_a_daily_schedule_runs_once_a_day() -> None:
    template = a_template()
    template["Parameters"]["Period"]["Default"] = "rate(1440 minutes)"
    by_rate = cost.idle(template)
    template["Parameters"]["Period"]["Default"] = "cron(0 3 * * ? *)"

    assert cost.idle(template) == by_rate


def test_tracked_views_keep_their_budget_with_their_logs() -> None:
    """At most $1.60 a million; what the template's own access log writes is in it."""
    bill = cost.views(source())

    assert bill.usd <= cost.BUDGETS["views"] == 1.60
    assert 100 < cost.log_bytes(source()) - sum(map(len, cost.PLATFORM_LINES)) < 300


def test_boost_steps_do_not_keep_theirs_and_the_document_says_so() -> None:
    assert cost.steps_usd() > cost.BUDGETS["steps"] == 5

    assert "A boost step is over its budget" in cost.document(source())


def a_template_with_an_open_route(per_second: int = 100) -> dict[str, Any]:
    """With one route that is open to all, and one that is not."""
    template = a_template()
    template["Parameters"] |= {
        "Rate": {"Default": per_second},
        "ViewShards": {"Default": 2},
        "MaxContentsPerShard": {"Default": 500_000},
    }
    template["Resources"]["Api"]["Properties"]["RouteSettings"] = {
        "POST /api/views/counts": {"ThrottlingRateLimit": {"Ref": "Rate"}, "ThrottlingBurstLimit": 10**9}
    }
    integration = {"x-amazon-apigateway-integration": {"uri": {"Fn::Sub": "arn:/${Worker.Arn}/invocations"}}}
    template["Resources"]["Api"]["Properties"]["DefinitionBody"]["paths"] = {
        "/api/views/counts": {"post": {**integration, "security": [{"NONE": []}]}},
        "/api/admin/views/counts": {"post": integration},
    }
    return template


def test_the_worst_day_of_an_open_route_by_hand() -> None:
    """A hundred a second of the dearest request: twenty contents, each two reads, from sixteen shards."""
    log_bytes = len("200 -") + sum(map(len, cost.PLATFORM_LINES))

    (day,) = cost.worst_days(a_template_with_an_open_route())

    per_million = 1.00 + 0.20 + 13.3334 * 0.25 * 0.020 + 40 * 0.125 + 16 * 11 * 0.0023 + 6.5 * 0.09
    per_million += 0.50 * log_bytes / 1000
    assert day.dearest.usd == pytest.approx(per_million)
    assert day.usd == pytest.approx(100 * 86_400 / 1e6 * per_million)
    assert day.usd == pytest.approx(day.usd_of(100)) == pytest.approx(2 * day.usd_of(50))


def test_the_worst_day_of_the_socket_by_hand() -> None:
    """Whoever has no ticket asks twenty times a second: a message, a read, 10 ms, Lambda's lines, a kilobyte."""
    day = cost.worst_day_of_the_socket(source())

    per_million = 1.00 + 0.20 + 13.3334 * 0.25 * 0.010 + 0.125 + 0.09
    per_million += 0.50 * sum(map(len, cost.PLATFORM_LINES)) / 1000
    assert day.usd == pytest.approx(20 * 86_400 / 1e6 * per_million)
    assert "| `$connect of the WebSocket` | a made-up ticket | `LiveThrottle` | 20 |" in cost.document(source())


def test_the_worst_days_of_the_url_by_hand() -> None:
    """A hundred a second while ten calls may run at once; without the gateway, and without a line in the log."""
    template = a_template_with_an_open_route()
    template["Parameters"]["TrackUrlConcurrency"] = {"Default": 10}

    view, batch = cost.worst_days_by_url(template)

    per_million = 0.20 + 13.3334 * 0.25 * 0.008 + 2 * 0.0023 + 0.6 * 0.09
    assert view.usd == pytest.approx(100 * 86_400 / 1e6 * per_million)
    assert view.usd == pytest.approx(view.usd_of(100))
    assert batch.usd == pytest.approx(8.64 * (0.20 + 13.3334 * 0.25 * 0.010 + 13 * 0.09))


def test_a_million_views_by_url_by_hand() -> None:
    """About a sixth of what the API's cost."""
    usd = cost.views_by_url().usd

    assert usd == pytest.approx(0.20 + 13.3334 * 0.25 * 0.008 + 2 * 0.0023)
    assert usd < 0.25 < cost.views(source()).usd / 6


def test_the_url_writes_no_line_of_lambdas_own_about_a_call() -> None:
    """Which is what its price takes for granted."""
    logging = source()["Resources"]["ViewsTrackUrlFunction"]["Properties"]["LoggingConfig"]

    assert logging["SystemLogLevel"] == "WARN"


def test_a_sync_of_full_shards_by_hand() -> None:
    """A tenth of a million contents, and a million rows of refusals. A page has 500 rows in ten transactions, and sums
    of twelve rules in each of 25 hours.
    """
    usd = cost.sync_of_junk(a_template_with_an_open_route()).usd

    assert usd == pytest.approx(cost.contents().usd / 10 + (2 + 2 * (10 + 300) / 500) * 0.625)


def test_a_sum_is_written_at_most_once_for_each_row() -> None:
    assert (cost.refusal_writes(0), cost.refusal_writes(10_000)) == (2.04, 4)


def test_a_day_of_hourly_syncs_by_hand() -> None:
    """With a complete set no made-up content counts, and the refusals of others have a tenth of the room."""
    template = a_template_with_an_open_route()
    refusals = (2 + 2 * (10 + 24) / 500) * 0.625

    assert cost.hourly(template) == pytest.approx(24 * (cost.contents().usd / 10 + refusals))
    assert cost.hourly(template, is_registered_only=True) == pytest.approx(24 * refusals / 10)


def test_an_hourly_sync_of_junk_keeps_its_budget_where_only_registered_content_counts() -> None:
    assert cost.hourly(source(), is_registered_only=True) <= 15


def test_an_open_route_that_nobody_reckoned_is_not_left_out() -> None:
    template = a_template_with_an_open_route()
    paths = template["Resources"]["Api"]["Properties"]["DefinitionBody"]["paths"]
    paths["/api/new"] = paths.pop("/api/views/counts")
    template["Resources"]["Api"]["Properties"]["RouteSettings"]["POST /api/new"] = {
        "ThrottlingRateLimit": {"Ref": "Rate"}
    }

    with pytest.raises(KeyError, match="POST /api/new"):
        cost.worst_days(template)


def test_the_worst_day_of_all_open_routes_keeps_its_budget_at_the_templates_throttles() -> None:
    days = cost.worst_days(source())

    assert {day.route for day in days} == OPEN_ROUTES == cost.OPEN.keys()
    recorded = sum(day.usd for day in days if cost.CAMPAIGN in day.route)
    heard = sum(day.usd for day in days if cost.WEBHOOKS in day.route)
    shown_by_page = sum(day.usd for day in days if cost.CONSOLE in day.route)
    shown = shown_by_page + cost.worst_day_of_the_socket(source()).usd
    together = sum(day.usd for day in days) - recorded - heard - shown_by_page + cost.sync_of_junk(source()).usd
    assert together <= cost.BUDGETS["worst day"] == 100
    assert recorded <= cost.BUDGETS["worst day of sponsorships"] == 70
    assert heard <= cost.BUDGETS["worst day of webhooks"] == 300
    assert shown <= cost.BUDGETS["worst day of the console"] == 40
    assert f"| **{shown:.2f}** |" in cost.document(source())
    assert f"| **{heard:.2f}** |" in cost.document(source())
    assert f"| **{together:.2f}** |" in cost.document(source())
    assert f"| **{recorded:.2f}** |" in cost.document(source())


def test_impressions_keep_their_budgets() -> None:
    """At most $6.20 a million with their tokens; $1.50 if a service sends 25 at once."""
    assert cost.impressions(source()).usd <= cost.BUDGETS["impressions"] == 6.20
    assert cost.impressions_together(source()).usd <= cost.BUDGETS["impressions together"] == 1.50


def test_whoever_raises_a_throttle_is_over_the_budget() -> None:
    template = source()
    template["Parameters"]["CountsRateLimit"]["Default"] = 200

    days = [
        day for day in cost.worst_days(template) if cost.CAMPAIGN not in day.route and cost.WEBHOOKS not in day.route
    ]
    assert sum(day.usd for day in days) > cost.BUDGETS["worst day"]


def test_every_field_of_the_access_log_has_an_example() -> None:
    template = a_template()
    template["Resources"]["Api"]["Properties"]["AccessLogSettings"]["Format"] = "$context.unheardOf"

    with pytest.raises(KeyError, match="unheardOf"):
        cost.log_bytes(template)


@pytest.mark.parametrize("price", cost.every_price(), ids=lambda price: price.unit)
def test_every_price_is_dated_and_names_awss_page(price: Price) -> None:
    assert price.usd > 0
    assert re.fullmatch(r"202\d-(0[1-9]|1[0-2])", price.seen)
    assert re.fullmatch(r"https://aws\.amazon\.com/[a-z0-9/-]+/pricing/([a-z-]+/)?", price.page)


def test_every_price_is_in_the_document() -> None:
    document = cost.document(source())

    rows = [f"| {price.usd:g} | {price.unit} | {price.seen} | <{price.page}> |" for price in cost.every_price()]
    assert len(rows) == len({price.unit for price in cost.every_price()}) >= 15
    assert [row for row in rows if row not in document] == []
    assert prices.WRITES in cost.every_price()


def test_check_shows_what_has_drifted(tmp_path: Any, monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    monkeypatch.setattr(cost, "DOCUMENT", tmp_path / "cost.md")

    before = cost.main(["--check"])
    shown = capsys.readouterr().out
    written = cost.main([])
    after = cost.main(["--check"])

    assert (before, written, after) == (1, 0, 0)
    assert "+# What it costs" in shown


def test_the_document_in_the_repository_is_the_codes(capsys: Any) -> None:
    drifted = cost.main(["--check"])

    assert not drifted, f"run `make cost`:\n{capsys.readouterr().out}"
