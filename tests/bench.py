"""`make bench`: what a step costs and how fast it is, against the budgets of design section 12."""

import json
import logging
import os
import statistics
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import time_machine

from boosts.simulation import step_usd
from local.api import Api
from local.build import built, this_architecture
from local.stack import temporary
from local.tokens import mint
from tests import bench_broadcasts, bench_console, bench_hooks, bench_promotions, bench_sponsorships, bench_views
from tests.account import account
from tests.bench_calls import Calls, write_units
from tests.bench_tables import a_table, console
from tests.gateway import a_request
from tests.integration.harness import Functions
from tests.template_reader import ROOT, source

CAMPAIGNS = "/api/admin/fake-views"
EVENT = json.loads((ROOT / "events/boosts/worker-steps.json").read_text())
STEPS = 50
DRIFT_BATCHES = 60
IMPORTS = 7


def main() -> None:
    console.print("[bold]Steps through the real handler[/], on moto, in process")
    bench_steps()
    console.print("\n[bold]Import time[/], of the built artefacts, medians of fresh interpreters")
    bench_imports()
    console.print("\n[bold]Drift[/] on the embedded stack, over HTTP and SQS")
    bench_drift()
    console.print("\n[bold]Views[/]")
    bench_views.main()
    console.print("\n[bold]Sponsorships[/]")
    bench_sponsorships.main()
    console.print("\n[bold]Promotions[/]")
    bench_promotions.main()
    console.print("\n[bold]Broadcasts[/]")
    bench_broadcasts.main()
    console.print("\n[bold]Webhooks[/]")
    bench_hooks.main()
    console.print("\n[bold]Console and command line[/]")
    bench_console.main()


def bench_steps() -> None:
    logging.disable(logging.INFO)  # a line per batch
    with account() as aws, time_machine.travel(datetime(2026, 11, 20, 12, tzinfo=UTC), tick=False) as clock:
        functions = Functions(aws)
        campaign_id = _running(functions, views=STEPS * 1000)
        event = json.loads(json.dumps(EVENT))
        record = event["Records"][0]

        def step(number: int) -> None:
            record["body"] = json.dumps({"campaign_id": campaign_id, "step": number})
            record["messageId"] = f"message-{number}"
            functions.call("BoostsWorkerFunction", event)
            clock.shift(timedelta(seconds=1))

        step(1)
        calls = Calls()
        began = time.perf_counter()
        with calls.counted():
            for number in range(2, STEPS):
                step(number)
        seconds = time.perf_counter() - began
        steps = STEPS - 2
        units = statistics.mean(write_units(aws, transaction) for transaction in calls.transactions)
    per_step = sum(calls.operations.values()) / steps
    table = a_table("figure", "measured", "budget")
    names = ", ".join(f"{name} {count / steps:.2f}" for name, count in calls.operations.items())
    table.add_row("AWS calls a step", f"{per_step:.2f}  ({names})", "3")
    table.add_row("write units a step", f"{units:.1f}  (item sizes by DynamoDB's rule, indexes included)", "")
    table.add_row("list price of a million steps", f"${step_usd(units):.2f}  (60 ms of 256 MB assumed)", "$5")
    table.add_row("steps a second", f"{steps / seconds:.0f}  (moto does most of the work)", "")
    console.print(table)


def bench_imports() -> None:
    everything = (
        "boto3, pynamodb.models, pynamodb.transactions, pydantic, jwt, aws_lambda_powertools.event_handler, "
        "aws_lambda_powertools.event_handler.openapi.params, aws_lambda_powertools.utilities.batch, "
        "aws_lambda_powertools.utilities.parameters"
    )
    table = a_table("handler", "ms", "of everything", "budget")
    with built(this_architecture()) as build:
        resources = source(build.template.read_text())["Resources"]
        functions = [each["Properties"] for each in resources.values() if each["Type"] == "AWS::Serverless::Function"]
        folders = ["DependenciesLayer/python", "KernelLayer/python", *sorted({each["CodeUri"] for each in functions})]
        path = os.pathsep.join(str(build.template.parent / folder) for folder in folders)
        baseline = _import_ms(everything, path)
        table.add_row("everything", f"{baseline:.0f}", "1.00", "")
        for module in sorted(each["Handler"].rpartition(".")[0] for each in functions):
            milliseconds = _import_ms(module, path)
            table.add_row(module, f"{milliseconds:.0f}", f"{milliseconds / baseline:.2f}", "0.80")
    console.print(table)


def bench_drift() -> None:
    with temporary("bench", tell=lambda line: console.print(f"  {line}")) as stack:
        stack.start()
        stack.deploy()
        api = Api(stack.api_url, mint(stack.deployed, "admin", hours=1))
        campaign_id = api.post(CAMPAIGNS, _terms(DRIFT_BATCHES * 1000))["id"]
        api.post(f"{CAMPAIGNS}/{campaign_id}/execute")
        deadline = time.monotonic() + 10 * DRIFT_BATCHES
        with console.status(f"{DRIFT_BATCHES} batches, one a second"):
            while api.get(f"{CAMPAIGNS}/{campaign_id}")["status"] == "running" and time.monotonic() < deadline:
                time.sleep(1)
        table_name = stack.deployed.resources()["BoostsTable"]
        answer = stack.deployed.client("dynamodb").query(
            TableName=table_name,
            KeyConditionExpression="id = :id AND begins_with(part, :batch)",
            ExpressionAttributeValues={":id": {"S": campaign_id}, ":batch": {"S": "batch#"}},
        )
    moments = [datetime.fromisoformat(item["committed_at"]["S"]) for item in answer["Items"]]
    gaps = sorted((later - earlier).total_seconds() for earlier, later in pairwise(moments))
    elapsed = (moments[-1] - moments[0]).total_seconds()
    ideal = len(moments) - 1
    table = a_table("figure", "measured", "ideal")
    table.add_row("batches", str(len(moments)), str(DRIFT_BATCHES))
    table.add_row("first to last", f"{elapsed:.1f} s", f"{ideal} s")
    table.add_row("drift", f"{elapsed - ideal:.1f} s  ({100 * (elapsed - ideal) / ideal:.0f} %)", "0 s")
    table.add_row("gap", f"median {statistics.median(gaps):.3f} s, longest {gaps[-1]:.3f} s", "1 s")
    console.print(table)


def _terms(views: int) -> dict[str, Any]:
    return {
        "video_id": "bench",
        "total_count": views,
        "duration_days": 1,
        "pattern": "steady",
        "daily_limit": views,
    }


def _running(functions: Functions, views: int) -> str:
    created = functions.call("BoostsApiFunction", a_request("POST", CAMPAIGNS, body=_terms(views)))
    campaign_id: str = json.loads(created["body"])["id"]
    functions.call("BoostsApiFunction", a_request("POST", f"{CAMPAIGNS}/{campaign_id}/execute"))
    return campaign_id


def _import_ms(modules: str, path: str) -> float:
    """Of the built artefacts, with the bytecode that is deployed and nothing of this project's environment."""
    code = f"import time; began = time.perf_counter(); import {modules}; print(time.perf_counter() - began)"
    command = [sys.executable, "-S", "-c", code]
    times = [float(subprocess.check_output(command, env={"PYTHONPATH": path}, text=True)) for _ in range(IMPORTS)]
    return 1000 * statistics.median(times)


if __name__ == "__main__":
    main()
