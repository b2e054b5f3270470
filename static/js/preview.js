// While a text is being written, how it reads is asked of the server and shown beside it.
const source = document.querySelector("textarea[data-preview]");
const WAIT = 300;
let waiting = 0;
let asked = new AbortController();

const show = async () => {
  asked.abort();
  asked = new AbortController();
  const body = new FormData(source.form);
  const answer = await fetch(source.dataset.preview, { method: "POST", body, signal: asked.signal }).catch(() => null);
  const place = document.getElementById("text-preview");
  if (!answer?.ok || !place) return;
  const read = new DOMParser().parseFromString(await answer.text(), "text/html").getElementById("text-preview");
  if (read) place.replaceWith(read);
};

source?.addEventListener("input", () => {
  clearTimeout(waiting);
  waiting = setTimeout(show, WAIT);
});
