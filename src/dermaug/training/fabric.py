"""The device and precision of one training, by Lightning Fabric."""

import warnings
from typing import Literal, get_args

import torch
from lightning_fabric import Fabric

from dermaug.errors import DermaugError

Device = Literal["auto", "cpu", "cuda", "mps"]
Precision = Literal["auto", "32-true", "bf16-mixed"]


def start_fabric(device: str = "auto", precision: str = "auto") -> Fabric:
    """One process on one device.

    Args:
        device: auto (CUDA, then MPS, then CPU), cpu, cuda or mps.
        precision: auto is bfloat16 autocast on CUDA and float32 elsewhere.

    Raises:
        DermaugError: The device is not on this machine, or there is no such precision.
    """
    if precision not in get_args(Precision):
        known = ", ".join(get_args(Precision))
        raise DermaugError(f"--precision {precision}: expected one of {known}")
    available = {"cpu": True, "cuda": torch.cuda.is_available(), "mps": _mps_available()}
    if device == "auto":
        device = next(name for name in ("cuda", "mps", "cpu") if available[name])
    if not available.get(device, False):
        here = ", ".join(name for name, is_here in available.items() if is_here)
        raise DermaugError(f"--device {device}: not on this machine, which has {here}")
    if precision == "auto":
        precision = "bf16-mixed" if device == "cuda" else "32-true"
    if device == "cuda":
        torch.backends.cudnn.benchmark = True
        torch.set_float32_matmul_precision("high")
    with warnings.catch_warnings():
        # It advises to prefix the command with srun wherever SLURM is installed.
        warnings.filterwarnings("ignore", message=".*srun.*")
        return Fabric(accelerator=device, devices=1, precision=precision)  # type: ignore[arg-type]


def _mps_available() -> bool:
    return torch.backends.mps.is_available()
