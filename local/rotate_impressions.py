"""Adds a key to the secret that signs impressions, and makes it the current one. All older keys stay.

A row is verified by the key that signed it, for as long as the row is there. So the new key is known to every function
before it signs: functions read the secret again every five minutes. Killed and run again, it goes on where it was.
"""

import argparse
import json
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256

from botocore.exceptions import BotoCoreError, ClientError

from local.aws import DeployedStack
from local.choice import add_stack_options, chosen_stack
from local.errors import LocalError, run
from sluice.errors import Misconfigured
from sponsorships.impressions import ImpressionKeys

KNOWN_AFTER_SECONDS = 360
"""Longer than any function keeps the secret."""


@dataclass(frozen=True)
class Rotation:
    """Rotates the secret of one stack. `pause` waits so many seconds."""

    stack: DeployedStack
    tell: Callable[[str], None]
    pause: Callable[[float], None] = time.sleep

    def run(self) -> None:
        keys, version = self._read()
        newest = _newest(keys)
        if newest == keys.current:
            newest = f"k{_number(newest) + 1}"
            added = {**keys.keys, newest: secrets.token_urlsafe(48)}
            self._write(ImpressionKeys(keys.current, added), version)
        self.tell(f"{newest} is added. In {KNOWN_AFTER_SECONDS // 60} minutes every function knows it ...")
        self.pause(KNOWN_AFTER_SECONDS)
        keys, version = self._read()
        self._write(ImpressionKeys(newest, keys.keys), version)
        self.tell(f"{newest} signs from now on; {len(keys.keys)} keys are kept.")

    def _read(self) -> tuple[ImpressionKeys, str]:
        """The keys, and the version of the secret."""
        try:
            answer = self.stack.client("secretsmanager").get_secret_value(SecretId=self._arn)
            return ImpressionKeys.parse(answer["SecretString"]), answer["VersionId"]
        except (BotoCoreError, ClientError, Misconfigured) as error:
            raise LocalError(f"The impression secret of {self.stack.name} could not be read: {error}") from error

    def _write(self, keys: ImpressionKeys, version: str) -> None:
        """Of two rotations at once the second fails: a version is named after the one before, and never changes."""
        try:
            self.stack.client("secretsmanager").put_secret_value(
                SecretId=self._arn,
                SecretString=json.dumps({"current": keys.current, "keys": dict(keys.keys)}),
                ClientRequestToken=sha256(version.encode()).hexdigest(),
            )
        except (BotoCoreError, ClientError) as error:
            raise LocalError(
                f"The impression secret of {self.stack.name} could not be written: {error}. Run it again."
            ) from error

    @property
    def _arn(self) -> str:
        return self.stack.output("ImpressionSecretArn")


def _newest(keys: ImpressionKeys) -> str:
    return max(keys.keys, key=_number)


def _number(key_id: str) -> int:
    return int(key_id.removeprefix("k"))


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m local.rotate_impressions", description=__doc__)
    add_stack_options(parser)
    Rotation(chosen_stack(parser.parse_args()), print).run()


if __name__ == "__main__":
    run(main)
