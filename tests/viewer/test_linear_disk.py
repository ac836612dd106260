"""The picture with radii as long as they are: geodesics at any radius, places, spread angles and words."""

import math

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from hypgraph.distributions import WrappedNormal
from hypgraph.exceptions import ConfigError, DataError
from hypgraph.manifolds import PoincareBall, Polar
from hypgraph.viewer.linear_disk import draw_linear_disk, polar_geodesics
from tests.viewer.pictures import covered, lines_of, picture, places, texts_of

F64 = torch.float64


def at(radii: list[float], angles: list[float]) -> Polar:
    angle = torch.tensor(angles, dtype=F64)
    return Polar(torch.tensor(radii, dtype=F64), torch.stack([angle.cos(), angle.sin()], -1))


def scattered(count: int, reach: float, seed: int = 0) -> Polar:
    generator = torch.Generator().manual_seed(seed)
    radius, angle = torch.rand(2, count, dtype=F64, generator=generator)
    return at((reach * radius).tolist(), (2 * math.pi * angle).tolist())


def angles_of(drawn: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.arctan2(drawn[:, 1], drawn[:, 0])


@pytest.mark.parametrize("c", [0.5, 1.0, 1.4])
@pytest.mark.parametrize("reach", [0.1, 4.0, 15.0, 36.0])
def test_all_points_of_a_geodesic_lie_between_its_ends(reach: float, c: float) -> None:
    x, y = scattered(30, reach / c**0.5, seed=1), scattered(30, reach / c**0.5, seed=2)
    ball = PoincareBall(2, c)
    path = polar_geodesics(x, y, c=c, n=25)
    ends = [Polar(end.radius[:, None], end.direction[:, None]) for end in (x, y)]
    to_x, to_y = (ball.dist_polar(path, end) for end in ends)
    whole = ball.dist_polar(x, y)[:, None]
    # A direction is rounded to 1e-16, which moves a point at the radius r by 1e-16 sinh r.
    allowed = 1e-9 + 1e-15 * torch.exp(c**0.5 * path.radius)
    assert ((to_x + to_y - whole).abs() <= allowed).all()
    assert (to_x.diff(dim=1) > -1e-6).all()
    assert torch.equal(path.radius[:, [0, -1]], torch.stack([x.radius, y.radius], 1))
    assert torch.equal(path.direction[:, 0], x.direction)
    assert torch.equal(path.direction[:, -1], y.direction)


def test_far_out_a_geodesic_along_a_ray_keeps_to_it() -> None:
    path = polar_geodesics(at([15.0, 36.0], [1.0, 1.0]), at([36.0, 30.0], [1.0, 1.0]), c=1.4, n=33)
    assert torch.allclose(path.direction, path.direction[:, :1].expand_as(path.direction), atol=1e-15)
    ends = path.radius[:, [0, -1]]
    to_x, to_y = ((path.radius - end.unsqueeze(-1)).abs() for end in ends.T)
    assert torch.allclose(to_x + to_y, (ends[:, 1] - ends[:, 0]).abs().unsqueeze(-1).expand_as(to_x), atol=1e-9)
    assert (to_x.diff(dim=1) >= 0).all()
    # one is 15 from the origin at least, where the next point is not far
    assert to_x[0, 1] < 3


@pytest.mark.parametrize("radius", [1.0, 10.0, 36.0])
@pytest.mark.parametrize("apart", [3.0, 1.0, 1e-3, 1e-6])
def test_a_geodesic_turns_where_the_right_triangle_says(radius: float, apart: float) -> None:
    # tanh of the least radius is tanh r cos(φ/2), here as 1 - tanh so that far out nothing cancels
    path = polar_geodesics(at([radius], [0.0]), at([radius], [apart]), c=1.0, n=101)
    rest = 2 / (math.exp(2 * radius) + 1)
    gap = rest + (1 - rest) * 2 * math.sin(apart / 4) ** 2
    expected = 0.5 * math.log((2 - gap) / gap)
    assert float(path.radius.min()) == pytest.approx(expected, abs=1e-6)
    assert path.radius[0, 50] == path.radius.min() or apart < 1e-3


def test_few_points_are_as_good_as_many() -> None:
    x, y = scattered(40, 36.0, seed=3), scattered(40, 36.0, seed=4)
    coarse, fine = (polar_geodesics(x, y, c=1.0, n=n).vector() for n in (49, 1537))
    start, step = coarse[:, :-1, None], coarse.diff(dim=1)[:, :, None]
    offset = fine[:, None] - start
    share = ((offset * step).sum(-1) / step.square().sum(-1).clamp(min=1e-30)).clamp(0, 1)
    distance = (offset - share.unsqueeze(-1) * step).norm(dim=-1).amin(1)
    assert distance.max() < 0.01 * 36


def test_geodesics_that_are_points_or_pass_the_origin_are_finite() -> None:
    x = at([0.0, 2.0, 2.0, 0.0, 36.0], [0.0, 1.0, 1.0, 0.0, 0.0])
    y = at([0.0, 2.0, 3.0, 5.0, 36.0], [0.0, 1.0, 1.0 + math.pi, 2.0, math.pi])
    x = Polar(x.radius, x.direction * (x.radius > 0).unsqueeze(-1))
    y = Polar(y.radius, y.direction * (y.radius > 0).unsqueeze(-1))
    path = polar_geodesics(x, y, c=1.0, n=9)
    assert torch.isfinite(path.vector()).all()
    assert path.radius[0].max() == 0
    assert torch.allclose(path.radius[1], torch.full((9,), 2.0, dtype=F64))
    assert path.radius[2].min() < 1
    assert path.radius[4].min() < 1e-6
    far = polar_geodesics(scattered(5, 300.0, seed=1), scattered(5, 300.0, seed=2), c=1.0, n=9)
    assert torch.isfinite(far.vector()).all()


def test_a_radius_is_drawn_as_long_as_it_is() -> None:
    points = at([9.0, 18.0, 36.0], [0.0, 1.0, 2.0])
    drawn = places(draw_linear_disk(points, c=1.4))
    expected = points.vector().numpy() / 36
    assert np.allclose(sorted(drawn.tolist()), sorted(expected.tolist()), atol=1e-15)


def test_edges_are_the_geodesics_under_the_same_map() -> None:
    points = at([2.0, 3.0, 3.0], [0.0, 2.0, 4.0])
    lines = lines_of(draw_linear_disk(points, edges=[[0, 1], [1, 2]]), "edges")
    ball = PoincareBall(2)
    for line, (u, v) in zip(lines, ((0, 1), (1, 2)), strict=True):
        path = Polar.of(torch.from_numpy(3 * line))
        x, y = (Polar(points.radius[k], points.direction[k]) for k in (u, v))
        assert torch.allclose(
            ball.dist_polar(x, path) + ball.dist_polar(path, y), ball.dist_polar(x, y), atol=1e-12
        )


@pytest.mark.parametrize(
    ("farthest", "expected"), [(36.0, [10, 20, 30]), (6.0, [1, 2, 3, 4, 5, 6]), (0.9, [0.2, 0.4, 0.6, 0.8])]
)
def test_circles_carry_their_geodesic_radius(farthest: float, expected: list[float]) -> None:
    figure = draw_linear_disk(at([farthest, 0.3 * farthest], [0.0, 1.0]))
    drawn = np.linalg.norm(lines_of(figure, "circles"), axis=-1)
    steps = np.diff([0, *drawn[:, 0] * farthest])
    assert np.allclose(steps, steps[0])
    assert 3 <= len(drawn) <= 7
    labels = {text.get_text(): np.hypot(*text.get_position()) for text in picture(figure).texts[:-1]}
    assert len(labels) >= 3
    for word, place in labels.items():
        assert place * farthest == pytest.approx(float(word), abs=1e-9)
    assert set(map(float, labels)) >= {float(value) for value in expected} & set(map(float, labels))


def test_the_words_say_that_it_is_not_the_disk() -> None:
    words = texts_of(draw_linear_disk(at([30.0, 20.0], [0.0, 1.0]), c=1.4, about="the medoid"))[-1]
    assert words.splitlines() == [
        "c = 1.4   ·   circles: geodesic distance from the medoid",
        "radii drawn as long as they are: not the Poincaré disk",
    ]
    words = texts_of(draw_linear_disk(at([30.0, 20.0], [0.0, 1.0]), spread=True))[-1]
    assert "radii drawn as long as they are, angles spread in their order: not the Poincaré disk" in words


def test_spread_angles_keep_their_order_and_are_equally_far_apart() -> None:
    angles = [0.1, 0.1 + 1e-12, 0.1 + 2e-12, 3.0, 3.1, 6.2]
    points = at([20.0, 30.0, 20.0, 5.0, 36.0, 9.0], angles)
    figure = draw_linear_disk(points, spread=True, values=[5, 4, 3, 2, 1, 0])  # the largest value is drawn first
    drawn = places(figure)
    assert np.allclose(np.linalg.norm(drawn, axis=-1) * 36, points.radius.numpy())
    turns = np.diff(angles_of(drawn)) % (2 * math.pi)
    assert np.allclose(turns, 2 * math.pi / 6)


def test_inner_nodes_take_a_twentieth_of_the_room_of_leaves() -> None:
    figure = draw_linear_disk(
        at([20.0] * 3, [0.1, 0.2, 0.3]), edges=[[0, 1], [1, 2]], spread=True, values=[2, 1, 0]
    )
    turns = np.diff(angles_of(places(figure))) % (2 * math.pi)
    assert np.allclose(turns, 2 * math.pi * 0.525 / 2.05)


def far_tree(depth: int) -> tuple[Polar, torch.Tensor]:
    """A binary tree whose angles halve in distance tenfold a level, 4 a level, by hand."""
    radii, angles, edges = [0.0], [0.0], []
    for child in range(1, 2 ** (depth + 1) - 1):
        parent = (child - 1) // 2
        level = int(math.log2(child + 1))
        edges.append((parent, child))
        radii.append(4.0 * level)
        angles.append(angles[parent] + (1 if child % 2 else -1) * math.pi / 2 * 0.1 ** (level - 1))
    return at(radii, angles), torch.tensor(edges).T


def test_leaves_of_a_tree_are_equally_far_apart_and_its_branches_do_not_cross() -> None:
    points, edges = far_tree(5)
    figure = draw_linear_disk(points, edges=edges, spread=True, values=-np.arange(63))  # drawn in order
    drawn = places(figure)
    assert np.allclose(np.linalg.norm(drawn, axis=-1) * 20, points.radius.numpy(), atol=1e-12)
    leaves = np.sort(angles_of(drawn[31:]) % (2 * math.pi))
    gaps = np.diff(leaves, append=leaves[0] + 2 * math.pi)
    assert gaps.max() < 1.3 * gaps.min()
    for parent in range(15, 31):  # each above its two children
        turn = (angles_of(drawn[[2 * parent + 1, parent, 2 * parent + 2]]) - angles_of(drawn[[parent]])) % (
            2 * math.pi
        )
        turn = np.where(turn > math.pi, turn - 2 * math.pi, turn)
        assert turn[0] * turn[2] < 0


def test_spread_edges_end_at_their_points() -> None:
    points, edges = far_tree(4)
    figure = draw_linear_disk(points, edges=edges, spread=True, values=-np.arange(31))
    drawn, lines = places(figure), lines_of(figure, "edges")
    assert np.allclose(lines[:, 0], drawn[edges[0]], atol=1e-9)
    assert np.allclose(lines[:, -1], drawn[edges[1]], atol=1e-9)


@pytest.mark.parametrize("spread", [False, True])
def test_nodes_at_the_origin_or_in_one_direction_or_none_are_drawn(spread: bool) -> None:
    origin = Polar(torch.zeros(3, dtype=F64), torch.zeros(3, 2, dtype=F64))
    assert np.allclose(places(draw_linear_disk(origin, edges=[[0], [1]], spread=spread)), 0)
    ray = at([1.0, 2.0, 4.0], [1.0, 1.0, 1.0])
    assert np.allclose(np.linalg.norm(places(draw_linear_disk(ray, spread=spread)), axis=-1).max(), 1)
    none = Polar(torch.zeros(0, dtype=F64), torch.zeros(0, 2, dtype=F64))
    assert len(places(draw_linear_disk(none, spread=spread))) == 0


def test_curves_of_posteriors_lie_about_their_points() -> None:
    ball = PoincareBall(2)
    points = at([3.0, 6.0], [0.0, 2.0])
    posteriors = WrappedNormal(points, torch.full((2, 1), 0.4, dtype=F64), ball)
    figure = draw_linear_disk(points, posteriors=posteriors)
    farthest = 6 / np.linalg.norm(places(figure), axis=-1).max()
    for k, curve in enumerate(lines_of(figure, "posteriors")):
        path = Polar.of(torch.from_numpy(curve * farthest))
        length = ball.dist_polar(Polar(points.radius[k], points.direction[k]), path)
        assert torch.allclose(length, torch.full_like(length, 0.4 * math.sqrt(2 * math.log(2))), atol=1e-9)
    assert "curves: half of each posterior's mass" in texts_of(figure)[-1]


def test_nothing_is_cut_off() -> None:
    figure = draw_linear_disk(scattered(50, 36.0), values=range(50), value_label="depth", title="a title", size=3)
    box, width, height = covered(figure)
    assert box.x0 >= 0
    assert box.y0 >= 0
    assert box.x1 <= width
    assert box.y1 <= height


def test_what_cannot_be_drawn_is_refused() -> None:
    with pytest.raises(DataError, match=r"points.direction must have shape \[N, 2\], got \[1, 3\]"):
        draw_linear_disk(Polar(torch.ones(1), torch.tensor([[1.0, 0.0, 0.0]])))
    with pytest.raises(ConfigError, match="c must be a positive finite number"):
        draw_linear_disk(at([1.0], [0.0]), c=0.0)
    with pytest.raises(ConfigError, match="size must be from 1 to 50"):
        draw_linear_disk(at([1.0], [0.0]), size=0.5)
