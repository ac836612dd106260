"""The layout "spread out" in a real browser: true radii, angles in their order, and the same space beneath."""

import math
import xml.etree.ElementTree as ElementTree
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from hypgraph.manifolds import Polar
from hypgraph.viewer.linear_disk import polar_geodesics
from hypgraph.viewer.page import PageContents
from tests.viewer.browser.pages import (
    Browser,
    contents,
    distance_error,
    distances,
    middle,
    on_screen,
    polar,
    random_pairs,
)

SVG = "{http://www.w3.org/2000/svg}"
ENTER, HOME = "\ue007", "\ue011"


def wide_tree(groups: int = 5, leaves: int = 100) -> PageContents:
    """A root, its children at radius 10, and at 36 the children of these, in data that tell all of them apart."""
    at = 2 * np.pi * np.arange(groups) / groups + 0.3
    apart = (np.arange(leaves) - leaves / 2) * 3e-6
    angle = np.concatenate([[0.0], at, (at[:, None] + apart).ravel()])
    radius = np.repeat([0.0, 10.0, 36.0], [1, groups, groups * leaves])
    children = np.arange(groups * leaves)
    edges = np.stack(
        [np.concatenate([np.zeros(groups), 1 + children // leaves]), np.arange(1, 1 + groups * (leaves + 1))]
    )
    return PageContents(
        radius=radius,
        direction=np.stack([np.cos(angle), np.sin(angle)], axis=1),
        c=1.0,
        ids=[f"node {k}" for k in range(len(radius))],
        edges=edges.astype(np.int64),
    )


def cyclic(order: NDArray[Any], first: int) -> list[int]:
    """The same order around a circle, beginning with ``first``."""
    return [int(node) for node in np.roll(order, -int(np.flatnonzero(order == first)[0]))]


def near_distance_error(browser: Browser, page: PageContents) -> float:
    """Of the pairs whose geodesic passes within 12 of the middle: directions have no more digits."""
    pairs, shown = random_pairs(len(page.radius)), browser.shown()
    expected = distances(polar(page.radius, page.direction), pairs, page.c)
    past = (shown.radius.numpy()[pairs].sum(axis=1) - expected) / 2 < 12
    assert past.sum() > 20
    error: NDArray[np.float64] = np.abs(distances(shown, pairs, page.c) - expected) / expected
    return float(error[past].max())


def layout(browser: Browser) -> str:
    return str(browser.state()["layout"])


def test_the_toggle_moves_the_picture_and_nothing_else(browser: Browser) -> None:
    browser.complaints()
    browser.open(contents())
    before, shown, away = on_screen(browser, 60), browser.shown(), browser.run("return hypgraph.distance(3, 9)")
    assert browser.run("return document.getElementById('layout-note').hidden")
    browser.press("l")
    assert layout(browser) == "spread"
    assert "Not the Poincaré disk" in browser.text("#layout-note")
    assert not browser.run("return document.getElementById('layout-note').hidden")
    assert browser.run("return document.querySelector('[name=layout]:checked').value") == "spread"
    assert float(np.abs(on_screen(browser, 60) - before)[1:].min()) > 0.5
    torch.testing.assert_close(browser.shown(), shown, rtol=0, atol=0)
    assert browser.run("return hypgraph.distance(3, 9)") == away
    browser.click("#layout-disk")
    assert layout(browser) == "disk"
    np.testing.assert_array_equal(on_screen(browser, 60), before)
    assert browser.complaints() == []


@pytest.mark.parametrize(("farthest", "c"), [(36.0, 1.0), (5.0, 2.5)])
def test_distances_from_the_middle_are_true_and_angles_keep_their_order(
    browser: Browser, farthest: float, c: float
) -> None:
    page = contents(120, farthest=farthest, c=c, layout="spread")
    browser.open(page)
    for _ in range(2):
        shown, places = browser.shown(), on_screen(browser, 120)
        radius = shown.radius.numpy()
        unit = (min(middle(browser)) - 14) / radius.max()
        np.testing.assert_allclose(np.abs(places), unit * radius, rtol=1e-6, atol=1e-6)
        direction = shown.direction.numpy()
        order = np.argsort(np.arctan2(direction[:, 1], direction[:, 0]))
        _, first, same = np.unique(direction, axis=0, return_index=True, return_counts=True)
        apart = np.isin(order, first[same == 1]) & (
            radius[order] > 0
        )  # equal directions have an order of their own
        assert apart.sum() > 60
        drawn = np.argsort(np.angle(places))
        kept = order[apart]
        assert cyclic(drawn[np.isin(drawn, kept)], kept[0]) == kept.tolist()
        browser.run("hypgraph.centre(7)")
        browser.settle()
        assert np.abs(on_screen(browser, 8))[7] < 1e-9


def test_500_leaves_have_room_and_keep_their_order_from_wherever_they_are_seen(browser: Browser) -> None:
    page = wide_tree()
    browser.open(page)
    assert layout(browser) == "spread"
    home = on_screen(browser, 506)
    for node in (-1, 0, 250, 505):
        if node >= 0:
            browser.run("hypgraph.centre(arguments[0])", node)
            browser.settle()
        places = on_screen(browser, 506)
        leaves = np.array([k for k in range(6, 506) if k != node])
        angle = np.sort(np.angle(places[leaves]))
        gaps = np.diff(angle, append=angle[0] + 2 * np.pi)
        assert gaps.min() > 0.5 * 2 * np.pi / 500
        pixels = np.abs(places[leaves][:, None] - places[leaves][None]) + 1e9 * np.eye(len(leaves))
        if node <= 0:
            assert pixels.min() > 0.5 * 2 * np.pi * (min(middle(browser)) - 14) / 500
        assert pixels.min() > 0.1
        turned = np.angle(places[leaves] / home[leaves])
        assert np.abs(turned).max() < 0.1, "the picture does not spin"
        # An isometry keeps the order around the boundary, where the leaves are.
        assert cyclic(leaves[np.argsort(np.angle(places[leaves]))], leaves[0]) == leaves.tolist()


def test_search_and_double_click_centre_and_home_returns(browser: Browser) -> None:
    browser.open(wide_tree())
    before = on_screen(browser, 506)
    browser.press("/")
    browser.press(*"node 303", ENTER)
    assert browser.state()["selected"] == 303
    assert browser.position(303) == pytest.approx(middle(browser), abs=1e-9)
    browser.double_click(*browser.position(1))
    assert browser.position(1) == pytest.approx(middle(browser), abs=1e-9)
    browser.session.execute_script("document.activeElement.blur()")
    browser.press(HOME)
    np.testing.assert_allclose(on_screen(browser, 506), before, atol=1e-9)


def test_the_svg_has_a_path_an_edge_along_the_geodesic_at_even_angles(browser: Browser) -> None:
    """At each share of the angle the radius is that of the exact geodesic."""
    page = contents(layout="spread", held_out=None, found=None, predicted=None, probability=None)
    browser.open(page)
    picture = ElementTree.fromstring(browser.run("return hypgraph.svg()"))
    assert "Not the Poincaré disk" in "".join(picture.itertext())
    (group,) = (group for group in picture.iter(f"{SVG}g") if group.get("class") == "edges")
    pairs = {tuple(sorted(pair)) for pair in np.asarray(page.edges).T.tolist()}
    assert len(group) == len(pairs)
    places, shown = on_screen(browser, 60), browser.shown()
    unit, checked = (min(middle(browser)) - 14) / float(shown.radius.max()), 0
    for path in group:
        numbers = np.array(path.get("d", "").replace("M", " ").replace("L", " ").split(), dtype=float)
        line = numbers[::2] - 1j * numbers[1::2]
        i, j = (int(np.abs(places - end).argmin()) for end in (line[0], line[-1]))
        assert (min(i, j), max(i, j)) in pairs
        if min(float(shown.radius[i]), float(shown.radius[j])) < 1:
            continue
        ends = (Polar(shown.radius[k], shown.direction[k]) for k in (i, j))
        exact = polar_geodesics(*ends, c=1.0, n=4001)
        turn = np.unwrap(np.arctan2(*exact.direction.numpy().T[::-1]))
        angle = np.unwrap(np.angle(line))
        if abs(turn[-1] - turn[0]) < 0.05 or abs(angle[-1] - angle[0]) < 0.05:
            continue
        assert (angle[-1] - angle[0]) * (turn[-1] - turn[0]) > 0
        share, true = ((at - at[0]) / (at[-1] - at[0]) for at in (angle, turn))
        expected = np.interp(share, true, exact.radius.numpy())
        np.testing.assert_allclose(np.abs(line) / unit, expected, atol=0.03)
        checked += 1
    assert checked > 60


def test_the_two_renderers_draw_the_same_curves(browser: Browser) -> None:
    """By the painted pixels of squares of 12 pixels."""
    script = """
      const s = document.getElementById(hypgraph.state().renderer === 'webgl' ? 'gl' : 'flat');
      hypgraph.redraw();
      const c = document.createElement('canvas'), w = Math.floor(s.width / 12), h = Math.floor(s.height / 12);
      c.width = 12 * w; c.height = 12 * h;
      const t = c.getContext('2d', {willReadFrequently: true}); t.drawImage(s, 0, 0);
      const d = t.getImageData(0, 0, c.width, c.height).data, n = new Array(w * h).fill(0);
      for (let k = 3; k < d.length; k += 4) {
        const p = k >> 2, x = p % c.width, y = (p - x) / c.width;
        n[w * Math.floor(y / 12) + Math.floor(x / 12)] += d[k] > 20;
      }
      return n;"""
    for page in (wide_tree(), contents(layout="spread")):
        painted = []
        for query in ("", "?canvas"):
            browser.open(page, query=query)
            assert browser.state()["renderer"] == ("canvas" if query else "webgl")
            browser.run("hypgraph.centre(3)")
            browser.settle()
            painted.append(np.array(browser.run(script), dtype=float))
        assert painted[0].sum() == pytest.approx(painted[1].sum(), rel=0.1)
        assert np.corrcoef(painted[0], painted[1])[0, 1] > 0.97


@pytest.mark.parametrize(("farthest", "node"), [(36.0, 8), (5.0, -1)])
def test_drags_move_the_space_and_keep_its_distances(browser: Browser, farthest: float, node: int) -> None:
    page = contents(200, farthest=farthest, layout="spread")
    browser.open(page)
    x, y = middle(browser)
    places = on_screen(browser, 200)
    grid = [complex(dx, dy) for dx in range(-200, 200, 8) for dy in range(-200, 200, 8)]
    empty = max(grid, key=lambda at: float(np.abs(places - at).min()))
    start = (x + empty.real, y - empty.imag) if node < 0 else browser.position(node)
    before = browser.shown()
    for end in ((x + 120.0, y - 80.0), (x - 60.0, y + 130.0)):
        browser.mouse("mousePressed", *start, button="left", clickCount=1)
        browser.mouse("mouseMoved", *end, button="left", buttons=1)
        if node >= 0:
            assert browser.position(node) == pytest.approx(end, abs=1.5)
        assert near_distance_error(browser, page) < 1e-9
        assert float(np.abs(on_screen(browser, 200) - places).max()) > 5
        if (
            node < 0 and float(before.radius[0]) == 0
        ):  # the middle moves along the ray, by what the mouse comes nearer
            pixels = math.dist(end, (x, y)) - math.dist(start, (x, y))
            unit = (min(x, y) - 14) / float(before.radius.max())
            assert abs(pixels) > 5
            assert browser.shown_radius()[0] == pytest.approx(abs(pixels) / unit, rel=1e-3)
        browser.mouse("mouseMoved", *start, button="left", buttons=1)
        torch.testing.assert_close(browser.shown().radius, before.radius, rtol=0, atol=1e-4)
        browser.mouse("mouseMoved", *end, button="left", buttons=1)
        browser.mouse("mouseReleased", *end, button="left", clickCount=1)
        browser.settle()
        farthest_place = np.abs(on_screen(browser, 200)).max()
        assert farthest_place == pytest.approx(min(x, y) - 14), "the farthest is at the rim again"
        places = on_screen(browser, 200)
        start, before = (end if node < 0 else browser.position(node)), browser.shown()


def test_a_small_step_of_the_space_is_a_small_step_of_the_picture(browser: Browser) -> None:
    browser.open(wide_tree())
    browser.run("hypgraph.centre(2)")
    browser.settle()
    x, y = middle(browser)
    browser.mouse("mousePressed", x + 20, y + 90, button="left", clickCount=1)
    browser.mouse("mouseMoved", x + 26, y + 90, button="left", buttons=1)
    steps = []
    for k in range(8):
        before = on_screen(browser, 506)
        browser.mouse("mouseMoved", x + 26 - k, y + 90 + k, button="left", buttons=1)
        steps.append(float(np.abs(on_screen(browser, 506) - before).max()))
    browser.mouse("mouseReleased", x + 20, y + 95, button="left", clickCount=1)
    browser.settle()
    assert 0 < max(steps) < 20


def test_the_wheel_magnifies_about_the_mouse_and_home_ends_it(browser: Browser) -> None:
    browser.open(wide_tree())
    before = on_screen(browser, 506)
    x, y = (round(at) for at in browser.position(300))
    held = browser.position(300)
    browser.mouse("mouseWheel", x, y, deltaX=0, deltaY=-240)
    browser.settle()
    zoom = browser.state()["zoom"]
    assert zoom > 1.3
    assert browser.position(300) == pytest.approx(held, abs=1)
    np.testing.assert_allclose(
        np.abs(np.diff(on_screen(browser, 506))), zoom * np.abs(np.diff(before)), rtol=1e-9, atol=1e-9
    )
    browser.press(HOME)
    np.testing.assert_allclose(on_screen(browser, 506), before, atol=1e-9)
    assert browser.state()["zoom"] == 1


def test_sigma_is_left_to_the_disk_and_other_lines_are_drawn(browser: Browser) -> None:
    browser.open(contents(layout="spread"))
    assert browser.run("return document.querySelector('[data-shows=scale]').disabled")
    browser.click("#layout-disk")
    browser.click("[data-shows=scale]")
    disk = browser.pixels()
    browser.click("#layout-spread")
    assert browser.pixels() < 0.8 * disk
    assert browser.run("return (hypgraph.svg().match(/<g class=/g) || []).length") == 3
    painted = browser.pixels()
    browser.click("[data-shows=predicted]")
    browser.click("[data-shows=missed]")
    assert browser.state()["links"] == ["edges", "found", "predicted"]
    browser.click("[data-shows=edges]")
    assert browser.pixels() < 0.8 * painted
    script = "const done = arguments[0]; hypgraph.png().then((blob) => done(blob.size))"
    assert browser.session.execute_async_script(script) > 10_000


def test_the_plane_has_one_layout(browser: Browser) -> None:
    browser.open(contents(c=0.0, layout="auto"))
    assert browser.run("return document.getElementById('layout').hidden")
    browser.press("l")
    assert layout(browser) == "disk"


@pytest.mark.parametrize("shape", ["disk", "spread"])
def test_the_first_node_is_in_the_middle_at_the_beginning_and_after_home(browser: Browser, shape: str) -> None:
    page = contents(60, farthest=8.0, first=17, layout=shape)
    browser.open(page)
    for _ in range(2):
        assert browser.shown_radius()[17] == 0.0
        assert browser.position(17) == pytest.approx(middle(browser), abs=1e-9)
        assert distance_error(browser, page) < 1e-9
        browser.run("hypgraph.centre(5)")
        browser.settle()
        assert browser.shown_radius()[17] > 1
        browser.press(HOME)
    assert math.isclose(browser.shown_radius()[17], 0.0)


@pytest.mark.parametrize("count", [0, 2])
def test_few_nodes_and_none_are_spread(browser: Browser, count: int) -> None:
    browser.complaints()
    page = PageContents(
        radius=np.arange(count) * 9.0,
        direction=np.tile([0.6, 0.8], (count, 1)),
        c=1.0,
        ids=["a", "b"][:count],
        layout="spread",
        edges=np.zeros((2, 0), dtype=int) if count < 2 else [[0], [1]],
    )
    browser.open(page)
    x, y = middle(browser)
    browser.drag((x + 3, y), (x + 80, y + 10))
    browser.press("c", "+", "l", "l", HOME)
    assert browser.complaints() == []
