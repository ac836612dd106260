"""The picture of a run: what it chooses, what it says, and what it refuses."""

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from hypgraph.distributions import WrappedNormal
from hypgraph.exceptions import ConfigError, DataError
from hypgraph.manifolds import Euclidean, Lorentz, Manifold, PoincareBall, Polar
from hypgraph.viewer import draw_disk, save
from hypgraph.viewer.marks import CATEGORY_COLOURS
from hypgraph.viewer.run_figure import NodeData, draw_run
from tests.viewer.pictures import covered, find_lines, lines_of, only, picture, places, points_of, texts_of

F64 = torch.float64
STAR = NodeData(edges=[[0] * 9, list(range(1, 10))])


def scattered(count: int = 10, dim: int = 2, reach: float = 3.0, seed: int = 0) -> Polar:
    generator = torch.Generator().manual_seed(seed)
    radius = reach * torch.rand(count, dtype=F64, generator=generator)
    direction = torch.randn(count, dim, dtype=F64, generator=generator)
    return Polar(radius, direction / direction.norm(dim=-1, keepdim=True))


def draw(points: Polar, manifold: Manifold | None = None, **options: Any) -> Figure:
    manifold = manifold or PoincareBall(points.direction.shape[1])
    return draw_run(
        points, manifold, **{"title": "karate", "generator": torch.Generator().manual_seed(0), **options}
    )


def boundary(figure: Figure) -> bool:
    return any(line.get_label() == "boundary" for line in picture(figure).lines)


def values_of(figure: Figure) -> list[float]:
    """Of the points, in their order."""
    found = points_of(figure).get_array()
    assert found is not None
    return sorted(found.tolist())


def legend_of(figure: Figure) -> list[str]:
    legend = picture(figure).get_legend()
    assert legend is not None
    return [text.get_text() for text in legend.get_texts()]


def bar_of(figure: Figure) -> Axes:
    return only([child for child in picture(figure).child_axes if isinstance(child, Axes)])


@pytest.mark.parametrize("manifold", [PoincareBall(2, 1.4), Lorentz(2, 1.4)], ids=["poincare", "lorentz"])
def test_two_hyperbolic_dimensions_are_the_disk_as_it_is(manifold: Manifold) -> None:
    points = scattered()
    figure = draw(points, manifold, nodes=STAR)
    expected = draw_disk(points, c=1.4)
    assert np.allclose(sorted(places(figure).tolist()), sorted(places(expected).tolist()), atol=1e-15)
    assert boundary(figure)
    assert picture(figure).get_title() == "karate\nhyperbolic space, d = 2"
    assert len(lines_of(figure, "edges")) == 9
    assert texts_of(figure)[-1] == "c = 1.4   ·   circles: geodesic distance from the origin"


def test_a_projection_is_told_with_the_share_that_it_keeps_and_what_is_at_the_centre() -> None:
    figure = draw(scattered(60, 5), nodes=NodeData())
    words = " ".join(texts_of(figure)).replace("\n", " ")
    assert "projected from 5 dimensions along horospheres; " in words
    assert " % of the distances kept" in words
    assert "circles: geodesic distance from the medoid" in words
    assert "from the origin" not in words
    assert np.linalg.norm(places(figure), axis=-1).min() < 1e-12
    assert picture(figure).get_title().endswith("hyperbolic space, d = 5")


def test_flat_space_is_drawn_as_a_plane() -> None:
    points = scattered(20, 2)
    figure = draw(points, Euclidean(2))
    assert np.allclose(sorted(places(figure).tolist()), sorted(points.vector().tolist()))
    assert not boundary(figure)
    assert picture(figure).get_title() == "karate\nEuclidean space, d = 2"
    projected = draw(scattered(20, 4), Euclidean(4))
    assert "onto two principal axes" in " ".join(texts_of(projected))


def test_one_dimension_is_drawn_on_a_diameter() -> None:
    drawn = places(draw(scattered(10, 1)))
    assert np.allclose(drawn[:, 1], 0)
    assert np.ptp(drawn[:, 0]) > 0.5


def test_nodes_on_the_rim_are_spread_and_the_picture_says_so() -> None:
    far = scattered(11, reach=36.0)
    assert "not the Poincaré disk" in texts_of(draw(far))[-1]
    assert "angles spread" in texts_of(draw(far))[-1]
    assert not boundary(draw(far))
    for options in ({"layout": "disk"}, {"zoom": "fit"}):
        assert "not the Poincaré disk" not in " ".join(texts_of(draw(far, **options)))
    assert boundary(draw(far, PoincareBall(2, 0.01)))  # √c·radius is 3.6 at most
    few = scattered(11)
    few.radius[:5] = 36.0
    assert boundary(draw(few))


def test_linear_keeps_the_angles() -> None:
    points = scattered(10, reach=36.0)
    figure = draw(points, layout="linear")
    expected = points.vector().numpy() / float(points.radius.max())
    assert np.allclose(sorted(places(figure).tolist()), sorted(expected.tolist()))
    assert "angles spread" not in texts_of(figure)[-1]


def test_zoom_shows_the_part_where_something_is() -> None:
    points = Polar(torch.tensor([2.0, 2.2], dtype=F64), torch.tensor([[1.0, 0.0], [0.96, 0.28]], dtype=F64))
    low, high = picture(draw(points, zoom="fit")).get_xlim()
    assert high - low < 1


def test_colours_come_from_what_is_known_first() -> None:
    points = scattered()
    everything = {"labels": [0, 1] * 5, "label_names": ("a", "b"), "depth": list(range(10)), "edges": STAR.edges}
    assert legend_of(draw(points, nodes=NodeData(**everything))) == ["a", "b"]
    without = {key: value for key, value in everything.items() if "label" not in key}
    assert bar_of(draw(points, nodes=NodeData(**without))).get_ylabel() == "depth (hops)"
    assert bar_of(draw(points, nodes=STAR)).get_ylabel() == "degree"
    assert points_of(draw(points)).get_array() is None
    assert points_of(draw(points, nodes=STAR, colour="none")).get_array() is None


def test_degree_is_on_a_logarithmic_scale_with_numbers_at_the_bar() -> None:
    figure = draw(scattered(), nodes=STAR, colour="degree")
    assert np.allclose(values_of(figure), sorted([1.0] * 9 + [math.log2(10)]))
    bar = bar_of(figure)
    words = {text.get_text(): place for text, place in zip(bar.get_yticklabels(), bar.get_yticks(), strict=True)}
    assert list(words) == ["1", "2", "5"]
    assert all(place == pytest.approx(math.log2(1 + int(word))) for word, place in words.items())


def test_degree_counts_each_pair_once_and_no_loops() -> None:
    nodes = NodeData(edges=[[0, 1, 2, 2], [1, 0, 2, 0]])
    assert np.allclose(values_of(draw(scattered(3), nodes=nodes, colour="degree")), [1, 1, math.log2(3)])


def test_radius_is_that_of_the_whole_space() -> None:
    points = scattered(30, 4)
    figure = draw(points, colour="radius")
    assert np.allclose(values_of(figure), points.radius.sort().values.numpy())
    assert bar_of(figure).get_ylabel() == "distance from the origin"


def test_scale_is_the_geometric_mean_of_the_directions() -> None:
    scale = np.stack([np.arange(1, 11), 4.0 * np.arange(1, 11)], axis=1)
    figure = draw(scattered(), nodes=NodeData(scale=scale), colour="scale")
    assert np.allclose(values_of(figure), 2 * np.arange(1, 11))
    assert bar_of(figure).get_ylabel() == "scale (geometric mean)"
    isotropic = draw(scattered(), nodes=NodeData(scale=np.ones((10, 2))), colour="scale")
    assert bar_of(isotropic).get_ylabel() == "scale"


def test_the_most_frequent_labels_have_colours_and_the_others_are_one() -> None:
    labels = np.concatenate([np.repeat(np.arange(12), 12 - np.arange(12)), [-1, -1]])
    names = tuple("abcdefghijkl")
    figure = draw(scattered(len(labels)), nodes=NodeData(labels=labels, label_names=names))
    assert legend_of(figure) == [*"abcdefgh", "other", "unknown"]
    counts = np.bincount(np.array(values_of(figure), dtype=int))
    assert counts.tolist() == [12, 11, 10, 9, 8, 7, 6, 5, 4 + 3 + 2 + 1, 2]
    assert len(legend_of(figure)) == len(CATEGORY_COLOURS)


def test_ten_labels_all_have_colours_and_rare_ones_keep_their_order() -> None:
    labels = np.repeat(np.arange(10), np.arange(10, 0, -1))
    figure = draw(scattered(len(labels)), nodes=NodeData(labels=labels, label_names=tuple("abcdefghij")))
    assert legend_of(figure) == [*"abcdefghij"]
    labels = np.array([5, 3, 3])
    figure = draw(scattered(3), nodes=NodeData(labels=labels, label_names=tuple("abcdef")))
    assert legend_of(figure) == ["d", "f"]


def test_labels_without_names_are_levels() -> None:
    figure = draw(scattered(), nodes=NodeData(labels=np.arange(10) % 4))
    assert values_of(figure) == sorted(np.arange(10) % 4)
    assert bar_of(figure).get_ylabel() == "label"
    partly = draw(scattered(), nodes=NodeData(labels=[0, 1, -1, 1, 0, 1, 1, 1, 1, 1]))
    assert legend_of(partly) == ["0", "1", "unknown"]


def test_many_edges_are_left_out_and_the_picture_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "edges not drawn" not in " ".join(texts_of(draw(scattered(), nodes=STAR)))
    monkeypatch.setattr("hypgraph.viewer.run_figure._MOST_EDGES", 8)
    figure = draw(scattered(), nodes=STAR)
    assert find_lines(figure, "edges") == []
    assert "9 edges not drawn" in texts_of(figure)
    assert len(lines_of(draw(scattered(), nodes=STAR, show_edges=True), "edges")) == 9
    assert find_lines(draw(scattered(), nodes=STAR, show_edges=False), "edges") == []


def test_more_edges_are_fainter() -> None:
    chain = NodeData(edges=np.stack([np.arange(2999), np.arange(1, 3000)]))
    few, many = (
        only(find_lines(draw(scattered(count), nodes=nodes), "edges")).get_alpha()
        for count, nodes in ((10, STAR), (3000, chain))
    )
    assert few is not None
    assert many is not None
    assert 0.2 < many < 0.5 < few


def test_posteriors_are_drawn_in_two_dimensions() -> None:
    points, ball = scattered(), PoincareBall(2)
    posteriors = WrappedNormal(points, torch.full((10, 1), 0.3, dtype=F64), ball)
    assert len(lines_of(draw(points, posteriors=posteriors), "posteriors")) == 10
    assert len(lines_of(draw(points, posteriors=posteriors, layout="linear"), "posteriors")) == 10
    with pytest.raises(ConfigError, match="two dimensions only, this embedding has 3"):
        draw(scattered(10, 3), posteriors=posteriors)


@pytest.mark.parametrize("size", [3.3, 6.0])
@pytest.mark.parametrize("layout", ["disk", "spread"])
def test_nothing_is_cut_off_and_no_words_lie_on_others(size: float, layout: str) -> None:
    labels = NodeData(labels=np.arange(60) % 3, label_names=("a long name of a label", "b", "c"))
    figure = draw(scattered(60, 5), nodes=labels, size=size, layout=layout, title="a title that is rather long")
    box, width, height = covered(figure)
    assert box.x0 >= 0
    assert box.y0 >= 0
    assert box.x1 <= width + 1e-6
    assert box.y1 <= height + 1e-6
    below = [text for text in picture(figure).texts if not text.get_text().replace(".", "").isdigit()]
    first, second = (text.get_window_extent() for text in below)
    assert second.y1 <= first.y0


def test_the_same_run_gives_the_same_file(tmp_path: Path) -> None:
    for name in ("a.svg", "b.svg"):
        save(draw(scattered(40, 4), nodes=NodeData(labels=np.arange(40) % 3)), tmp_path / name)
    assert (tmp_path / "a.svg").read_bytes() == (tmp_path / "b.svg").read_bytes()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"colour": "lable"}, "unknown colour 'lable'; did you mean 'label'?"),
        ({"layout": "discs"}, "unknown layout 'discs'; did you mean 'disk'?"),
        ({"zoom": "fitt"}, "unknown zoom 'fitt'; did you mean 'fit'?"),
        ({"colour": "label"}, "colour = 'label': there are no labels here; choose degree, radius, none"),
        ({"colour": "depth"}, "colour = 'depth': there are no depths here"),
        ({"colour": "scale"}, "colour = 'scale': there are no scales here"),
        ({"colour": "degree", "nodes": None}, "colour = 'degree': there are no edges here; choose radius, none"),
        ({"layout": "spread", "zoom": "fit"}, "zoom = 'fit' shows a part of the Poincaré disk"),
        ({"size": 0.1}, "size must be from 1 to 50 inches"),
        ({"colour": "scale", "nodes": NodeData(scale=np.zeros((10, 2)))}, "has points and no posteriors"),
    ],
)
def test_what_is_not_allowed_is_refused_with_what_is(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError) as error:
        draw(scattered(), **{"nodes": STAR, **options})
    assert message in str(error.value)


def test_data_of_another_graph_are_refused() -> None:
    with pytest.raises(DataError, match=r"values must have shape \[10\]"):
        draw(scattered(), nodes=NodeData(depth=[1, 2]))
    with pytest.raises(DataError, match="edges name point 10"):
        draw(scattered(), nodes=NodeData(edges=[[0], [10]]))
