
"use strict";
const form = document.getElementById("search");
const rows = Array.from(document.querySelectorAll("#rules tbody tr"));
const count = document.getElementById("count");
function show() {
  const words = form.elements.text.value.toLowerCase().split(/\s+/).filter(Boolean);
  const { domain, severity, framework } = form.elements;
  let shown = 0;
  for (const row of rows) {
    const matches =
      words.every((word) => row.dataset.text.includes(word)) &&
      (!domain.value || row.dataset.domain === domain.value) &&
      (!severity.value || row.dataset.severity === severity.value) &&
      (!framework.value || JSON.parse(row.dataset.frameworks).includes(framework.value));
    row.hidden = !matches;
    shown += matches ? 1 : 0;
  }
  count.textContent = shown === rows.length ? `Rules: ${shown}` : `Rules: ${shown} of ${rows.length}`;
}
form.addEventListener("input", show);
form.addEventListener("submit", (event) => event.preventDefault());
form.hidden = false;
show();
