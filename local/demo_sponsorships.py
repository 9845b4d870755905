"""The demo's sponsorships: rows are paid, by events or by the sweep, and what a hand writes is not."""

import json
import subprocess
import sys
import time
from collections import Counter
from typing import Any

from local.api import Json
from local.demo_beside import PartBeside, plain, usd
from local.paths import ROOT
from local.sponsors import RATE, SIDE_BY_SIDE, Campaign, Sponsors
from local.stack import EmbeddedStack

TARGET, PAY = 2_000, 330_000
"""2,000 impressions x 1.65 USD = 3,300.00 USD, in cents."""
BUDGET = 700_000
SMALL_TARGET, SMALL_BUDGET = 100, 16_500
"""Of the campaign that pays one streamer: 100 impressions x 1.65 USD = 165.00 USD."""
MILESTONES = [50, 100, 500]
KEYS = {"NINA7-GOLD1-2026A", "OMAR7-GOLD2-2026B"}


class SponsorshipsPart(PartBeside):
    """The campaigns of an advertiser, and the streamers who join them."""

    name = "sponsorships"

    def __init__(self, stack: EmbeddedStack, screen: Any) -> None:
        super().__init__(screen)
        self._stack = stack
        self._sponsors = Sponsors(stack)

    def play(self) -> None:
        self._sponsors.deposit(BUDGET + SMALL_BUDGET)
        campaign = self._promise()
        self._edit(campaign, "omar")
        self._pay_by_the_event(campaign, "nina")
        self._pay_by_the_sweep("omar")
        self._check_the_money(campaign)
        self._check_offline(campaign, "nina")

    def _promise(self) -> Campaign:
        """The campaign that two streamers join."""
        campaign = self._sponsors.start(TARGET, BUDGET, {"milestones": MILESTONES, "gkeys": "required"}, sorted(KEYS))
        for streamer in ("nina", "omar"):
            self._sponsors.join(campaign, streamer)
        reserved = self._money(campaign)["reserved"]
        self._screen.tell(
            "Sponsor",
            f"acme funds {usd(BUDGET)}: {TARGET:,} viewers x {RATE} pay a streamer {usd(campaign.pay)}",
            campaign.id,
        )
        self._screen.tell("Join", f"nina and omar: {usd(reserved)} and 2 G-Keys are set aside")
        self._screen.check(
            "what is promised to both streamers is set aside when they join",
            f"2 x {usd(PAY)} = {usd(reserved)}",
            holds=campaign.pay == PAY and reserved == 2 * PAY,
        )
        return campaign

    def _edit(self, campaign: Campaign, streamer: str) -> None:
        """A hand in the database claims everything: the stream sees it, and nobody is paid."""
        self._sponsors.table("SponsorshipsTable").update_item(
            Key={"id": f"{campaign.id}:{streamer}", "part": "campaign"},
            UpdateExpression="SET impressions = :impressions, earnings = :earnings",
            ExpressionAttributeValues={":impressions": TARGET, ":earnings": PAY},
        )
        path = campaign.of(streamer, "/adjustments")
        (noted,) = self._sponsors.until(path, lambda seen: bool(seen["items"]))["items"]
        seen = self._sponsors.participation(campaign, streamer)
        self._screen.tell(
            "Edit",
            f"a hand writes {TARGET:,} impressions and {usd(PAY)} into {streamer}'s document",
            f"found by the {noted['found_by']}, set back to {seen['impressions']}, paid {usd(seen['paid'])}",
        )
        self._screen.check(
            "a document that was edited by hand is an adjustment, and pays nothing",
            f"{noted['state']}: {noted['delta']:,} claimed, {seen['impressions']} counted, {usd(seen['paid'])} paid",
            holds=noted["delta"] == TARGET
            and (seen["status"], seen["impressions"], seen["paid"]) == ("active", 0, 0)
            and self._money(campaign)["paid"] == 0,
        )

    def _pay_by_the_event(self, campaign: Campaign, streamer: str) -> None:
        sent, again = self._sponsors.record(campaign, streamer, TARGET)
        began = time.monotonic()
        seen = self._sponsors.until_paid(campaign, streamer)
        seconds = time.monotonic() - began
        wallet, crossed = self._sponsors.wallet(streamer), self._crossed(campaign, streamer)
        key = self._sponsors.api(streamer).get(campaign.of(streamer, "/gkey"))["key"]
        reasons = Counter(each.get("reason", "counted") for each in again)
        self._screen.tell(
            "Record",
            f"{streamer}: {TARGET:,} viewers in {sent} batches, {SIDE_BY_SIDE} at a time",
            f"crossed {', '.join(f'{each:,}' for each in crossed)}",
        )
        self._screen.tell(
            "Pay",
            f"{streamer} has {usd(wallet)} and the G-Key {key[:5]}-…, {seconds:.1f} s after the last impression",
            f"found by the {seen['detected_by']}",
        )
        self._screen.check(
            f"{TARGET:,} impressions are paid by themselves, once",
            f"{TARGET:,} x {RATE} = {usd(wallet)}",
            holds=(seen["impressions"], seen["paid"], wallet, seen["detected_by"]) == (TARGET, PAY, PAY, "api"),
        )
        self._screen.check(
            "each milestone and the target asked for a check once, though batches jump over them",
            ", ".join(f"{each:,}" for each in crossed),
            holds=crossed == [*MILESTONES, TARGET],
        )
        self._screen.check(
            "a batch that is sent twice counts once",
            ", ".join(f"{reason} {times}" for reason, times in reasons.items()),
            holds=reasons == {"token_used": len(again)},
        )
        self._screen.check("the G-Key is unlocked with the pay", f"{key[:5]}-…", holds=key in KEYS)

    def _pay_by_the_sweep(self, streamer: str) -> None:
        """No event comes to the queue of checks, and no record to the stream's function."""
        campaign = self._sponsors.start(SMALL_TARGET, SMALL_BUDGET, {})
        self._sponsors.join(campaign, streamer)
        with self._sponsors.detectors_off():
            self._sponsors.record(campaign, streamer, SMALL_TARGET)
            waiting = self._sponsors.participation(campaign, streamer)
            self._sponsors.sweep()
            seen = self._sponsors.until_paid(campaign, streamer)
        wallet, earned = self._sponsors.wallet(streamer), f"{SMALL_TARGET} x {RATE}"
        self._screen.tell(
            "Sweep",
            f"events and stream are off; {streamer} has {waiting['impressions']} viewers and is {waiting['status']}, "
            f"until the sweep: {usd(wallet)}",
            f"found by the {seen['detected_by']}",
        )
        self._screen.check(
            "with events and stream off, the sweep pays all the same",
            f"{waiting['status']} → {seen['status']}, {earned} = {usd(wallet)}",
            holds=(waiting["status"], seen["detected_by"]) == ("active", "sweep")
            and seen["paid"] == wallet == campaign.pay == SMALL_BUDGET,
        )

    def _check_the_money(self, campaign: Campaign) -> None:
        money = self._money(campaign)
        parts = ("remaining", "reserved", "paid", "refunded")
        sums = " + ".join(f"{plain(money[part])} {part}" for part in parts)
        evidence = self._sponsors.api("acme").get(f"{campaign.path}/verify")
        self._screen.tell("Budget", f"{plain(money['funded'])} = {sums}")
        self._screen.check(
            "the budget is what remains, is reserved, was paid and was refunded",
            f"{plain(money['funded'])} = {' + '.join(plain(money[part]) for part in parts)}",
            holds=money["funded"] == BUDGET == sum(money[part] for part in parts)
            and money["paid"] == money["reserved"] == PAY
            and evidence["valid"] is True,
        )

    def _check_offline(self, campaign: Campaign, streamer: str) -> None:
        """The statement and the evidence, fetched to files and checked by a script that knows nothing of the stack."""
        client, folder = self._sponsors.api(streamer), self._stack.directory
        statement, evidence = folder / "statement.json", folder / "evidence.csv"
        statement.write_text(json.dumps(client.get(campaign.of(streamer, "/statement"))), encoding="utf-8")
        evidence.write_text(client.text(campaign.of(streamer, "/statement/evidence")), encoding="utf-8")
        command = [sys.executable, "-I", str(ROOT / "local" / "verify_statement.py"), str(statement), str(evidence)]
        ended = subprocess.run(command, capture_output=True, text=True, check=False)
        said = (ended.stdout or ended.stderr).strip()
        root = f"root {json.loads(statement.read_text(encoding='utf-8'))['root']}"
        short = said.replace(root, root[:13] + "…")
        self._screen.tell("Statement", f"verify_statement.py, offline: {short}")
        self._screen.check(
            f"{streamer}'s statement and evidence verify offline",
            short,
            holds=ended.returncode == 0 and said == f"OK {TARGET} impressions, 3300.00 USD, {root}",
        )

    def _crossed(self, campaign: Campaign, streamer: str) -> list[int]:
        """The thresholds of all events that asked for a check, from the outbox itself."""
        rows = self._sponsors.table("OutboxTable").scan(ConsistentRead=True)["Items"]
        asked = [json.loads(row["data"]) for row in rows if row["name"] == "campaign.completion.check"]
        of = {"campaign_id": campaign.id, "streamer": streamer, "source": "api"}
        return sorted(threshold for each in asked if of.items() <= each.items() for threshold in each["thresholds"])

    def _money(self, campaign: Campaign) -> Json:
        money: Json = self._sponsors.api("acme").get(campaign.path)["money"]
        return money
