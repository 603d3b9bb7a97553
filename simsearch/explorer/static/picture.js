// Query by picture without leaving the page: drop, paste or choose; progress while it travels; one
// column per network as each answers.

const form = document.querySelector(".drop");
const file = form.querySelector("input[type=file]");
const status = document.getElementById("status");
const answers = document.getElementById("answers");
const progress = form.querySelector(".progress");
let running = null;

form.addEventListener("submit", (event) => {
  event.preventDefault();
  if (file.files[0]) ask(file.files[0]);
});
file.addEventListener("change", () => file.files[0] && ask(file.files[0]));
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
  dropped ? ask(dropped) : tell("That is no picture file; drop a JPEG, PNG, GIF, WebP, TIFF or BMP.", true);
});
document.addEventListener("paste", (event) => {
  const pasted = [...(event.clipboardData?.files ?? [])].find((each) => each.type.startsWith("image/"));
  if (pasted) ask(pasted);
});

function ask(picture) {
  running?.abort();
  answers.replaceChildren();
  preview(picture);
  const limit = Number(form.dataset.limit);
  if (picture.size > limit) {
    tell(`The picture has more than ${limit / 2 ** 20} MiB; give a smaller one.`, true);
    return;
  }
  const request = (running = new XMLHttpRequest()); // fetch does not tell how far an upload is
  let read = 0;
  request.open("POST", form.dataset.query);
  request.setRequestHeader("Content-Type", picture.type || "application/octet-stream");
  request.upload.onprogress = (event) => event.lengthComputable && moved(event.loaded / event.total, "sending");
  request.upload.onload = () => moved(null, "looking");
  request.onprogress = () => {
    if (request.status !== 200) return;
    let end;
    while ((end = request.responseText.indexOf("\n", read)) >= 0) {
      show(JSON.parse(request.responseText.slice(read, end)));
      read = end + 1;
    }
  };
  request.onload = () => {
    request.onprogress();
    progress.hidden = true;
    if (request.status === 200) tell(`${answers.children.length} networks answered.`);
    else tell(message(request), true);
  };
  request.onerror = () => {
    progress.hidden = true;
    tell("The explorer does not answer; is it still running?", true);
  };
  tell("");
  moved(0, "sending");
  request.send(picture);
}

function message(request) {
  try {
    return JSON.parse(request.responseText).error;
  } catch {
    return request.responseText || `The explorer answered ${request.status}.`;
  }
}

function moved(share, words) {
  progress.hidden = false;
  const bar = progress.querySelector("progress");
  share === null ? bar.removeAttribute("value") : (bar.value = share);
  progress.querySelector("span").textContent = share === null ? `${words} …` : `${words}, ${Math.round(share * 100)} %`;
}

function tell(words, failed = false) {
  status.textContent = words;
  status.classList.toggle("error", failed);
}

function preview(picture) {
  const image = element("img", { alt: "Your picture" });
  image.src = URL.createObjectURL(picture);
  image.onload = image.onerror = () => URL.revokeObjectURL(image.src);
  document.getElementById("asked").replaceChildren(image);
}

function show(answer) {
  const heading = element("h2", {}, answer.space, " ");
  if (!answer.trained) heading.append(element("span", { className: "tag warn" }, "untrained"));
  const section = element("section", { className: "column" }, heading);
  section.setAttribute("aria-label", answer.space);
  if (answer.error) section.append(element("p", { className: "error" }, answer.error));
  section.append(element("ol", {}, ...answer.matches.map(match)));
  answers.append(section);
}

function match(found) {
  const address = new URL(form.dataset.artwork, location.href);
  address.searchParams.set("id", found.artwork_id);
  const title = found.title || "Untitled";
  const artists = found.artists.join(", ");
  const image = element("img", { src: prefix() + found.thumbnail, alt: artists ? `${title}, by ${artists}` : title, loading: "lazy" });
  return element("li", {}, element("a", { href: address.href },
    element("span", { className: "hang" }, image),
    element("span", { className: "rank" }, String(found.rank)), " ",
    element("span", { className: "score" }, found.score.toFixed(4)), " ",
    element("cite", {}, title), " ", element("span", { className: "by" }, artists)));
}

function prefix() {
  return new URL(form.dataset.artwork, location.href).pathname.replace(/\/artwork$/, "");
}

function element(name, properties, ...children) {
  const made = Object.assign(document.createElement(name), properties);
  made.append(...children);
  return made;
}
