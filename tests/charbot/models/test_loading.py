import json

import pytest

from charbot.errors import BundleError
from charbot.models.loading import base_model
from charbot.personas.library import Library


@pytest.mark.parametrize(
    "sizes",
    [
        {"hidden": -1},
        {"hidden": 0},
        {"hidden": 5},
        {"layers": 0},
        {"embedding": -3},
        {"embedding": "many"},
        {"inputs": 10**15},
        {"cell": "cnn"},
        {"cache": -2},
        {"selector": -2},
        {"selector": 8},
        {"phrases": -1},
        {"colour": 3},
    ],
)
def test_sizes_that_no_model_can_have_are_told(library: Library, sizes: dict[str, object]) -> None:
    path = library.folders[0] / "bases/char/base.json"
    card = json.loads(path.read_text())
    card["architecture"].update(sizes)
    path.write_text(json.dumps(card))
    with pytest.raises(BundleError, match="install or fit it anew"):
        base_model(library, "char")
