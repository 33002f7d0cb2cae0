"""AuthService: guests, signing in, sessions and their tokens, and the keys that verify them."""

from typing import Any

from google.protobuf.empty_pb2 import Empty

from auth_svc import wire
from auth_svc.access_tokens import WatchTickets
from auth_svc.departures.peers import UserDataPeers
from auth_svc.departures.worker import DepartureWorker
from auth_svc.keys.keyring import Keyring
from auth_svc.sessions.sessions import Sessions
from auth_svc.sign_in.sign_in import SignIn
from eco2.auth.v1 import auth_service_pb2 as pb
from eco2.auth.v1.auth_pb2 import Account, Session
from eco2.auth.v1.auth_service_pb2_grpc import AuthServiceServicer
from eco2.scan.v1.export_pb2 import Export
from mesh.grpc.identity import caller

# Anybody may keep the keys as long as their lead allows for.
_KEYS_HEADERS = (("cache-control", "public, max-age=300"),)


class AuthServicer(AuthServiceServicer):
    """The service that says who somebody is.

    Args:
        sessions: What users do with their sessions.
        sign_in: How users begin one by a provider.
        departures: What becomes of users who are gone.
        user_data: The services that keep more of users.
        keyring: The keys that verify access tokens.
        tickets: What opens a watch where no header can be sent.
    """

    def __init__(
        self,
        sessions: Sessions,
        sign_in: SignIn,
        departures: DepartureWorker,
        user_data: UserDataPeers,
        keyring: Keyring,
        tickets: WatchTickets,
    ) -> None:
        self._sessions = sessions
        self._sign_in = sign_in
        self._departures = departures
        self._user_data = user_data
        self._keyring = keyring
        self._tickets = tickets

    async def CreateGuest(self, request: pb.CreateGuestRequest, context: Any) -> Session:
        """Makes a guest."""
        return wire.from_session(await self._sessions.create_guest())

    async def ListProviders(self, request: pb.ListProvidersRequest, context: Any) -> pb.ListProvidersResponse:
        """Whom one can sign in with."""
        names = {name: client.provider.name for name, client in self._sign_in.clients.items()}
        return wire.from_providers(names, caller(context).locale_or(request.locale))

    async def BeginSignIn(self, request: pb.BeginSignInRequest, context: Any) -> pb.BeginSignInResponse:
        """Says where to go."""
        who = caller(context).account
        begun = await self._sign_in.begin(request.provider, request.redirect_uri, request.code_challenge, who)
        return wire.from_begun(begun)

    async def CompleteSignIn(self, request: pb.CompleteSignInRequest, context: Any) -> Session:
        """Signs in who came back."""
        signed_in = await self._sign_in.complete(request.provider, request.state, request.code, request.code_verifier)
        if signed_in.departure:
            await self._departures.follow(signed_in.departure)
        return wire.from_session(await self._sessions.opened(signed_in.session))

    async def RefreshToken(self, request: pb.RefreshTokenRequest, context: Any) -> Session:
        """Exchanges a refresh token for the next pair."""
        return wire.from_session(await self._sessions.refresh(request.refresh_token, request.request_id))

    async def Logout(self, request: pb.LogoutRequest, context: Any) -> Empty:
        """Ends a session."""
        await self._sessions.end(request.refresh_token)
        return Empty()

    async def LogoutEverywhere(self, request: pb.LogoutEverywhereRequest, context: Any) -> Empty:
        """Ends the caller's sessions."""
        await self._sessions.end_all(caller(context).user_id)
        return Empty()

    async def GetMe(self, request: pb.GetMeRequest, context: Any) -> Account:
        """The caller's account."""
        return wire.from_account(await self._sessions.account(caller(context).user_id))

    async def ExportMe(self, request: pb.ExportMeRequest, context: Any) -> Export:
        """Begins to put all that is kept of the caller into one file."""
        user_id = caller(context).user_id
        account, sessions = await self._sessions.account(user_id), await self._sessions.open_sessions(user_id)
        return await self._user_data.export(user_id, wire.exported(account, sessions))

    async def DeleteMe(self, request: pb.DeleteMeRequest, context: Any) -> pb.DeleteMeResponse:
        """Closes the caller's account."""
        who = caller(context)
        return wire.from_closed(*await self._departures.close(who.user_id), who.locale)

    async def CreateWatchTicket(
        self, request: pb.CreateWatchTicketRequest, context: Any
    ) -> pb.CreateWatchTicketResponse:
        """An address at which a scan can be watched without a header."""
        scan_id = request.scan_id.lower()  # as Scan writes it
        return wire.from_watch_ticket(scan_id, await self._tickets.issue(caller(context).user_id, scan_id))

    async def GetKeys(self, request: pb.GetKeysRequest, context: Any) -> pb.GetKeysResponse:
        """The keys that verify access tokens."""
        keys = await self._keyring.published()
        await context.send_initial_metadata(_KEYS_HEADERS)
        return wire.from_keys(keys)
