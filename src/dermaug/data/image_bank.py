"""Decoded images and labels of one training: on the device, or left where they are."""

from dataclasses import dataclass
from typing import Self

import numpy as np
import torch
from jaxtyping import Float, Int, UInt8
from torch import Tensor

from dermaug.data.image_rows import ImageRows, Pixels, chunks

# What is left to the network, its gradients and the activations when the images move to a GPU.
DEVICE_SHARE = 0.5


@dataclass(frozen=True, eq=False)
class ImageBank:
    """Images as uint8 and their labels.

    Args:
        images: (n, height, width, 3): a tensor on the GPU, or on the CPU whatever holds them, from
            which each batch is read.
        labels: int64 (n,) on the same device as the images.
        device: Device of the batches.
    """

    images: UInt8[Tensor, "n h w 3"] | Pixels
    labels: Int[Tensor, " n"]
    device: torch.device

    @classmethod
    def of(cls, images: Pixels, labels: Int[np.ndarray, " n"], device: torch.device) -> Self:
        """Move images to a GPU if they fit into half of its free memory."""
        if device.type == "cpu" or not _fits(int(np.prod(images.shape)), device):
            return cls(images, torch.from_numpy(labels), device)
        moved = torch.empty(images.shape, dtype=torch.uint8, device=device)
        for part in chunks(len(images)):
            moved[part] = torch.tensor(images[part], device=device)
        return cls(moved, torch.from_numpy(labels).to(device), device)

    def __len__(self) -> int:
        return len(self.images)

    @property
    def side(self) -> int:
        """Side of the square images, in pixels."""
        return int(self.images.shape[1])

    def pixels(self, rows: Int[Tensor, " b"]) -> UInt8[Tensor, "b h w 3"]:
        """Images of some rows, which lie on the device of `labels`, as do these."""
        if isinstance(self.images, Tensor):
            return self.images[rows]
        return torch.from_numpy(self.images[rows.numpy()])

    def part(self, rows: Int[Tensor, " m"]) -> Self:
        """The bank of some rows, which lie on the device of `labels`."""
        if isinstance(self.images, Tensor):
            return type(self)(self.images[rows], self.labels[rows], self.device)
        return type(self)(ImageRows((self.images, rows.numpy())), self.labels[rows], self.device)

    def batch(
        self, rows: Int[np.ndarray, " b"]
    ) -> tuple[Float[Tensor, "b 3 h w"], Int[Tensor, " b"]]:
        """Images in [0, 1], float32, channels last in memory, and labels of some rows."""
        where = torch.from_numpy(rows).to(self.labels.device, non_blocking=True)
        images = self.pixels(where).to(self.device, non_blocking=True)
        labels = self.labels[where].to(self.device, non_blocking=True)
        return unit_range(images), labels


class Feed:
    """Batches of one size from a bank, at addresses that stay (see `training.graphs.Replayed`).

    Args:
        bank: The images.
        batch: Images in each batch.
    """

    def __init__(self, bank: ImageBank, batch: int) -> None:
        self._bank = bank
        self._labels = bank.labels.to(bank.device)
        self.rows = torch.zeros(batch, dtype=torch.int64, device=bank.device)
        """Rows of the present batch, on the bank's device."""
        self._sent: Tensor | None = None
        if bank.labels.device != self.rows.device:
            size = (batch, *bank.images.shape[1:])
            self._sent = torch.zeros(size, dtype=torch.uint8, device=bank.device)

    def show(self, rows: Int[np.ndarray, " batch"]) -> None:
        """Choose the next batch, without waiting for the device."""
        chosen = torch.from_numpy(rows)
        _send(chosen, self.rows)
        if self._sent is not None:
            _send(self._bank.pixels(chosen), self._sent)

    def batch(self) -> tuple[Float[Tensor, "batch 3 h w"], Int[Tensor, " batch"]]:
        """Images and labels of the present batch, as `ImageBank.batch` gives them."""
        pixels = self._bank.pixels(self.rows) if self._sent is None else self._sent
        return unit_range(pixels), self._labels[self.rows]


def unit_range(pixels: UInt8[Tensor, "b h w 3"]) -> Float[Tensor, "b 3 h w"]:
    """Images in [0, 1], float32, channels last in memory."""
    # Permuted NHWC is already channels_last, so no copy is made.
    return pixels.permute(0, 3, 1, 2).float().div_(255.0)  # b 3 h w


def _send(source: Tensor, target: Tensor) -> None:
    # Pinned memory is given back only when its copy has ended, so that the next may be filled.
    source = source.pin_memory() if target.is_cuda else source
    target.copy_(source, non_blocking=True)


def channel_statistics(images: Pixels) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Mean and standard deviation of each channel, for images in [0, 1].

    Example:
        >>> black_and_white = np.stack([np.zeros((2, 2, 3)), np.full((2, 2, 3), 255)])
        >>> channel_statistics(black_and_white.astype(np.uint8))
        ((0.5, 0.5, 0.5), (0.5, 0.5, 0.5))
    """
    levels, counts = np.arange(256) / 255.0, np.zeros((3, 256), np.int64)
    for part in chunks(len(images)):
        pixels = images[part]
        counts += [np.bincount(pixels[..., place].ravel(), minlength=256) for place in range(3)]
    means, deviations = [], []
    for share in counts / counts.sum(axis=1, keepdims=True):
        mean = float((share * levels).sum())
        means.append(mean)
        deviations.append(float((share * (levels - mean) ** 2).sum()) ** 0.5)
    return tuple(means), tuple(deviations)


def _fits(num_bytes: int, device: torch.device) -> bool:
    if device.type != "cuda":
        return True
    free, _ = torch.cuda.mem_get_info(device)
    return num_bytes < DEVICE_SHARE * free
