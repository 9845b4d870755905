"""A Mastodon server for one account: the routes that the adapter asks, in the server's forms (API of 4.5)."""

from dataclasses import replace
from datetime import datetime
from html import escape
from re import Match
from typing import Any
from urllib.parse import quote

from local.fakes.http import Answer, FakeServer, Request, Route
from local.fakes.network import Duplicate, FakeNetwork, Fault, Operation, Post
from promotions.ports import Account, Kind
from sluice.clock import Clock, rfc3339

MOST_STATUSES = 20
"""Statuses of one request: `check_statuses_limit`."""
_PAGE = 40
_KINDS = {"favourited_by": Kind.LIKE, "reblogged_by": Kind.REPOST, "quotes": Kind.QUOTE}


class FakeMastodon(FakeServer):
    """Serves a `FakeNetwork` as Mastodon does."""

    def __init__(self, clock: Clock, page: int = _PAGE) -> None:
        self._page = page
        status = r"/api/v1/statuses/(?P<id>[^/]+)"
        self.routes = (
            Route(Operation.POST, "POST", "/api/v1/statuses", self._post),
            Route(Operation.UPLOAD, "POST", "/api/v2/media", self._upload),
            Route(Operation.DELETE, "DELETE", status, self._delete),
            Route(Operation.METRICS, "GET", "/api/v1/statuses", self._statuses),
            Route(Operation.ENGAGED, "GET", f"{status}/context", self._context),
            Route(Operation.ENGAGED, "GET", f"{status}/(?P<list>favourited_by|reblogged_by|quotes)", self._engaged),
            Route(Operation.FIND_OWN, "GET", r"/api/v1/accounts/(?P<id>\d+)/statuses", self._own),
            Route(Operation.PROFILE, "GET", "/api/v1/accounts/lookup", self._lookup),
            Route(Operation.PROFILE, "GET", "/api/v1/accounts/verify_credentials", self._me),
        )
        super().__init__(FakeNetwork(clock))

    def limited(self, reset: datetime | None) -> Answer:
        headers = {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": rfc3339(reset)} if reset else {}
        return Answer(429, {"error": "Too many requests"}, headers)

    def refused(self, fault: Fault) -> Answer:
        if fault is Fault.EXPIRED:
            return Answer(401, {"error": "The access token is invalid"})
        return Answer(422, {"error": "Validation failed: Text is not allowed here"})

    def odd(self, answer: Answer) -> Answer:
        return replace(answer, headers={"X-RateLimit-Reset": "soon"})

    def _post(self, request: Request, _: Match[str], fault: Fault | None) -> Answer:
        form = request.form
        reply_to = form.get("in_reply_to_id")
        if reply_to and not self.network.get(reply_to):
            return _GONE
        media = form.get("media_ids[]", [])
        try:
            made = self.network.post(form["status"], reply_to, request.headers.get("idempotency-key", ""), media, fault)
        except Duplicate:
            return self.refused(Fault.REFUSED)
        return Answer(200, self._status(made))

    def _upload(self, request: Request, _: Match[str], __: Fault | None) -> Answer:
        return Answer(200, {"id": f"77{len(request.form['file'])}", "type": "image"})

    def _delete(self, _: Request, found: Match[str], __: Fault | None) -> Answer:
        post = self.network.get(found["id"])
        if post is None:
            return _GONE
        answer = Answer(200, self._status(post))
        self.network.delete(post.id)
        return answer

    def _statuses(self, request: Request, _: Match[str], __: Fault | None) -> Answer:
        ids = request.query.get("id[]", [])
        if len(ids) > MOST_STATUSES:
            return Answer(422, {"error": "Validation failed"})
        return Answer(200, [self._status(post) for each in ids if (post := self.network.get(each))])

    def _own(self, request: Request, found: Match[str], _: Fault | None) -> Answer:
        before = int(request.one("max_id", "0"))
        own = [each for each in self.network.live() if each.author == found["id"]]
        page = [each for each in own if not before or int(each.id) < before][: int(request.one("limit", "20"))]
        return Answer(200, [self._status(each) for each in page])

    def _engaged(self, request: Request, found: Match[str], _: Fault | None) -> Answer:
        post = self.network.get(found["id"])
        if post is None:
            return _GONE
        handles = post.engaged.get(_KINDS[found["list"]], [])
        begin = int(request.one("max_id", "0"))
        end = begin + min(self._page, int(request.one("limit", str(_PAGE))))
        accounts = [self._account(each) for each in handles[begin:end]]
        following = f"http://{request.host}{request.path}?limit={_PAGE}&max_id={end}"
        headers = {"Link": f'<{quote(following, safe=":/?&=")}>; rel="next"'} if end < len(handles) else {}
        of_quotes = [{"id": f"5{begin}{number}", "account": each} for number, each in enumerate(accounts)]
        return Answer(200, of_quotes if found["list"] == "quotes" else accounts, headers)

    def _context(self, _: Request, found: Match[str], __: Fault | None) -> Answer:
        post = self.network.get(found["id"])
        if post is None:
            return _GONE
        replies = [
            {"id": f"6{number}", "in_reply_to_id": post.id, "content": "<p>Yes</p>", "account": self._account(each)}
            for number, each in enumerate(post.engaged.get(Kind.REPLY, []))
        ]
        answered = [each | {"id": f"8{each['id']}", "in_reply_to_id": each["id"]} for each in replies]
        return Answer(200, {"ancestors": [], "descendants": replies + answered})

    def _lookup(self, request: Request, _: Match[str], __: Fault | None) -> Answer:
        handle = request.one("acct")
        return Answer(200, self._account(handle)) if handle.lower() in self.network.accounts else _GONE

    def _me(self, _: Request, __: Match[str], ___: Fault | None) -> Answer:
        return Answer(200, self._account(self.network.handle))

    def _status(self, post: Post) -> dict[str, Any]:
        counts = self.network.metrics(post)
        return {
            "id": post.id,
            "created_at": rfc3339(post.made_at),
            "in_reply_to_id": post.reply_to,
            "content": _html(post.text),
            "account": {"id": post.author, "acct": "acme"},
            "favourites_count": counts.likes,
            "reblogs_count": counts.reposts,
            "quotes_count": counts.quotes,
            "replies_count": counts.replies,
            "media_attachments": [{"id": each} for each in post.media],
        }

    def _account(self, handle: str) -> dict[str, Any]:
        return _shown(self.network.account(handle))


_GONE = Answer(404, {"error": "Record not found"})


def _shown(account: Account) -> dict[str, Any]:
    return {
        "id": account.id,
        "username": account.handle.partition("@")[0],
        "acct": account.handle,
        "created_at": rfc3339(account.created_at) if account.created_at else None,
        "followers_count": account.followers,
        "following_count": account.following,
        "statuses_count": account.posts,
        "bot": account.bot,
        "suspended": account.suspended,
        "note": _html(account.note),
    }


def _html(text: str) -> str:
    """As Mastodon shows it: lines, and URLs of which people see a part."""
    words = []
    for word in text.split(" "):
        if word.startswith("https://") and "\n" not in word:
            head, tail = escape(word[8:30]), escape(word[30:])
            shown = f'<span class="ellipsis">{head}</span><span class="invisible">{tail}</span>'
            word = f'<a href="{escape(word)}"><span class="invisible">https://</span>{shown}</a>'
        else:
            word = escape(word).replace("\n\n", "</p><p>").replace("\n", "<br />")
        words.append(word)
    return f"<p>{' '.join(words)}</p>" if text else ""
