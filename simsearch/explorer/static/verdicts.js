// One key gives a verdict. The judge's name is asked once and stays in this browser.

import { store, stored } from "./stored.js";

const NAME = "judge";

/** @type {NodeListOf<HTMLInputElement>} */
const names = document.querySelectorAll("input[name=who]");
const keys = /** @type {HTMLInputElement | null} */ (document.getElementById("keys"));
const ONCE = 5000; // milliseconds in which a verdict is sent once; one that was stopped can be sent later
let sent = -Infinity;

/** @param {string} name */
function show(name) {
  for (const input of names) {
    input.value = name;
    input.closest("form")?.classList.toggle("named", name !== "");
  }
}

show(stored(NAME) ?? "");
for (const input of names) input.addEventListener("change", () => show(input.value.trim()));

const isSending = () => performance.now() - sent < ONCE;

// A verdict is sent once, however long its key is held.
document.addEventListener("submit", (event) => {
  const form = /** @type {HTMLFormElement} */ (event.target);
  const input = form.querySelector("input[name=who]");
  if (!(input instanceof HTMLInputElement)) return;
  if (isSending()) {
    event.preventDefault();
    return;
  }
  sent = performance.now();
  store(NAME, input.value.trim());
});
// The way back shows the page as it was sent.
addEventListener("pageshow", () => {
  sent = -Infinity;
});

// A key that leads to another page would take back a verdict that is still on its way.
addEventListener(
  "keydown",
  (event) => {
    if (event.key === "Escape")
      sent = -Infinity; // stops the request
    else if (isSending()) event.stopImmediatePropagation();
  },
  true,
);

/** @param {KeyboardEvent} event */
function pressed(event) {
  const digit = /^(?:Digit|Numpad)([1-9])$/.exec(event.code);
  if (digit) return event.shiftKey ? `Shift+${digit[1]}` : digit[1];
  return event.shiftKey ? "" : event.key;
}

document.addEventListener("keydown", (event) => {
  if (!keys?.checked || event.ctrlKey || event.metaKey || event.altKey || event.repeat) return;
  const typing = /** @type {Element} */ (event.target).closest("input:not([type=checkbox]), textarea, select");
  const key = pressed(event);
  if (typing || !key) return;
  const meant = document.querySelector(`[data-press="${CSS.escape(key)}"]`);
  if (!(meant instanceof HTMLElement)) return;
  event.preventDefault();
  if (meant instanceof HTMLButtonElement) meant.form?.requestSubmit(meant);
  else meant.click();
});
