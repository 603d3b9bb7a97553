// The wall below the map: the artworks shown, those nearest the middle of the map first.

import { element } from "./map-elements.js";
import { clauseOf, sayFailed, Turns } from "./requests.js";

/** @import { Card, Source } from './map-source.js' */
/** @typedef {(most: number) => { numbers: number[], total: number }} Ask */

const PAGE = 24,
  MOST = 240;

export class Wall {
  /** @type {HTMLElement} */
  #wall;
  /** @type {HTMLElement} */
  #more;
  /** @type {Source} */
  #source;
  #shown = PAGE;
  #turns = new Turns();
  /** @type {HTMLElement} */
  #trouble;
  /** @type {Ask | undefined} */
  #ask;

  /**
   * @param {HTMLElement} wall
   * @param {HTMLElement} more
   * @param {HTMLElement} trouble
   * @param {Source} source
   */
  constructor(wall, more, trouble, source) {
    [this.#wall, this.#more, this.#trouble, this.#source] = [wall, more, trouble, source];
    more.addEventListener("click", async () => {
      const before = this.#shown;
      this.#shown = Math.min(MOST, this.#shown + PAGE);
      if (this.#ask) await this.show(this.#ask);
      this.#wall.children[before]?.querySelector("a")?.focus();
    });
  }

  // Back to the first page: something else is shown now.
  begin() {
    this.#shown = PAGE;
  }

  /**
   * `ask(n)`: the first n numbers to hang, and how many there are.
   * @param {Ask} ask
   * @returns {Promise<void>}
   */
  async show(ask) {
    this.#ask = ask;
    const current = this.#turns.begin();
    const { numbers, total } = ask(this.#shown);
    try {
      await this.#source.know(numbers);
    } catch (error) {
      if (!current()) return;
      this.#wall.replaceChildren(); // what hung there was the answer to another question
      this.#more.hidden = true;
      return sayFailed(this.#trouble, `The artworks cannot be shown: ${clauseOf(error)}.`, () => this.show(ask));
    }
    if (!current()) return;
    this.#trouble.replaceChildren();
    const hanging = new Map(
      [.../** @type {HTMLCollectionOf<HTMLElement>} */ (this.#wall.children)].map((entry) => [
        Number(entry.dataset.number),
        entry,
      ]),
    );
    const wanted = numbers.filter((number) => this.#source.card(number));
    this.#wall.replaceChildren(...wanted.map((number) => hanging.get(number) ?? this.#entry(number)));
    this.#more.hidden = total <= numbers.length || this.#shown >= MOST;
  }

  /** @param {number} number */
  #entry(number) {
    const card = /** @type {Card} */ (this.#source.card(number));
    const image = element("img", {
      src: card.picture,
      alt: card.artists ? `${card.title}, by ${card.artists}` : card.title,
      loading: "lazy",
      decoding: "async",
    });
    const link = element(
      "a",
      { className: "card", href: card.href },
      element("span", { className: "hang" }, image),
      element("cite", {}, card.title),
      element("span", { className: "by" }, card.by),
    );
    const entry = element("li", {}, link);
    entry.dataset.number = String(number);
    return entry;
  }
}
