"""The results as a Markdown table and as an SVG picture of the ratios against their goals."""

from html import escape

BAR_WIDTH, ROW_HEIGHT, LABEL_WIDTH, MARGIN = 420, 22, 400, 16
FULL_RATIO = 1.5
GOOD, MISSED, PLAIN = "#2e7d4f", "#b3541e", "#5b6f8a"


def meets_goal(result):
    """Whether the row's goal is met; None when it has none."""
    row = result["row"]
    if row.goal_ratio is not None:
        return result["ratio"] is not None and _within(row, result["ratio"], row.goal_ratio)
    if row.goal_own is not None:
        return result["cloakroom"] is not None and _within(row, result["cloakroom"], row.goal_own)
    return None


def _within(row, value, goal):
    return value <= goal if row.better == "lower" else value >= goal


def number(value):
    if value is None:
        return "–"
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.2f}" if abs(value) >= 1 else f"{value:.3f}"


def goal_text(row):
    sign = "≤" if row.better == "lower" else "≥"
    if row.goal_ratio is not None:
        return f"{sign} {row.goal_ratio:g} ×"
    return f"{sign} {row.goal_own:g} {row.unit}" if row.goal_own is not None else ""


def _columns(result):
    row, met = result["row"], meets_goal(result)
    ratio = "–" if result["ratio"] is None else f"{result['ratio']:.2f}"
    theirs = "–" if result["redis"] is None else f"{number(result['redis'])} {row.unit}"
    return [row.name, f"{number(result['cloakroom'])} {row.unit}", theirs, ratio, goal_text(row),
            "" if met is None else "met" if met else "missed"]


def line(result):
    """One row as text, to read while the others are still measured: ours, Redis', ratio, goal."""
    return " | ".join(_columns(result)).rstrip(" |")


def markdown(results):
    """One table per group, in the order of the results."""
    lines, group = [], None
    for result in results:
        if result["group"] != group:
            group = result["group"]
            lines += ["", f"### {group}", "", "| what | Cloakroom | Redis | ratio | goal | |",
                      "|---|--:|--:|--:|--:|---|"]
        lines.append(f"| {' | '.join(_columns(result))} |")
    return "\n".join(lines).strip() + "\n"


def _goal_ratio(result):
    row = result["row"]
    if row.goal_ratio is not None:
        return row.goal_ratio
    if row.goal_own is not None and result["redis"]:
        return row.goal_own / result["redis"]
    return None


def _bar(result, y):
    row, ratio = result["row"], result["ratio"]
    met = meets_goal(result)
    colour = PLAIN if met is None else GOOD if met else MISSED
    scale = BAR_WIDTH / FULL_RATIO
    left = MARGIN + LABEL_WIDTH
    middle = y + ROW_HEIGHT * 0.68
    width = min(ratio, FULL_RATIO) * scale
    parts = [
        f'<text x="{left - 8}" y="{middle:.1f}" text-anchor="end">{escape(row.name)}</text>',
        f'<rect x="{left}" y="{y + 3}" width="{width:.1f}" height="{ROW_HEIGHT - 6}" fill="{colour}"/>',
        f'<text x="{left + BAR_WIDTH + 8}" y="{middle:.1f}">{ratio:.2f} ×</text>']
    goal = _goal_ratio(result)
    if goal is not None and goal <= FULL_RATIO:
        x = left + goal * scale
        parts.append(f'<line x1="{x:.1f}" x2="{x:.1f}" y1="{y + 1}" y2="{y + ROW_HEIGHT - 1}" '
                     'stroke="#111" stroke-width="2"/>')
    return parts


def svg(results):
    """Bars of Cloakroom / Redis for every row where less is better. Redis is the line at 1, the
    short black line in a row its goal; green meets the goal, orange misses it."""
    drawn = [result for result in results
             if result["row"].better == "lower" and result["ratio"] is not None]
    height = 2 * MARGIN + ROW_HEIGHT * (len(drawn) + 1)
    width = 2 * MARGIN + LABEL_WIDTH + BAR_WIDTH + 70
    one = MARGIN + LABEL_WIDTH + BAR_WIDTH / FULL_RATIO
    parts = [f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" '
             f'viewBox="0 0 {width} {height}" font-family="sans-serif" font-size="12" fill="#222">',
             f'<rect width="{width}" height="{height}" fill="#fff"/>',
             f'<text x="{MARGIN + LABEL_WIDTH}" y="{MARGIN + 10}">Cloakroom ÷ Redis, less is better; '
             'black line: goal, dashed: Redis</text>']
    for index, result in enumerate(drawn):
        parts += _bar(result, MARGIN + ROW_HEIGHT * (index + 1))
    parts.append(f'<line x1="{one:.1f}" x2="{one:.1f}" y1="{MARGIN + ROW_HEIGHT}" '
                 f'y2="{height - MARGIN}" stroke="#777" stroke-dasharray="4 3"/>')
    return "\n".join(parts + ["</svg>", ""])
