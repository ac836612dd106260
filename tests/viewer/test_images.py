"""Grids of images: read back from the pixels of the picture."""

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from sklearn.datasets import load_digits

from hypgraph.exceptions import ConfigError, DataError
from hypgraph.viewer import image_grid, reconstruction_grid
from tests.viewer.pictures import covered, picture, pixels, texts_of

GREY = np.linspace(0, 1, 6 * 3 * 4).reshape(6, 3, 4)


def tiles(figure_pixels: NDArray[np.uint8], shape: tuple[int, int], scale: int) -> list[list[NDArray[np.uint8]]]:
    """The images found in a picture, row by row: what white gaps divide, one pixel of each square."""
    dark = (figure_pixels < 255).any(-1)
    rows = runs(dark.any(1))
    found = []
    for top, bottom in rows:
        assert bottom - top == shape[0] * scale
        row = []
        for left, right in runs(dark[top:bottom].any(0)):
            assert right - left == shape[1] * scale
            square = figure_pixels[top:bottom, left:right, 0].reshape(shape[0], scale, shape[1], scale)
            assert (square == square[:, :1, :, :1]).all()  # nothing is blurred
            row.append(square[:, 0, :, 0])
        found.append(row)
    return found


def runs(flags: NDArray[np.bool_]) -> list[tuple[int, int]]:
    """Where True begins and ends."""
    changes = np.flatnonzero(np.diff(np.concatenate([[False], flags, [False]]).astype(int)))
    return [(int(a), int(b)) for a, b in changes.reshape(-1, 2)]


def test_every_pixel_of_every_digit_is_a_square_of_the_picture_with_ink_white() -> None:
    digits = load_digits().images[:10]
    shown = np.maximum(digits, 0.0)
    shown[:, :, 0], shown[:, 0] = np.minimum(shown[:, :, 0], 8), np.minimum(shown[:, 0], 8)  # no white at an edge
    found = tiles(pixels(image_grid(shown, rows=2, cols=5, max_value=16)), (8, 8), 14)
    assert [len(row) for row in found] == [5, 5]
    for image, tile in zip(shown, found[0] + found[1], strict=True):
        assert np.abs(tile - image * 255 / 16).max() <= 1


def test_values_outside_the_range_are_drawn_as_black_and_white() -> None:
    image = np.array([[[-3.0, 0.0], [0.5, 0.0], [7.0, 0.25]]])
    figure_pixels = pixels(image_grid(image, rows=1, cols=1))[:, :, 0]
    margin = (figure_pixels.shape[0] - 3 * 37) // 2
    tile = figure_pixels[margin + 18 : margin + 3 * 37 : 37, margin + 18 : margin + 2 * 37 : 37]
    assert np.abs(tile.astype(int) - [[0, 0], [128, 0], [255, 64]]).max() <= 1


def test_places_left_over_stay_white() -> None:
    figure = image_grid(0.5 * GREY[:5], rows=2, cols=3)
    found = tiles(pixels(figure), (3, 4), 28)
    assert [len(row) for row in found] == [3, 2]


def test_bytes_booleans_and_tensors_are_images_too() -> None:
    flags = np.zeros((1, 2, 2), dtype=bool)
    assert (pixels(image_grid(flags, rows=1, cols=1))[100, 100] == 0).all()
    numbers = torch.full((1, 2, 2), 51, dtype=torch.uint8)
    assert abs(int(pixels(image_grid(numbers, rows=1, cols=1, max_value=255))[100, 100, 0]) - 51) <= 1


def test_titles_and_row_labels_stand_at_their_images_and_none_is_cut_off_or_overlaps() -> None:
    titles = ["another name", "a name wider than its image", r"$\two$", "3", "4", "5"]
    figure = image_grid(GREY, rows=2, cols=3, titles=titles, row_labels=["wrapped, c = 0.7", "Euclidean"])
    box, width, height = covered(figure)
    assert box.x0 >= 0
    assert box.y0 >= 0
    assert box.x1 <= width
    assert box.y1 <= height
    assert texts_of(figure) == [*titles, "wrapped, c = 0.7", "Euclidean"]
    boxes = [text.get_window_extent() for text in picture(figure).texts]
    for k, one in enumerate(boxes):
        assert not any(one.overlaps(other) for other in boxes[k + 1 :])
    assert boxes[0].y0 > boxes[6].y0 > boxes[3].y0 > boxes[7].y0  # title, row, title, row downward
    assert boxes[0].x0 < boxes[1].x0 < boxes[2].x0
    assert max(boxes[6].x1, boxes[7].x1) < picture(figure).get_window_extent().x0


def test_reconstructions_stand_below_their_originals() -> None:
    originals = np.stack([np.full((2, 2), (k + 1) / 10) for k in range(5)])
    figure = reconstruction_grid(originals, originals / 2, cols=3)
    left = round(picture(figure).get_window_extent().x0)  # the labels stand left of it
    found = tiles(pixels(figure)[:, left:], (2, 2), 56)
    grey = [[round(float(tile.mean()) / 255 * 20) for tile in row] for row in found]
    assert grey == [[2, 4, 6], [1, 2, 3], [8, 10], [4, 5]]


def test_ten_pairs_stand_in_a_row_unless_told_otherwise() -> None:
    figure = reconstruction_grid(np.zeros((12, 4, 4)), np.zeros((12, 4, 4)))
    assert texts_of(figure) == ["original", "reconstruction"] * 2


@pytest.mark.parametrize(
    ("images", "options", "error", "message"),
    [
        (GREY[0], {}, DataError, r"images must have shape \[N, H, W\].*got \[3, 4\]"),
        (GREY[:0], {}, DataError, r"at least one pixel, got \[0, 3, 4\]"),
        (np.full((1, 2, 2), np.nan), {}, DataError, r"images must be finite, got nan at \[0, 0, 0\]"),
        (GREY, {"cols": 2}, ConfigError, "at least the 6 images, got 2 · 2"),
        (GREY, {"rows": -2, "cols": -3}, ConfigError, "got -2 · -3"),
        (GREY, {"titles": ["a"]}, ConfigError, "titles must be 6, one an image, got 1"),
        (GREY, {"row_labels": ["a"]}, ConfigError, "row_labels must be 2, one a row, got 1"),
        (GREY, {"max_value": 0.0}, ConfigError, "max_value must be positive and finite, got 0"),
    ],
)
def test_bad_grids_are_refused_in_one_line(
    images: object, options: dict[str, object], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message) as caught:
        image_grid(images, **{"rows": 2, "cols": 3, **options})  # type: ignore[arg-type]
    assert "\n" not in str(caught.value)


def test_reconstructions_of_another_shape_are_refused() -> None:
    with pytest.raises(DataError, match=r"must have one shape, got \[6, 3, 4\] and \[5, 3, 4\]"):
        reconstruction_grid(GREY, GREY[:5])
    with pytest.raises(ConfigError, match="cols must be at least 1, got 0"):
        reconstruction_grid(GREY, GREY, cols=0)
