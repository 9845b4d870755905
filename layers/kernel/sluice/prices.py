"""AWS's list prices in USD, us-east-1, no free tier: for simulations, `make bench` and docs/cost.md."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Price:
    """The price of a unit, of the first tier if there are several. AWS's own `page` has today's price.

    `seen` is the month of the newest source of the price, or the month in which a source without a date was read.
    """

    usd: float
    unit: str
    seen: str
    page: str


_API = "https://aws.amazon.com/api-gateway/pricing/"
_CACHE = "https://aws.amazon.com/elasticache/pricing/"
_CLOUDWATCH = "https://aws.amazon.com/cloudwatch/pricing/"
_DYNAMODB = "https://aws.amazon.com/dynamodb/pricing/on-demand/"
_EVENTBRIDGE = "https://aws.amazon.com/eventbridge/pricing/"
_LAMBDA = "https://aws.amazon.com/lambda/pricing/"

API_REQUESTS = Price(1.00, "million requests of an HTTP API", "2026-11", _API)
SOCKET_MESSAGES = Price(1.00, "million messages of a WebSocket", "2026-11", _API)
SOCKET_MINUTES = Price(0.25, "million minutes of an open WebSocket", "2026-11", _API)
LAMBDA_REQUESTS = Price(0.20, "million invocations", "2026-05", _LAMBDA)
LAMBDA_TIME = Price(13.3334, "million GB-seconds on arm64", "2026-05", _LAMBDA)
WRITES = Price(0.625, "million write request units", "2026-08", _DYNAMODB)
READS = Price(0.125, "million read request units", "2026-08", _DYNAMODB)
QUEUE_REQUESTS = Price(0.40, "million requests to a standard queue", "2026-06", "https://aws.amazon.com/sqs/pricing/")
EVENTS = Price(1.00, "million events of our own on a bus", "2026-06", _EVENTBRIDGE)
SCHEDULES = Price(1.00, "million runs of a schedule", "2026-03", _EVENTBRIDGE)
CACHE_UNITS = Price(0.0023, "million ECPUs of Valkey Serverless", "2026-06", _CACHE)
CACHE_STORAGE = Price(0.084, "GB-hour of Valkey Serverless", "2026-06", _CACHE)
LOGS = Price(0.50, "GB of log lines taken in", "2026-06", _CLOUDWATCH)
ALARMS = Price(0.10, "alarm and month", "2026-02", _CLOUDWATCH)
METRICS = Price(0.30, "metric of our own and month", "2026-02", _CLOUDWATCH)
# Of more than 50 metrics: an account has three smaller ones for free.
DASHBOARDS = Price(3.00, "dashboard and month", "2026-06", _CLOUDWATCH)
DATA_OUT = Price(0.09, "GB sent to the internet", "2025-05", "https://aws.amazon.com/ec2/pricing/on-demand/")
ENDPOINT_HOURS = Price(
    0.01, "hour of an interface endpoint in one zone", "2026-05", "https://aws.amazon.com/privatelink/pricing/"
)
SECRETS = Price(0.40, "secret and month", "2026-11", "https://aws.amazon.com/secrets-manager/pricing/")
