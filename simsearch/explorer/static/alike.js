// The parts that match come once the page stands: the first question about a network loads it.

import { clauseOf, read, sayFailed } from "./requests.js";

const section = /** @type {HTMLElement} */ (document.getElementById("parts"));
const place = /** @type {HTMLElement} */ (section.querySelector("[aria-live]"));
const waiting = [...place.childNodes];

async function ask() {
  place.replaceChildren(...waiting);
  try {
    const text = await read(section.dataset.parts ?? "", "text");
    place.replaceChildren(...new DOMParser().parseFromString(text, "text/html").body.childNodes);
  } catch (error) {
    sayFailed(place, `The parts that match cannot be shown: ${clauseOf(error)}.`, ask);
  }
}

if (section.dataset.parts) ask();

// The pair under the pointer stands out.
for (const drawn of [place, document.querySelector(".common")])
  drawn?.addEventListener("pointerover", (event) => {
    const match = /** @type {SVGElement | null} */ (/** @type {Element} */ (event.target).closest?.(".match"));
    /** @type {NodeListOf<SVGElement>} */
    const matches = drawn.querySelectorAll(".match");
    for (const each of matches)
      each.classList.toggle("faint", match !== null && each.dataset.match !== match.dataset.match);
  });
