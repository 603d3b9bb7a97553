// @ts-nocheck
// What every page has: keys, pictures whose server does not answer, the same artwork lit in all columns.

const keys = document.getElementById("keys");
if (keys) {
  keys.checked = localStorage.getItem("keys") !== "off";
  keys.addEventListener("change", () => localStorage.setItem("keys", keys.checked ? "on" : "off"));
}

const typing = (target) => target.closest("input, select, textarea, canvas, [contenteditable]");

document.addEventListener("keydown", (event) => {
  if (!keys?.checked || event.ctrlKey || event.metaKey || event.altKey || typing(event.target)) return;
  const search = document.getElementById("q");
  if (event.key === "/" && search) {
    event.preventDefault();
    search.focus();
    search.select();
  } else if (event.key === "s") {
    document.querySelector("a[data-key=s]")?.click();
  } else if (event.key === "ArrowRight" || event.key === "ArrowLeft") {
    step(event);
  }
});

function step(event) {
  const forward = event.key === "ArrowRight";
  const here = event.target.closest(".wall a, .column a");
  if (here) {
    const links = [...here.closest(".wall, .column").querySelectorAll("li > a")];
    const next = links[links.indexOf(here) + (forward ? 1 : -1)];
    if (next) {
      event.preventDefault();
      next.focus();
      return;
    }
  }
  if (event.target.closest("[tabindex='0']")) return; // a region that scrolls by the same keys
  document.querySelector(`a[rel=${forward ? "next" : "prev"}]`)?.click();
}

document.addEventListener(
  "error",
  (event) => {
    const image = event.target;
    if (image instanceof HTMLImageElement && image.dataset.fallback) {
      image.src = image.dataset.fallback;
      delete image.dataset.fallback;
    }
  },
  true,
);

for (const columns of document.querySelectorAll(".columns")) {
  const light = (event, on) => {
    const item = event.target.closest("li[data-item]")?.dataset.item;
    if (!item) return;
    for (const each of columns.querySelectorAll(`li[data-item="${item}"].shared`)) each.classList.toggle("lit", on);
  };
  columns.addEventListener("mouseover", (event) => light(event, true));
  columns.addEventListener("mouseout", (event) => light(event, false));
  columns.addEventListener("focusin", (event) => light(event, true));
  columns.addEventListener("focusout", (event) => light(event, false));
}

const chooser = document.querySelector(".dataset select");
chooser?.addEventListener("change", () => chooser.form.submit());
