// The chart's numbers under the pointer, and the networks shown or hidden by the legend.

const tip = document.createElement("div");
tip.className = "charttip";
tip.hidden = true;
document.body.append(tip);

/** @param {Event} event */
function show(event) {
  const mark = /** @type {HTMLElement | null} */ (/** @type {Element} */ (event.target).closest?.("[data-tip]"));
  tip.hidden = !mark;
  if (!mark) return;
  tip.textContent = mark.dataset.tip ?? "";
  const box = mark.getBoundingClientRect();
  const left = Math.min(box.right + 8, innerWidth - tip.offsetWidth - 8);
  tip.style.transform = `translate(${Math.max(8, left)}px, ${Math.max(8, box.top - tip.offsetHeight - 6)}px)`;
}

for (const chart of document.querySelectorAll(".chart")) {
  chart.addEventListener("mouseover", show);
  chart.addEventListener("focusin", show);
  chart.addEventListener("mouseleave", () => (tip.hidden = true));
  chart.addEventListener("focusout", () => (tip.hidden = true));
}

document.getElementById("legend")?.addEventListener("click", (event) => {
  const key = /** @type {HTMLElement | null} */ (/** @type {Element} */ (event.target).closest("button[data-series]"));
  if (!key) return;
  const shown = key.getAttribute("aria-pressed") !== "true";
  key.setAttribute("aria-pressed", String(shown));
  /** @type {NodeListOf<SVGElement>} */
  const drawn = document.querySelectorAll(".chart [data-series]");
  for (const series of drawn) {
    if (series.dataset.series === key.dataset.series) series.classList.toggle("off", !shown);
  }
});
