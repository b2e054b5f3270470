// Search or jump: Ctrl+K or /. Asks GET <data-source>?q=… for {"results": [{"label", "hint", "url"}]}.
// Without this script the button submits a plain search form to the same address.

const dialog = document.getElementById("palette");
const field = document.getElementById("palette-query");
const place = document.getElementById("palette-results");
const note = dialog.querySelector("[data-palette-note]");
let asked = null, waiting = 0, chosen = 0;

const options = () => [...place.children];

function choose(index) {
  const all = options();
  chosen = Math.max(0, Math.min(all.length - 1, index));
  all.forEach((option, at) => option.setAttribute("aria-selected", String(at === chosen)));
  field.setAttribute("aria-activedescendant", all[chosen]?.id ?? "");
  all[chosen]?.scrollIntoView({ block: "nearest" });
}

function draw(results) {
  place.replaceChildren(...results.map((result, at) => {
    const option = document.createElement("li"), label = document.createElement("span"), hint = document.createElement("span");
    option.id = `palette-${at}`;
    option.className = "palette-result";
    option.setAttribute("role", "option");
    option.dataset.url = result.url;
    label.textContent = result.label;
    hint.className = "palette-hint";
    hint.textContent = result.hint ?? "";
    option.append(label, hint);
    return option;
  }));
  choose(0);
}

async function ask() {
  const words = field.value.trim();
  asked?.abort();
  if (!words) {
    draw([]);
    note.textContent = "Type to search.";
    return;
  }
  asked = new AbortController();
  try {
    const source = new URL(dialog.dataset.source, location.href);
    source.searchParams.set("q", words);
    const answer = await fetch(source, { headers: { Accept: "application/json" }, signal: asked.signal });
    if (!answer.ok) throw new Error(String(answer.status));
    const { results } = await answer.json();
    draw(results);
    note.textContent = results.length ? "" : `Nothing found for “${words}”.`;
  } catch (error) {
    if (error.name === "AbortError") return;
    draw([]);
    note.textContent = "The search did not answer. Try again, or use the menu.";
  }
}

function open() {
  if (dialog.open) return;
  dialog.showModal();
  field.select();
}

function go() {
  const option = options()[chosen];
  if (option) location.assign(option.dataset.url);
}

field.addEventListener("input", () => {
  clearTimeout(waiting);
  waiting = setTimeout(ask, 120);
});
field.addEventListener("keydown", (event) => {
  const moves = { ArrowDown: 1, ArrowUp: -1 };
  if (event.key in moves) choose(chosen + moves[event.key]);
  else if (event.key === "Enter") go();
  else return;
  event.preventDefault();
});
place.addEventListener("click", (event) => {
  const option = event.target.closest("[role=option]");
  if (option) location.assign(option.dataset.url);
});
dialog.addEventListener("click", (event) => { if (event.target === dialog) dialog.close(); });

document.addEventListener("click", (event) => {
  if (!event.target.closest("[data-palette]")) return;
  event.preventDefault();
  open();
});
document.addEventListener("keydown", (event) => {
  const typing = event.target.closest("input, textarea, select, [contenteditable]");
  const isSlash = event.key === "/" && !typing && document.documentElement.dataset.shortcuts !== "off";
  if (!isSlash && !((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "k")) return;
  event.preventDefault();
  open();
});
