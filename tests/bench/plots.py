"""Plots as SVG, by matplotlib; without it there are none."""

from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path

Line = Sequence[tuple[float, float]]
_COLOURS = ("#1b6ac9", "#d1622b", "#2d8a57", "#8a4fbf", "#777777", "#b8902e", "#c2456f")


def bars(path: Path, title: str, unit: str, values: Mapping[str, float]) -> None:
    """Draw a bar for each name, the largest at the top, with its value."""
    if find_spec("matplotlib") is None:
        return
    from matplotlib.figure import Figure  # noqa: PLC0415 (an extra)

    names = sorted(values, key=lambda name: values[name])
    figure = Figure(figsize=(7, 0.8 + 0.42 * len(names)), layout="constrained")
    axes = figure.subplots()
    drawn = axes.barh(names, [values[name] for name in names], color=[_colour(name) for name in names], height=0.66)
    axes.bar_label(drawn, fmt="{:,.0f}", padding=4)
    axes.set_title(title, loc="left", fontsize=11)
    axes.set_xlabel(unit)
    axes.margins(x=0.12)
    axes.spines[["top", "right"]].set_visible(False)
    _save(figure, path)


def lines(path: Path, title: str, labels: tuple[str, str], values: Mapping[str, Line], *, log: bool = True) -> None:
    """Draw a line for each name; `labels` are those of the axes, which are logarithmic with `log`."""
    if find_spec("matplotlib") is None:
        return
    from matplotlib.figure import Figure  # noqa: PLC0415 (as above)
    from matplotlib.ticker import FuncFormatter, NullFormatter  # noqa: PLC0415

    figure = Figure(figsize=(7, 4.2), layout="constrained")
    axes = figure.subplots()
    for number, (name, points) in enumerate(values.items()):
        across, up = zip(*sorted(points), strict=True)
        axes.plot(across, up, marker="o", markersize=4, label=name, color=_COLOURS[number % len(_COLOURS)])
    if log:
        axes.set_xscale("log")
        axes.set_yscale("log")
    ticks = sorted({across for points in values.values() for across, _ in points})
    axes.set_xticks(ticks, [f"{tick:,.0f}" for tick in ticks])
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.10g}"))
    axes.set_title(title, loc="left", fontsize=11)
    axes.set_xlabel(labels[0])
    axes.set_ylabel(labels[1])
    axes.grid(visible=True, which="major", color="#dddddd")
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False)
    _save(figure, path)


def _colour(name: str) -> str:
    return _COLOURS[0] if name.startswith("bulkrm") else "#9db4cc"


def _save(figure: object, path: Path) -> None:
    import matplotlib as mpl  # noqa: PLC0415 (as above)

    path.parent.mkdir(parents=True, exist_ok=True)
    # The same measurements give the same bytes.
    with mpl.rc_context({"svg.hashsalt": "bulkrm", "svg.fonttype": "none", "font.family": "sans-serif"}):
        figure.savefig(path, metadata={"Date": None})  # type: ignore[attr-defined]
