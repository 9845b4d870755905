"""SponsorshipsTable, as recording reads and writes it.

With botocore's client, because a transaction's reasons have to be read by index, and PynamoDB reorders its actions.
Each call is made once: the recorder decides what is tried again.
"""

from collections.abc import Sequence
from datetime import datetime
from functools import cached_property
from typing import Any

from botocore import exceptions as vendor

from sluice import aws
from sluice.errors import Unavailable
from sluice.outbox_row import row as event_row
from sponsorships import impressions
from sponsorships.impressions import Click, Row
from sponsorships.recording.standing import (
    ACTIVE,
    COPIES,
    Crossing,
    Item,
    Standing,
    Totals,
    number,
    shards_of,
    text,
)
from sponsorships.recording.transactions import Kind, Outcome

READ_SECONDS = 1.0
WRITER = "record"
EVENT = "campaign.completion.check"
_PART = "campaign"
_PLATFORM = "platform"
_TALLY = "tally"
_BATCH = 100
_READS = 3
"""How often a batch read goes on with what DynamoDB left out."""

_THROTTLED = frozenset(
    {"ProvisionedThroughputExceededException", "ThrottlingException", "RequestLimitExceeded", "ThrottlingError"}
)
_UNHEARD = frozenset({"InternalServerError", "ServiceUnavailable", "TransactionInProgressException"})
_LOST = (vendor.ConnectionError, vendor.HTTPClientError)


_DONE = Outcome(Kind.DONE)


class DynamoTable:
    """`transactions.Table`."""

    def __init__(self, name: str, outbox: str) -> None:
        self._name = name
        self._outbox = outbox

    @cached_property
    def _client(self) -> Any:
        return aws.client("dynamodb", read_seconds=READ_SECONDS, attempts=1)

    def standing(self, participation: str) -> Standing | None:
        """A participation with its campaign's terms, by one consistent batch read; None if there is none."""
        campaign_id = participation.partition(":")[0]
        keys = [(campaign_id, _PART), (participation, _PART), (_PLATFORM, _PART)]
        found = self._read(keys)
        if keys[0] not in found or keys[1] not in found:
            return None
        return Standing.of(found[keys[0]], found[keys[1]], found.get(keys[2], {}))

    def totals(self, participation: str, shards: int) -> Totals | None:
        """A participation and all its tallies, by a consistent read; a second one if it has more than `shards`.

        Whoever committed before this read did so on one of the tallies that the participation has by this read.
        """
        own = (participation, _PART)
        tallies = [(impressions.tally_id(participation, k), _TALLY) for k in range(shards)]
        found = self._read([own, *tallies])
        if own not in found:
            return None
        item = found.pop(own)
        if shards_of(item) > shards:
            more = range(shards, shards_of(item))
            found |= self._read([(impressions.tally_id(participation, k), _TALLY) for k in more])
        counts = found.values()
        return Totals(item, sum(number(t, "impressions") for t in counts), sum(number(t, "clicks") for t in counts))

    def record(self, participation: str, rows: Sequence[Row], k: int) -> Outcome:
        """Put rows and count them in tally `k`: all or none. Action `len(rows)` is the tally's."""
        puts = [
            {
                "Put": {
                    "TableName": self._name,
                    "Item": {**{name: {"S": value} for name, value in vars(row).items()}, "k": {"N": str(k)}},
                    "ConditionExpression": "attribute_not_exists(id)",
                    "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
                }
            }
            for row in rows
        ]
        tally = self._update(
            (impressions.tally_id(participation, k), _TALLY),
            "ADD impressions :n SET last_at = :at",
            "attribute_not_exists(closed)",
            {":n": {"N": str(len(rows))}, ":at": {"S": rows[0].accepted_at}},
        )
        return self._commit([*puts, {"Update": tally}])

    def click(self, click: Click, at: str) -> Outcome:
        """Mark a row as clicked, once, and count it in the row's tally. Action 0 is the row's."""
        row = self._update(
            (click.id, click.part),
            "SET clicked_at = :at",
            "nonce = :nonce AND attribute_not_exists(voided) AND attribute_not_exists(clicked_at)",
            {":at": {"S": at}, ":nonce": {"S": click.nonce}},
        )
        tally = self._update(
            (impressions.tally_id(click.participation, click.k), _TALLY),
            "ADD clicks :one",
            "attribute_exists(id) AND attribute_not_exists(closed)",
            {":one": {"N": "1"}},
        )
        return self._commit([{"Update": row | {"ReturnValuesOnConditionCheckFailure": "ALL_OLD"}}, {"Update": tally}])

    def mark(self, crossing: Crossing, now: datetime) -> Outcome:
        """Mark the crossing of thresholds, with its event, while the participation is active and as it was read."""
        item = crossing.totals.item
        reached = {"reached": crossing.reached}
        written = {**reached, **crossing.copies} | {f"published_{name}": each for name, each in crossing.copies.items()}
        changes = [f"{name} = :{name}" for name in written]
        as_read = [_as_read(item, name) for name in ("reached", *COPIES)]
        values = {f":{name}": {"N": str(each)} for name, each in written.items()}
        values |= {f":read_{name}": item[name] for name in ("reached", *COPIES) if name in item}
        mark = self._update(
            (text(item, "id"), _PART),
            f"SET {', '.join(changes)}, last_writer = :writer",
            " AND ".join(["#status = :active", *as_read]),
            values | {":active": {"S": ACTIVE}, ":writer": {"S": WRITER}},
        )
        told = {
            "campaign_id": text(item, "campaign_id"),
            "streamer": text(item, "streamer"),
            "thresholds": list(crossing.thresholds),
            "total": crossing.totals.total,
            "source": "api",
        }
        event = {
            "TableName": self._outbox,
            "Item": event_row(EVENT, told, now),
            "ConditionExpression": "attribute_not_exists(id)",
        }
        return self._commit([{"Update": mark | {"ExpressionAttributeNames": {"#status": "status"}}}, {"Put": event}])

    def grow(self, participation: str, shards: int) -> bool:
        """Spread a participation over twice as many tallies, while it is active and has `shards`; whether it was done.

        A tally that appeared while it settles would never be closed.
        """
        as_read = "(attribute_not_exists(shards) OR shards = :read)" if shards == 1 else "shards = :read"
        update = self._update(
            (participation, _PART),
            "SET shards = :twice",
            f"#status = :active AND {as_read}",
            {":twice": {"N": str(2 * shards)}, ":read": {"N": str(shards)}, ":active": {"S": ACTIVE}},
        )
        return self._once(update | {"ExpressionAttributeNames": {"#status": "status"}})

    def refuse(self, participation: str, reason: str, times: int, now: datetime) -> None:
        """Count refusals. A plain write: it is not money, so a repeat may count one twice."""
        key = impressions.refused_key(participation, now, reason)
        self._once(self._update(key, "ADD n :n", "", {":n": {"N": str(times)}}))

    def _update(self, key: tuple[str, str], change: str, condition: str, values: dict[str, Any]) -> dict[str, Any]:
        update = {
            "TableName": self._name,
            "Key": _key(key),
            "UpdateExpression": change,
            "ExpressionAttributeValues": values,
        }
        return update | ({"ConditionExpression": condition} if condition else {})

    def _once(self, update: dict[str, Any]) -> bool:
        """One plain update; False when its condition failed. Raises Unavailable."""
        try:
            self._client.update_item(**update)
        except vendor.ClientError as error:
            if _code(error) == "ConditionalCheckFailedException":
                return False
            raise _unavailable(error) from error
        except vendor.BotoCoreError as error:
            raise _unavailable(error) from error
        return True

    def _commit(self, actions: list[dict[str, Any]]) -> Outcome:
        """Raises Unavailable for what is not worth another try."""
        try:
            self._client.transact_write_items(TransactItems=actions)
        except vendor.ClientError as error:
            return _outcome(error)
        except _LOST:
            return Outcome(Kind.UNHEARD)
        return _DONE

    def _read(self, keys: Sequence[tuple[str, str]]) -> dict[tuple[str, str], Item]:
        """The items that there are, by consistent reads. Raises Unavailable."""
        left, found = [_key(key) for key in keys], []
        try:
            for _ in range(_READS):
                wanted = {self._name: {"Keys": left[:_BATCH], "ConsistentRead": True}}
                answer = self._client.batch_get_item(RequestItems=wanted)
                found += answer["Responses"].get(self._name, [])
                left = answer.get("UnprocessedKeys", {}).get(self._name, {}).get("Keys", [])
                if not left:
                    return {(item["id"]["S"], item["part"]["S"]): item for item in found}
        except (vendor.ClientError, vendor.BotoCoreError) as error:
            raise _unavailable(error) from error
        raise Unavailable("DynamoDB answered a part of a batch read")


def _outcome(error: vendor.ClientError) -> Outcome:
    code = _code(error)
    if code in _UNHEARD:
        return Outcome(Kind.UNHEARD)
    if code in _THROTTLED:
        return Outcome(Kind.CONFLICT)
    if code != "TransactionCanceledException":
        raise _unavailable(error) from error
    response: dict[str, Any] = dict(error.response)
    reasons = [(each.get("Code"), each.get("Item", {})) for each in response.get("CancellationReasons", [])]
    failed = {index: item for index, (code, item) in enumerate(reasons) if code == "ConditionalCheckFailed"}
    if failed:
        return Outcome(Kind.FAILED, failed)
    if {code for code, _ in reasons} & {"TransactionConflict", *_THROTTLED, "ProvisionedThroughputExceeded"}:
        return Outcome(Kind.CONFLICT)
    raise _unavailable(error) from error


def _as_read(item: Item, name: str) -> str:
    return f"{name} = :read_{name}" if name in item else f"attribute_not_exists({name})"


def _key(key: tuple[str, str]) -> dict[str, Any]:
    return {"id": {"S": key[0]}, "part": {"S": key[1]}}


def _code(error: vendor.ClientError) -> str:
    return error.response["Error"]["Code"]


def _unavailable(error: Exception) -> Unavailable:
    return Unavailable(aws.why("DynamoDB", error))
