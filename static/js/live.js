// Live pages: when the desk says something changed, fetch the parts of this page again, with this reader's permissions.
//
//   <meta name="desk-live" content="/live/?token=…">   the event stream; the token is short-lived, the page brings a new one
//   <section id="clocks" data-live-src="?fragment=clocks">   a part: its address answers with HTML that holds the same id
//   <ol id="rows" data-live-src="…" data-live-rows>    a list: rows carry data-row-key (and data-severity); rows change in place,
//                                                      new rows and a new order wait behind a "3 new" bar
//   data-live-topic="incident:2041"                    optional: refresh only when an event's data is that topic, or "everything:0"
//   <… data-live-state><… data-live-text>              says Live, Reconnecting, Every 30 s, or Stale since hh:mm
//
// Nothing a person is typing in, or has changed, is ever replaced.

const POLL_MS = 30_000, QUIET_MS = 45_000, STALE_MS = 75_000, SETTLE_MS = 250, RETRY_MS = [1_000, 2_000, 5_000, 10_000, 30_000];

const parts = () => [...document.querySelectorAll("[data-live-src]")];
const streamAddress = (page) => page.querySelector('meta[name="desk-live"]')?.content;

// --- what the reader sees of it ------------------------------------------------------------------------------------
let stream = null, failures = 0, lastGood = Date.now(), mode = "";
const hhmm = (instant) => new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit", hourCycle: "h23" }).format(instant);

function say(next) {
  const words = { live: "Live", polling: "Every 30 s", reconnecting: "Reconnecting", stale: `Stale since ${hhmm(lastGood)}`, out: "Signed out: reload" };
  for (const place of document.querySelectorAll("[data-live-state]")) {
    place.dataset.liveState = next === "out" ? "stale" : next;
    const text = place.querySelector("[data-live-text]");
    if (text.textContent !== words[next]) text.textContent = words[next];
  }
  if (next === "stale" && mode !== "stale") announce(`This page is stale since ${hhmm(lastGood)}.`, false);
  mode = next;
}

function announce(text, isUrgent) {
  const place = document.getElementById(isUrgent ? "say-now" : "say-politely");
  if (place) place.textContent = text;
}

function judge() {
  if (mode === "out") return;
  if (Date.now() - lastGood > STALE_MS) say("stale");
  else if (stream?.readyState === EventSource.OPEN) say("live");
  else say(failures > 2 ? "polling" : "reconnecting");
}

// --- putting a fresh part in place ---------------------------------------------------------------------------------
const isDirty = (field) =>
  field.dataset.touched !== undefined ||
  (!["hidden", "checkbox", "radio", "select-one", "select-multiple"].includes(field.type) && field.value !== field.defaultValue);

const isInUse = (part) =>
  part.querySelector("details[open]:not([id]), dialog[open]") !== null ||
  (part.contains(document.activeElement) && document.activeElement.matches("input, textarea, select, [contenteditable]")) ||
  [...part.querySelectorAll("input, textarea, select")].some(isDirty);

document.addEventListener("input", (event) => { event.target.dataset.touched = ""; });

// What a reader has unfolded stays unfolded: a <details> with an id is known again in the fresh part.
function keepOpen(part, fresh) {
  for (const one of part.querySelectorAll("details[open][id]")) fresh.querySelector(`#${CSS.escape(one.id)}`)?.setAttribute("open", "");
}

function place(part, fresh) {
  if (part.hasAttribute("data-live-rows")) return placeRows(part, fresh);
  keepOpen(part, fresh);
  if (isInUse(part) || part.isEqualNode(fresh)) return undefined;
  const keptFocus = part.contains(document.activeElement) ? document.activeElement.id : "";
  part.replaceWith(fresh);
  if (keptFocus) document.getElementById(keptFocus)?.focus({ preventScroll: true });
  return undefined;
}

const keyed = (list) => new Map([...list.querySelectorAll("[data-row-key]")].map((row) => [row.dataset.rowKey, row]));

function placeRows(list, fresh) {
  const old = keyed(list), young = keyed(fresh);
  for (const [key, row] of old) {
    const next = young.get(key);
    row.classList.toggle("is-gone", !next);
    if (!next || isInUse(row)) continue;
    if (row.hasAttribute("data-selected")) next.setAttribute("data-selected", "");
    const hadFocus = row.contains(document.activeElement);
    const copy = next.cloneNode(true);
    if (row.isEqualNode(copy)) continue;
    row.replaceWith(copy);
    if (hadFocus) copy.querySelector("a")?.focus({ preventScroll: true });
  }
  const added = [...young.keys()].filter((key) => !old.has(key));
  const isReordered = [...young.keys()].filter((key) => old.has(key)).join() !== [...old.keys()].filter((key) => young.has(key)).join();
  const isSmaller = [...old.keys()].some((key) => !young.has(key));
  bar(list, fresh, added.map((key) => young.get(key)), isReordered || isSmaller);
}

function bar(list, fresh, added, isOtherwiseChanged) {
  const id = `${list.id}-fresh`;
  const shown = document.getElementById(id);
  if (!added.length && !isOtherwiseChanged) return shown?.remove();
  const words = added.length ? `${added.length} new` : "Order has changed";
  const critical = added.filter((row) => row.dataset.severity === "P1");
  const holder = shown ?? Object.assign(document.createElement("div"), { id, className: "fresh" });
  const button = Object.assign(document.createElement("button"), { type: "button", className: critical.length ? "btn btn-danger" : "btn btn-primary" });
  button.textContent = `${words}. Show`;
  button.addEventListener("click", () => {
    holder.remove();
    list.replaceWith(fresh);
    document.dispatchEvent(new CustomEvent("desk:replaced"));
  });
  if (shown?.textContent !== button.textContent && added.length) {
    announce(critical.length ? `New P1: ${critical[0].querySelector("a")?.textContent ?? ""}` : `${words} in the list`, critical.length > 0);
  }
  holder.replaceChildren(button);
  if (!shown) list.before(holder);
  return undefined;
}

// --- fetching --------------------------------------------------------------------------------------------------------
async function fetchPage(address) {
  const answer = await fetch(address, { headers: { "X-Fragment": "1", Accept: "text/html" }, cache: "no-store" });
  const isElsewhere = answer.redirected && new URL(answer.url).pathname !== new URL(address, location.href).pathname;
  if (isElsewhere) throw Object.assign(new Error("signed out"), { isOut: true });
  if (!answer.ok) throw new Error(String(answer.status));
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  const told = page.querySelector('meta[name="desk-now"]'); // the desk's clock is the database's; a bare fragment need not carry it
  if (told) document.dispatchEvent(new CustomEvent("desk:now", { detail: Date.parse(told.content) }));
  return page;
}

async function refresh(topics = null) {
  const wanted = parts().filter((part) => !topics || !part.dataset.liveTopic || topics.has(part.dataset.liveTopic));
  const byAddress = Map.groupBy(wanted, (part) => new URL(part.dataset.liveSrc || location.href, location.href).href);
  try {
    await Promise.all([...byAddress].map(async ([address, group]) => {
      const page = await fetchPage(address);
      for (const part of group) {
        const fresh = page.getElementById(part.id);
        if (fresh) place(part, document.adoptNode(fresh));
      }
    }));
    lastGood = Date.now();
    document.dispatchEvent(new CustomEvent("desk:replaced"));
  } catch (error) {
    if (error.isOut) say("out");
  }
  judge();
}

// Several events in one breath are one refresh, and many viewers do not ask in the same instant.
let settling = 0;
const waiting = new Set();
function settle(topic) {
  waiting.add(topic);
  clearTimeout(settling);
  settling = setTimeout(() => {
    const topics = new Set(waiting);
    waiting.clear();
    refresh(topics.has("") ? null : topics);
  }, SETTLE_MS + Math.random() * SETTLE_MS);
}

// --- the stream ------------------------------------------------------------------------------------------------------
function listen(address) {
  stream = new EventSource(address);
  stream.addEventListener("open", () => {
    failures = 0;
    lastGood = Date.now();
    judge();
  });
  const heard = (event) => {
    lastGood = Date.now();
    if (event.type !== "ping") settle(event.data.startsWith("everything") ? "" : event.data);
    judge();
  };
  for (const kind of ["message", "change", "ping"]) stream.addEventListener(kind, heard);
  stream.addEventListener("error", () => {
    stream.close();
    failures += 1;
    judge();
    setTimeout(renew, RETRY_MS[Math.min(failures, RETRY_MS.length) - 1]);
  });
}

// A broken stream needs a fresh token: this page, asked again, carries one, and everything that was missed.
async function renew() {
  try {
    const page = await fetchPage(location.href);
    for (const part of parts()) {
      const fresh = page.getElementById(part.id);
      if (fresh) place(part, document.adoptNode(fresh));
    }
    lastGood = Date.now();
    document.dispatchEvent(new CustomEvent("desk:replaced"));
    const address = streamAddress(page);
    if (address) listen(address);
  } catch (error) {
    if (error.isOut) return say("out");
    failures += 1;
    setTimeout(renew, RETRY_MS[Math.min(failures, RETRY_MS.length) - 1]);
  }
  return judge();
}

if (parts().length || streamAddress(document)) {
  const address = streamAddress(document);
  if (address) listen(address);
  else failures = RETRY_MS.length;
  setInterval(() => {
    const isHeard = stream?.readyState === EventSource.OPEN && Date.now() - lastGood < QUIET_MS; // an open line can be a dead one
    if (!document.hidden && !isHeard && mode !== "out") refresh();
    else judge();
  }, POLL_MS);
  setInterval(judge, 5_000);
  document.addEventListener("visibilitychange", () => { if (!document.hidden) settle(""); });
  judge();
}
