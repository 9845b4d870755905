"""The demo's promotion: a lost answer and yet one post, a metric that closes it, rewards, a claim, the equation."""

from typing import Any

from local.api import Json
from local.demo_beside import PartBeside, plain, usd
from local.sponsors import Sponsors
from local.stack import EmbeddedStack

OWNER = "orbit"
BUDGET = 10_000
SHARES = {3_334, 3_333}
"""Of 100.00 USD for three: the largest remainder gives one of them the odd cent."""
CAMPAIGNS = "/v2/campaigns"
PEOPLE = ("mia", "leo", "zoe")
PARTS = ("remaining", "reserved", "paid", "refunded")


class PromotionsPart(PartBeside):
    """One promotion at the sandbox network, from the publish to a claim."""

    name = "promotions"

    def __init__(self, stack: EmbeddedStack, screen: Any) -> None:
        super().__init__(screen)
        self._people = Sponsors(stack)
        self._money: list[str] = []
        self._sums: list[bool] = []

    def play(self) -> None:
        self._prepare()
        path = self._publish()
        self._engage_and_close(path)
        self._claim(path)
        self._check_the_money(path)

    def _prepare(self) -> None:
        """The owner has money and a connection; mia has linked her account, leo and zoe have not; a bot is there."""
        deposit = {"amount": BUDGET, "currency": "USD", "reference": "demo"}
        self._people.admin.post(f"/api/v1/wallets/{OWNER}/deposits", deposit)
        self._people.api(OWNER).put("/v2/connections/sandbox", {"token": OWNER})
        self._account("robot", bot=True)
        self._link("mia")
        for each in ("leo", "zoe"):
            self._account(each)

    def _publish(self) -> str:
        """The path of a promotion that runs, though the answer to its first post was lost."""
        owner = self._people.api(OWNER)
        texts = ["[sandbox:lost] Winter is here #ad", "All of it is at https://example.com"]
        terms = {"title": "Winter", "network": "sandbox", "texts": texts, "budget": BUDGET, "currency": "USD"}
        trigger = [{"metric": "likes", "at_least": 4}]
        made = owner.post(CAMPAIGNS, {**terms, "duration_minutes": 60, "auto_close": trigger})
        path = f"{CAMPAIGNS}/{made['id']}"
        self._screen.tell(
            "Promote", f"{OWNER} publishes for {usd(BUDGET)}; the answer to the first post is lost", made["id"]
        )
        published = owner.post(f"{path}/publish", {})
        self._equation("published", published)
        running = self._people.until(path, lambda seen: seen["status"] != "CampaignPending" or seen["error"])
        first = running["operation"]["stages"][0]
        posts = self._posts(running)
        self._screen.tell(
            "Posts",
            f"{running['tweet_id']}, and its reply; contract {running['contract_status']}",
            f"{first['attempts']} attempt at the first post, found by a look",
        )
        self._equation("running", running)
        self._screen.check(
            "the answer of the first post was lost, and it was made once",
            f"{len(posts)} posts of 2 texts, {running['status']}",
            holds=running["status"] == "CampaignRunning" and len(posts) == 2,
        )
        return path

    def _engage_and_close(self, path: str) -> None:
        """Four accounts like it: the tracker sees the number, and the promotion closes by itself."""
        running = self._people.admin.get(path)
        self._people.admin.put(f"/v2/sandbox/posts/{running['tweet_id']}/engagement", {"like": [*PEOPLE, "robot"]})
        self._track()
        closed = self._people.until(path, lambda seen: seen["status"] == "CampaignClosed" or seen["error"])
        items = self._people.api(OWNER).get(f"{path}/rewards")["items"]
        rewards = {each["handle"]: each for each in items}
        shares = {handle: each["amount"] for handle, each in rewards.items() if each["eligible"]}
        self._screen.tell("Close", f"4 likes close it ({closed['close_reason']})", f"{len(items)} accounts engaged")
        self._equation("closed", closed)
        self._screen.tell("Rewards", ", ".join(f"{handle} {plain(each)}" for handle, each in sorted(shares.items())))
        self._screen.check(
            "the budget is split to the cent, and the bot gets nothing",
            f"{' + '.join(plain(each) for each in shares.values())} = {usd(sum(shares.values()))}; "
            f"robot: {rewards['robot']['reason']}",
            holds=sum(shares.values()) == BUDGET
            and set(shares.values()) == SHARES
            and shares.keys() == set(PEOPLE)
            and self._people.wallet("mia") == shares["mia"],
        )

    def _claim(self, path: str) -> None:
        """Leo links his account after the close and claims, twice."""
        self._link("leo")
        claims = [self._people.api("leo").post(f"{path}/claims")["items"][0] for _ in range(2)]
        wallet = self._people.wallet("leo")
        self._screen.tell("Claim", f"leo links his account and claims twice: {usd(wallet)}")
        self._equation("claimed", self._people.admin.get(path))
        self._screen.check(
            "a share that is claimed twice is paid once",
            f"{claims[0]['state']}, {claims[1]['state']}: {usd(wallet)}",
            holds=wallet == claims[0]["amount"] and {each["state"] for each in claims} == {"paid"},
        )

    def _check_the_money(self, path: str) -> None:
        evidence = self._people.api(OWNER).get(f"{path}/verify")
        self._screen.check(
            "at each stage the budget is what remains, is reserved, was paid and was refunded",
            "; ".join(self._money),
            holds=all(self._sums) and evidence["valid"] is True,
        )

    def _equation(self, stage: str, seen: Json) -> None:
        money = seen["money"]
        parts = " + ".join(f"{plain(money[part])} {part}" for part in PARTS)
        self._screen.tell("Budget", f"{stage:<9}  {plain(money['funded'])} = {parts}")
        self._money.append(f"{stage} {' + '.join(plain(money[part]) for part in PARTS)}")
        self._sums.append(money["funded"] == BUDGET == sum(money[part] for part in PARTS))

    def _link(self, user: str) -> None:
        """A person proves the account of that name, by a code in its profile."""
        asked = self._people.api(user).post("/v2/links", {"network": "sandbox", "handle": user})
        self._account(user, note=f"Hello! {asked['code']}")
        self._people.api(user).post(f"/v2/links/{asked['id']}/verify")

    def _account(self, handle: str, **more: Any) -> None:
        about = {"created_at": "2020-01-01T00:00:00Z", "followers": 100, "following": 50}
        self._people.admin.put(f"/v2/sandbox/accounts/{handle}", {**about, **more})

    def _posts(self, promotion: Json) -> list[Any]:
        """The posts that the sandbox ever made for it, from its table: past all of Sluice's code."""
        rows = self._people.table("PromotionsTable").scan(ConsistentRead=True)["Items"]
        texts = [text.split("]")[-1].strip() for text in promotion["texts"]]
        posts = [row for row in rows if str(row["id"]).startswith("sandbox#")]
        return [row for row in posts if any(text in str(row.get("text")) for text in texts)]

    def _track(self) -> None:
        """As the schedule does every minute."""
        functions, name = self._people.stack.deployed.client("lambda"), "PromotionsTrackingScheduleFunction"
        functions.invoke(FunctionName=self._people.resources[name], Payload=b"{}")
