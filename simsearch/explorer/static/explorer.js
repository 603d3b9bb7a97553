// The script of every page: keys, pictures whose server does not answer, and one artwork lit in all columns.

import { element } from "./map-elements.js";
import { store, stored } from "./stored.js";

const keys = /** @type {HTMLInputElement | null} */ (document.getElementById("keys"));
if (keys) {
  keys.checked = stored("keys") !== "off";
  keys.addEventListener("change", () => store("keys", keys.checked ? "on" : "off"));
}

/** @param {Event} event */
const targetOf = (event) => /** @type {Element} */ (event.target);

/** @param {string} link */
const click = (link) => /** @type {HTMLElement | null} */ (document.querySelector(link))?.click();

/** @param {Element} target */
const typing = (target) => target.closest("input, select, textarea, canvas, [contenteditable]");

document.addEventListener("keydown", (event) => {
  if (!keys?.checked || event.ctrlKey || event.metaKey || event.altKey || typing(targetOf(event))) return;
  const search = /** @type {HTMLInputElement | null} */ (document.getElementById("q"));
  if (event.key === "/" && search) {
    event.preventDefault();
    search.focus();
    search.select();
  } else if (event.key === "s") {
    click("a[data-key=s]");
  } else if (event.key === "ArrowRight" || event.key === "ArrowLeft") {
    step(event);
  }
});

/** @param {KeyboardEvent} event */
function step(event) {
  const forward = event.key === "ArrowRight";
  const here = targetOf(event).closest(".wall a, .column a");
  if (here) {
    const links = [...(here.closest(".wall, .column") ?? document).querySelectorAll("li > a")];
    const next = /** @type {HTMLElement | undefined} */ (links[links.indexOf(here) + (forward ? 1 : -1)]);
    if (next) {
      event.preventDefault();
      next.focus();
      return;
    }
  }
  if (targetOf(event).closest("[tabindex='0']")) return; // a region that scrolls by the same keys
  click(`a[rel=${forward ? "next" : "prev"}]`);
}

document.addEventListener(
  "error",
  (event) => {
    const lost = event.target;
    if (lost instanceof HTMLImageElement && lost.dataset.fallback) {
      lost.src = lost.dataset.fallback;
      delete lost.dataset.fallback;
    } else if (lost instanceof HTMLScriptElement) sayIncomplete();
  },
  true,
);

function sayIncomplete() {
  const words = element("p", { className: "error", role: "alert" }, "A script of this page did not come. Reload it.");
  document.getElementById("main")?.prepend(words);
}

for (const columns of document.querySelectorAll(".columns")) {
  /**
   * @param {Event} event
   * @param {boolean} on
   */
  const light = (event, on) => {
    const item = /** @type {HTMLElement | null} */ (targetOf(event).closest("li[data-item]"))?.dataset.item;
    if (!item) return;
    for (const each of columns.querySelectorAll(`li[data-item="${item}"].shared`)) each.classList.toggle("lit", on);
  };
  columns.addEventListener("mouseover", (event) => light(event, true));
  columns.addEventListener("mouseout", (event) => light(event, false));
  columns.addEventListener("focusin", (event) => light(event, true));
  columns.addEventListener("focusout", (event) => light(event, false));
}

const chooser = /** @type {HTMLSelectElement | null} */ (document.querySelector(".dataset select"));
chooser?.addEventListener("change", () => chooser.form?.submit());
