// Light, dark, or as the device. The server keeps the choice and renders it; this only makes the switch instant.
// A classic script, so that the back office can load it before the first paint.
{
  const root = document.documentElement;
  const told = document.querySelector('meta[name="desk-theme"]');
  if (told && !root.dataset.theme) root.dataset.theme = told.content;

  document.addEventListener("submit", async (event) => {
    const form = event.target.closest("[data-theme-form]");
    if (!form || !event.submitter) return;
    event.preventDefault();
    const theme = event.submitter.value;
    root.dataset.theme = theme;
    for (const button of document.querySelectorAll("[data-theme-form] button")) {
      button.setAttribute("aria-pressed", String(button.value === theme));
    }
    const body = new FormData(form);
    body.set("theme", theme);
    const answer = await fetch(form.action, { method: "POST", body, redirect: "manual" }).catch(() => null);
    if (!answer || answer.status >= 400) event.submitter.title = "Not stored: this page only";
  });
}
