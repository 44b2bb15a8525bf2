"""What a killed build of a cache leaves behind, so that the next one goes on from it.

While a cache is built, a folder has two hidden files: the pixels so far, and a journal
of their entries, both with the machine, the process and the time in their names::

    .Market-1501_256x128_bicubic.host.4711-1790000000.partial
    .Market-1501_256x128_bicubic.host.4711-1790000000.journal
"""

import json
import os
import socket
import time
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType

from .cache_index import FORMAT, CacheKey, Entry, resampling_sum


class Journal:
    """Pixels and entries of a cache that is being built, written a few at a time.

    After an error the files stay, for the next build, unless the disk failed or nothing
    was finished.

    Args:
        folder: Folder of the cache.
        key: Its key.
    """

    def __init__(self, folder: Path, key: CacheKey) -> None:
        # With the time: an earlier build of this process may have left files, too
        name = f'.{key.stem}.{_host()}.{os.getpid()}-{time.time_ns()}'
        self.pixels = folder / f'{name}.partial'
        self._journal = folder / f'{name}.journal'
        self._key = key
        self.entries: list[Entry] = []
        self._disk_failed = False

    def __enter__(self) -> 'Journal':
        self._pixel_file = self.pixels.open('wb')
        self._entry_file = self._journal.open('w', encoding='utf-8')
        self._entry_file.write(json.dumps(_header(self._key)) + '\n')
        return self

    def append(self, rows: Sequence[tuple[Entry, bytes]]) -> None:
        """Write some rows; after this a kill doesn't lose them."""
        with self._watch_disk():
            for _, pixels in rows:
                self._pixel_file.write(pixels)
            self._pixel_file.flush()
            for entry, _ in rows:
                self._entry_file.write(json.dumps(entry) + '\n')
            self._entry_file.flush()
        self.entries += (entry for entry, _ in rows)

    def finish(self, path: Path) -> None:
        """Rename the file of pixels to its final name, once it is on the disk."""
        with self._watch_disk():
            self._pixel_file.flush()
            os.fsync(self._pixel_file.fileno())
            os.replace(self.pixels, path)

    @contextmanager
    def _watch_disk(self) -> Iterator[None]:
        try:
            yield
        except OSError:  # unlike that of a missing image
            self._disk_failed = True
            raise

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._pixel_file.close()
        self._entry_file.close()
        if error is None or self._disk_failed or not self.entries:
            self.pixels.unlink(missing_ok=True)
            self._journal.unlink(missing_ok=True)


class UnfinishedCache:
    """The rows that killed builds of a cache left in a folder.

    Args:
        folder: Folder of the cache.
        key: Its key. Rows of another key, or of a Pillow that makes other pixels, are
            ignored.
    """

    def __init__(self, folder: Path, key: CacheKey) -> None:
        self._row_size = 3 * key.size[0] * key.size[1]
        self._rows: dict[str, tuple[Entry, Path, int]] = {}
        self._journals = sorted(folder.glob(f'.{key.stem}.*.journal'))
        for journal in self._journals:
            try:
                lines = journal.read_text(encoding='utf-8').splitlines()
                if json.loads(lines[0]) != _header(key):
                    continue
                for row, line in enumerate(lines[1:]):
                    entry = Entry(*json.loads(line))
                    self._rows[entry.path] = entry, journal.with_suffix('.partial'), row
            except (ValueError, IndexError, TypeError, FileNotFoundError):
                # A torn last line, before which all is used, or another build has
                # just ended
                continue

    def find(self, relative: str, file_sum: int) -> bytes | None:
        """Return the pixels of an image file, if they are there and undamaged.

        Args:
            relative: Path of the file relative to the folder.
            file_sum: CRC-32 of the file.
        """
        if relative not in self._rows:
            return None
        entry, path, row = self._rows[relative]
        try:
            with path.open('rb') as file:
                file.seek(row * self._row_size)
                pixels = file.read(self._row_size)
        except FileNotFoundError:
            return None
        fits = entry.file_sum == file_sum and len(pixels) == self._row_size
        return pixels if fits and zlib.crc32(pixels) == entry.pixel_sum else None

    def remove(self) -> None:
        """Remove the files, except those of a build that may still be running."""
        for journal in self._journals:
            host, pid = journal.stem.rsplit('.', 2)[-2:]
            if host == _host() and not _is_running(int(pid.split('-')[0])):
                journal.with_suffix('.partial').unlink(missing_ok=True)
                journal.unlink(missing_ok=True)


def _host() -> str:
    return socket.gethostname().replace('.', '-')  # names are split at dots


def _header(key: CacheKey) -> dict[str, object]:
    return dict(
        format=FORMAT,
        source=key.source,
        size=list(key.size),
        interpolation=key.interpolation,
        resampling=resampling_sum(key),
    )


def _is_running(pid: int) -> bool:
    if pid == os.getpid():
        return False  # an earlier build of this process, which failed
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True
