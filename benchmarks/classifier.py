"""Training the CNN of Frid-Adar et al. at 64 px, against ImageFolder and a DataLoader.

Same network, optimiser and batch, and the same kinds of augmentation: the textbook turns, scales
and colours one picture at a time in its workers, dermaug whole batches on the device. A round of
the textbook is an epoch, the start of the workers included.
"""

import torch
from lightning_fabric import Fabric
from rounds import (
    Data,
    Device,
    Images,
    Precision,
    Rounds,
    Way,
    new_folder,
    print_rates,
    start,
    time_in_turn,
)
from textbook import (
    BFLOAT16,
    FLOAT32,
    SIZE,
    Prepared,
    Step,
    compared,
    computed_in,
    laid_out,
    prepared,
    textbook_ways,
)
from torch import Tensor
from torch.nn.functional import cross_entropy
from torchvision import transforms

from dermaug.classifiers.classifier_training import train_classifier
from dermaug.classifiers.fridadar import FridAdar
from dermaug.classifiers.trial_steps import ClassifierTask
from dermaug.config import ClassifierConfig
from dermaug.data.image_bank import ImageBank, channel_statistics
from dermaug.training.fabric import start_fabric

PICTURE_AT_A_TIME = transforms.Compose(
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


def textbook_step(kind: str, num_classes: int, device: torch.device) -> Step:
    """Network, optimiser and step, as a tutorial has them, in float32 or in bfloat16."""
    network = laid_out(kind, FridAdar(num_classes=num_classes, size=SIZE).to(device))
    optimizer = torch.optim.AdamW(network.parameters(), lr=1e-3)

    def step(images: Tensor, labels: Tensor) -> float:
        with computed_in(kind, device):
            loss = cross_entropy(network(images.to(device)), labels.to(device))
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        return loss.item()

    return step


def dermaug_way(given: Prepared, fabric: Fabric) -> Way:
    catalog, pixels = given.catalog, given.pixels
    bank, validation = (
        ImageBank.of(pixels[:number], catalog.labels[:number], fabric.device)
        for number in (len(pixels), 16)
    )
    shown = len(bank) // given.batch * given.batch
    config = ClassifierConfig(images=shown, batch=given.batch, validations=1)
    mean, std = channel_statistics(pixels)

    def training() -> float:
        task = ClassifierTask(
            title="fridadar",
            config=config,
            policy="standard",
            sampling="natural",
            loss="plain",
            classes=catalog.classes,
            training=bank,
            validation=validation,
            mean=mean,
            std=std,
            seed=0,
            folder=new_folder(given.folder),
        )
        trained = train_classifier(task, fabric).training
        assert trained is not None
        # Its seconds end before validation, which the textbook has not.
        return trained.images / trained.seconds

    return training


def main(
    data: Data = None,
    images: Images = 1_920,
    rounds: Rounds = 5,
    device: Device = "auto",
    precision: Precision = "auto",
) -> None:
    """Train the small CNN, by the textbook and by dermaug."""
    fabric = start_fabric(device, precision)
    with prepared(data, images) as given:
        classes = given.catalog.num_classes
        steps = {kind: textbook_step(kind, classes, fabric.device) for kind in (FLOAT32, BFLOAT16)}
        ways = textbook_ways(given, PICTURE_AT_A_TIME, steps)
        rates = time_in_turn(ways | {"dermaug": dermaug_way(given, fabric)}, rounds)
        title = f"classifier fridadar, {SIZE} px, batch {given.batch}"
        print_rates(f"{title}, {fabric.device}, {precision}", rates, compared(rates, ways))


if __name__ == "__main__":
    start(main)
