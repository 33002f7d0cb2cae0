"""What users do with exports: ask for one, see how far it is, fetch its file; and how files go."""

import secrets
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime, timedelta

from mesh.errors import NotFound
from mesh.reasons import Reason
from mesh.s3.bucket import Bucket
from mesh.s3.presigned import PresignedUploads
from scan_svc.exports.exports import Address, Export, ExportState
from scan_svc.exports.store import ExportStore

# Not among what anybody may read. Nobody guesses the rest.
_FOLDER = "exports/"
_ADDRESS_SECONDS = 300
# Looked at every ten minutes, unless everything is away.
_KEPT = timedelta(hours=20)
_BATCH = 100


class Exports:
    """The exports of one user at a time; others' are NOT_FOUND.

    Args:
        store: PostgreSQL.
        bucket: The files.
        presigned: Signs addresses at which they can be fetched.
        wake: Wakes the workers.
        remove_job: Removes a client job with its files.
        clock: The time.
    """

    def __init__(
        self,
        store: ExportStore,
        bucket: Bucket,
        presigned: PresignedUploads,
        wake: Callable[[], None],
        remove_job: Callable[[str], Awaitable[None]],
        clock: Callable[[], datetime],
    ) -> None:
        self._store = store
        self._bucket = bucket
        self._presigned = presigned
        self._wake = wake
        self._remove_job = remove_job
        self._clock = clock

    async def create(self, user_id: str, account: str, traceparent: str) -> Export:
        """Begins an export; while one of this user is running it is that one.

        Args:
            user_id: Whose.
            account: What Auth keeps, as JSON.
            traceparent: The trace that its work goes on with.
        """
        nowhere = f"{_FOLDER}{secrets.token_hex(16)}.zip"
        export, is_new = await self._store.create(user_id, account, nowhere, traceparent)
        if is_new:
            self._wake()
        return export

    async def get(self, user_id: str, export_id: str) -> Export:
        """An export as it is now.

        Raises:
            NotFound: No such export.
        """
        export = await self._store.get(export_id)
        if export is None or export.user_id != user_id:
            raise NotFound(Reason.EXPORT_NOT_FOUND, export_id=export_id)
        return export

    def address(self, export: Export) -> Address | None:
        """Where its file can be fetched for some minutes; None if there is none."""
        if export.state is not ExportState.SUCCEEDED:
            return None
        seconds = self._presigned.lifetime(_ADDRESS_SECONDS)
        url = self._presigned.reading(export.object_key, seconds)
        return Address(url, self._clock() + timedelta(seconds=seconds))

    async def erase(self, user_id: str) -> None:
        """Removes a user's exports with their files, spreadsheets as well as zips."""
        for job_id in await self._store.jobs_of_user(user_id):
            await self._remove_job(job_id)
        await self._remove(await self._store.of_user(user_id))

    async def forget_expired(self) -> None:
        """Removes what has been there for long enough."""
        while gone := await self._store.expired(_KEPT.total_seconds(), _BATCH):
            await self._remove(gone)

    async def _remove(self, keys: Mapping[str, str]) -> None:
        """Files before rows, so that nothing is forgotten; and after them, since one may just have been stored."""
        for key in keys.values():
            await self._bucket.remove(key)
        await self._store.remove(list(keys))
        for key in keys.values():
            await self._bucket.remove(key)
