"""The functions' logger. A trace is in a line once, as text: Powertools would add it in frames, 20 KB with both."""

from aws_lambda_powertools import Logger

logger = Logger(serialize_stacktrace=False)
