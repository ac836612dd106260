"""Files of pictures: whole or absent, and the same bytes for the same picture."""

import subprocess
import sys
from pathlib import Path

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib.figure import Figure
from matplotlib.image import imread

from hypgraph.exceptions import ConfigError
from hypgraph.viewer import FIGURE_FORMATS, draw_disk, image_grid, save
from tests.viewer.pictures import pixels

SIGNATURES = {"png": b"\x89PNG\r\n\x1a\n", "pdf": b"%PDF-", "svg": b"<?xml"}

DRAW = """
import sys
import hypgraph.viewer
assert "matplotlib" not in sys.modules
from tests.viewer.test_figures import example
for ending in hypgraph.viewer.FIGURE_FORMATS:
    hypgraph.viewer.save(example(), f"{sys.argv[1]}/there.{ending}")
assert "matplotlib.pyplot" not in sys.modules
"""


@pytest.fixture(scope="module")
def elsewhere(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the files that another process wrote."""
    folder = tmp_path_factory.mktemp("elsewhere")
    subprocess.run([sys.executable, "-c", DRAW, str(folder)], check=True, timeout=100)
    return folder


def example() -> Figure:
    points = [[0.0, 0.0], [0.5, 0.1], [-0.3, 0.6]]
    return draw_disk(points, edges=[[0, 1], [1, 2]], values=[0, 1, 2], value_label="depth")


@pytest.mark.parametrize("ending", list(FIGURE_FORMATS))
def test_the_ending_names_the_format_and_nothing_else_is_left(ending: str, tmp_path: Path) -> None:
    path = tmp_path / f"disk.{ending.upper()}"
    save(example(), path)
    assert path.read_bytes().startswith(SIGNATURES[ending])
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("ending", list(FIGURE_FORMATS))
def test_another_process_writes_the_same_bytes_without_dates_and_versions(
    ending: str, tmp_path: Path, elsewhere: Path
) -> None:
    path = tmp_path / f"here.{ending}"
    save(example(), path)
    content = path.read_bytes()
    assert content == (elsewhere / f"there.{ending}").read_bytes()
    for word in (b"Software", b"CreationDate", b"Matplotlib v", b"tEXt", b"tIME"):
        assert word not in content
    assert mpl.__version__.encode() not in content.replace(b'version="1.1"', b"")


def test_a_png_holds_the_pixels_of_the_figure(tmp_path: Path) -> None:
    figure = image_grid(np.linspace(0, 1, 48).reshape(3, 4, 4), rows=1, cols=3)
    save(figure, tmp_path / "grid.png")
    assert np.array_equal(np.rint(imread(tmp_path / "grid.png")[..., :3] * 255), pixels(figure))


def test_settings_of_matplotlib_are_as_they_were(tmp_path: Path) -> None:
    before = dict(mpl.rcParams)
    save(example(), tmp_path / "disk.svg")
    assert dict(mpl.rcParams) == before


def test_a_failure_leaves_the_old_file_whole_and_no_other(tmp_path: Path) -> None:
    path = tmp_path / "disk.png"
    path.write_text("old")

    class Broken(Figure):
        def savefig(self, *args: object, **_kwargs: object) -> None:
            Path(str(args[0])).write_text("half of it")
            raise RuntimeError("no more")

    with pytest.raises(RuntimeError, match="no more"):
        save(Broken(), path)
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("disk.pgn", "unknown picture format 'pgn'; did you mean 'png'"),
        ("disk", "has no ending.*known: png, pdf, svg"),
        ("missing/disk.png", "cannot be written"),
    ],
)
def test_bad_names_are_refused_in_one_line(name: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=message) as caught:
        save(example(), tmp_path / name)
    assert "\n" not in str(caught.value)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_of_that_name_is_refused(tmp_path: Path) -> None:
    (tmp_path / "disk.png").mkdir()
    with pytest.raises(ConfigError, match="cannot be written"):
        save(example(), tmp_path / "disk.png")


def test_matplotlib_is_imported_when_a_picture_is_drawn_and_pyplot_never(elsewhere: Path) -> None:
    assert len(list(elsewhere.iterdir())) == len(FIGURE_FORMATS)  # the other process asserts it
