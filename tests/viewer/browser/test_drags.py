"""Drags in a real browser: isometries, of all nodes, that neither drift nor lose what is far out."""

import math
import time

import numpy as np
import pytest
import torch

from hypgraph.manifolds import Polar
from tests.viewer.browser.pages import (
    Browser,
    contents,
    distance_error,
    distances,
    middle,
    on_disk,
    polar,
    random_pairs,
)


@pytest.mark.parametrize(("farthest", "c"), [(5.0, 1.0), (36.0, 1.0), (20.0, 2.5)])
def test_drags_keep_the_distances_of_100_pairs(browser: Browser, farthest: float, c: float) -> None:
    page = contents(300, farthest=farthest, c=c)
    browser.open(page)
    x, y = middle(browser)
    for start, end in [((x, y), (x + 150, y - 90)), ((x + 200, y), (x - 90, y + 120)), ((x, y + 80), (x - 40, y))]:
        before = browser.shown()
        browser.drag(start, end)
        assert float((browser.shown().radius - before.radius).abs().max()) > 0.1
        assert distance_error(browser, page) < 1e-9


def test_a_drag_moves_the_node_to_where_the_mouse_goes(browser: Browser) -> None:
    page = contents()
    browser.open(page)
    node = int(np.argmin(np.abs(np.asarray(page.radius) - 1.5)))
    x, y = middle(browser)
    browser.drag(browser.position(node), (x + 111, y + 47))
    assert browser.position(node) == pytest.approx((x + 111, y + 47), abs=1.5)
    assert distance_error(browser, page) < 1e-9


@pytest.mark.parametrize("node", [-1, 8, 5])
def test_a_drag_is_the_translation_along_the_geodesic(browser: Browser, node: int) -> None:
    """By Möbius transformations of complex numbers: the point goes to the origin, along, and back."""
    browser.open(contents(20, predicted=None, probability=None, farthest=3.0))
    x, y = middle(browser)
    scale, before = min(x, y) - 14, on_disk(browser, 20)
    start = (math.floor(x) - 150.0, math.floor(y) - 31.0) if node < 0 else browser.position(node)
    end = (math.floor(x) + 60.0, math.floor(y) - 90.0)
    if node < 0:
        assert min(math.dist(start, browser.position(k)) for k in range(20)) > 15
    browser.drag(start, end)
    z0, z1 = (complex(at[0] - x, y - at[1]) / scale for at in (start, end))
    along = (z1 - z0) / (1 - z0.conjugate() * z1)
    expected = before
    for shift in (-z0, along, z0):
        expected = (expected + shift) / (1 + shift.conjugate() * expected)
    np.testing.assert_allclose(on_disk(browser, 20), expected, atol=2e-6 if node >= 0 else 1e-12)


@pytest.mark.parametrize("node", [-1, 4])
def test_a_drag_there_and_back_leaves_the_view_as_it_was(browser: Browser, node: int) -> None:
    browser.open(contents())
    before = browser.shown()
    x, y = middle(browser)
    start = (math.floor(x) + 5, math.floor(y) + 100) if node < 0 else browser.position(node)
    browser.mouse("mousePressed", *start, button="left", clickCount=1)
    for at in [(x - 150, y), (x, y - 150), (x + 150, y), start]:
        browser.mouse("mouseMoved", *at, button="left", buttons=1)
    browser.mouse("mouseReleased", *start, button="left", clickCount=1)
    after = browser.shown()
    atol = 1e-12 if node < 0 else 1e-5  # the mouse of the test counts in parts of a pixel
    torch.testing.assert_close(after.radius, before.radius, rtol=0, atol=atol)
    torch.testing.assert_close(after.direction[1:], before.direction[1:], rtol=0, atol=atol)


def test_twelve_drags_in_a_row_do_not_drift(browser: Browser) -> None:
    page = contents(200, farthest=36.0)
    browser.open(page)
    x, y = middle(browser)
    for k in range(12):
        angle = 2 * math.pi * k / 12
        step = (80 * math.cos(angle), 80 * math.sin(angle))
        browser.drag((x, y), (x + step[0], y + step[1]), steps=1)
    assert distance_error(browser, page) < 1e-9


def test_around_a_node_at_radius_36_its_neighbourhood_is_exact(browser: Browser) -> None:
    """Siblings that float64 coordinates in the disk could not tell apart, centred and dragged."""
    apart = np.array([0.0, 3.0, 5.0, 8.0, -4.0]) * math.exp(-36)
    direction = np.stack([-np.sin(apart), np.cos(apart)], axis=1)  # sin keeps what is as small as this
    page = contents(60, farthest=30.0)
    radius, directions = np.array(page.radius), np.array(page.direction)
    radius[10:15], directions[10:15] = [36.0, 36.0, 35.5, 36.0, 35.0], direction
    page = contents(60, radius=radius, direction=directions)
    browser.open(page)
    browser.run("hypgraph.centre(10)")
    browser.settle()
    pairs = np.array([(i, j) for i in range(10, 15) for j in range(i)])
    pairs = pairs[pairs[:, 1] >= 10]
    expected = distances(polar(radius, directions), pairs, 1.0)
    assert expected.min() > 0.4
    for _ in range(2):
        np.testing.assert_allclose(distances(browser.shown(), pairs, 1.0), expected, rtol=1e-9)
        browser.drag(browser.position(10), tuple(np.add(middle(browser), (60, -30))))  # type: ignore[arg-type]


def test_the_displayed_direction_is_that_of_the_data_at_first(browser: Browser) -> None:
    page = contents()
    browser.open(page)
    given, shown = polar(page.radius, page.direction), browser.shown()
    torch.testing.assert_close(shown.radius, given.radius, rtol=1e-14, atol=0)
    torch.testing.assert_close(shown.direction[1:], given.direction[1:], rtol=0, atol=1e-15)
    x, y = browser.position(5)
    at = (np.array([x, y]) - middle(browser)) * [1, -1]
    scale = min(middle(browser)) - 14
    expected = math.tanh(page.radius[5] / 2) * np.asarray(page.direction[5])
    np.testing.assert_allclose(at / scale, expected, rtol=1e-12)


def test_at_high_zoom_points_a_millionth_apart_are_told_apart(browser: Browser) -> None:
    page = contents()
    radius, direction = np.array(page.radius), np.array(page.direction)
    radius[:2], direction[:2] = [2.0, 2.0 + 1e-6], [0.6, 0.8]
    browser.open(contents(radius=radius, direction=direction))
    browser.run("hypgraph.centre(0)")
    browser.settle()
    x, y = middle(browser)
    browser.press(*["+"] * 63)
    assert browser.state()["zoom"] == 1e6
    assert math.dist(browser.position(0), browser.position(1)) == pytest.approx((min(x, y) - 14) / 2, rel=1e-6)
    assert browser.state()["renderer"] == "canvas"


@pytest.mark.slow
def test_a_large_page_keeps_its_distances_and_is_timed(browser: Browser) -> None:
    page = contents(20_000, farthest=36.0)
    browser.open(page)
    x, y = middle(browser)
    browser.drag((x, y), (x + 150, y - 90), steps=2)
    assert distance_error(browser, page) < 1e-9
    browser.mouse("mousePressed", x, y, button="left", clickCount=1)
    for k in range(30):
        browser.mouse("mouseMoved", x + 5 * k, y, button="left", buttons=1)
        time.sleep(0.1)
        if browser.state()["share"] < 1:
            break
    assert browser.state()["share"] < 1, "two seconds a frame are too slow for all edges"
    browser.mouse("mouseReleased", x, y, button="left", clickCount=1)
    browser.settle(20)
    assert browser.state()["share"] == 1
    times = browser.run("return hypgraph.timeFrames(3)")
    assert all(0 < script <= whole for script, whole in zip(times["script"], times["whole"], strict=True))


def test_the_oracle_sees_a_view_that_is_no_isometry() -> None:
    page = contents()
    given = polar(page.radius, page.direction)
    pairs = random_pairs(60)
    expected = distances(given, pairs, 1.0)
    wrong = distances(Polar(given.radius * (1 + 1e-8), given.direction), pairs, 1.0)
    assert (np.abs(wrong - expected) / expected).max() > 1e-9
