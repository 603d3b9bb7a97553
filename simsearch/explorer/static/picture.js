// Query by picture without leaving the page: drop, paste or choose; progress while it travels; one
// column per network as each answers; then with a part of it.

import { ask, clear, tell } from "./answers.js";
import { boxOn } from "./box.js";

const form = document.querySelector(".drop");
const file = form.querySelector("input[type=file]");
const progress = form.querySelector(".progress");
const asked = document.getElementById("asked");
let picture = null;
let box = null;

form.addEventListener("submit", (event) => {
  event.preventDefault();
  if (file.files[0]) take(file.files[0]);
});
file.addEventListener("change", () => file.files[0] && take(file.files[0]));
for (const name of ["dragover", "dragenter"]) {
  document.addEventListener(name, (event) => {
    event.preventDefault();
    form.classList.add("over");
  });
}
document.addEventListener("dragleave", (event) => event.relatedTarget || form.classList.remove("over"));
document.addEventListener("drop", (event) => {
  event.preventDefault();
  form.classList.remove("over");
  const dropped = [...(event.dataTransfer?.files ?? [])].find((each) => each.type.startsWith("image/"));
  dropped ? take(dropped) : tell("That is no picture file; drop a JPEG, PNG, GIF, WebP, TIFF or BMP.", true);
});
document.addEventListener("paste", (event) => {
  const pasted = [...(event.clipboardData?.files ?? [])].find((each) => each.type.startsWith("image/"));
  if (pasted) take(pasted);
});

function take(given) {
  picture = given;
  preview();
  find();
}

function find(parameters = {}) {
  const limit = Number(form.dataset.limit);
  if (picture.size > limit) {
    clear();
    tell(`The picture has more than ${limit / 2 ** 20} MiB; give a smaller one.`, true);
    return;
  }
  const address = new URL(form.dataset.query, location.href);
  for (const [name, value] of Object.entries(parameters)) address.searchParams.set(name, value);
  ask(address, form, { method: "POST", body: picture, type: picture.type || "application/octet-stream", moved });
}

function moved(share, words) {
  progress.hidden = !words;
  const bar = progress.querySelector("progress");
  share === null ? bar.removeAttribute("value") : (bar.value = share);
  progress.querySelector("span").textContent = share === null ? `${words} …` : `${words}, ${Math.round(share * 100)} %`;
}

function preview() {
  const image = asked.querySelector("img");
  image.src = URL.createObjectURL(picture);
  image.onload = () => {
    URL.revokeObjectURL(image.src);
    asked.hidden = false;
    box ??= boxOn(asked);
  };
  image.onerror = () => {
    URL.revokeObjectURL(image.src);
    asked.hidden = true; // a kind that this browser does not show; the explorer may know it
  };
}

asked.addEventListener("submit", (event) => {
  event.preventDefault();
  find(box.parameters());
});
