"""The head of the hybrid edge decoder: what a latent space says of a pair, corrected by features of the pair."""

import torch
from torch import Tensor, nn
from typing_extensions import override

from hypgraph.exceptions import ConfigError, DataError
from hypgraph.nn.dropout import dropout
from hypgraph.nn.linear import Linear

__all__ = ["PairHead"]

# A column whose values differ by rounding alone: float32 holds seven digits.
CONSTANT = 1e-6


class PairHead(nn.Module):
    """Logit of an edge from a latent logit ℓ and pair features φ.

        logit = ℓ + b + α·φ̂ + W₁ dropout(relu(W₀ [φ̂, ℓ/3] + b₀)) + b₁

    φ̂ are the features standardised by :meth:`standardise`. α, b, W₁ and b₁ start at 0, so that at its start the
    head is the latent logit, and what it learns is a correction. Without a latent logit ℓ is 0 throughout: the
    same head on the features alone, which shows what the latent adds.

    The correction is computed in the weights' dtype, float32, and added to ℓ in its own.

    Args:
        num_features: F, at least 1.
        hidden: width of the hidden layer, at least 1.
        dropout: probability, on the hidden layer in training mode; in [0, 1).
        generator: for W₀ (Glorot and Bengio 2010, uniform).

    Raises:
        ConfigError: if one of these is out of range.

    >>> head = PairHead(2, generator=torch.Generator().manual_seed(0))
    >>> head.standardise(torch.tensor([[0.0, 1.0], [2.0, 1.0]]))
    >>> head(torch.tensor([[4.0, 1.0]]), torch.tensor([0.5])).tolist()
    [0.5]
    """

    mean: Tensor
    std: Tensor

    def __init__(
        self,
        num_features: int,
        *,
        hidden: int = 32,
        dropout: float = 0.2,
        generator: torch.Generator | None = None,
    ) -> None:
        super().__init__()
        for name, value in (("num_features", num_features), ("hidden", hidden)):
            if value < 1:
                raise ConfigError(f"{name}: {value} is too few; give an integer of at least 1")
        if not 0.0 <= dropout < 1.0:
            raise ConfigError(f"dropout: {dropout} is not in [0, 1); give 0 for none")
        self.dropout = dropout
        self.register_buffer("mean", torch.zeros(num_features))
        self.register_buffer("std", torch.ones(num_features))
        self.alpha = nn.Parameter(torch.zeros(num_features))
        self.bias = nn.Parameter(torch.zeros(()))
        self.inner = Linear(num_features + 1, hidden, generator=generator)
        nn.init.xavier_uniform_(self.inner.weight, generator=generator)
        self.outer = Linear(hidden, 1, generator=generator)
        for parameter in (self.inner.bias, self.outer.weight, self.outer.bias):
            nn.init.zeros_(parameter)

    @torch.no_grad()
    def standardise(self, features: Tensor) -> None:
        """Take mean and standard deviation of each column from these pairs, and keep them for all that follow.

        They are part of the state. A column that is constant here keeps its scale, std 1.

        Args:
            features: φ of the pairs to learn from, ``[P, F]`` with P at least 1.

        Raises:
            DataError: if there are no pairs, another number of columns, or a number is not finite.
        """
        num_features = len(self.mean)
        if features.dim() != 2 or features.shape[1] != num_features or len(features) == 0:
            raise DataError(
                f"features: have shape {tuple(features.shape)}, need one or more rows of {num_features} columns; "
                "give the pair features that the head was made for"
            )
        if not torch.isfinite(features).all():
            raise DataError("features: hold NaN or infinity, need finite numbers; drop those columns")
        values = features.double()
        mean = values.mean(0)
        std = values.std(0, correction=0)
        constant = std <= CONSTANT * mean.abs()
        self.mean.copy_(mean)
        self.std.copy_(std.masked_fill(constant, 1.0))

    @override
    def forward(
        self, features: Tensor, latent_logit: Tensor | None, *, generator: torch.Generator | None = None
    ) -> Tensor:
        """Logits of pairs.

        Args:
            features: φ as it is, ``[P, F]``.
            latent_logit: ℓ, ``[P]``, or None.
            generator: for dropout, in training mode.

        Returns:
            ``[P]``, in the dtype of ℓ, or of the weights where there is none.
        """
        standard = (features.to(self.mean.dtype) - self.mean) / self.std
        if latent_logit is None:
            latent = standard.new_zeros(standard.shape[:-1])
        else:
            latent = latent_logit.to(standard.dtype)
        hidden = torch.relu(self.inner(torch.cat([standard, latent.unsqueeze(-1) / 3], dim=-1)))
        hidden = dropout(hidden, self.dropout if self.training else 0.0, generator=generator)
        correction: Tensor = self.bias + standard @ self.alpha + self.outer(hidden).squeeze(-1)
        return correction if latent_logit is None else latent_logit + correction.to(latent_logit.dtype)
