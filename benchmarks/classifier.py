"""Training the CNN of Frid-Adar et al. at 64 px, against ImageFolder and a DataLoader.

Same network, optimiser and batch, and the same kinds of augmentation: the textbook turns, scales
and colours one picture at a time in its workers, dermaug whole batches on the device. A round of
the textbook is an epoch, the start of the workers included.
"""

import tempfile
import time
from pathlib import Path

import torch
from rounds import (
    Data,
    Device,
    Images,
    Rounds,
    Way,
    as_image_folder,
    new_folder,
    open_images,
    print_rates,
    start,
    time_in_turn,
)
from torch.nn.functional import cross_entropy
from torch.utils.data import DataLoader
from torchvision import transforms
from torchvision.datasets import ImageFolder

from dermaug.classifiers.fridadar import FridAdar
from dermaug.classifiers.training import ClassifierTask, train_classifier
from dermaug.config import ClassifierConfig, DataConfig
from dermaug.data.image_bank import ImageBank, channel_statistics
from dermaug.data.pixels import load_pixels
from dermaug.training.fabric import start_fabric

SIZE = 64


def textbook_way(files: Path, batch: int, workers: int, device: torch.device) -> Way:
    prepare = transforms.Compose(
        [
            transforms.Resize(SIZE),
            transforms.CenterCrop(SIZE),
            transforms.RandomHorizontalFlip(),
            transforms.RandomAffine(
                180, (0.1, 0.1), (0.8, 1.25), interpolation=transforms.InterpolationMode.BILINEAR
            ),
            transforms.ColorJitter(0.15, 0.15, 0.15),
            transforms.ToTensor(),
            transforms.Normalize((0.7, 0.5, 0.5), (0.2, 0.2, 0.2)),
        ]
    )
    images = ImageFolder(str(files), prepare)
    loader = DataLoader(images, batch, shuffle=True, num_workers=workers, drop_last=True)
    network = FridAdar(num_classes=len(images.classes), size=SIZE).to(device)
    optimizer = torch.optim.AdamW(network.parameters(), lr=1e-3)

    def epoch() -> float:
        begin = time.perf_counter()
        total = 0.0
        for batch_images, labels in loader:
            loss = cross_entropy(network(batch_images.to(device)), labels.to(device))
            optimizer.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            optimizer.step()
            total += loss.item()
        return len(loader) * batch / (time.perf_counter() - begin)

    return epoch


def main(
    data: Data = None, images: Images = 1_920, rounds: Rounds = 5, device: Device = "auto"
) -> None:
    """Train the small CNN, by the textbook and by dermaug."""
    fabric = start_fabric(device)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        catalog = open_images(data, images, folder)
        files, batch = as_image_folder(catalog, folder / "by class"), min(64, len(catalog))
        store = load_pixels(catalog, DataConfig(size=SIZE), cache=folder / "cache")
        pixels = store.images.copy()  # the cache is mapped read-only
        bank = ImageBank.of(pixels, catalog.labels, fabric.device)
        config = ClassifierConfig(images=len(bank) // batch * batch, batch=batch, validations=1)
        mean, std = channel_statistics(pixels)

        def dermaug_way() -> float:
            # Its seconds end before validation, which the textbook has not.
            task = ClassifierTask(
                title="fridadar",
                config=config,
                policy="standard",
                sampling="natural",
                weighted=False,
                classes=catalog.classes,
                training=bank,
                validation=ImageBank.of(pixels[:16], catalog.labels[:16], fabric.device),
                mean=mean,
                std=std,
                seed=0,
                folder=new_folder(folder),
            )
            trained = train_classifier(task, fabric)
            return trained.images / trained.seconds

        ways: dict[str, Way] = {
            f"textbook, {workers} workers": textbook_way(files, batch, workers, fabric.device)
            for workers in (0, 2)
        }
        rates = time_in_turn(ways | {"dermaug": dermaug_way}, rounds)
        title = f"classifier fridadar, {SIZE} px, batch {batch}, {fabric.device}"
        print_rates(title, rates, list(ways))


if __name__ == "__main__":
    start(main)
