"""The session over a recording that grows: opened anew when its files have changed, while calls on the old one go on."""

from __future__ import annotations

import shutil
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from itbench.model.errors import SnapshotError
from itbench.snapshot.layout import discover
from itbench.snapshot.snapshot import Snapshot, open_snapshot
from itbench.tools.live import LiveTools
from itbench.tools.session import Session

_Stamp = tuple[tuple[str, int, int], ...]


def open_growing(folder: Path, *, cache_dir: Path | None = None) -> Snapshot:
    """Open the snapshot in a folder whose files are replaced by longer ones at any moment: as it is now.

    Args:
        folder: has no files of costs and no topology, which are read late.
        cache_dir: as `open_snapshot`.

    Raises:
        SnapshotError: as `open_snapshot`.
    """
    with tempfile.TemporaryDirectory(prefix="itbench-snapshot-") as place:
        for file in discover(folder):
            target = Path(place, file.name)
            target.parent.mkdir(exist_ok=True)
            shutil.copyfile(file.path, target)
        return open_snapshot(Path(place), cache_dir=cache_dir)


class Refreshed:
    """Sessions, one after the other. Threads may share it.

    Args:
        source: the first one's snapshot; closed in the end.
        live: says which folder grows, if one does.
    """

    def __init__(self, source: Snapshot, live: LiveTools) -> None:
        self._live = live
        self._session = Session(source, live)
        self._users: dict[Session, int] = {self._session: 0}
        self._lock = threading.Lock()
        self._opening = threading.Lock()
        self._caches: dict[Session, Path] = {}
        self._stamp = _stamp(live.growing)

    @contextmanager
    def current(self) -> Iterator[Session]:
        """The session over the files as they are now; it stays open while somebody is inside."""
        self._refresh()
        with self._lock:
            session = self._session
            self._users[session] += 1
        try:
            yield session
        finally:
            with self._lock:
                self._users[session] -= 1
                self._close_unused()

    def close(self) -> None:
        """Close them all."""
        with self._lock:
            for session in self._users:
                self._end(session)

    def _refresh(self) -> None:
        """Open the files anew if they have changed; if that fails, the old ones will do."""
        folder = self._live.growing
        if folder is None:
            return
        with self._opening:
            stamp = _stamp(folder)
            if stamp == self._stamp:
                return
            # Nobody will ask for this state of the files again: it must not stay in the cache of all.
            cache = Path(tempfile.mkdtemp(prefix="itbench-snapshot-"))
            try:
                source = open_growing(folder, cache_dir=cache)
            except (SnapshotError, OSError):
                shutil.rmtree(cache, ignore_errors=True)
                return
            with self._lock:
                self._session = Session(source, self._live)
                self._users[self._session] = 0
                self._caches[self._session] = cache
                self._close_unused()
            self._stamp = stamp

    def _close_unused(self) -> None:
        for session, users in list(self._users.items()):
            if not users and session is not self._session:
                del self._users[session]
                self._end(session)

    def _end(self, session: Session) -> None:
        session.snapshot.close()
        if (cache := self._caches.pop(session, None)) is not None:
            shutil.rmtree(cache, ignore_errors=True)


def _stamp(folder: Path | None) -> _Stamp:
    """What tells one state of a folder's files from another."""
    if folder is None:
        return ()
    try:
        states = [(file.name, file.path.stat()) for file in discover(folder)]
    except (OSError, SnapshotError):  # just being replaced
        return ()
    return tuple((name, state.st_size, state.st_mtime_ns) for name, state in states)
