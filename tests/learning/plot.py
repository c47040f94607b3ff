"""The plot of `make learn`: exact answers and the judge's accuracy by model, a line an arm, as SVG."""

WIDTH, HEIGHT, LEFT, TOP, GAP = 330, 230, 50, 40, 50
COLOURS = {"own": "#1f6fb2", "random": "#888888", "true": "#2f9e44"}
NAMES = {"own": "own judgement", "random": "random scores", "true": "true scores"}
PANELS = (("exact", "exact answers, sampled (%)"), ("greedy_exact", "exact answers, greedy (%)"),
          ("judge", "judge: pairs in the true order (%)"))


def ticks(low, high):
    step = next(step for step in (1, 2, 5, 10, 20, 50) if (high - low) / step <= 6)
    return [value for value in range(0, 101, step) if low <= value <= high]


def text(x, y, words, anchor="middle", size=12, colour="#222"):
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" font-size="{size}" fill="{colour}">{words}</text>'


def panel(summary, measure, title, left):
    """One measure of all arms; its interval is a bar."""
    rounds = len(next(iter(summary["steps"].values()))) + 1
    series = {arm: [summary["models"]["M1"][measure]] +
              [summary["models"][f"{arm}-M{number}"][measure] for number in range(2, rounds + 1)]
              for arm in summary["gains"]}
    values = [100 * point[end] for points in series.values() for point in points for end in ("low", "high")]
    low, high = max(0, min(values) - 2), min(100, max(values) + 2)

    def x(index):
        return left + 30 + index * (WIDTH - 60) / max(1, rounds - 1)

    def y(value):
        return TOP + HEIGHT - (value - low) / (high - low) * HEIGHT

    out = [text(left + WIDTH / 2, TOP - 14, title, size=13),
           f'<path d="M{left},{TOP}V{TOP + HEIGHT}H{left + WIDTH}" fill="none" stroke="#444"/>']
    for value in ticks(low, high):
        out.append(f'<path d="M{left},{y(value):.1f}H{left + WIDTH}" stroke="#ddd"/>')
        out.append(text(left - 6, y(value) + 4, value, "end", 11))
    out += [text(x(index), TOP + HEIGHT + 18, f"M{index + 1}") for index in range(rounds)]
    for shift, (arm, points) in zip((-4, 0, 4), series.items()):
        places = [(x(index) + shift, point) for index, point in enumerate(points)]
        line = " ".join(f"{px:.1f},{y(100 * point['value']):.1f}" for px, point in places)
        out.append(f'<polyline points="{line}" fill="none" stroke="{COLOURS[arm]}" stroke-width="2"/>')
        for px, point in places:
            out.append(f'<path d="M{px:.1f},{y(100 * point["low"]):.1f}V{y(100 * point["high"]):.1f}" '
                       f'stroke="{COLOURS[arm]}" stroke-width="1.5"/>')
            out.append(f'<circle cx="{px:.1f}" cy="{y(100 * point["value"]):.1f}" r="3.5" fill="{COLOURS[arm]}"/>')
    return out


def draw(summary, note):
    """The SVG's text. `note`: what it was made of, below."""
    width, height = LEFT + len(PANELS) * (WIDTH + GAP), TOP + HEIGHT + 80
    out = [f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" '
           f'viewBox="0 0 {width} {height}" font-family="sans-serif">', '<rect width="100%" height="100%" fill="#fff"/>']
    for index, (measure, title) in enumerate(PANELS):
        out += panel(summary, measure, title, LEFT + index * (WIDTH + GAP))
    for index, arm in enumerate(summary["gains"]):
        left = LEFT + index * 160
        out.append(f'<path d="M{left},{height - 30}h24" stroke="{COLOURS[arm]}" stroke-width="3"/>')
        out.append(text(left + 30, height - 26, NAMES[arm], "start"))
    out.append(text(LEFT, height - 8, note, "start", 11, "#666"))
    return "\n".join([*out, "</svg>"]) + "\n"
