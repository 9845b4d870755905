"""The tokens of connections, in Parameter Store: never in items, events, logs or answers."""

import json
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from promotions.accounts import Token
from sluice import aws
from sluice.errors import Unavailable


@dataclass(frozen=True)
class Tokens:
    """SecureStrings under a path: `<path>/<user>/<network>`. A user's subject may have characters that no name may."""

    ssm: Any
    path: str

    def put(self, user: str, network: str, token: Token) -> None:
        """Keep a token, in place of the one before. Raises Unavailable."""
        value = json.dumps({"host": token.host, "account_id": token.account_id, "secret": token.secret})
        try:
            self.ssm.put_parameter(Name=self._name(user, network), Value=value, Type="SecureString", Overwrite=True)
        except (ClientError, BotoCoreError) as error:
            raise _unavailable(error) from error

    def get(self, user: str, network: str) -> Token | None:
        """A token. Raises Unavailable."""
        try:
            found = self.ssm.get_parameter(Name=self._name(user, network), WithDecryption=True)
        except self.ssm.exceptions.ParameterNotFound:
            return None
        except (ClientError, BotoCoreError) as error:
            raise _unavailable(error) from error
        return Token(**json.loads(found["Parameter"]["Value"]))

    def delete(self, user: str, network: str) -> None:
        """Forget a token, if it is there. Raises Unavailable."""
        try:
            self.ssm.delete_parameter(Name=self._name(user, network))
        except self.ssm.exceptions.ParameterNotFound:
            return
        except (ClientError, BotoCoreError) as error:
            raise _unavailable(error) from error

    def _name(self, user: str, network: str) -> str:
        return f"{self.path}/{sha256(user.encode()).hexdigest()[:32]}/{network}"


def tokens(path: str) -> Tokens:
    """The tokens under a path."""
    return Tokens(aws.client("ssm"), path)


def _unavailable(error: Exception) -> Unavailable:
    return Unavailable(aws.why("Parameter Store", error))
