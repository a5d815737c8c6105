"""Parts shared by the training of classifiers and generators, independent of models."""
