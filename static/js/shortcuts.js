// Keyboard shortcuts: a key presses a button that is on the screen, so nothing can be done by key alone.
//
//   <button data-key="a">       pressed by A; inside a selected row it goes before the page's own
//   [data-row]                  a row J and K walk over; Enter follows its first link
//   [data-help]                 opens the list of keys, which reads them off the buttons

const root = document.documentElement;
const STORE = "desk-shortcuts";
const help = document.getElementById("help");

const isOn = () => (localStorage.getItem(STORE) ?? root.dataset.shortcuts) === "on";
const isTyping = (element) => element.closest("input:not([type=checkbox], [type=radio]), textarea, select, [contenteditable]");
const isShown = (element) => element.checkVisibility() && !element.disabled;

const rows = () => [...document.querySelectorAll("[data-row]")].filter(isShown);
const selected = () => document.querySelector("[data-row][data-selected]");

function walk(step) {
  const all = rows();
  if (!all.length) return;
  const from = all.indexOf(selected());
  const to = all[from < 0 ? (step > 0 ? 0 : all.length - 1) : Math.min(all.length - 1, Math.max(0, from + step))];
  selected()?.removeAttribute("data-selected");
  to.setAttribute("data-selected", "");
  to.scrollIntoView({ block: "nearest" });
  to.querySelector("a")?.focus({ preventScroll: true });
}

function press(key) {
  const name = CSS.escape(key);
  const button = [...(selected()?.querySelectorAll(`[data-key="${name}"]`) ?? []), ...document.querySelectorAll(`[data-key="${name}"]`)].find(isShown);
  if (!button) return false;
  if (button.matches("input, textarea, select")) button.focus();
  else button.click();
  return true;
}

document.addEventListener("keydown", (event) => {
  if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || !isOn()) return;
  if (isTyping(event.target) || document.querySelector("dialog[open]")) return;
  const key = event.key.toLowerCase();
  if (key === "j" || key === "k") walk(key === "j" ? 1 : -1);
  else if (key === "enter" && selected() && !event.target.closest("a, button, summary")) selected().querySelector("a")?.click();
  else if (event.key.length !== 1 || !press(key)) return;
  event.preventDefault();
});

function list() {
  const place = help.querySelector("[data-help-list]");
  for (const old of place.querySelectorAll("[data-found]")) old.remove();
  const seen = new Set(["?"]);
  for (const button of [...document.querySelectorAll("[data-key]")].filter(isShown)) {
    if (seen.has(button.dataset.key)) continue;
    seen.add(button.dataset.key);
    const words = button.cloneNode(true);
    for (const hint of words.querySelectorAll(".keys, svg")) hint.remove();
    const line = document.createElement("div"), term = document.createElement("dt"), what = document.createElement("dd");
    const cap = document.createElement("kbd");
    line.dataset.found = "";
    cap.textContent = button.dataset.key.toUpperCase();
    term.append(cap);
    what.textContent = (words.textContent.trim() || button.getAttribute("aria-label") || button.title).toLowerCase();
    line.append(term, what);
    place.append(line);
  }
}

document.addEventListener("click", (event) => {
  if (!help || !event.target.closest("[data-help]")) return;
  list();
  help.showModal();
});

const toggle = document.querySelector("[data-shortcuts-switch]");
const show = () => {
  root.dataset.shortcuts = isOn() ? "on" : "off";
  if (toggle) toggle.checked = isOn();
};
toggle?.addEventListener("change", () => {
  localStorage.setItem(STORE, toggle.checked ? "on" : "off");
  show();
});
show();
