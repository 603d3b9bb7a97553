// The wall below the map: the artworks shown, those nearest the middle of the map first.

import { element } from "./map-elements.js";

const PAGE = 24, MOST = 240;

export class Wall {
  #wall;
  #more;
  #source;
  #shown = PAGE;
  #turn = 0;
  #ask;

  constructor(wall, more, source) {
    [this.#wall, this.#more, this.#source] = [wall, more, source];
    more.addEventListener("click", async () => {
      const before = this.#shown;
      this.#shown = Math.min(MOST, this.#shown + PAGE);
      await this.show(this.#ask);
      this.#wall.children[before]?.querySelector("a").focus();
    });
  }

  // Back to the first page: something else is shown now.
  begin() {
    this.#shown = PAGE;
  }

  // `ask(n)`: the first n numbers to hang, and how many there are.
  async show(ask) {
    this.#ask = ask;
    const turn = ++this.#turn;
    const { numbers, total } = ask(this.#shown);
    await this.#source.know(numbers);
    await this.#source.arrived(numbers); // asked for by the map a moment before
    if (turn !== this.#turn) return; // something newer is shown
    const hanging = new Map([...this.#wall.children].map((entry) => [Number(entry.dataset.number), entry]));
    const wanted = numbers.filter((number) => this.#source.card(number));
    this.#wall.replaceChildren(...wanted.map((number) => hanging.get(number) ?? this.#entry(number)));
    this.#more.hidden = total <= numbers.length || this.#shown >= MOST;
  }

  #entry(number) {
    const card = this.#source.card(number);
    const image = element("img", { src: card.picture, alt: card.artists ? `${card.title}, by ${card.artists}` : card.title, loading: "lazy", decoding: "async" });
    const link = element("a", { className: "card", href: card.href }, element("span", { className: "hang" }, image), element("cite", {}, card.title), element("span", { className: "by" }, card.by));
    const entry = element("li", {}, link);
    entry.dataset.number = number;
    return entry;
  }
}
