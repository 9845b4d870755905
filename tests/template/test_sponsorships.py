"""What the section of sponsorships in the template says: what feeds what, and what an environment can choose."""

import json
import re
import tomllib
from typing import Any

import pytest

from tests.faults.wiring import Wiring
from tests.packages import module_names, text_of
from tests.template.project import real, refers_to
from tests.template_reader import ROOT

CAMPAIGN = "spn_01KAJ3W5V0SM0FKVYVXB9EQT6N"
STREAM = "SponsorshipsMonitoringStreamFunction"
MONITORING, CHECKS = "/api/v1/campaigns/monitoring", "SponsorshipsChecksQueue"
COMPONENTS = {
    "campaigns": {
        "SponsorshipsApiFunction": ["POST /api/v1/campaigns", f"POST /api/v1/campaigns/{CAMPAIGN}/join"],
        "SponsorshipsRecordingApiFunction": [f"POST /api/v1/campaigns/{CAMPAIGN}/impressions/batch"],
    },
    "completion": {
        "SponsorshipsMonitoringWorkerFunction": ["campaign.completion.check", CHECKS],
        "SponsorshipsWorkerFunction": ["SponsorshipsQueue"],
    },
    "monitoring": {
        "SponsorshipsMonitoringStreamFunction": ["SponsorshipsTable"],
        "SponsorshipsMonitoringScheduleFunction": ["light", "deep"],
        "SponsorshipsMonitoringApiFunction": [f"GET {MONITORING}/status", f"POST {MONITORING}/full-check"],
    },
    "wallets": {"WalletsApiFunction": ["GET /api/v1/wallets/me"]},
    "keys": {"SponsorshipsApiFunction": [f"GET /api/v1/campaigns/{CAMPAIGN}/participations/nina/gkey"]},
}
"""The source's services: the functions of each, and what feeds them."""
BY_PARAMETER = {
    "MaxDailyEarnings": [("SponsorshipsApiFunction", "MAX_DAILY_EARNINGS")],
    "MilestoneDefaults": [("SponsorshipsApiFunction", "MILESTONE_DEFAULTS")],
    "GapSeconds": [("SponsorshipsMonitoringWorkerFunction", "GAP_SECONDS")],
}


def a_record(item_id: str, part: str, event: str = "MODIFY") -> dict[str, Any]:
    """A record of a stream that shows keys alone."""
    return {"eventName": event, "dynamodb": {"Keys": {"id": {"S": item_id}, "part": {"S": part}}}}


def default_of(value: Any) -> str:
    """A text, or the default of the parameter that it refers to."""
    return str(real().template["Parameters"][refers_to(value)]["Default"] if isinstance(value, dict) else value)


def wiring() -> Wiring:
    return Wiring(real().resources, default_of, ["sponsorships", "wallets"])


def fed() -> dict[str, set[str]]:
    """What feeds each function, but for routes: queues, events that a rule brings to them, tables, kinds of runs."""
    wired = wiring()
    found: dict[str, set[str]] = {name: set() for name in wired.handlers}
    for queue in wired.queue_sources:
        events = {name for rule in wired.bus_rules if rule.queue == queue.queue for name in rule.names}
        found[queue.function] |= {queue.queue} | events
    for stream in wired.stream_sources:
        found[stream.function].add(stream.table)
    for schedule in wired.recurring:
        found[schedule.target].add(json.loads(schedule.input)["kind"])
    return found


@pytest.mark.parametrize("component", COMPONENTS)
def test_each_component_is_fed_by_what_it_is_there_for(component: str) -> None:
    """S3-4, S3-6, S3-19, S3-20, S3-22, S3-23, S3-27: events and routes are all that connects them."""
    wired, feeds = wiring(), fed()

    for function, wanted in COMPONENTS[component].items():
        routed = {each for each in wanted if " " in each and wired.function_of(*each.split(" ")) == function}
        assert set(wanted) - routed - feeds[function] == set()


def test_the_table_has_a_stream_of_its_keys() -> None:
    """S3-11, S3-15: what a replica set is there for. Two images of each row would be paid for and not looked at."""
    assert real().tables["SponsorshipsTable"]["StreamSpecification"] == {"StreamViewType": "KEYS_ONLY"}


def test_the_stream_is_read_on_from_where_it_stopped() -> None:
    """S3-14: Lambda keeps the place and polls by itself; a record that fails comes again, and blocks no other for long.

    How a record is reported as failed: tests/integration/test_sponsorships_monitoring.py.
    """
    (source,) = [each.properties for each in real().stream_sources if each.function == STREAM]

    assert source.get("Enabled", True) is True
    assert source["StartingPosition"] == "TRIM_HORIZON"
    assert source["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    assert (source["MaximumRetryAttempts"], source["MaximumRecordAgeInSeconds"]) == (5, 3600)


def test_the_log_lines_that_alarms_count_are_documented_and_written() -> None:
    """S3-34."""
    filters = real().of_type("AWS::Logs::MetricFilter").values()
    ours = [each for each in filters if refers_to(each["LogGroupName"]).startswith("Sponsorships")]
    lines = {line for each in ours for line in re.findall(r'\$\.message = "([^"*]+)"', each["FilterPattern"])}
    sources = "".join(text_of(module) for module in module_names())

    assert [line for line in sorted(lines) if f"`{line}`" not in real().operations] == []
    assert [line for line in sorted(lines) if f'"{line}"' not in sources] == []
    assert len(lines) > 5


def test_types_are_checked_strictly() -> None:
    """S3-34."""
    checked = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["mypy"]

    assert checked["strict"] is True
    assert {"functions", "layers/kernel/sluice"} <= set(checked["files"])
    makefile = (ROOT / "Makefile").read_text()
    assert re.search(r"^static:.* types\b", makefile, re.MULTILINE)
    assert re.search(r"^types:\n(\t.*\n)*\t@\.venv/bin/mypy\n", makefile, re.MULTILINE)


@pytest.mark.parametrize(
    ("record", "passes"),
    [
        (a_record(f"{CAMPAIGN}:nina", "campaign"), True),
        (a_record(CAMPAIGN, "campaign"), True),
        (a_record("monitor", "canary"), True),
        (a_record("monitor", "canary", "INSERT"), True),
        (a_record(f"{CAMPAIGN}:nina", "campaign", "INSERT"), False),
        (a_record(f"{CAMPAIGN}:nina", "campaign", "REMOVE"), False),
        (a_record(f"{CAMPAIGN}:nina", "statement"), False),
        (a_record(f"tally#{CAMPAIGN}:nina#0", "tally"), False),
        (a_record(f"imp#{CAMPAIGN}:nina#a", "0123456789abcdef"), False),
        (a_record("monitor", "stream"), False),
        (a_record("platform", "campaign"), False),
        (a_record("chk_01KAJ3W5V0SM0FKVYVXB9EQT6N", "campaign"), False),
    ],
)
def test_the_stream_shows_documents_that_were_changed_and_the_sign_of_life(
    record: dict[str, Any], passes: bool
) -> None:
    """S3-29. Each impression writes the table: what the filter holds back costs nothing."""
    (source,) = wiring().stream_sources

    assert (source.table, source.function) == ("SponsorshipsTable", STREAM)
    assert source.passes(record) == passes


@pytest.mark.parametrize("parameter", BY_PARAMETER)
def test_an_environment_chooses_its_limits(parameter: str) -> None:
    """S3-30."""
    functions = real().functions

    for function, variable in BY_PARAMETER[parameter]:
        assert f'{{"Ref": "{parameter}"}}' in json.dumps(functions[function]["Environment"]["Variables"][variable])


def test_an_environment_chooses_when_participations_are_looked_through() -> None:
    """S3-30."""
    (sweep, deep) = [
        real().triggers("SponsorshipsMonitoringScheduleFunction")[name]["Properties"] for name in ("Sweep", "Deep")
    ]

    assert sweep["ScheduleExpression"] == {"Ref": "SponsorshipsSweepRate"}
    assert (deep["ScheduleExpression"], deep["ScheduleExpressionTimezone"]) == (
        {"Ref": "DeepCheckTime"},
        {"Ref": "TimeZone"},
    )
