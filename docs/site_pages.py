"""What the site has beside the files of docs/: the README as its home, the tables of results/, the reference.

The pages stay readable in the repository: links between its folders are rewritten here, for the site alone.
"""

import re
from pathlib import Path
from typing import Any

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files

ROOT = Path(__file__).parents[1]
PACKAGES = (
    "manifolds",
    "distributions",
    "data",
    "nn",
    "models",
    "training",
    "hierarchy",
    "evaluation",
    "neighbors",
    "estimators",
    "export",
    "viewer",
)


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Lists the tables and the reference in the navigation."""
    parts = {
        "Results": [f"results/{path.name}" for path in _tables()],
        "Reference": [{f"hypgraph.{name}": f"reference/{name}.md"} for name in PACKAGES],
    }
    nav: list[dict[str, Any]] = config.nav or []
    config.nav = [{title: parts.get(title, page) for title, page in entry.items()} for entry in nav]
    return config


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Adds the pages that do not lie in docs/."""
    pages = {"index.md": (ROOT / "README.md").read_text(encoding="utf-8")}
    for path in _tables():
        pages[f"results/{path.name}"] = path.read_text(encoding="utf-8")
    for name in PACKAGES:
        pages[f"reference/{name}.md"] = f"::: hypgraph.{name}\n    options: {{heading_level: 1}}\n"
    for name in ("NOTICE", "LICENSE", "CHANGELOG.md", "CONTRIBUTING.md", "datasets/README.md"):
        pages[name] = (ROOT / name).read_text(encoding="utf-8")
    for name, content in pages.items():
        files.append(File.generated(config, name, content=content))
    return files


def on_page_markdown(markdown: str, page: Any, **_: Any) -> str:
    """Leads links to where their targets are in the site."""
    if "/" not in page.file.src_uri:  # of docs/, or the README, beside which docs/ lies
        markdown = re.sub(r"\]\(docs/", "](", markdown)
        return re.sub(r"\]\(\.\./(results/|README\.md)", _up, markdown)
    return re.sub(r"\]\(\.\./docs/", "](../", markdown)


def _up(match: re.Match[str]) -> str:
    return f"]({match[1].replace('README', 'index')}"


def _tables() -> list[Path]:
    return sorted((ROOT / "results").glob("*.md"))
