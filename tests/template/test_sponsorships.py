"""What the section of sponsorships in the template says: what the stream shows, and what an environment can choose."""

import json
from typing import Any

import pytest

from tests.faults.wiring import Wiring
from tests.template.project import real, refers_to

CAMPAIGN = "spn_01KAJ3W5V0SM0FKVYVXB9EQT6N"
STREAM = "SponsorshipsMonitoringStreamFunction"
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
    (source,) = Wiring(real().resources, default_of, ["sponsorships"]).stream_sources

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
