"""What the section of broadcasts in the template says: its bucket, its limits, and who may see what."""

from fnmatch import fnmatch

import pytest

from broadcasts.sending import WORKER_SECONDS
from tests.template.project import as_list, real, refers_to, text_of

BUCKET = "BroadcastsBucket"
CREDENTIALS = "arn:${AWS::Partition}:ssm:${AWS::Region}:${AWS::AccountId}:parameter/${AWS::StackName}/instances/ins_1/1"
READ_AND_PUT = {"s3:GetObject", "s3:PutObject"}
WORKERS = ("BroadcastsImportsWorkerFunction", "BroadcastsWebhooksWorkerFunction", "BroadcastsWorkerFunction")


def actions_on(function: str, resource: str) -> set[str]:
    """What a function may do with what this text names, as statements write it."""
    return {
        action
        for statement in real().allowed(function)
        for each in as_list(statement.get("Resource", []))
        if fnmatch(resource, text_of(each))
        for action in as_list(statement["Action"])
    }


def test_nobody_judges_a_claim_before_its_worker_is_dead() -> None:
    worker = real().functions["BroadcastsWorkerFunction"]

    assert worker["Timeout"] == WORKER_SECONDS


def test_files_are_private_and_go() -> None:
    bucket = real().of_type("AWS::S3::Bucket")[BUCKET]
    policy = real().of_type("AWS::S3::BucketPolicy")[f"{BUCKET}Policy"]

    assert set(bucket["PublicAccessBlockConfiguration"].values()) == {True}
    kept = {
        each["Prefix"]: (each["Status"], each["ExpirationInDays"]) for each in bucket["LifecycleConfiguration"]["Rules"]
    }
    assert kept == {"imports/": ("Enabled", 7), "lists/": ("Enabled", 30), "media/": ("Enabled", 30)}
    (statement,) = policy["PolicyDocument"]["Statement"]
    assert (statement["Effect"], statement["Principal"], statement["Action"]) == ("Deny", "*", "s3:*")
    assert statement["Condition"]["Bool"] == {"aws:SecureTransport": "false"}


def test_a_page_anywhere_may_post_a_file_and_do_nothing_else() -> None:
    """The signed form is the guard. The bucket cannot name the API, whose functions name the bucket."""
    (rule,) = real().of_type("AWS::S3::Bucket")[BUCKET]["CorsConfiguration"]["CorsRules"]

    assert (rule["AllowedOrigins"], rule["AllowedMethods"]) == (["*"], ["POST"])


@pytest.mark.parametrize(
    ("function", "of_credentials"),
    [
        ("BroadcastsListsApiFunction", {"ssm:GetParameter", "ssm:PutParameter", "ssm:DeleteParameter"}),
        ("BroadcastsWebhooksApiFunction", {"ssm:GetParameter"}),
        ("BroadcastsWorkerFunction", {"ssm:GetParameter"}),
    ],
)
def test_credentials_are_read_by_those_alone_who_use_them(function: str, of_credentials: set[str]) -> None:
    may = {name: actions_on(name, CREDENTIALS) for name in real().functions}

    assert may[function] == of_credentials
    assert sum(map(bool, may.values())) == 3


@pytest.mark.parametrize(
    ("function", "of_files"),
    [
        (
            "BroadcastsApiFunction",
            {"imports": READ_AND_PUT, "lists": READ_AND_PUT},
        ),
        ("BroadcastsImportsWorkerFunction", {"imports": READ_AND_PUT, "lists": {"s3:PutObject"}}),
        ("BroadcastsListsApiFunction", {"media": {"s3:PutObject"}}),
        ("BroadcastsWebhooksApiFunction", {}),
        ("BroadcastsWebhooksWorkerFunction", {}),
        ("BroadcastsWorkerFunction", {"lists": {"s3:GetObject"}, "media": {"s3:GetObject"}}),
    ],
)
def test_each_function_has_the_files_that_it_needs(function: str, of_files: dict[str, set[str]]) -> None:
    found = {each: actions_on(function, f"${{{BUCKET}.Arn}}/{each}/1/2") for each in ("imports", "lists", "media")}

    assert {each: actions for each, actions in found.items() if actions} == of_files


def test_nobody_else_sees_the_files() -> None:
    for function in real().functions:
        if not function.startswith("Broadcasts"):
            assert actions_on(function, f"${{{BUCKET}.Arn}}/lists/brd_1/1") == set(), function


def test_what_hears_the_world_reads_instances_alone() -> None:
    """Its routes are open."""
    tables = [
        (statement["Action"], statement.get("Condition"))
        for statement in real().allowed("BroadcastsWebhooksApiFunction")
        if {refers_to(each) for each in as_list(statement["Resource"])} & real().tables.keys()
    ]

    assert tables == [
        ("dynamodb:BatchGetItem", {"ForAllValues:StringLike": {"dynamodb:LeadingKeys": ["ins_*"]}}),
    ]


def test_the_worker_sends_by_numbers_of_whatsapp_alone() -> None:
    numbers = "arn:${AWS::Partition}:social-messaging:${AWS::Region}:${AWS::AccountId}:phone-number-id/1"
    may = {name: actions_on(name, numbers) for name in real().functions}

    assert {name: actions for name, actions in may.items() if actions} == {
        "BroadcastsWorkerFunction": {"social-messaging:SendWhatsAppMessage"}
    }


def test_as_many_run_at_once_as_the_parameter_says() -> None:
    """A new account runs ten functions at once, and the API is one of them."""
    at_once = {
        source.function: source.properties["ScalingConfig"]["MaximumConcurrency"]
        for source in real().queue_sources
        if source.function in WORKERS
    }

    of_both = {"Ref": "WorkerConcurrency"}
    assert at_once == dict(zip(WORKERS, (2, of_both, of_both), strict=True))


def test_one_topic_may_send_to_the_queue_of_events() -> None:
    policies = real().of_type("AWS::SQS::QueuePolicy")
    queue = "BroadcastsEventsQueue"
    (policy,) = [each for each in policies.values() if queue in map(refers_to, each["Queues"])]
    (statement,) = policy["PolicyDocument"]["Statement"]
    subscription = real().resources["BroadcastsEventsSubscription"]

    assert statement["Principal"] == {"Service": "sns.amazonaws.com"}
    assert statement["Condition"] == {"ArnEquals": {"aws:SourceArn": {"Ref": "BroadcastsTopicArn"}}}
    assert subscription["Properties"]["TopicArn"] == {"Ref": "BroadcastsTopicArn"}
    assert subscription["Properties"]["RawMessageDelivery"] is True
    assert subscription["Condition"] == real().resources[f"{queue}Policy"]["Condition"] == "HasBroadcastsTopic"
