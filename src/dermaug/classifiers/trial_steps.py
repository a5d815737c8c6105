"""The steps of one classifier training, between its validations."""

import torch
from jaxtyping import Float
from lightning_fabric import Fabric
from torch import Tensor
from torch.nn.functional import one_hot

from dermaug.classifiers.criterion import Criterion
from dermaug.classifiers.trial_state import ClassifierTask, TrialState
from dermaug.data.augmentation import POLICIES
from dermaug.data.image_bank import Feed
from dermaug.seeding import derive_seed
from dermaug.training.graphs import Replayed
from dermaug.training.optimizers import set_rate
from dermaug.training.order import PhasedOrder, phases
from dermaug.training.randomness import StepRandom
from dermaug.training.schedules import warmed_up


class ClassifierSteps:
    """Takes one step of a training after the other, without waiting for the device.

    Args:
        task: The task.
        state: The state, from which steps go on, and which they change.
        fabric: Device and precision.
    """

    def __init__(self, task: ClassifierTask, state: TrialState, fabric: Fabric) -> None:
        config, labels = task.config, task.training.labels.cpu().numpy()
        self.task, self.state, self.fabric = task, state, fabric
        self.total = max(1, round(config.images / config.batch))
        """Number of steps of the whole training."""
        self.planned = phases(labels, task.sampling, task.dosage)
        self.criterion = Criterion(
            task.loss,
            labels,
            len(task.classes),
            self.planned[0].weights,
            config.label_smoothing,
            fabric.device,
            task.dosed,
        )
        seeds = (derive_seed(task.seed, purpose) for purpose in ("order", "augmentation"))
        self._order = PhasedOrder(len(task.training), next(seeds), self.planned)
        self._random = StepRandom(fabric.device, next(seeds))
        self._feed = Feed(task.training, config.batch)
        self._taught = targets_of(task).to(fabric.device)
        self._run = Replayed(self._random, [state.optimizer])

    def take(self) -> None:
        """Take one step: what changes is set first, for the rest may be a recorded step."""
        state, batch = self.state, self.task.config.batch
        self._feed.show(self._order.batch(state.step * batch, batch, state.step / self.total))
        self._random.at(state.step)
        _set_phase(self.task, state, (state.step + 0.5) / self.total)
        self._run("head" if state.frozen else "network", self._update)
        state.step += 1

    def _update(self) -> None:
        """Update the network on augmented images, and its average if there is one."""
        state, policy, random = self.state, POLICIES[self.task.policy], self._random.generator
        images, _ = self._feed.batch()
        images, targets = policy(images, self._taught[self._feed.rows], random)
        with self.fabric.autocast():
            members = state.classifier.members(images).float()
        losses = [self.criterion(logits, targets, self._feed.rows) for logits in members]
        loss = torch.stack(losses).sum()
        state.optimizer.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        state.optimizer.step()
        if state.ema is not None:
            state.ema.update()
        state.losses.add({"loss": loss.detach() / len(members)})


def targets_of(task: ClassifierTask) -> Float[Tensor, "n classes"]:
    """Target probabilities of each image: its label, or the soft labels of the dose."""
    targets = one_hot(task.training.labels.cpu(), len(task.classes)).float()
    if task.soft is not None:
        targets[len(targets) - len(task.soft) :] = torch.from_numpy(task.soft)
    return targets


def _set_phase(task: ClassifierTask, state: TrialState, fraction: float) -> None:
    """Set learning rates, the decay of the average and, where they change, modes."""
    config = task.config
    frozen = fraction < config.frozen_fraction
    backbone, head = state.optimizer.param_groups
    rate = config.rate * warmed_up(config.schedule, fraction, config.warmup)
    set_rate(head, rate)
    set_rate(backbone, rate * config.backbone_rate)
    if state.ema is not None:
        state.ema.at(state.step)
    if frozen == state.frozen:
        return
    state.frozen = frozen
    # A frozen backbone also keeps its batch-norm statistics.
    state.classifier.train(not frozen)
    for parameter in backbone["params"]:
        parameter.requires_grad_(not frozen)
    if frozen:
        state.classifier.head.train()
