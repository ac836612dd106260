"""Pictures: embeddings in the Poincaré disk and in the plane, grids of images.

Figures are matplotlib's, made without pyplot and without touching its settings; matplotlib is imported when a
picture is drawn.
"""

from hypgraph.viewer.disk import draw_disk
from hypgraph.viewer.figures import FIGURE_FORMATS, save
from hypgraph.viewer.geodesics import geodesic
from hypgraph.viewer.images import image_grid, reconstruction_grid
from hypgraph.viewer.plane import draw_plane

__all__ = [
    "FIGURE_FORMATS",
    "draw_disk",
    "draw_plane",
    "geodesic",
    "image_grid",
    "reconstruction_grid",
    "save",
]
