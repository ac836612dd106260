"""Pages in a real browser: what they show, what mouse and keys do, and that nothing gets in or out."""

import base64
import io
import math
import struct
import xml.etree.ElementTree as ElementTree

import numpy as np
import pytest
import torch

from hypgraph.viewer.page import PageContents
from tests.viewer.browser.pages import MALICE, Browser, contents, distances, middle, polar

SVG = "{http://www.w3.org/2000/svg}"
ENTER, ESCAPE, HOME, LEFT, DOWN, TAB = "\ue007", "\ue00c", "\ue011", "\ue012", "\ue015", "\ue004"


@pytest.mark.parametrize("query", ["", "?canvas"])
def test_a_page_loads_without_network_and_errors_and_draws(browser: Browser, query: str) -> None:
    browser.requests(), browser.complaints()
    browser.open(contents(), query=query)
    assert browser.state()["renderer"] == ("canvas" if query else "webgl"), browser.state()["withoutGl"]
    assert browser.pixels() > 3000
    browser.drag(browser.position(4), middle(browser))
    assert browser.complaints() == []
    assert [url.split(":")[0] for url in browser.requests()] == ["file"]


def test_the_two_renderers_paint_the_same(browser: Browser) -> None:
    painted = []
    for query in ("", "?canvas"):
        browser.open(contents(), query=query)
        painted.append(browser.pixels())
    assert painted[0] == pytest.approx(painted[1], rel=0.1)


def test_search_centres_by_id_and_goes_to_the_next_match(browser: Browser) -> None:
    browser.open(contents())
    browser.press("/")
    browser.press(*"node 5")
    assert browser.state()["matches"] == 11  # 5, 50 to 59
    assert browser.run("return document.querySelectorAll('#suggestions li').length") == 8
    for node in (5, 50, 51):
        browser.press(ENTER)
        assert browser.state()["selected"] == node
        assert float(browser.shown().radius[node]) == 0.0
    assert "node 51 is in the centre. Label ape" in browser.text("#live")
    assert browser.text("#matches") == "3 of 11"


def test_search_finds_labels_and_says_where_nothing_is(browser: Browser) -> None:
    browser.open(contents())
    browser.press("/")
    browser.press(*"BEAR", ENTER)
    assert browser.state()["matches"] == 20
    assert browser.state()["selected"] % 3 == 1
    browser.press(*"zzz")
    assert browser.text("#matches").startswith("No node")


def test_malicious_names_are_text_and_run_nothing(browser: Browser) -> None:
    page = contents()
    names = [MALICE, *page.ids[1:]]
    browser.complaints()
    browser.open(contents(ids=names, title=MALICE, subtitle=[MALICE], label_names=[MALICE, "b", "c"]))
    browser.run("hypgraph.centre(0)")
    browser.settle()
    for selector in ("#title", "#node-details .name", "#node-details .label", "#legend .who"):
        assert browser.text(selector) == MALICE, selector
    assert browser.session.title == MALICE
    assert MALICE in browser.text("#live")
    assert browser.run("return document.images.length") == 0
    assert browser.complaints() == []
    assert MALICE in "".join(ElementTree.fromstring(browser.run("return hypgraph.svg()")).itertext())


def test_the_policy_stops_scripts_and_requests_that_are_not_the_pages(browser: Browser) -> None:
    browser.open(contents())
    browser.complaints()
    browser.run(
        "const s = document.createElement('script'); s.textContent = 'window.broken = 1'; document.body.append(s);"
        "const i = new Image(); i.src = 'http://127.0.0.1:9/x.png'; document.body.append(i);"
    )
    browser.settle()
    assert browser.run("return window.broken === undefined")
    assert sum("Content Security Policy" in line for line in browser.complaints()) == 2


def test_double_click_centres_a_node_and_a_point(browser: Browser) -> None:
    browser.open(contents())
    browser.double_click(*browser.position(7))
    assert float(browser.shown().radius[7]) == 0.0
    assert browser.state()["selected"] == 7
    x, y = middle(browser)
    scale = min(x, y) - 14
    empty = next(
        (math.floor(x) + dx, math.floor(y) + dy)
        for dx in range(40, 300, 20)
        for dy in range(0, 200, 20)
        if min(math.dist((x + dx, y + dy), browser.position(k)) for k in range(60)) > 30
    )
    length = math.dist(empty, (x, y)) / scale
    browser.double_click(*empty)
    assert float(browser.shown().radius[7]) == pytest.approx(2 * math.atanh(length), rel=1e-9)


def test_the_wheel_zooms_about_the_mouse(browser: Browser) -> None:
    browser.open(contents())
    before = (400, 300)  # wheels count whole pixels
    browser.drag(browser.position(9), before)
    browser.mouse("mouseWheel", *before, deltaX=0, deltaY=-240)
    browser.settle()
    assert browser.state()["zoom"] > 1.3
    assert browser.position(9) == pytest.approx(before, abs=0.01)
    browser.mouse("mouseWheel", *before, deltaX=0, deltaY=240)
    browser.settle()
    assert browser.state()["zoom"] == pytest.approx(1)
    assert browser.position(9) == pytest.approx(before, abs=0.01)


def test_the_keyboard_moves_zooms_centres_and_resets(browser: Browser) -> None:
    page = contents()
    browser.open(page)
    x, y = middle(browser)
    browser.press(LEFT)
    assert browser.position(0) == pytest.approx((x + 60, y), abs=0.01)
    browser.press(DOWN, "+", "+")
    assert browser.state()["zoom"] == pytest.approx(1.25**2)
    browser.press("-", "c")
    assert browser.state()["zoom"] == pytest.approx(1.25)
    assert browser.shown().radius.min() == 0
    browser.press(ESCAPE)
    assert browser.state()["selected"] == -1
    browser.press(HOME)
    assert browser.state()["zoom"] == 1
    torch.testing.assert_close(browser.shown().radius, polar(page.radius, page.direction).radius)


def test_tab_reaches_every_control_and_each_has_a_name(browser: Browser) -> None:
    browser.open(contents())
    browser.run("document.body.focus()")
    reached = set()
    for _ in range(40):
        browser.press(TAB)
        reached.add(browser.run("return document.activeElement.id || document.activeElement.dataset.shows || ''"))
        outline = browser.run("return getComputedStyle(document.activeElement).outlineStyle")
        assert outline != "none"
        if "svg" in reached:
            break
    toggles = {"edges", "found", "missed", "predicted", "scale", "names", "rings"}
    assert {"over", "zoom-in", "zoom-out", "home", "theme", "search", "colour", "png", "svg"} | toggles <= reached
    script = """const all = [...document.querySelectorAll('button, input, select, canvas[tabindex]')];
      const named = (e) => e.ariaLabel || e.textContent.trim() || (e.labels && e.labels.length);
      return all.filter((e) => !e.closest('[hidden]') && !named(e)).map((e) => e.outerHTML)"""
    unnamed = browser.run(script)
    assert unnamed == []


def test_hovering_shows_the_card_with_the_nearest_nodes(browser: Browser) -> None:
    page = contents()
    browser.open(page)
    browser.mouse("mouseMoved", *browser.position(3))
    browser.settle()
    assert browser.state()["hovered"] == 3
    card = browser.text("#card")
    assert card.startswith("node 3ape")
    assert f"radius{float(f'{page.radius[3]:.4g}'):g}" in card
    pairs = np.array([(3, k) for k in range(60) if k != 3])
    away = distances(polar(page.radius, page.direction), pairs, 1.0)
    ranked = pairs[np.argsort(away), 1][:5]
    shown = browser.run("return [...document.querySelectorAll('#card li')].map(e => e.firstChild.textContent)")
    assert shown == [f"node {k}" for k in ranked]
    assert f"{float(f'{away.min():.4g}'):g}" in card
    browser.mouse("mouseMoved", 3, 3)
    assert browser.run("return document.getElementById('card').hidden")


def test_a_projected_page_shows_the_neighbours_that_it_was_given(browser: Browser) -> None:
    page = contents(
        projected=True, neighbors=np.tile([8, 9], (60, 1)), neighbor_distance=np.tile([0.5, 0.75], (60, 1))
    )
    browser.open(page)
    browser.run("hypgraph.select(2)")
    browser.settle()
    assert browser.text("#node-details ol") == "node 80.5node 90.75"
    assert "projection" in browser.text("#subtitle")
    browser.open(contents(projected=True))
    browser.run("hypgraph.select(2)")
    assert browser.run("return document.querySelector('#node-details ol')") is None


def test_toggles_change_what_is_drawn(browser: Browser) -> None:
    browser.open(contents())
    assert browser.state()["links"] == ["edges", "found", "missed"]
    painted = browser.pixels()
    browser.click("[data-shows=scale]")
    assert browser.pixels() > 1.05 * painted
    browser.click("[data-shows=scale]")
    browser.click("[data-shows=edges]")
    assert browser.pixels() < 0.7 * painted
    browser.click("[data-shows=predicted]")
    browser.click("[data-shows=found]")
    assert browser.state()["links"] == ["missed", "predicted"]


def test_what_the_data_lack_is_not_offered(browser: Browser) -> None:
    bare = PageContents(radius=[0, 1.0], direction=[[1, 0], [0, 1.0]], c=1.0, ids=["a", "b"])
    browser.open(bare)
    offered = (
        "return [...document.querySelectorAll('[data-shows]')].filter(e => !e.closest('label').hidden).length"
    )
    assert browser.run(offered) == 2
    assert browser.run("return [...document.getElementById('colour').options].map(o => o.value)") == ["radius", ""]


def test_colours_follow_label_numbers_and_theme(browser: Browser) -> None:
    browser.open(contents())
    colours = np.array(browser.state()["rgba"]).reshape(60, 4)
    assert len(np.unique(colours, axis=0)) == 3
    assert (colours[0] == colours[3]).all()
    browser.click("#legend button")
    alone = np.array(browser.state()["rgba"]).reshape(60, 4)[:, 3]
    assert (alone[::3] == 255).all()
    assert (alone[1::3] < 100).all()
    choose = (
        "const c = document.getElementById('colour'); c.value = arguments[0]; c.dispatchEvent(new Event('change'))"
    )
    for name in ("degree", "depth", "radius", "scale", ""):
        browser.run(choose, name)
        colours = np.array(browser.state()["rgba"]).reshape(60, 4)
        assert (len(np.unique(colours, axis=0)) == 1) == (name in ("scale", "")), name
        assert bool(browser.text("#legend")) == bool(name)
    dark = browser.state()["dark"]
    ground = "return getComputedStyle(document.body).backgroundColor"
    before = browser.run(ground)
    browser.click("#theme")
    assert browser.state()["dark"] is not dark
    assert browser.run(ground) != before


def test_the_png_is_a_picture_of_twice_the_size(browser: Browser) -> None:
    from matplotlib.image import imread

    browser.open(contents())
    script = """const done = arguments[0]; hypgraph.png().then((blob) => {
      const r = new FileReader(); r.onload = () => done(r.result); r.readAsDataURL(blob); });"""
    raw = base64.b64decode(browser.session.execute_async_script(script).split(",")[1])
    width, height = struct.unpack(">II", raw[16:24])
    assert (width, height) == tuple(round(4 * half) for half in middle(browser))
    assert len(np.unique(imread(io.BytesIO(raw)) @ np.array([1.0, 10.0, 100.0, 0.0]))) > 100


def test_the_svg_has_a_path_an_edge_and_true_geodesics(browser: Browser) -> None:
    page = contents()
    browser.open(page)
    browser.click("[data-shows=predicted]")
    picture = ElementTree.fromstring(browser.run("return hypgraph.svg()"))
    groups = {group.get("class"): group for group in picture.iter(f"{SVG}g") if group.get("class")}
    pairs = {tuple(sorted(pair)) for pair in np.asarray(page.edges).T.tolist()}
    counts = {name: len(group.findall(f"{SVG}path")) for name, group in groups.items()}
    assert counts == {"edges": len(pairs), "found": 4, "missed": 2, "predicted": 2}
    scale, arcs = min(middle(browser)) - 14, 0
    for path in groups["edges"]:
        parts = path.get("d", "").replace("M", " ").replace("A", " ").replace("L", " ").split()
        if len(parts) != 9:
            continue
        x1, y1, radius, _, _, _, sweep, x2, y2 = map(float, parts)
        chord = complex(x2 - x1, y2 - y1)
        side = 1 if sweep == 1 else -1
        centre = complex(x1 + x2, y1 + y2) / 2 + side * 1j * chord / abs(chord) * math.sqrt(
            radius**2 - abs(chord) ** 2 / 4
        )
        if radius < 5 * scale:  # the numbers have three decimals
            assert abs(centre) ** 2 == pytest.approx(
                scale**2 + radius**2, rel=2e-2 * scale / abs(chord) / abs(chord) + 1e-4
            )
            arcs += 1
    assert arcs > 50


def test_reduced_motion_centres_at_once_and_else_it_moves(browser: Browser) -> None:
    browser.open(contents())
    for value, moving in (("no-preference", True), ("reduce", False)):
        features = {"features": [{"name": "prefers-reduced-motion", "value": value}]}
        browser.session.execute_cdp_cmd("Emulation.setEmulatedMedia", features)
        assert (
            browser.run("hypgraph.centre(4 + arguments[0]); return hypgraph.state().moving", int(moving)) is moving
        )
        browser.settle()
    browser.session.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})
    assert float(browser.shown().radius[4]) == 0.0


def test_dark_is_what_the_system_prefers(browser: Browser) -> None:
    features = {"features": [{"name": "prefers-color-scheme", "value": "dark"}]}
    browser.session.execute_cdp_cmd("Emulation.setEmulatedMedia", features)
    browser.open(contents())
    assert browser.state()["dark"]
    browser.session.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})


def test_the_plane_drags_zooms_and_centres(browser: Browser) -> None:
    page = contents(c=0.0)
    browser.open(page)
    x, y = middle(browser)
    start, at = browser.position(6), browser.position(3)
    browser.drag(start, (start[0] + 30, start[1] - 20))
    assert browser.position(3) == pytest.approx((at[0] + 30, at[1] - 20), abs=1e-3)
    browser.double_click(*browser.position(6))
    assert browser.position(6) == pytest.approx((x, y))
    points = np.asarray(page.radius)[:, None] * np.asarray(page.direction)
    expected = np.hypot(*(points - points[6]).T)
    np.testing.assert_allclose(browser.shown_radius(), expected, rtol=1e-12)
    paths = ElementTree.fromstring(browser.run("return hypgraph.svg()")).iter(f"{SVG}path")
    assert all("A" not in path.get("d", "A") for path in paths)


@pytest.mark.parametrize(
    "page",
    [
        contents(15, predicted=None, probability=None),
        PageContents(radius=[], direction=np.zeros((0, 2)), c=1.0, ids=[]),
    ],
)
def test_few_nodes_and_none_are_shown(browser: Browser, page: PageContents) -> None:
    browser.complaints()
    browser.open(page)
    x, y = middle(browser)
    browser.drag((x, y), (x + 50, y))
    browser.press("c", "+", HOME)
    assert browser.complaints() == []
