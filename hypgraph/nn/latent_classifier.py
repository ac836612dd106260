"""A small classifier of points of a latent space."""

import torch
from torch import Tensor, nn
from typing_extensions import override

from hypgraph.exceptions import ConfigError
from hypgraph.manifolds import Manifold, Polar
from hypgraph.nn.gyroplane import Gyroplane
from hypgraph.nn.linear import Linear

__all__ = ["LatentClassifier"]


class LatentClassifier(nn.Module):
    """Logits of classes: a layer of gyroplanes, ReLU, a linear layer.

        logits = W relu(g(x)) + b,    g_k(x) = ‖w_k‖ d_k(x)

    with the signed distances d_k to the gyroplanes of :class:`hypgraph.nn.Gyroplane`. In flat space g is a linear
    layer, so codes in every space are classified by the same network with the same number of parameters,
    (d + 1 + C) K + C, and differ in their geometry alone (Mathieu et al. 2019, arXiv 1901.06033).

    The gyroplanes are computed in ``dtype``; what follows, weights included, in float32.

    Args:
        manifold: the space of the codes, of dimension d. A learnt curvature becomes one of the parameters; take a
            manifold with its ``c_value`` to classify codes where they lie.
        num_classes: C, at least 1.
        hidden: K, the number of gyroplanes, at least 1.
        generator: for the initial weights; the two layers say which they are.
        dtype: precision of the codes.

    Raises:
        ConfigError: if ``num_classes`` or ``hidden`` is below 1.

    >>> from hypgraph.manifolds import PoincareBall
    >>> classifier = LatentClassifier(PoincareBall(2, c=1.4), 10)
    >>> classifier(torch.zeros(5, 2, dtype=torch.float64)).shape
    torch.Size([5, 10])
    >>> sum(parameter.numel() for parameter in classifier.parameters())
    842
    """

    def __init__(
        self,
        manifold: Manifold,
        num_classes: int,
        *,
        hidden: int = 64,
        generator: torch.Generator | None = None,
        dtype: torch.dtype = torch.float64,
    ) -> None:
        super().__init__()
        for name, value in (("num_classes", num_classes), ("hidden", hidden)):
            if value < 1:
                raise ConfigError(f"{name}: {value} is too few; give an integer of at least 1")
        self.gyroplanes = Gyroplane(manifold, hidden, generator=generator, dtype=dtype)
        self.logits = Linear(hidden, num_classes, generator=generator)

    @override
    def forward(self, x: Tensor | Polar) -> Tensor:
        """Codes, coordinates ``[..., ambient_dim]`` or polar about the origin, to ``[..., C]``, float32.

        Of R stacked classifiers (:func:`hypgraph.models.stack_models`), ``[R, B, ·]`` to ``[R, B, C]``.
        """
        logits: Tensor = self.logits(torch.relu(self.gyroplanes(x, dtype=torch.float32)))
        return logits
