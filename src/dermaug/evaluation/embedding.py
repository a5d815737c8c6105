"""Embedding of features in a plane by t-SNE (van der Maaten & Hinton 2008), for display only."""

import numpy as np
from jaxtyping import Float
from sklearn.decomposition import PCA
from sklearn.manifold import TSNE

from dermaug.evaluation.fidelity import require_features

PERPLEXITY = 30.0
COMPONENTS = 50
FEWEST = 8


def embed(features: Float[np.ndarray, "n d"], seed: int) -> Float[np.ndarray, "n 2"]:
    """Two coordinates per image; neighbours are similar, cluster distances have no meaning.

    Args:
        features: One row per image, at least 8; reduced to 50 principal components first.
        seed: The same seed gives the same plane on the same machine.

    Raises:
        DermaugError: Fewer than 8 images.
    """
    require_features(features, at_least=FEWEST)
    components = min(COMPONENTS, *features.shape)
    reduced = PCA(components, random_state=seed % 2**32).fit_transform(features)
    perplexity = min(PERPLEXITY, (len(features) - 1) / 3)
    # The PCA start keeps the global arrangement, otherwise left to chance; it needs two components.
    start = "pca" if components > 1 else "random"
    layout = TSNE(perplexity=perplexity, init=start, random_state=seed % 2**32, n_jobs=1)
    return np.asarray(layout.fit_transform(reduced), dtype=np.float64)
