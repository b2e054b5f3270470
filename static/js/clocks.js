// Ticking times. The server writes every time once, correct and complete; this keeps it true while the page is open.
// It speaks the same words as supportdesk/readable.py, and trusts the desk's clock, not this device's.
//
//   <time data-countdown datetime=…>      "6 min 05 s left" / "2 min overdue"; data-countdown="in" says "in 6 min 05 s"
//   <span data-ago=…>                     "12 min ago"
//   <progress data-from=… data-to=…>      share of the time used
//   <… data-soon=… class="clock-running"> turns clock-soon, then clock-overdue
//   <… data-wall="Europe/Berlin">         the clock in the top bar

const MINUTE = 60, HOUR = 3600, DAY = 86400;

const told = document.querySelector('meta[name="desk-now"]');
let ahead = told ? Date.parse(told.content) - Date.now() : 0; // the desk's clock minus this device's

const pair = (seconds, large, largeName, small, smallName) => {
  const part = Math.floor((seconds % large) / small);
  return `${Math.floor(seconds / large)} ${largeName}` + (part ? ` ${part} ${smallName}` : "");
};

function duration(seconds, precise = false) {
  if (seconds < MINUTE) return `${seconds} s`;
  if (seconds < HOUR) {
    const minutes = Math.floor(seconds / MINUTE);
    return precise && minutes < 10 ? `${minutes} min ${String(seconds % MINUTE).padStart(2, "0")} s` : `${minutes} min`;
  }
  if (seconds < DAY) return pair(seconds, HOUR, "h", MINUTE, "min");
  if (seconds < 14 * DAY) return pair(seconds, DAY, "d", HOUR, "h");
  return `${Math.floor(seconds / DAY)} d`;
}

function remaining(due, now, asTime) {
  const left = (due - now) / 1000;
  if (Math.abs(left) < 1) return "due now";
  if (left < 0) return `${duration(Math.floor(-left))} overdue`;
  const words = duration(Math.floor(left), true);
  return asTime ? `in ${words}` : `${words} left`;
}

function ago(at, now) {
  const seconds = Math.floor((now - at) / 1000);
  if (seconds < 0) return `in ${duration(-seconds)}`;
  return seconds < MINUTE ? "just now" : `${duration(seconds)} ago`;
}

const write = (element, text) => {
  if (element.textContent !== text) element.textContent = text;
};

function turn(clock, now) {
  const face = clock.querySelector("[data-countdown]");
  if (!face) return;
  const due = Date.parse(face.dateTime), soon = Date.parse(clock.dataset.soon || "") || Infinity;
  const state = now > due ? "overdue" : now >= soon ? "soon" : "running";
  for (const one of ["running", "soon", "overdue"]) clock.classList.toggle(`clock-${one}`, one === state);
}

const faces = new Map();
function wall(element, now) {
  const zone = element.dataset.wall;
  if (!faces.has(zone)) {
    faces.set(zone, new Intl.DateTimeFormat("en-GB", { timeZone: zone, hour: "2-digit", minute: "2-digit", hourCycle: "h23" }));
  }
  const local = element.querySelector("[data-wall-text]"), utc = element.querySelector("[data-wall-utc]");
  if (local) write(local, local.textContent.replace(/\d\d:\d\d/, faces.get(zone).format(now)));
  if (utc) write(utc, new Date(now).toISOString().slice(11, 16));
}

function tick() {
  const now = Date.now() + ahead;
  for (const face of document.querySelectorAll("[data-countdown]")) {
    write(face, remaining(Date.parse(face.dateTime), now, face.dataset.countdown === "in"));
  }
  for (const text of document.querySelectorAll("[data-ago]")) write(text, ago(Date.parse(text.dataset.ago), now));
  for (const bar of document.querySelectorAll("progress[data-to]")) {
    const from = Date.parse(bar.dataset.from), to = Date.parse(bar.dataset.to);
    bar.value = Math.min(bar.max, Math.max(0, (bar.max * (now - from)) / (to - from)));
  }
  for (const clock of document.querySelectorAll(".clock-running, .clock-soon, .clock-overdue")) turn(clock, now);
  for (const clock of document.querySelectorAll("[data-wall]")) wall(clock, now);
}

// live.js passes on the desk's time with every answer
document.addEventListener("desk:now", (event) => { ahead = event.detail - Date.now(); });
document.addEventListener("desk:replaced", tick);
document.addEventListener("visibilitychange", () => { if (!document.hidden) tick(); });
setInterval(tick, 1000);
