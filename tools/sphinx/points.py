"""A Sphinx extension: what figures.show tells of a figure's points goes beside the picture, for points/points.js.

In an executed notebook the points are metadata of the picture. MyST-NB names a picture's file after the digest of its
bytes, so the two are found together again.
"""

import base64
import hashlib
import json
from pathlib import Path

import nbformat
from assets import copy_files
from docutils import nodes
from sphinx.application import Sphinx

FILES = sorted(Path(__file__).with_name("points").iterdir())


def points_of(path: Path) -> dict[str, list[dict]]:
    """{name of a picture's file: its points} for the pictures of an executed notebook that have some."""
    found = {}
    for cell in nbformat.read(path, as_version=4).cells:
        for output in cell.get("outputs", []):
            points = output.get("metadata", {}).get("image/png", {}).get("points")
            if points:
                picture = base64.b64decode(output["data"]["image/png"])
                found[f"{hashlib.sha256(picture).hexdigest()}.png"] = points
    return found


def add_points(app: Sphinx, doctree: nodes.document) -> None:
    """Put the points behind the pictures of a page that was just read."""
    path = Path(app.env.doc2path(app.env.docname))
    found = points_of(path) if path.suffix == ".ipynb" else {}
    for image in list(doctree.findall(nodes.image)):
        points = found.get(Path(image["uri"]).name)
        if points:
            text = json.dumps(points, ensure_ascii=False, separators=(",", ":")).replace("<", r"\u003c")
            script = f'<script type="application/json" class="points">{text}</script>'
            image.parent.insert(image.parent.index(image) + 1, nodes.raw("", script, format="html"))


def setup(app: Sphinx) -> dict[str, bool]:
    app.connect("builder-inited", lambda app: copy_files(app, FILES, "points"))
    app.connect("doctree-read", add_points)
    app.add_js_file("points/points.js", loading_method="defer")
    app.add_css_file("points/points.css")
    return {"parallel_read_safe": True, "parallel_write_safe": True}
