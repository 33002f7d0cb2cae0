"""Who is signed in."""

from datetime import UTC, datetime
from uuid import uuid4

from eco2_client.models import Session
from eco2_client.structs import Message, decode, encode

_MARGIN_SECONDS = 60.0


class Credentials(Message, frozen=True, kw_only=True):
    """A session as it is kept: both parts are secrets, and belong together.

    Attributes:
        session: With its two tokens.
        refresh_request_id: Of its next refresh. If that one's reply is lost the same is sent again, even by the next
            run of the program; any other use of a refresh token for the second time ends the session.
    """

    session: Session
    refresh_request_id: str

    @classmethod
    def of(cls, session: Session) -> "Credentials":
        """Of a session that has just begun, or was refreshed."""
        return cls(session=session, refresh_request_id=str(uuid4()))

    def to_json(self) -> str:
        """As text, to be stored where the platform keeps passwords."""
        return encode(self).decode()

    @classmethod
    def from_json(cls, text: str | bytes) -> "Credentials":
        """What `to_json` made.

        Raises:
            ValueError: It is something else.
        """
        return decode(text, cls)

    def seconds_left(self, *, margin: float = _MARGIN_SECONDS) -> float:
        """For how long the access token can be sent, by this machine's clock, with a margin; at least 0."""
        expires = self.session.access_token_expire_time
        return 0.0 if expires is None else max(0.0, (expires - datetime.now(UTC)).total_seconds() - margin)

    def __repr__(self) -> str:
        return f"Credentials({self.session!r})"
