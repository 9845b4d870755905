"""X for one account: the routes that the adapter asks, in the forms of its API v2. Signatures are not checked."""

from dataclasses import replace
from datetime import datetime
from html import escape
from re import Match, sub
from typing import Any

from local.fakes.http import Answer, FakeServer, Request, Route
from local.fakes.network import FakeNetwork, Fault, Operation, Post
from sluice.clock import Clock, rfc3339

MOST_POSTS = 100
_GONE = {"title": "Not Found Error", "type": "https://api.twitter.com/2/problems/resource-not-found"}
_DETAILS = {
    Fault.DUPLICATE: "You are not allowed to create a Tweet with duplicate content.",
    Fault.REFUSED: "You can only reply to or quote posts where you are mentioned or are the author.",
}


class FakeX(FakeServer):
    """Serves a `FakeNetwork` as X does. `reposts`: the name that X gives their count: it documents two."""

    def __init__(self, clock: Clock, reposts: str = "retweet_count") -> None:
        self._reposts = reposts
        self.routes = (
            Route(Operation.POST, "POST", "/2/tweets", self._post),
            Route(Operation.UPLOAD, "POST", "/2/media/upload", self._upload),
            Route(Operation.DELETE, "DELETE", r"/2/tweets/(?P<id>\d+)", self._delete),
            Route(Operation.METRICS, "GET", "/2/tweets", self._posts),
            Route(Operation.FIND_OWN, "GET", r"/2/users/(?P<id>\d+)/tweets", self._own),
            Route(Operation.PROFILE, "GET", "/2/users/me", self._me),
            Route(Operation.PROFILE, "GET", r"/2/users/by/username/(?P<handle>\w+)", self._profile),
        )
        super().__init__(FakeNetwork(clock, knows_keys=False, refuses_duplicates=True))

    def limited(self, reset: datetime | None) -> Answer:
        headers = {"x-rate-limit-remaining": "0", "x-rate-limit-reset": str(int(reset.timestamp()))} if reset else {}
        return Answer(429, {"title": "Too Many Requests", "detail": "Too Many Requests", "status": 429}, headers)

    def refused(self, fault: Fault) -> Answer:
        if fault is Fault.EXPIRED:
            return Answer(401, {"title": "Unauthorized", "detail": "Unauthorized", "status": 401})
        return Answer(403, {"detail": _DETAILS[fault], "type": "about:blank", "title": "Forbidden", "status": 403})

    def odd(self, answer: Answer) -> Answer:
        return replace(answer, headers={"x-rate-limit-remaining": "0", "x-rate-limit-reset": "soon"})

    def _post(self, request: Request, _: Match[str], fault: Fault | None) -> Answer:
        form = request.form
        reply_to = form.get("reply", {}).get("in_reply_to_tweet_id")
        media = form.get("media", {}).get("media_ids", [])
        made = self.network.post(form["text"], reply_to, media=media, fault=fault)
        return Answer(201, {"data": {"id": made.id, "text": escape(made.text, quote=False)}})

    def _upload(self, request: Request, _: Match[str], __: Fault | None) -> Answer:
        return Answer(200, {"data": {"id": f"77{len(request.form['media'])}", "media_key": "3_77"}})

    def _delete(self, _: Request, found: Match[str], __: Fault | None) -> Answer:
        if not self.network.delete(found["id"]):
            return Answer(404, _GONE)
        return Answer(200, {"data": {"deleted": True}})

    def _posts(self, request: Request, _: Match[str], __: Fault | None) -> Answer:
        ids = request.one("ids").split(",")
        if len(ids) > MOST_POSTS:
            return Answer(400, {"title": "Invalid Request", "detail": "Too many ids"})
        posts = {each: self.network.get(each) for each in ids}
        data = [self._shown(post) for post in posts.values() if post]
        errors = [_GONE | {"value": each, "parameter": "ids"} for each, post in posts.items() if not post]
        return Answer(200, ({"data": data} if data else {}) | ({"errors": errors} if errors else {}))

    def _own(self, request: Request, found: Match[str], _: Fault | None) -> Answer:
        since = datetime.fromisoformat(request.one("start_time"))
        own = [each for each in self.network.live() if each.author == found["id"] and each.made_at >= since]
        page = own[: int(request.one("max_results"))]
        meta: dict[str, Any] = {"result_count": len(page)} | ({"next_token": "more"} if len(own) > len(page) else {})
        return Answer(200, ({"data": [self._shown(each) for each in page]} if page else {}) | {"meta": meta})

    def _profile(self, _: Request, found: Match[str], __: Fault | None) -> Answer:
        account = self.network.accounts.get(found["handle"].lower())
        if account is None:
            return Answer(200, {"errors": [_GONE]})
        counts = {
            "followers_count": account.followers,
            "following_count": account.following,
            "tweet_count": account.posts,
        }
        shown = {"id": account.id, "username": account.handle, "description": account.note, "public_metrics": counts}
        made = {"created_at": rfc3339(account.created_at)} if account.created_at else {}
        return Answer(200, {"data": shown | made})

    def _me(self, _: Request, __: Match[str], ___: Fault | None) -> Answer:
        return Answer(200, {"data": {"id": self.network.author, "username": self.network.handle, "name": "Acme"}})

    def _shown(self, post: Post) -> dict[str, Any]:
        """As X shows it: `&<>` escaped, URLs replaced, and one more behind the text for the pictures."""
        counts = self.network.metrics(post)
        urls: list[dict[str, Any]] = []

        def shorten(found: Match[str]) -> str:
            urls.append({"url": f"https://t.co/{len(urls):010}", "expanded_url": found[0]})
            return str(urls[-1]["url"])

        text = sub(r"https?://\S+", shorten, post.text)
        if post.media:
            urls.append({"url": "https://t.co/picture000", "expanded_url": "https://x.com/photo/1", "media_key": "3_7"})
            text += " https://t.co/picture000"
        replied = {"referenced_tweets": [{"type": "replied_to", "id": post.reply_to}]} if post.reply_to else {}
        return {
            "id": post.id,
            "text": escape(text, quote=False),
            "created_at": rfc3339(post.made_at),
            "entities": {"urls": urls},
            "public_metrics": {
                "like_count": counts.likes,
                self._reposts: counts.reposts,
                "quote_count": counts.quotes,
                "reply_count": counts.replies,
            },
        } | replied
