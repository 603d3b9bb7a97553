// Ask with a part of an artwork's picture; the address keeps the part.

import { ask } from "./answers.js";
import { boxOn } from "./box.js";

const form = /** @type {HTMLFormElement} */ (document.querySelector("form.asking"));
/** @param {string} name */
const field = (name) => /** @type {HTMLInputElement} */ (form.elements.namedItem(name));
const box = boxOn(form);

function find() {
  const address = new URL(form.dataset.query ?? "", location.href);
  const here = new URL(location.href);
  here.searchParams.delete("answered");
  const years = Object.fromEntries(["year_from", "year_to"].map((name) => [name, field(name).value.trim()]));
  here.searchParams.set("snapshot", document.body.dataset.snapshot ?? "");
  for (const [name, value] of Object.entries({ ...box.parameters(), ...years })) {
    address.searchParams.set(name, value);
    here.searchParams.set(name, value);
  }
  history.replaceState(history.state, "", here);
  const button = /** @type {HTMLButtonElement} */ (form.querySelector("button"));
  ask(address, form, {
    moved: (_share, words) => {
      button.textContent = words ? "Looking …" : "Ask with this part";
    },
  });
}

form.addEventListener("submit", (event) => {
  event.preventDefault();
  find();
});
if (form.dataset.asked && !document.querySelector("#answers .column")) find();
