"""The steps of one generator training, between its snapshots."""

import numpy as np
from jaxtyping import Float
from lightning_fabric import Fabric

from dermaug.data.augmentation import dihedral
from dermaug.data.image_bank import Feed
from dermaug.generators.family import Progress
from dermaug.generators.state import GeneratorTask, State
from dermaug.seeding import derive_seed
from dermaug.training.graphs import Replayed
from dermaug.training.order import Order, class_weights
from dermaug.training.randomness import StepRandom


class GeneratorSteps:
    """Takes one step of a training after the other, without waiting for the device.

    Args:
        task: The task.
        state: The state, from which steps go on, and which they change.
        fabric: Device and precision.
    """

    def __init__(self, task: GeneratorTask, state: State, fabric: Fabric) -> None:
        config = task.spec.config
        self.task, self.state, self.fabric = task, state, fabric
        self.total = max(1, round(config.images / config.batch))
        """Number of steps of the whole training."""
        self._order = Order(len(task.training), derive_seed(task.seed, "order"), _weights(task))
        self._random = StepRandom(fabric.device, derive_seed(task.seed, "step"))
        self._part = config.batch // task.ranks.number
        self._feed = Feed(task.training, self._part)
        self._run = Replayed(self._random, state.family.optimizers.values())

    def take(self) -> None:
        """Take one step: what changes is set first, for the rest may be a recorded step."""
        state, batch, ranks = self.state, self.task.spec.config.batch, self.task.ranks
        with ranks.fatal():
            self._feed.show(ranks.part(self._order.batch(state.step * batch, batch)))
            self._random.at(state.step)
            state.ema.at(state.step)
            kind = state.family.prepare_step(self._progress)
            # What waits for other processes is not recorded.
            self._run(kind if ranks.is_alone else None, self._update)
        state.step += 1

    @property
    def _progress(self) -> Progress:
        return Progress(self.state.step, self.total)

    def _update(self) -> None:
        """Update every network of the family, and the averaged sampler."""
        state, random, ranks = self.state, self._random.generator, self.task.ranks
        images, labels = self._feed.batch()
        with ranks.own_numbers(self._part), self.fabric.autocast():
            if self.task.spec.config.augment:
                images = dihedral(images, random)
            losses = state.family.step(images * 2.0 - 1.0, labels, random, self._progress)
        state.ema.update()
        state.losses.add(ranks.means(losses))


def _weights(task: GeneratorTask) -> Float[np.ndarray, " n"] | None:
    """Sampling weight of each image; a network of one class sees each image once per epoch."""
    labels = task.training.labels.cpu().numpy()
    several = len(task.spec.classes) > 1
    return class_weights(labels, task.spec.config.sampling) if several else None
