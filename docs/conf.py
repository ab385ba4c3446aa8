"""Sphinx's settings: `make docs` builds the pages that stand in the repository as a site.

The source folder is the repository's root, so that links between the pages lead to the same places there and in the site.
"""

import shutil
from pathlib import Path

from sphinx.application import Sphinx

import charbot

project = "charbot"
copyright = "2026 the charbot authors"
version = release = charbot.__version__

extensions = ["myst_parser", "sphinx.ext.autodoc"]
root_doc = "README"
include_patterns = ["*.md", "docs/*.md", "charbot/bundles/MODEL_CARD.md"]
_NAVIGATION = """
```{toctree}
:hidden:
:caption: Use
docs/quickstart
docs/scripts
docs/training
docs/discord
docs/serve
docs/jsonlines
docs/api
```

```{toctree}
:hidden:
:caption: How it works
docs/architecture
docs/glossary
docs/results
EXPERIMENTS
charbot/bundles/MODEL_CARD
```

```{toctree}
:hidden:
:caption: Project
CHANGELOG
CONTRIBUTING
```
"""

myst_heading_anchors = 3
"""Headings down to this level can be linked to, by the anchors that GitHub gives them."""

autodoc_default_options = {"undoc-members": True}
autodoc_member_order = "bysource"
autodoc_preserve_defaults = True
"""Defaults are shown as they are written in the source."""
python_maximum_signature_line_length = 90
default_role = "literal"
"""What is in single backquotes in docstrings is code."""

html_theme = "furo"
html_title = "charbot"
html_copy_source = False


def _add_navigation(app: Sphinx, page: str, source: list[str]) -> None:
    if page == root_doc:
        source[0] += _NAVIGATION


def _add_index(app: Sphinx, error: Exception | None) -> None:
    if error is None:
        shutil.copy(Path(app.outdir) / f"{root_doc}.html", Path(app.outdir) / "index.html")


def setup(app: Sphinx) -> None:
    """Register the handlers; Sphinx calls this."""
    app.connect("source-read", _add_navigation)
    app.connect("build-finished", _add_index)
