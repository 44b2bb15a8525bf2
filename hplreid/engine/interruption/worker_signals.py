"""Keep a run's signals from its workers, whose death would break a training step."""

import os
import signal
import threading
from collections.abc import Callable

from torch.utils.data import DataLoader

from .signals import SIGNALS


class ShieldedInit:
    """A ``worker_init_fn`` that ignores the signals that ask a run to stop.

    Schedulers send them to all processes of a job, terminals to all of a group. The run
    ends its workers itself: a SIGTERM of the parent process is obeyed.

    Args:
        init: The worker's own ``worker_init_fn``.
    """

    def __init__(self, init: Callable[[int], None] | None) -> None:
        self.init = init

    def __call__(self, worker_id: int) -> None:
        """Initialize a worker."""
        for number in SIGNALS:
            if number != signal.SIGTERM:
                signal.signal(number, signal.SIG_IGN)
        if hasattr(signal, 'sigwaitinfo'):  # it says who has sent the signal
            signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
            threading.Thread(target=_obey_parent, daemon=True).start()
        if self.init is not None:
            self.init(worker_id)


def _obey_parent() -> None:
    while signal.sigwaitinfo({signal.SIGTERM}).si_pid != os.getppid():
        pass
    os._exit(0)


def shield_workers(loader: DataLoader) -> DataLoader:
    """Set the ``worker_init_fn`` of a dataloader to a :class:`ShieldedInit` of it.

    Example:
        >>> loader = shield_workers(DataLoader(range(4), num_workers=2))
        >>> type(loader.worker_init_fn).__name__
        'ShieldedInit'
    """
    if loader.num_workers:
        loader.worker_init_fn = ShieldedInit(loader.worker_init_fn)
    return loader
