"""What the section of promotions in the template says: the worker's time, its media, and who may see a token."""

from fnmatch import fnmatch
from typing import Any

import pytest

from promotions.publishing import WORKER_SECONDS
from sluice.chained import HALTED, UNKNOWN_CALLS
from tests.template.project import as_list, real, text_of

BUCKET = "PromotionsMediaBucket"
TOKENS = "arn:${AWS::Partition}:ssm:${AWS::Region}:${AWS::AccountId}:parameter/${AWS::StackName}/connections/*"


def actions_on(function: str, resource: str) -> set[str]:
    """What a function may do with what this text names, as statements write it."""
    return {
        action
        for statement in real().allowed(function)
        for each in as_list(statement.get("Resource", []))
        if fnmatch(resource, text_of(each))
        for action in as_list(statement["Action"])
    }


def test_nobody_looks_for_the_outcome_of_a_call_before_its_worker_is_dead() -> None:
    worker = real().functions["PromotionsWorkerFunction"]
    (source,) = [each for each in real().queue_sources if each.function == "PromotionsWorkerFunction"]

    assert worker["Timeout"] == WORKER_SECONDS
    assert source.properties["BatchSize"] == 1


def test_whoever_talks_to_networks_has_their_libraries() -> None:
    """They are imported late: without the layer, the sandbox alone would work."""
    environments = {name: each["Environment"]["Variables"] for name, each in real().functions.items()}
    talk = {name for name, each in environments.items() if "MASTODON_HOSTS" in each}
    layers = {name: {text_of(layer) for layer in real().functions[name]["Layers"]} for name in talk}

    without = {name for name in talk if not any("PromotionsLayer" in layer for layer in layers[name])}

    assert len(talk) >= 3
    assert without == set()


def test_media_are_private_and_unused_uploads_go() -> None:
    """S4-23."""
    bucket = real().of_type("AWS::S3::Bucket")[BUCKET]
    policy = real().of_type("AWS::S3::BucketPolicy")[f"{BUCKET}Policy"]
    (rule,) = bucket["LifecycleConfiguration"]["Rules"]

    assert set(bucket["PublicAccessBlockConfiguration"].values()) == {True}
    assert (rule["Prefix"], rule["ExpirationInDays"], rule["Status"]) == ("pending/", 7, "Enabled")
    (statement,) = policy["PolicyDocument"]["Statement"]
    assert (statement["Effect"], statement["Principal"], statement["Action"]) == ("Deny", "*", "s3:*")
    # Only the embedded stack is asked from there, on the laptop itself.
    assert statement["Condition"] == {
        "Bool": {"aws:SecureTransport": "false"},
        "NotIpAddress": {"aws:SourceIp": "127.0.0.0/8"},
    }


@pytest.mark.parametrize(
    ("function", "of_tokens", "of_published_media"),
    [
        ("PromotionsApiFunction", {"ssm:PutParameter", "ssm:DeleteParameter"}, {"s3:GetObject", "s3:PutObject"}),
        ("PromotionsWorkerFunction", {"ssm:GetParameter"}, {"s3:GetObject"}),
        ("PromotionsTrackingScheduleFunction", {"ssm:GetParameter"}, set()),
    ],
)
def test_a_token_is_read_by_those_alone_who_use_it(
    function: str, of_tokens: set[str], of_published_media: set[Any]
) -> None:
    assert actions_on(function, TOKENS) == of_tokens
    assert actions_on(function, f"${{{BUCKET}.Arn}}/media/prm_1/med_1-abc") == of_published_media


def test_every_function_with_tokens_has_the_libraries_of_the_networks() -> None:
    with_tokens = {each for each in real().functions if actions_on(each, TOKENS)}
    with_libraries = {
        name
        for name, function in real().functions.items()
        if any("PromotionsLayer" in text_of(each) for each in function["Layers"])
    }

    assert with_tokens == with_libraries
    assert len(with_tokens) == 3


def test_nobody_else_sees_a_token_or_the_media() -> None:
    for function in real().functions:
        if not function.startswith("Promotions"):
            assert actions_on(function, TOKENS) == set(), function
            assert actions_on(function, f"${{{BUCKET}.Arn}}/media/prm_1/med_1-abc") == set(), function


def test_the_worker_takes_calls_and_promotions_off_their_lists_and_deletes_nothing_else() -> None:
    """The embedded stack does not read the condition."""
    deletes = [
        statement
        for statement in real().allowed("PromotionsWorkerFunction")
        if "dynamodb:DeleteItem" in as_list(statement["Action"])
    ]

    (only,) = deletes
    assert text_of(only["Resource"]) == "${PromotionsTable.Arn}"
    assert only["Condition"] == {"ForAllValues:StringEquals": {"dynamodb:LeadingKeys": [HALTED, UNKNOWN_CALLS]}}
