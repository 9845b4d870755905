"""Runs MiniStack, the local AWS, tuned for latency. Started by `local.stack` in a process of its own.

Five changes, none of them in what it answers, and six corrections:
- It looks for due SQS messages 10 times a second instead of once, and for due schedules every second, not every 10 s.
- After an invocation it waits 5 ms for a first log line instead of 50 ms.
- A worker's code and layers are unpacked once and shared: unpacking the dependencies takes 2 s, and every concurrent
  invocation is a worker of its own.
- Whether a path is of a route is asked once: MiniStack writes a regular expression for each route at each request.
- Functions run in the plain interpreter, not in the project's environment: what the layers lack is missing, as on AWS.
- Permissions are checked for a schedule in its own group. MiniStack takes every schedule to be in the group `default`.
- A schedule's message says for when it was: MiniStack sends `<aws.scheduler.scheduled-time>` as it stands.
- A queue's MaximumConcurrency is a number where a parameter says it: MiniStack keeps the text, and polls no queue then.
- An API has the tags of its OpenAPI body, into which SAM writes those of the template: MiniStack reads none there.
- After a restart the readers of the tables' streams begin again, as the streams do. MiniStack keeps where they were and
  not the records: they passed by as many as had come before, and the sweeper told of the outbox minutes later.
- An alarm over several metrics is deployed as one over the first: MiniStack refuses the whole stack for metric math.
"""

import hashlib
import json
import os
import sys
import tempfile
import threading
import time
import types
import zipfile
from datetime import UTC, datetime
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

POLLS_PER_SECOND = 10


class SharedZip(zipfile.ZipFile):
    """A package that is unpacked once per content; whoever unpacks it again gets a link to the same files."""

    _unpacking = threading.Lock()

    def extractall(self, path: Any = None, members: Any = None, pwd: bytes | None = None) -> None:
        shared = self._shared
        with self._unpacking:
            if not shared.exists():
                partial = shared.with_suffix(".partial")
                super().extractall(partial, members, pwd)
                partial.rename(shared)
        os.rmdir(path)
        os.symlink(shared, path)

    def namelist(self) -> list[str]:
        """Empty for what was unpacked before: MiniStack checks every name against escaping its directory, each time."""
        return [] if self._shared.exists() else super().namelist()

    @cached_property
    def _shared(self) -> Path:
        content = sorted((member.filename, member.file_size, member.CRC) for member in self.infolist())
        return Path(tempfile.gettempdir()) / "packages" / hashlib.sha256(repr(content).encode()).hexdigest()[:32]


def in_its_group(arn: str, body: bytes) -> str:
    """The ARN of the schedule that a request is about, with the group that the request names."""
    if ":schedule/default/" not in arn or not body:
        return arn
    return arn.replace("/default/", f"/{json.loads(body).get('GroupName', 'default')}/", 1)


def with_its_time(target: dict[str, Any], expression: str, fired_at: float) -> dict[str, Any]:
    """A schedule's target whose input has the time it was for: of a cron expression, the minute in which it fires."""
    if expression.startswith("at("):
        moment = f"{expression[3:-1]}Z"
    else:
        seconds = int(fired_at) // 60 * 60 if expression.startswith("cron") else int(fired_at)
        moment = datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return target | {"Input": target.get("Input", "").replace("<aws.scheduler.scheduled-time>", moment)}


def with_one_metric(alarm: dict[str, Any]) -> dict[str, Any]:
    """An alarm's properties without metric math."""
    found = next((each["MetricStat"] for each in alarm.get("Metrics", ()) if "MetricStat" in each), None)
    if found is None:
        return alarm
    kept = {name: value for name, value in alarm.items() if name != "Metrics"}
    return {**kept, **found["Metric"], "Period": found["Period"], "Statistic": found["Stat"]}


def with_the_bodys_tags(api: dict[str, Any]) -> dict[str, Any]:
    """An API's properties with the tags that its OpenAPI body names."""
    written = (api.get("Body") or {}).get("tags", ())
    tags = {each["name"]: each["x-amazon-apigateway-tag-value"] for each in written}
    return api | {"Tags": tags | (api.get("Tags") or {})}


def with_a_number(source: dict[str, Any]) -> dict[str, Any]:
    """A queue's event source whose MaximumConcurrency is a number: a parameter comes to a text."""
    scaling = source.get("ScalingConfig") or {}
    if "MaximumConcurrency" not in scaling:
        return source
    return source | {"ScalingConfig": scaling | {"MaximumConcurrency": int(scaling["MaximumConcurrency"])}}


def begin_again(positions: dict[Any, int]) -> None:
    """Put the readers of streams at the start of them."""
    positions.update(dict.fromkeys(positions, 0))


def _tune() -> None:
    from ministack.core import concurrency, iam_actions, lambda_runtime  # type: ignore[import-untyped]
    from ministack.services import apigateway, eventbridge, lambda_svc, scheduler  # type: ignore[import-untyped]
    from ministack.services.cloudformation import provisioners  # type: ignore[import-untyped]

    apigateway._path_matches = lru_cache(50_000)(apigateway._path_matches)
    scheduler._SCHEDULE_TICK_INTERVAL = 1
    drain: Any = lambda_runtime.Worker._drain_stderr_bounded
    drain.__defaults__ = (0.005, *drain.__defaults__[1:])
    lambda_runtime.zipfile = types.SimpleNamespace(**vars(zipfile) | {"ZipFile": SharedZip})
    resource_arn = iam_actions.extract_resource_arn

    def extract_resource_arn(service: str, method: str, path: str, headers: Any, body: bytes, *more: Any) -> str:
        arn: str = resource_arn(service, method, path, headers, body, *more)
        return in_its_group(arn, body) if service == "scheduler" else arn

    iam_actions.extract_resource_arn = extract_resource_arn
    invoke_target = eventbridge._invoke_target

    def invoke(target: dict[str, Any], event: dict[str, Any], rule: dict[str, Any], *more: Any) -> None:
        if event.get("Source") == "aws.scheduler":
            target = with_its_time(target, rule.get("ScheduleExpression", ""), event["Time"])
        invoke_target(target, event, rule, *more)

    eventbridge._invoke_target = invoke
    sqs_concurrency = lambda_svc._sqs_esm_concurrency

    def concurrency_of(source: dict[str, Any], *more: Any) -> int:
        batches: int = sqs_concurrency(with_a_number(source), *more)
        return batches

    lambda_svc._sqs_esm_concurrency = concurrency_of
    restore_positions = lambda_svc._restore_esm_positions

    def restore(store: Any, kept: Any) -> None:
        restore_positions(store, kept)
        if store is lambda_svc._dynamodb_stream_positions:
            begin_again(store._data)

    lambda_svc._restore_esm_positions = restore
    alarm_record = provisioners._cw_metric_alarm_record

    def record(name: str, properties: dict[str, Any]) -> dict[str, Any]:
        alarm: dict[str, Any] = alarm_record(name, with_one_metric(properties))
        return alarm

    provisioners._cw_metric_alarm_record = record
    of_apis = provisioners._RESOURCE_HANDLERS["AWS::ApiGatewayV2::Api"]
    create_api = of_apis["create"]
    of_apis["create"] = lambda name, properties, *more: create_api(name, with_the_bodys_tags(properties), *more)
    sys.executable = sys._base_executable  # type: ignore[attr-defined]

    def poll() -> None:
        while True:
            time.sleep(1 / POLLS_PER_SECOND)
            concurrency.esm_wake.set()

    threading.Thread(target=poll, name="sluice-poll", daemon=True).start()


def main() -> None:
    from ministack.app import main as serve  # type: ignore[import-untyped]

    _tune()
    sys.argv = sys.argv[:1]
    serve()


if __name__ == "__main__":
    main()
