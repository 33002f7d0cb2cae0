"""The domain of the Auth service to its protos."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime

import msgspec

from auth_svc import messages
from auth_svc.keys.signing_keys import PublicKey
from auth_svc.keys.token_signer import SignedToken
from auth_svc.sessions import accounts
from auth_svc.sessions.sessions import Session
from auth_svc.sign_in.sign_in import Begun
from eco2.auth.v1 import auth_pb2, auth_service_pb2
from mesh.locale import Locale, Text


def from_session(session: Session) -> auth_pb2.Session:
    """A session with its tokens."""
    message = auth_pb2.Session(
        user_id=session.user_id,
        guest=session.guest,
        access_token=session.access.value,
        refresh_token=session.refresh.text,
    )
    message.access_token_expire_time.FromDatetime(session.access.expires_at)
    message.refresh_token_expire_time.FromDatetime(session.refresh_expires_at)
    return message


def from_account(account: accounts.Account) -> auth_pb2.Account:
    """A user's account."""
    message = auth_pb2.Account(user_id=account.user_id, guest=account.guest, session_count=account.session_count)
    for identity in account.identities:
        linked = message.identities.add(provider=identity.provider, name=identity.name)
        linked.create_time.FromDatetime(identity.linked_at)
    if account.created_at:
        message.create_time.FromDatetime(account.created_at)
    return message


def from_begun(begun: Begun) -> auth_service_pb2.BeginSignInResponse:
    """An attempt to sign in."""
    message = auth_service_pb2.BeginSignInResponse(authorization_url=begun.authorization_url, state=begun.state)
    message.expire_time.FromDatetime(begun.expires_at)
    return message


def from_providers(names: Mapping[str, Text], locale: Locale) -> auth_service_pb2.ListProvidersResponse:
    """The providers on offer, in one language."""
    providers = [auth_pb2.Provider(provider=one, name=name[locale]) for one, name in names.items()]
    return auth_service_pb2.ListProvidersResponse(providers=providers)


def from_watch_ticket(scan_id: str, ticket: SignedToken) -> auth_service_pb2.CreateWatchTicketResponse:
    """A ticket, as the address that it opens."""
    url = f"/v1/scans/{scan_id}:watch?ticket={ticket.value}"
    message = auth_service_pb2.CreateWatchTicketResponse(watch_url=url)
    message.expire_time.FromDatetime(ticket.expires_at)
    return message


def from_keys(keys: Sequence[PublicKey]) -> auth_service_pb2.GetKeysResponse:
    """A key set."""
    return auth_service_pb2.GetKeysResponse(keys=[auth_pb2.JsonWebKey(**asdict(key)) for key in keys])


def from_closed(closed_at: datetime, tokens_expire_at: datetime, locale: Locale) -> auth_service_pb2.DeleteMeResponse:
    """An account that was closed."""
    message = auth_service_pb2.DeleteMeResponse(message=messages.CLOSED[locale])
    message.close_time.FromDatetime(closed_at)
    message.tokens_expire_time.FromDatetime(tokens_expire_at)
    return message


def exported(account: accounts.Account, sessions: Sequence[accounts.OpenSession]) -> str:
    """An account with its sessions, as JSON for its user."""
    return msgspec.json.encode({"account": account, "sessions": sessions}).decode()
