// A slider in place of the links to lists of which fewer pairs are by chance. Each stop is a link's page.

const form = /** @type {HTMLFormElement} */ (document.querySelector(".chance"));
const slider = /** @type {HTMLInputElement} */ (form.querySelector("input"));
const said = /** @type {HTMLElement} */ (form.querySelector("label b"));
const links = /** @type {NodeListOf<HTMLAnchorElement>} */ (form.querySelectorAll("a"));
const current = Math.max(
  0,
  [...links].findIndex((link) => link.ariaCurrent === "true"),
);
const PAUSE = 400; // milliseconds after the last key, so that several keys go several stops
let timer = 0;

function show() {
  const link = links[Number(slider.value)];
  said.textContent = link.querySelector("b")?.textContent ?? "";
  slider.setAttribute("aria-valuetext", (link.textContent ?? "").replace(/\s+/g, " ").trim());
}

function go() {
  if (Number(slider.value) !== current) location.assign(links[Number(slider.value)].href);
}

function reset() {
  slider.value = String(current);
  show();
}

reset();
slider.hidden = false;
form.classList.add("slides");
if (location.hash === "#chance") slider.focus(); // no element has this name, which would take the focus
slider.addEventListener("input", () => {
  show();
  clearTimeout(timer);
});
slider.addEventListener("change", () => {
  clearTimeout(timer);
  timer = setTimeout(go, PAUSE);
});
form.addEventListener("submit", (event) => event.preventDefault());
// The way back shows the page with the stop that it is of.
addEventListener("pageshow", reset);
