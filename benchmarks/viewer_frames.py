"""Time of one frame of the viewer's page in headless Chromium, while the picture is dragged.

    python benchmarks/viewer_frames.py [--nodes 2000,5000,20000] [--frames 30] [--window 1280x800]

Needs chromium, chromedriver and selenium. 2.5 edges a node between nodes that lie near each other, radii up
to 8.5, names and rings shown, all edges drawn. "JavaScript" is all that a frame asks of the CPU where WebGL
draws: every node moved in float64, 16 bytes a node handed over, names placed. "whole frame" waits for the
picture as well: without a graphics card that is SwiftShader's rasteriser on the CPU, and the difference of
the two columns is its time, which a graphics card takes over (`--gpu` leaves WebGL to the one of the
machine). "canvas" is the fallback without WebGL. Both layouts are measured: "spread" also sorts the angles.
"""

import argparse
import itertools
import shutil
import statistics
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from hypgraph.viewer.page import PageContents, write_page

EDGES_PER_NODE = 2.5
_FLAGS = (
    "headless no-sandbox no-first-run disable-background-networking disable-component-update disable-sync "
    "force-device-scale-factor=1"
)
_SOFTWARE = "disable-gpu use-angle=swiftshader enable-unsafe-swiftshader"


def graph(count: int) -> PageContents:
    """Nodes spread evenly in hyperbolic area, edges to others at nearly the same angle."""
    rng = np.random.default_rng(0)
    angle = np.sort(rng.uniform(-np.pi, np.pi, count))
    radius = np.minimum(12.0, np.log1p(rng.uniform(0, 1, count) * np.expm1(8.0)) + 0.5)
    source = rng.integers(0, count, round(EDGES_PER_NODE * count))
    edges = np.stack([source, (source + rng.geometric(20 / count, len(source))) % count])
    return PageContents(
        radius=radius,
        direction=np.stack([np.cos(angle), np.sin(angle)], axis=1),
        c=1.0,
        ids=[f"node {k}" for k in range(count)],
        edges=edges,
    )


def browser(folder: Path, window: str, *, gpu: bool) -> Any:
    from selenium import webdriver
    from selenium.webdriver.chrome.service import Service

    chromium, driver = shutil.which("chromium"), shutil.which("chromedriver")
    if chromium is None or driver is None:
        raise SystemExit("needs chromium and chromedriver")
    options = webdriver.ChromeOptions()
    options.binary_location = chromium
    for flag in f"{_FLAGS} {'' if gpu else _SOFTWARE}".split():
        options.add_argument(f"--{flag}")
    options.add_argument(f"--window-size={window.replace('x', ',')}")
    options.add_argument(f"--user-data-dir={folder / 'profile'}")
    session = webdriver.Chrome(options=options, service=Service(driver))
    session.set_script_timeout(600)
    return session


def measure(session: Any, path: Path, query: str, frames: int) -> tuple[str, dict[str, float]]:
    """The renderer, and medians in ms after a few frames that are not counted."""
    session.get(path.as_uri() + query)
    session.execute_script("return hypgraph.timeFrames(5)")
    times = session.execute_script("return hypgraph.timeFrames(arguments[0])", frames)
    return session.execute_script("return hypgraph.state().renderer"), {
        name: statistics.median(values) for name, values in times.items()
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--nodes", default="2000,5000,20000")
    parser.add_argument("--frames", type=int, default=30)
    parser.add_argument("--window", default="1280x800")
    parser.add_argument("--gpu", action="store_true")
    arguments = parser.parse_args()
    print("| nodes | edges | layout | renderer | JavaScript, ms | whole frame, ms | page, MB |")
    print("|---|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        session = browser(Path(folder), arguments.window, gpu=arguments.gpu)
        try:
            for count in map(int, arguments.nodes.split(",")):
                path = Path(folder) / "page.html"
                for layout, query in itertools.product(("disk", "spread"), ("", "?canvas")):
                    write_page(path, replace(graph(count), layout=layout))
                    size = path.stat().st_size / 1e6
                    name, medians = measure(session, path, query, arguments.frames)
                    edges = session.execute_script("return hypgraph.edges")
                    times = f"{medians['script']:.1f} | {medians['whole']:.1f}"
                    print(f"| {count:,} | {edges:,} | {layout} | {name} | {times} | {size:.2f} |", flush=True)
        finally:
            session.quit()


if __name__ == "__main__":
    main()
