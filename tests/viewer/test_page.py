"""The page as a file: what is in it, how large it is, what is refused. Browsers look at it in browser/."""

import base64
import hashlib
import json
import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from hypgraph.exceptions import DataError
from hypgraph.viewer.page import PageContents, page_html, write_page

MALICE = "</script><img src=x onerror=alert(1)>&\u2028\u2029<!--"


class Parts(HTMLParser):
    """Tags with their attributes, and the text of scripts and styles."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[tuple[str, str]] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        if self.tags and self.tags[-1][0] in ("script", "style", "title"):
            self.texts.append((self.tags[-1][0] + str(self.tags[-1][1].get("id", "")), data))

    def text(self, name: str) -> str:
        return "".join(text for tag, text in self.texts if tag == name).removesuffix("\n")


def path_graph(count: int = 4, **changes: Any) -> PageContents:
    angle = np.linspace(0, 3, count)
    given = PageContents(
        radius=np.arange(count) * 0.5,
        direction=np.stack([np.cos(angle), np.sin(angle)], axis=1),
        c=1.5,
        ids=[f"node {k}" for k in range(count)],
        edges=np.stack([np.arange(count - 1), np.arange(1, count)]),
    )
    return replace(given, **changes)


def data_of(contents: PageContents) -> dict[str, Any]:
    block = re.search(r'<script type="application/json" id="data">(.*?)</script>', page_html(contents), re.DOTALL)
    assert block is not None
    return dict(json.loads(block[1]))


def numbers(text: str, kind: str) -> NDArray[Any]:
    return np.frombuffer(base64.b64decode(text), kind)


def test_coordinates_reach_the_page_to_the_last_bit() -> None:
    contents = path_graph()
    data = data_of(contents)
    np.testing.assert_array_equal(numbers(data["radius"], "<f8"), contents.radius)
    direction = numbers(data["direction"], "<f8").reshape(-1, 2)
    np.testing.assert_array_equal(direction[1:], contents.direction[1:])
    assert data["c"] == 1.5


def test_edges_are_drawn_once_and_give_the_degrees() -> None:
    data = data_of(path_graph(edges=[[0, 1, 1, 2, 3], [1, 0, 2, 2, 1]]))
    assert numbers(data["edges"], "<i4").reshape(-1, 2).tolist() == [[0, 1], [1, 2], [1, 3]]
    assert numbers(data["degree"], "<i4").tolist() == [1, 3, 1, 1]
    assert numbers(data_of(path_graph(degree=[7, 8, 9, 9]))["degree"], "<i4").tolist() == [7, 8, 9, 9]


def test_held_out_edges_are_told_apart() -> None:
    data = data_of(path_graph(held_out=[[0, 3, 1], [2, 0, 3]], found=[True, False, True]))
    assert numbers(data["found"], "<i4").tolist() == [0, 2, 1, 3]
    assert numbers(data["missed"], "<i4").tolist() == [3, 0]


def test_text_of_the_data_never_leaves_its_block() -> None:
    contents = path_graph(
        ids=[MALICE, "b", "{{script}}", "\ud800"],
        title=MALICE,
        subtitle=[MALICE],
        label=[0] * 4,
        label_names=[MALICE],
    )
    page = page_html(contents)
    parts = Parts(page)
    assert [tag for tag, _ in parts.tags].count("script") == 2
    assert "img" not in [tag for tag, _ in parts.tags]
    block = parts.text("scriptdata")
    assert not set("<>&\u2028\u2029") & set(block)
    assert json.loads(block)["ids"] == list(contents.ids)
    assert json.loads(block)["labelNames"] == [MALICE]


def test_the_policy_allows_this_script_and_style_alone(tmp_path: Path) -> None:
    write_page(tmp_path / "page.html", path_graph())
    page = (tmp_path / "page.html").read_bytes().decode()
    policy = next(attrs["content"] for tag, attrs in Parts(page).tags if "http-equiv" in attrs)
    rules = dict(rule.strip().split(" ", 1) for rule in str(policy).split(";"))
    assert rules["default-src"] == "'none'"
    script = page[page.rindex("<script>") + 8 : page.rindex("</script>")]
    style = page[page.index("<style>") + 7 : page.index("</style>")]
    for name, text in (("script-src", script), ("style-src", style)):
        digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        assert rules[name] == f"'sha256-{digest}'"


def test_nothing_is_fetched_from_anywhere() -> None:
    page = page_html(path_graph())
    addresses = set(re.findall(r"(?:https?:)?//[a-z][\w.-]*\.[a-z]{2,}[^\s\"'`]*", page))
    assert addresses <= {"http://www.w3.org/2000/svg"}
    assert not re.search(r"@import|\burl\(|\bfetch\(|XMLHttpRequest|WebSocket|\beval\(|innerHTML", page)
    assert {attrs["href"] for tag, attrs in Parts(page).tags if tag == "link"} == {"data:,"}


def test_a_page_of_20000_nodes_is_below_5_megabytes() -> None:
    count = 20_000
    rng = np.random.default_rng(0)
    columns: dict[str, Any] = {name: rng.uniform(0, 1, count) for name in ("scale", "original_radius")}
    page = page_html(
        path_graph(
            count,
            radius=rng.uniform(0, 36, count),
            edges=rng.integers(0, count, (2, 50_000)),
            depth=rng.integers(0, 9, count),
            label=rng.integers(0, 7, count),
            label_names=list("abcdefg"),
            neighbors=rng.integers(0, count, (count, 5)),
            neighbor_distance=rng.uniform(0, 1, (count, 5)),
            **columns,
        )
    )
    assert len(page.encode()) < 5e6


def test_the_same_contents_give_the_same_bytes(tmp_path: Path) -> None:
    for name in ("a", "b"):
        write_page(tmp_path / name, path_graph())
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_a_page_that_cannot_be_written_is_one_line_and_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"cannot write the page .*absent/page\.html: No such file") as caught:
        write_page(tmp_path / "absent" / "page.html", path_graph())
    assert "\n" not in str(caught.value)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"radius": [0, 1, np.nan, 2]}, "radius must be finite, got nan"),
        ({"radius": [0, 1, -1, 2]}, "radius must not be negative, got -1"),
        ({"radius": [0, 1, 70, 2]}, r"up to √c·radius = 80, got √c·radius = 85.73"),
        ({"radius": [[0, 1]]}, r"radius must have shape \[N\]"),
        ({"direction": np.ones((4, 2))}, "direction must hold unit vectors"),
        ({"direction": np.ones((4, 3))}, r"direction must have shape \[4, 2\], got \[4, 3\]"),
        ({"c": -1.0}, "c must be positive, or 0 for the plane, got -1"),
        ({"ids": ["a"]}, "ids must be 4, one a point, got 1"),
        ({"scale": [1, 2, 3, -4]}, "scale must not be negative"),
        ({"scale": [1, 2]}, r"scale must have shape \[4\]"),
        ({"label": [0, 1, 0, 2], "label_names": ["a", "b"]}, "label must hold whole numbers from -1 to 1"),
        ({"edges": [[0], [4]]}, "edges names point 4, but there are 4 points"),
        ({"held_out": [[0], [1]]}, r"found must have shape \[1\]"),
        ({"predicted": [[0], [1]]}, r"probability must have shape \[1\]"),
        ({"predicted": [[0], [1]], "probability": [1.5]}, "probability must be from 0 to 1"),
        ({"neighbors": [[1]] * 4}, "give both or none"),
        ({"first": 4}, "first must be from 0 to 3, or None for the origin, got 4"),
        ({"first": -1}, "first must be from 0 to 3"),
        ({"layout": "linear"}, "layout must be auto, disk or spread, got 'linear'"),
        ({"neighbors": [[9]] * 4, "neighbor_distance": [[1.0]] * 4}, "neighbors must be from 0 to 3"),
    ],
)
def test_data_that_do_not_fit_are_refused_in_one_line(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(DataError, match=message) as caught:
        page_html(path_graph(**changes))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("radius", "c", "given", "expected"),
    [
        ([6.1, 6.1, 0, 9], 1.0, "auto", "spread"),
        ([5.9, 5.9, 0, 70], 1.0, "auto", "disk"),
        ([3.1, 3.1, 0, 9], 4.0, "auto", "spread"),  # √c·radius counts
        ([11.9, 11.9, 0, 20], 0.25, "auto", "disk"),
        ([90, 90, 90, 90], 0.0, "auto", "disk"),
        ([1, 1, 1, 1], 1.0, "spread", "spread"),
        ([9, 9, 9, 9], 1.0, "disk", "disk"),
    ],
)
def test_auto_spreads_what_would_lie_on_the_rim(radius: list[float], c: float, given: str, expected: str) -> None:
    assert data_of(path_graph(radius=radius, c=c, layout=given))["layout"] == expected


def test_the_first_node_reaches_the_page() -> None:
    assert data_of(path_graph(first=2))["first"] == 2
    assert data_of(path_graph())["first"] == -1


def test_the_boundary_of_what_is_allowed_is_allowed() -> None:
    assert data_of(path_graph(radius=[0, 1, 80 / 1.5**0.5, 2]))
    assert data_of(path_graph(label=[-1, 0, 1, -1], label_names=["a", "b"]))["labelNames"] == ["a", "b"]
    assert data_of(path_graph(c=0.0, radius=[0, 1e4, 2, 3]))["c"] == 0
