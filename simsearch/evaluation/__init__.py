"""How many of an image's perturbed copies each feature space finds again."""
