// @ts-nocheck
// The parts that match come once the page stands: the first question about a network loads it.

import { read, sayFailed } from "./requests.js";

const section = document.getElementById("parts");
const place = section.querySelector("[aria-live]");
const waiting = [...place.childNodes];

async function ask() {
  place.replaceChildren(...waiting);
  try {
    const text = await read(section.dataset.parts, "text");
    place.replaceChildren(...new DOMParser().parseFromString(text, "text/html").body.childNodes);
  } catch (error) {
    sayFailed(place, `The parts that match cannot be shown: ${error.message}.`, ask);
  }
}

if (section.dataset.parts) ask();

// One pair at a time stands out under the pointer.
place.addEventListener("pointerover", (event) => {
  const match = event.target.closest?.(".match");
  for (const each of place.querySelectorAll(".match"))
    each.classList.toggle("faint", Boolean(match) && each.dataset.match !== match.dataset.match);
});
