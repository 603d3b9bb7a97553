// The years as bars, for all artworks and for those that the other filters leave. A drag over the bars, or the
// two fields, keeps a span of years. A few years far from all others, often misprints, would press the rest
// together. They are named beside the bars instead.

import { artworks, drawing, counted } from "./map-elements.js";
import { spanWords, yearOf, yearWords } from "./map-years.js";

/** @import { Data } from './map-source.js' */

const BARS = 90;
const SPANS = [1, 2, 5, 10, 20, 25, 50, 100, 250];
const HEIGHT = 100,
  GAP = 0.14; // of a bar's width
const FEW = 0.01; // of the artworks, at least one, may lie far off at either end
const FAR = 0.5; // of the span of all others that a gap has to be
const SMALL = 100,
  SMALL_FAR = 2; // of so few dated artworks the span says less, so a gap has to be wider
const LEAST_SPAN = 100,
  LEAST_ARTWORKS = 4;

/**
 * The first and last year to draw, and on either side what lies beyond: [first, last, artworks] or null.
 * @param {Iterable<number>} years
 */
export function scaleOf(years) {
  const sorted = Int32Array.from(years).sort();
  const few = sorted.length < LEAST_ARTWORKS ? 0 : Math.max(1, Math.floor(FEW * sorted.length));
  const inner = sorted[sorted.length - 1 - few] - sorted[few];
  const gap = (sorted.length < SMALL ? SMALL_FAR : FAR) * Math.max(inner, LEAST_SPAN);
  let [from, to] = [0, sorted.length - 1];
  for (let i = few; i > 0 && !from; i--) if (sorted[i] - sorted[i - 1] > gap) from = i;
  for (let i = sorted.length - 1 - few; i < sorted.length - 1; i++)
    if (sorted[i + 1] - sorted[i] > gap) {
      to = i;
      break;
    }
  /**
   * @param {number} first
   * @param {number} last
   */
  const side = (first, last) => (first > last ? null : [sorted[first], sorted[last], last - first + 1]);
  return { first: sorted[from], last: sorted[to], before: side(0, from - 1), after: side(to + 1, sorted.length - 1) };
}

export class Timeline {
  /** @type {[number, number] | null} */
  range = null;
  /** @type {SVGSVGElement} */
  #chart;
  /** @type {HTMLInputElement} */
  #from;
  /** @type {HTMLInputElement} */
  #to;
  /** @type {() => void} */
  #changed;
  /** @type {number | null} */
  #held = null;
  /** @type {[number, number] | null} */
  #dragged = null; // counts once it is let go

  /**
   * Null where fewer than two years are known.
   * @param {HTMLElement} place
   * @param {Data} data
   * @param {() => void} changed
   */
  static of(place, data, changed) {
    const years = data.years.filter((year) => year !== data.noYear);
    if (!years.some((year) => year !== years[0])) return null;
    return new Timeline(place, scaleOf(years), changed);
  }

  /**
   * @param {HTMLElement} place
   * @param {ReturnType<typeof scaleOf>} scale
   * @param {() => void} changed
   */
  constructor(place, { first, last, before, after }, changed) {
    this.#changed = changed;
    this.earliest = before?.[0] ?? first;
    this.latest = after?.[1] ?? last;
    this.span = SPANS.find((span) => (last - first) / span <= BARS) ?? 500;
    this.start = Math.floor(first / this.span) * this.span;
    this.bars = Math.floor((last - this.start) / this.span) + 1;
    this.#chart = /** @type {SVGSVGElement} */ (place.querySelector("svg"));
    const [from, to] = place.querySelectorAll("input");
    [this.#from, this.#to] = [from, to];
    this.#chart.setAttribute("viewBox", `0 0 ${this.bars} ${HEIGHT}`);
    place.hidden = false;
    const part = (/** @type {string} */ name) => /** @type {HTMLElement} */ (place.querySelector(name));
    part(".first").textContent = yearWords(this.start);
    part(".last").textContent = yearWords(last);
    part(".strays").replaceChildren(
      ...[before, after].filter((stray) => stray !== null).map((stray) => this.#stray(stray)),
    );
    for (const field of [this.#from, this.#to]) field.addEventListener("change", () => this.#typed());
    this.#chart.addEventListener("pointerdown", (event) => this.#down(event));
    this.#chart.addEventListener("pointermove", (event) => this.#held !== null && this.#drag(event));
    this.#chart.addEventListener("pointerup", () => this.#up());
    this.#chart.addEventListener("pointercancel", () => this.#cancel());
    document.addEventListener("keydown", (event) => {
      if (event.key === "Escape" && this.#cancel()) event.preventDefault();
    });
  }

  /** @param {number[]} stray */
  #stray([first, last, count]) {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = `${artworks(count)} of ${first === last ? yearWords(first) : spanWords([first, last])}`;
    button.title = "Far from all other years: not among the bars";
    button.addEventListener("click", () => {
      this.choose([first, last]);
      this.#mark();
      this.#changed();
    });
    return button;
  }

  /** @param {number} year */
  place = (year) => Math.floor((year - this.start) / this.span);

  /** @param {[number, number] | null} range */
  choose(range) {
    this.range = range;
    this.#write(range);
  }

  /** @param {[number, number] | null} range */
  #write(range) {
    this.#from.value = String(range?.[0] ?? "");
    this.#to.value = String(range?.[1] ?? "");
  }

  #typed() {
    const [from, to] = [this.#from, this.#to].map((field) => {
      const year = yearOf(field.value);
      field.setCustomValidity(year === null && field.value.trim() ? "A year such as 1888, −300 or 300 B.C." : "");
      return year;
    });
    if (![this.#from, this.#to].every((field) => field.reportValidity())) return;
    /** @type {[number, number] | null} */
    const range =
      from === null && to === null
        ? null
        : [from ?? Math.min(this.earliest, to ?? 0), to ?? Math.max(this.latest, from ?? 0)];
    this.range = range && range[0] > range[1] ? [range[1], range[0]] : range;
    // Each field keeps its own year: the other one may be about to change. An end that was left open stays open.
    this.#from.value = String(from ?? "");
    this.#to.value = String(to ?? "");
    this.#changed();
  }

  /** @param {PointerEvent} event */
  #bar(event) {
    const box = this.#chart.getBoundingClientRect();
    return Math.min(this.bars - 1, Math.max(0, Math.floor(((event.clientX - box.left) / box.width) * this.bars)));
  }

  /** @param {PointerEvent} event */
  #down(event) {
    if (event.button > 0) return; // opens a menu
    this.#held = this.#bar(event);
    this.#chart.setPointerCapture(event.pointerId);
    this.#drag(event);
  }

  /** @param {PointerEvent} event */
  #drag(event) {
    const [low, high] = [this.#held ?? 0, this.#bar(event)].sort((a, b) => a - b);
    this.#dragged = [this.start + low * this.span || 1, this.start + (high + 1) * this.span - 1 || -1];
    this.#write(this.#dragged);
    this.#mark();
  }

  // Forgets a span that is being dragged. Returns whether there was one.
  #cancel() {
    if (this.#held === null) return false;
    this.#held = this.#dragged = null;
    this.#write(this.range);
    this.#mark();
    return true;
  }

  #up() {
    if (this.#held === null) return;
    this.choose(this.#dragged);
    this.#held = this.#dragged = null;
    this.#changed();
  }

  /** @param {{ all: Uint32Array, open: Uint32Array }} counts */
  update({ all, open }) {
    // Heights are square roots, so that a decade of ten works can be seen beside one of a thousand.
    const most = Math.sqrt(Math.max(1, ...all));
    /**
     * @param {number} count
     * @param {number} i
     * @param {string} name
     */
    const bar = (count, i, name) => {
      const height = (Math.sqrt(count) / most) * HEIGHT;
      return drawing("rect", { class: name, x: i + GAP / 2, width: 1 - GAP, y: HEIGHT - height, height });
    };
    const tips = [...all].map((count, i) => {
      const area = drawing("rect", { class: "reach", x: i, width: 1, y: 0, height: HEIGHT });
      const tip = drawing("title");
      const year = this.start + i * this.span;
      const years = this.span > 1 ? spanWords([year, year + this.span - 1]) : yearWords(year);
      tip.textContent = `${years}: ${counted(open[i])} of ${counted(count)}`;
      area.append(tip);
      return area;
    });
    this.#chart.replaceChildren(
      drawing("rect", { class: "kept" }),
      ...[...all].map((count, i) => bar(count, i, "all")),
      ...[...open].map((count, i) => bar(count, i, "open")),
      ...tips,
    );
    this.#mark();
  }

  #mark() {
    const kept = this.#chart.querySelector(".kept");
    const [from, to] = this.#dragged ?? this.range ?? [0, -1];
    const x = (from - this.start) / this.span;
    kept?.setAttribute("x", String(x));
    kept?.setAttribute("width", String(Math.max(0, (to + 1 - this.start) / this.span - x))); // beyond the bars: unseen
    kept?.setAttribute("height", String(HEIGHT));
  }
}
