"""A mirror node of Hedera, by its REST API: it has all that the network executed, some seconds later."""

import json
from base64 import b64decode
from datetime import UTC, datetime
from typing import Any

from urllib3 import PoolManager, Timeout
from urllib3.exceptions import HTTPError

from promotions.hedera import Executed
from sluice.errors import Unavailable

_TIMEOUT = Timeout(connect=1.0, read=2.0)
_MOST_BYTES = 1 << 20


class MirrorNode:
    """As `Mirror`: the mirror node at that address, such as `https://testnet.mirrornode.hedera.com`."""

    def __init__(self, address: str) -> None:
        self._address = address
        self._pool = PoolManager(retries=False, timeout=_TIMEOUT)

    def executed(self, ref: str) -> Executed | None:
        account, _, start = ref.partition("@")
        path = f"{account}-{start.replace('.', '-')}"
        listed = self._read(f"transactions/{path}")
        # One id may have more transactions: failed duplicates, and transactions that the call itself caused.
        for each in listed["transactions"] if listed else ():
            if each["result"] == "SUCCESS" and each["nonce"] == 0:
                call = self._read(f"contracts/results/{path}")
                if call is None:
                    raise Unavailable("The mirror node has the transaction, and not its call")
                memo = b64decode(each["memo_base64"] or "").decode(errors="replace")
                return Executed(memo, str(each["entity_id"]), str(call["function_parameters"]))
        return None

    def has_all_until(self, moment: datetime) -> bool:
        listed = self._read("blocks?limit=1&order=desc")
        ends = [each["timestamp"]["to"] for each in listed["blocks"]] if listed else []
        return any(end and datetime.fromtimestamp(float(end), UTC) > moment for end in ends)

    def _read(self, path: str) -> Any:
        """What is at a path; None if there is nothing."""
        try:
            answer = self._pool.request("GET", f"{self._address}/api/v1/{path}", redirect=False, preload_content=False)
            try:
                body = answer.read(_MOST_BYTES)
            finally:
                answer.release_conn()
            found = json.loads(body)
        except (HTTPError, ValueError) as error:
            raise Unavailable(f"The mirror node does not answer: {type(error).__name__}") from error
        if answer.status == 404:
            return None
        if answer.status != 200 or not isinstance(found, dict):
            raise Unavailable(f"The mirror node answered {answer.status}")
        return found
