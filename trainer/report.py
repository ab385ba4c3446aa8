"""The report of a training run, one self-contained HTML page: curves, samples and scores."""

import html
import io
import re
from collections.abc import Mapping, Sequence
from typing import Any

_STYLE = """
:root { color-scheme: light dark; --ink: #1d2330; --soft: #6a7385; --line: #d9dee8; --paper: #fbfaf7; --card: #fff; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e8eaf0; --soft: #9aa3b5; --line: #333a48; --paper: #14171d; --card: #1c212a; }
  figure svg { filter: invert(.9) hue-rotate(180deg); }
}
body { margin: 0 auto; max-width: 60rem; padding: 2.5rem 1.25rem; background: var(--paper); color: var(--ink);
  font: 1rem/1.55 ui-sans-serif, system-ui, sans-serif; }
h1 { font-size: 1.9rem; margin: 0; } h2 { font-size: 1.1rem; margin: 2.5rem 0 .75rem; }
.soft { color: var(--soft); }
.facts { display: grid; grid-template-columns: repeat(auto-fill, minmax(11rem, 1fr)); gap: .75rem; margin-top: 1.5rem; }
.facts div, figure, .said { background: var(--card); border: 1px solid var(--line); border-radius: .6rem; padding: .8rem 1rem; }
.facts b { display: block; font-size: 1.25rem; font-variant-numeric: tabular-nums; overflow-wrap: anywhere; }
figure { margin: 0; } figure svg { width: 100%; height: auto; }
.said { margin: .5rem 0; } .said p { margin: .15rem 0; overflow-wrap: anywhere; }
.said span { color: var(--soft); display: inline-block; min-width: 4.5rem; font-variant-numeric: tabular-nums; }
"""


def report_page(title: str, facts: Mapping[str, Any], entries: Sequence[Mapping[str, Any]]) -> str:
    """Return the page. `entries` are those of the log, in order: {"done", "loss"} for steps, {"done", "epoch"} for epochs."""
    epochs = [entry["epoch"] for entry in entries if "epoch" in entry]
    told = dict(facts)
    if epochs:
        told |= {"epochs": len(epochs), "minutes": f"{epochs[-1]['seconds'] / 60:.1f}"}
    if measured := [epoch for epoch in epochs if epoch["bits"] is not None]:
        best = min(measured, key=lambda epoch: float(epoch["bits"]))
        told |= {"best epoch": best["number"], "its bits a character": best["bits"]}
    cards = "".join(
        f"<div><span class=soft>{_text(name.replace('_', ' '))}</span><b>{_text(value)}</b></div>" for name, value in told.items()
    )
    samples = "".join(_samples(epoch) for epoch in reversed(epochs) if epoch["samples"])
    return (
        f"<!doctype html><html lang=en><meta charset=utf-8><meta name=viewport content='width=device-width'>"
        f"<title>{_text(title)}</title><style>{_STYLE}</style>"
        f"<h1>{_text(title)}</h1><div class=soft>a training run of charbot</div><div class=facts>{cards}</div>"
        f"<h2>Curves</h2><figure>{_curves(entries)}</figure>"
        + (f"<h2>What it says, at four temperatures, after each epoch</h2>{samples}" if samples else "")
        + "</html>\n"
    )


def _text(value: Any) -> str:
    return html.escape(f"{value:,}" if isinstance(value, int) else f"{value:.4f}" if isinstance(value, float) else str(value))


def _samples(epoch: Mapping[str, Any]) -> str:
    lines = "".join(
        f"<p><span>{_text(temperature)}</span> {_text(sample)}</p>" for temperature, sample in epoch["samples"].items()
    )
    bits = "" if epoch["bits"] is None else f" <span class=soft>{epoch['bits']:.3f} bits</span>"
    return f"<div class=said><b>Epoch {epoch['number']}</b>{bits}{lines}</div>"


def _curves(entries: Sequence[Mapping[str, Any]]) -> str:
    """Return loss per step and bits per epoch as SVG, or a message if there is no data or no matplotlib."""
    losses = [(entry["done"], entry["loss"]) for entry in entries if "loss" in entry]
    bits = [
        (entry["done"], entry["epoch"]["bits"]) for entry in entries if "epoch" in entry and entry["epoch"]["bits"] is not None
    ]
    if not losses:
        return "Nothing to draw yet."
    try:
        from matplotlib import rc_context
        from matplotlib.figure import Figure
    except ImportError:
        return "Curves need matplotlib: <code>pip install 'charbot[train]'</code>"
    with rc_context({"svg.fonttype": "none", "font.family": "sans-serif", "svg.hashsalt": "charbot"}):
        figure = Figure(figsize=(9, 3.6), layout="constrained")
        left, right = figure.subplots(1, 2)
        left.plot(*zip(*losses, strict=True), color="#3b6ea5", linewidth=1)
        left.set(title="loss, nats a token", xlabel="steps")
        right.plot(*zip(*bits, strict=True) if bits else ((), ()), color="#c2573a", marker="o")
        right.set(title="validation, bits a character", xlabel="steps")
        for axes in (left, right):
            axes.grid(alpha=0.25)
            axes.spines[["top", "right"]].set_visible(False)
            axes.patch.set_alpha(0)
        figure.patch.set_alpha(0)
        out = io.StringIO()
        figure.savefig(out, format="svg", metadata={"Date": None})
    return re.sub(r"(?s)^.*?(?=<svg)", "", out.getvalue())
