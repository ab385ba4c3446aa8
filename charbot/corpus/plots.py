"""Plots of corpus statistics."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure

from charbot.errors import CorpusError


def draw(shows: Mapping[str, Mapping[str, Any]], folder: Path) -> Iterator[Path]:
    """Plot the episode lengths and the answers between characters of each show, given the result of statistics().

    Yields each file once it is written. Raises CorpusError if the folder cannot be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for show, counts in shows.items():
            for name, fill in (("episodes", _episodes), ("answers", _answers)):
                figure = Figure(figsize=(9, 5), layout="constrained")
                fill(figure, show, counts)
                path = folder / f"{'-'.join(show.lower().split())}-{name}.png"
                figure.savefig(path, dpi=120)
                yield path
    except OSError as error:
        raise CorpusError(f"{folder}: cannot be written: {error.strerror or error}") from error


def _episodes(figure: Figure, show: str, counts: Mapping[str, Any]) -> None:
    axes = figure.subplots()
    axes.bar(range(len(counts["episodes"])), list(counts["episodes"].values()), width=1.0)
    axes.set(title=f"{show}: lines of each episode", xlabel="episode", ylabel="lines")


def _answers(figure: Figure, show: str, counts: Mapping[str, Any]) -> None:
    names = list(counts["characters"])
    shares = [
        [counts["characters"][name]["answers"].get(other, 0) / counts["characters"][name]["lines"] for other in names]
        for name in names
    ]
    axes = figure.subplots()
    image = axes.imshow(shares, cmap="viridis", vmin=0)
    axes.set_xticks(range(len(names)), names, rotation=45, ha="right")
    axes.set_yticks(range(len(names)), names)
    axes.set(title=f"{show}: who answers whom", xlabel="is answered", ylabel="answers")
    figure.colorbar(image, label="share of the lines of who answers")
