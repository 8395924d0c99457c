"use strict";
(() => {
  const form = document.getElementById("filters");
  const text = document.getElementById("text");
  const suite = document.getElementById("suite");
  const rows = [...document.querySelectorAll(".runs tbody tr")];
  const texts = rows.map((row) => row.textContent.toLowerCase());

  const apply = () => {
    const statuses = new Set([...form.querySelectorAll("[name=status]:checked")].map((box) => box.value));
    const words = text.value.toLowerCase().split(/\s+/).filter(Boolean);
    let shown = 0;
    rows.forEach((row, index) => {
      const fits = statuses.has(row.dataset.status) && (!suite.value || row.dataset.suite === suite.value)
        && words.every((word) => texts[index].includes(word));
      row.hidden = !fits;
      if (fits) shown += 1;
    });
    document.getElementById("shown").value = shown === rows.length ? `${shown} runs` : `${shown} of ${rows.length} runs`;
    document.getElementById("none").hidden = shown > 0;
  };

  form.addEventListener("input", apply);
  form.addEventListener("change", apply);
  form.addEventListener("submit", (event) => event.preventDefault());
  // A browser that goes back keeps what was typed.
  apply();
})();
