"""Pages to look at, and a browser that looks."""

import json
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from hypgraph.manifolds import Polar
from hypgraph.manifolds.functional.polar import dist_polar
from hypgraph.viewer.page import PageContents, write_page

MALICE = "</script><img src=x onerror=alert(1)>"
_FLAGS = (
    "headless no-sandbox disable-gpu no-first-run disable-background-networking disable-component-update "
    "disable-sync force-prefers-reduced-motion use-angle=swiftshader enable-unsafe-swiftshader "
    "window-size=960,680"
)


def arguments() -> list[str]:
    """What Chromium is started with: no network of its own, WebGL in software."""
    return [f"--{flag}" for flag in _FLAGS.split()]


def contents(count: int = 60, *, farthest: float = 5.0, seed: int = 0, **changes: Any) -> PageContents:
    """A graph with all that a page can show: about 2.5 edges a node, the first node in the middle."""
    rng = np.random.default_rng(seed)
    angle = rng.uniform(-np.pi, np.pi, count)
    radius = farthest * np.sqrt(rng.uniform(0, 1, count))
    radius[0] = 0.0
    pairs = rng.integers(0, count, (2, round(2.5 * count)))
    held_out = np.stack([np.arange(6), np.arange(6) + 7])
    given = PageContents(
        radius=radius,
        direction=np.stack([np.cos(angle), np.sin(angle)], axis=1),
        c=1.0,
        ids=[f"node {k}" for k in range(count)],
        title="A page of the tests",
        subtitle=["AUC 0.9"],
        label=np.arange(count) % 3,
        label_names=["ape", "bear", "cat"],
        depth=np.arange(count) // 10,
        scale=np.full(count, 0.3),
        edges=pairs[:, pairs[0] != pairs[1]],
        held_out=held_out,
        found=[True, True, False, True, False, True],
        predicted=[[1, 2], [30, 40]],
        probability=[0.9, 0.6],
        layout="disk",
    )
    return replace(given, **changes)


def polar(radius: Any, direction: Any) -> Polar:
    return Polar(torch.tensor(np.asarray(radius, dtype=float)), torch.tensor(np.asarray(direction, dtype=float)))


def distances(points: Polar, pairs: NDArray[np.int64], c: float) -> NDArray[np.float64]:
    """Of the pairs ``[P, 2]``."""
    one, other = (Polar(points.radius[pairs[:, k]], points.direction[pairs[:, k]]) for k in (0, 1))
    return dist_polar(one, other, c=c).numpy()


class Browser:
    """A session that loads pages and does what people do."""

    def __init__(self, session: Any, folder: Path) -> None:
        self.session = session
        self.folder = folder

    def open(self, page: PageContents, *, query: str = "") -> None:
        path = self.folder / "page.html"
        write_page(path, page)
        self.session.get(f"{path.as_uri()}{query}")
        self.settle()

    def run(self, script: str, *values: Any) -> Any:
        return self.session.execute_script(script, *values)

    def state(self) -> dict[str, Any]:
        return self.run("return hypgraph.state()")

    def settle(self, limit: float = 5.0) -> None:
        """Waits until nothing moves and the picture is drawn."""
        end = time.monotonic() + limit
        while self.run("return hypgraph.state().moving"):
            assert time.monotonic() < end, "still moving"
            time.sleep(0.02)
        self.session.execute_async_script(
            "const d = arguments[0]; requestAnimationFrame(() => requestAnimationFrame(d))"
        )

    def position(self, node: int) -> tuple[float, float]:
        """Where it is in the window; the picture begins at its upper left corner."""
        x, y = self.run("return hypgraph.position(arguments[0])", node)
        return x, y

    def shown(self) -> Polar:
        displayed = self.run("return hypgraph.displayed()")
        return polar(displayed["radius"], displayed["direction"])

    def shown_radius(self) -> list[float]:
        return list(self.run("return hypgraph.displayed().radius"))

    def mouse(self, kind: str, x: float, y: float, **more: Any) -> None:
        """A real mouse event of the browser, at fractions of pixels."""
        event = {"type": kind, "x": x, "y": y, "button": "none", **more}
        self.session.execute_cdp_cmd("Input.dispatchMouseEvent", event)

    def drag(self, start: tuple[float, float], end: tuple[float, float], steps: int = 2) -> None:
        self.mouse("mousePressed", *start, button="left", clickCount=1)
        for k in range(1, steps + 1):
            at = [a + (b - a) * k / steps for a, b in zip(start, end, strict=True)]
            self.mouse("mouseMoved", *at, button="left", buttons=1)
        self.mouse("mouseReleased", *end, button="left", clickCount=1)
        self.settle()

    def double_click(self, x: float, y: float) -> None:
        for count in (1, 2):
            self.mouse("mousePressed", x, y, button="left", clickCount=count)
            self.mouse("mouseReleased", x, y, button="left", clickCount=count)
        self.settle()

    def press(self, *keys: str) -> None:
        from selenium.webdriver.common.action_chains import ActionChains

        ActionChains(self.session, duration=0).send_keys(*keys).perform()
        self.settle()

    def click(self, selector: str) -> None:
        self.run("document.querySelector(arguments[0]).click()", selector)
        self.settle()

    def text(self, selector: str) -> str:
        return str(self.run("return document.querySelector(arguments[0]).textContent", selector))

    def pixels(self) -> int:
        """How many pixels of the layer of nodes and edges are painted."""
        script = """
        const c = document.createElement('canvas'), s = document.getElementById(
          hypgraph.state().renderer === 'webgl' ? 'gl' : 'flat');
        hypgraph.redraw();
        c.width = s.width; c.height = s.height;
        const t = c.getContext('2d', {willReadFrequently: true}); t.drawImage(s, 0, 0);
        const d = t.getImageData(0, 0, c.width, c.height).data; let n = 0;
        for (let k = 3; k < d.length; k += 4) n += d[k] > 20;
        return n;"""
        return int(self.run(script))

    def complaints(self) -> list[str]:
        """What the console has said since it was last asked, but for hints about speed."""
        entries = self.session.get_log("browser")
        return [entry["message"] for entry in entries if "GL Driver Message" not in entry["message"]]

    def requests(self) -> list[str]:
        """The addresses that have been asked for since this was last asked."""
        messages = [json.loads(entry["message"])["message"] for entry in self.session.get_log("performance")]
        sent = [message for message in messages if message["method"] == "Network.requestWillBeSent"]
        urls = [message["params"]["request"]["url"] for message in sent]
        return [url for url in urls if not url.startswith(("chrome", "data:"))]  # chrome: its own first page


def random_pairs(count: int) -> np.ndarray[tuple[int, int], np.dtype[np.int64]]:
    pairs = np.random.default_rng(3).integers(0, count, (400, 2))
    return pairs[pairs[:, 0] != pairs[:, 1]][:100]


def middle(browser: Browser) -> tuple[float, float]:
    box = browser.run(
        "const r = document.getElementById('over').getBoundingClientRect(); return [r.width, r.height]"
    )
    return box[0] / 2, box[1] / 2


def distance_error(browser: Browser, page: PageContents) -> float:
    """The largest relative change of 100 distances, from the page's coordinates about the middle of the screen."""
    pairs = random_pairs(len(page.radius))
    expected = distances(polar(page.radius, page.direction), pairs, page.c)
    shown = distances(browser.shown(), pairs, page.c)
    return float((np.abs(shown - expected) / expected).max())


def on_screen(browser: Browser, count: int) -> np.ndarray[tuple[int], np.dtype[np.complex128]]:
    """Where nodes are drawn, in pixels about the middle of the picture, upwards."""
    places = np.array(browser.run("return hypgraph.positions()"))[:count] - middle(browser)
    shown: np.ndarray[tuple[int], np.dtype[np.complex128]] = places[:, 0] - 1j * places[:, 1]
    return shown


def on_disk(browser: Browser, count: int) -> np.ndarray[tuple[int], np.dtype[np.complex128]]:
    """Where nodes are drawn, in the unit disk."""
    x, y = middle(browser)
    places = np.array([browser.position(k) for k in range(count)])
    shown: np.ndarray[tuple[int], np.dtype[np.complex128]] = (places[:, 0] - x - 1j * (places[:, 1] - y)) / (
        min(x, y) - 14
    )
    return shown
