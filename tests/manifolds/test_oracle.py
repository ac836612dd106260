"""The oracle against itself: two models of one space, written from two texts, must agree to all digits."""

import mpmath as mp
import pytest

from . import oracle
from .points import CURVATURES, directions


@pytest.mark.parametrize("c", CURVATURES)
def test_the_textbook_formulas_of_ball_and_hyperboloid_agree(c: float) -> None:
    c = mp.mpf(c)
    u, v, w = (oracle.exact(row) for row in directions(3, 3, seed=1))
    x, y = oracle.scale(mp.mpf("0.7") / mp.sqrt(c), u), oracle.scale(mp.mpf("-0.9") / mp.sqrt(c), v)
    w = oracle.scale(mp.mpf("0.1") / mp.sqrt(c), w)
    big_x, big_y = oracle.ball_to_lorentz(x, c), oracle.ball_to_lorentz(y, c)
    big_w = oracle.ball_tangent_to_lorentz(x, w, c)

    def same(first: oracle.Vector, second: oracle.Vector) -> bool:
        return oracle.norm(oracle.minus(first, second)) < mp.mpf(10) ** -80 * (1 + oracle.norm(first))

    assert abs(oracle.inner(big_x, big_w)) < mp.mpf(10) ** -80
    assert mp.almosteq(oracle.ball_dist(x, y, c), oracle.lorentz_dist(big_x, big_y, c), 1e-80)
    assert same(oracle.lorentz_to_ball(big_x, c), x)
    assert same(oracle.ball_to_lorentz(oracle.ball_exp(x, w, c), c), oracle.lorentz_exp(big_x, big_w, c))
    assert same(
        oracle.ball_tangent_to_lorentz(x, oracle.ball_log(x, y, c), c), oracle.lorentz_log(big_x, big_y, c)
    )
    assert same(
        oracle.ball_tangent_to_lorentz(y, oracle.ball_transp(x, y, w, c), c),
        oracle.lorentz_transp(big_x, big_y, big_w, c),
    )
    # x ⊕ y is the translation of y by x.
    assert same(oracle.ball_to_lorentz(oracle.mobius_add(x, y, c), c), oracle.boost(big_x, big_y, c))
    a, b = oracle.lorentz_radius(big_x, c), oracle.lorentz_radius(big_y, c)
    unit_x, unit_y = oracle.scale(1 / oracle.norm(x), x), oracle.scale(1 / oracle.norm(y), y)
    assert mp.almosteq(oracle.polar_dist(a, unit_x, b, unit_y, c), oracle.ball_dist(x, y, c), 1e-80)
    assert same(oracle.polar_to_lorentz(a, x, c), big_x)
