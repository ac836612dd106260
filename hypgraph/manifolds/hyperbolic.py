"""What the models of hyperbolic space share: all that polar coordinates express."""

import math
from abc import abstractmethod
from collections.abc import Callable

import torch
from torch import Tensor
from typing_extensions import override

from hypgraph.exceptions import ConfigError
from hypgraph.manifolds.base import Conformal, Manifold
from hypgraph.manifolds.functional import ball, lorentz, polar
from hypgraph.manifolds.functional.elementary import asinh, log_sinhc, scaled_asinh
from hypgraph.manifolds.functional.polar import Polar

__all__ = ["Hyperbolic"]


class Hyperbolic(Manifold):
    """Hyperbolic space of sectional curvature -c; its subclasses choose the coordinates.

    Args:
        dim: the intrinsic dimension.
        c: a positive number; or a tensor without axes, which is kept as it is; or what gives such a tensor when it
            is called, like :class:`hypgraph.nn.Curvature`, and is asked each time that c is needed.

    Raises:
        ConfigError: if ``c`` is a number that is not positive and finite, or a tensor with axes.
    """

    def __init__(self, dim: int, c: float | Tensor | Callable[[], Tensor] = 1.0) -> None:
        super().__init__(dim)
        if callable(c):
            self.curvature = c
        self._c = c if isinstance(c, Tensor) or callable(c) else float(c)
        c = self.c
        if isinstance(c, Tensor):
            if c.dim() != 0:
                raise ConfigError(f"c must be a number or a tensor without axes, got shape {tuple(c.shape)}")
        elif not (math.isfinite(c) and c > 0):
            raise ConfigError(
                f"c must be a positive finite number (the curvature is -c), got {c}; "
                "for flat space take the Euclidean latent"
            )

    @override
    def with_dim(self, dim: int) -> "Hyperbolic":
        return type(self)(dim, self._c)

    @property
    @override
    def c(self) -> float | Tensor:
        return self._c() if callable(self._c) else self._c

    @override
    def dist_polar(self, x: Polar, y: Polar) -> Tensor:
        return polar.dist_polar(x, y, c=self.c)

    @override
    def translate_polar(self, x: Polar, y: Polar) -> Polar:
        return polar.translate_polar(x, y, c=self.c)

    @override
    def gyration_polar(self, x: Polar, y: Polar, v: Tensor) -> Tensor:
        return polar.gyration_polar(x, y, v, c=self.c)

    @override
    def max_radius(self, dtype: torch.dtype) -> float | Tensor:
        # The hyperboloid holds more, but decoders compare points of both models in ball coordinates.
        return ball.max_radius(dtype, c=self.c)

    @override
    def logdetexp(self, radius: Tensor) -> Tensor:
        return (self.dim - 1) * log_sinhc(self.c**0.5 * radius)

    @abstractmethod
    def _hyperboloid(self, x: Tensor) -> Tensor:
        """Points on the hyperboloid of curvature -1: cosh(√c r), then sinh(√c r) times the unit direction."""

    @override
    def dist_to_gyroplanes(
        self,
        x: Tensor | Polar,
        normals: Tensor,
        offsets: Tensor,
        *,
        factor: Tensor | None = None,
        shift: Tensor | None = None,
        dtype: torch.dtype | None = None,
    ) -> Tensor:
        sqrt_c = self.c**0.5
        offset = (sqrt_c * offsets).unsqueeze(-1)
        weight = torch.cat([-torch.sinh(offset), torch.cosh(offset) * normals], dim=-1)
        point = lorentz.unit_sheet(x, c=self.c) if isinstance(x, Polar) else self._hyperboloid(x)
        product = point @ weight.mT
        if factor is None and shift is None and dtype in (None, product.dtype):
            distances = asinh(product)
            return distances if isinstance(sqrt_c, float) and sqrt_c == 1.0 else distances / sqrt_c
        scale = torch.ones_like(offsets) if factor is None else factor
        shift = torch.zeros_like(offsets) if shift is None else shift
        if offsets.dim() > 1:  # the points' axis comes before K
            scale, shift = scale.unsqueeze(-2), shift.unsqueeze(-2)
        return scaled_asinh(product, scale / sqrt_c, shift, dtype=dtype)

    @override
    def conformal(self, x: Tensor | Polar) -> Conformal:
        if isinstance(x, Polar):
            gap = torch.cosh(self.c**0.5 / 2 * x.radius).square().reciprocal()
            return Conformal(ball.from_polar(x, c=self.c), gap)
        return self._conformal(x)

    @abstractmethod
    def _conformal(self, x: Tensor) -> Conformal:
        """:meth:`conformal` of coordinates."""

    @override
    def conformal_dist(self, square: Tensor, gaps: Tensor) -> Tensor:
        return 2 / self.c**0.5 * asinh((self.c * square).sqrt() / gaps.sqrt())
