// @ts-nocheck
// Ask with a part of an artwork's picture; the address keeps the part.

import { ask } from "./answers.js";
import { boxOn } from "./box.js";

const form = document.querySelector("form.asking");
const box = boxOn(form);

function find() {
  const address = new URL(form.dataset.query, location.href);
  const here = new URL(location.href);
  here.searchParams.delete("answered");
  const years = Object.fromEntries(["year_from", "year_to"].map((name) => [name, form.elements[name].value.trim()]));
  here.searchParams.set("snapshot", document.body.dataset.snapshot);
  for (const [name, value] of Object.entries({ ...box.parameters(), ...years })) {
    address.searchParams.set(name, value);
    here.searchParams.set(name, value);
  }
  history.replaceState(history.state, "", here);
  const button = form.querySelector("button");
  ask(address, form, { moved: (_share, words) => (button.textContent = words ? "Looking …" : "Ask with this part") });
}

form.addEventListener("submit", (event) => {
  event.preventDefault();
  find();
});
if (form.dataset.asked && !document.querySelector("#answers .column")) find();
