"""Pictures: embeddings in the Poincaré disk and in the plane, a page in which they move, grids of images.

Figures are matplotlib's, made without pyplot and without touching its settings; matplotlib is imported when a
picture is drawn.
"""

from hypgraph.viewer.disk import draw_disk
from hypgraph.viewer.figures import FIGURE_FORMATS, save
from hypgraph.viewer.geodesics import geodesic
from hypgraph.viewer.images import image_grid, reconstruction_grid
from hypgraph.viewer.page import PageContents, page_html, write_page
from hypgraph.viewer.plane import draw_plane
from hypgraph.viewer.projection import Projection, project
from hypgraph.viewer.run_figure import COLOURS, LAYOUTS, NodeData, draw_run

__all__ = [
    "COLOURS",
    "FIGURE_FORMATS",
    "LAYOUTS",
    "NodeData",
    "PageContents",
    "Projection",
    "draw_disk",
    "draw_plane",
    "draw_run",
    "geodesic",
    "image_grid",
    "page_html",
    "project",
    "reconstruction_grid",
    "save",
    "write_page",
]
