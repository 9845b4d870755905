"""Whose viewer's token a request bears. PyJWT is imported when there is a token: the hot path does without."""

from collections.abc import Callable

from sluice.errors import Untrusted


def subject_by(secrets: tuple[str, ...], audience: str) -> Callable[[str], str | None]:
    """Answers whose token an `Authorization` header bears, or None for a token that is not believed.

    Believed are viewers' tokens for `audience` that one of `secrets` signed, and no others.
    """

    def subject_of(authorization: str) -> str | None:
        from sluice import tokens

        try:
            return tokens.viewer_of(tokens.borne(authorization), secrets, audience)
        except Untrusted:
            return None

    return subject_of
