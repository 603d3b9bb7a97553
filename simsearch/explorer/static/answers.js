// Questions by picture: asked, followed while they travel, answered in one column per network.

const answers = document.getElementById("answers");
const status = document.getElementById("status");
let running = null;

// `moved(share, words)` is told how far the picture is; share null: not known, words null: done.
export function ask(address, form, { method = "GET", body = null, type = null, moved = () => {} } = {}) {
  running?.abort();
  answers.replaceChildren();
  const request = (running = new XMLHttpRequest()); // fetch does not tell how far an upload is
  let read = 0;
  request.open(method, address);
  if (type) request.setRequestHeader("Content-Type", type);
  request.upload.onprogress = (event) => event.lengthComputable && moved(event.loaded / event.total, "sending");
  request.upload.onload = () => moved(null, "looking");
  request.onprogress = () => {
    if (request.status !== 200) return;
    let end;
    while ((end = request.responseText.indexOf("\n", read)) >= 0) {
      show(JSON.parse(request.responseText.slice(read, end)), form);
      read = end + 1;
    }
  };
  request.onload = () => {
    request.onprogress();
    moved(null, null);
    const count = answers.children.length;
    if (request.status === 200) tell(`${count} ${count === 1 ? "network" : "networks"} answered.`);
    else tell(message(request), true);
  };
  request.onerror = () => {
    moved(null, null);
    tell("The explorer does not answer; is it still running?", true);
  };
  tell("");
  moved(body ? 0 : null, body ? "sending" : "looking");
  request.send(body);
}

function message(request) {
  try {
    return JSON.parse(request.responseText).error;
  } catch {
    return request.responseText || `The explorer answered ${request.status}.`;
  }
}

export function tell(words, failed = false) {
  status.textContent = words;
  status.classList.toggle("error", failed);
}

export function clear() {
  running?.abort();
  answers.replaceChildren();
}

function show(answer, form) {
  const heading = element("h2", {}, answer.space, " ");
  if (!answer.trained) heading.append(element("span", { className: "tag warn" }, "untrained"));
  const section = element("section", { className: "column" }, heading);
  section.setAttribute("aria-label", answer.space);
  if (answer.error) section.append(element("p", { className: "error" }, answer.error));
  section.append(element("ol", {}, ...answer.matches.map((found) => match(found, form))));
  if (answer.matches.length) {
    const address = new URL(form.dataset.set, location.href);
    address.searchParams.set("ids", answer.set);
    section.append(element("p", { className: "soft" }, element("a", { href: address.href }, "Make a set of these")));
  } else if (!answer.error) section.append(element("p", {}, "No work of these years."));
  answers.append(section);
}

function match(found, form) {
  const address = new URL(form.dataset.artwork, location.href);
  address.searchParams.set("id", found.artwork_id);
  const title = found.title || "Untitled";
  const artists = found.artists.join(", ");
  const prefix = address.pathname.replace(/\/artwork$/, "");
  const image = element("img", { src: prefix + found.thumbnail, alt: artists ? `${title}, by ${artists}` : title, loading: "lazy" });
  return element("li", {}, element("a", { href: address.href },
    element("span", { className: "hang" }, image),
    element("span", { className: "rank" }, String(found.rank)), " ",
    element("span", { className: "score" }, found.score.toFixed(4)), " ",
    element("cite", {}, title), " ", element("span", { className: "by" }, [artists, found.date].filter(Boolean).join(", "))));
}

function element(name, properties, ...children) {
  const made = Object.assign(document.createElement(name), properties);
  made.append(...children);
  return made;
}
