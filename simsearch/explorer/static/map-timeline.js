// The years as bars: all artworks, and those that the other filters leave; dragging over them, or the
// two fields, keeps a span of years.

import { drawing, counted } from "./map-elements.js";

const BARS = 90;
const SPANS = [1, 2, 5, 10, 20, 25, 50, 100, 250];
const HEIGHT = 100, GAP = 0.14; // of a bar's width

export class Timeline {
  range = null;
  #chart;
  #from;
  #to;
  #changed;
  #held = null;

  // Null where fewer than two years are known.
  static of(place, data, changed) {
    let [first, last] = [Infinity, -Infinity];
    for (const year of data.years) if (year !== data.noYear) [first, last] = [Math.min(first, year), Math.max(last, year)];
    return last > first ? new Timeline(place, first, last, changed) : null;
  }

  constructor(place, first, last, changed) {
    this.#changed = changed;
    this.span = SPANS.find((span) => (last - first) / span <= BARS) ?? 500;
    this.start = Math.floor(first / this.span) * this.span;
    this.bars = Math.floor((last - this.start) / this.span) + 1;
    this.#chart = place.querySelector("svg");
    [this.#from, this.#to] = place.querySelectorAll("input");
    this.#chart.setAttribute("viewBox", `0 0 ${this.bars} ${HEIGHT}`);
    place.hidden = false;
    place.querySelector(".first").textContent = this.start;
    place.querySelector(".last").textContent = last;
    for (const field of [this.#from, this.#to]) field.addEventListener("change", () => this.#typed());
    this.#chart.addEventListener("pointerdown", (event) => this.#down(event));
    this.#chart.addEventListener("pointermove", (event) => this.#held !== null && this.#drag(event));
    this.#chart.addEventListener("pointerup", (event) => this.#up(event));
    this.#chart.addEventListener("pointercancel", () => (this.#held = null));
  }

  place = (year) => Math.floor((year - this.start) / this.span);

  choose(range) {
    this.range = range;
    this.#from.value = range?.[0] ?? "";
    this.#to.value = range?.[1] ?? "";
  }

  #typed() {
    const year = (field, other) => (/^-?\d{1,4}$/.test(field.value.trim()) ? Number(field.value) : other);
    const [from, to] = [year(this.#from, null), year(this.#to, null)];
    const range = from === null && to === null ? null : [from ?? this.start, to ?? this.start + this.bars * this.span - 1];
    this.choose(range && range[0] > range[1] ? [range[1], range[0]] : range);
    this.#changed();
  }

  #bar(event) {
    const box = this.#chart.getBoundingClientRect();
    return Math.min(this.bars - 1, Math.max(0, Math.floor(((event.clientX - box.left) / box.width) * this.bars)));
  }

  #down(event) {
    this.#held = this.#bar(event);
    this.#chart.setPointerCapture(event.pointerId);
    this.#drag(event);
  }

  #drag(event) {
    const [low, high] = [this.#held, this.#bar(event)].sort((a, b) => a - b);
    this.choose([this.start + low * this.span, this.start + (high + 1) * this.span - 1]);
    this.#mark();
  }

  #up() {
    if (this.#held === null) return;
    this.#held = null;
    this.#changed();
  }

  update({ all, open }) {
    // Square roots: a decade of ten works is seen beside one of a thousand.
    const most = Math.sqrt(Math.max(1, ...all));
    const bar = (count, i, name) => {
      const height = (Math.sqrt(count) / most) * HEIGHT;
      return drawing("rect", { class: name, x: i + GAP / 2, width: 1 - GAP, y: HEIGHT - height, height });
    };
    const tips = [...all].map((count, i) => {
      const area = drawing("rect", { class: "reach", x: i, width: 1, y: 0, height: HEIGHT });
      const tip = drawing("title");
      const year = this.start + i * this.span;
      tip.textContent = `${this.span > 1 ? `${year} to ${year + this.span - 1}` : year}: ${counted(open[i])} of ${counted(count)}`;
      area.append(tip);
      return area;
    });
    this.#chart.replaceChildren(
      drawing("rect", { class: "kept" }), ...[...all].map((count, i) => bar(count, i, "all")),
      ...[...open].map((count, i) => bar(count, i, "open")), ...tips,
    );
    this.#mark();
  }

  #mark() {
    const kept = this.#chart.querySelector(".kept");
    const [from, to] = this.range ?? [0, -1];
    const x = (from - this.start) / this.span;
    kept?.setAttribute("x", x);
    kept?.setAttribute("width", Math.max(0, (to + 1 - this.start) / this.span - x));
    kept?.setAttribute("height", HEIGHT);
  }
}
