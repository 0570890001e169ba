"""How workers are started, watched and stopped: a port with two implementations (design §4, rulings R80-R89)."""

from vizier_core.launcher.port import Forked, Launcher, Probe, StartedWorker, StartRequest, WorkerHandle
from vizier_core.launcher.select import make_launcher

__all__ = [
    "Forked",
    "Launcher",
    "Probe",
    "StartRequest",
    "StartedWorker",
    "WorkerHandle",
    "make_launcher",
]
