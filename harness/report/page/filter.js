// Search and order for the list of tests. The page says everything without it.
"use strict";
(() => {
  const form = document.getElementById("choose");
  const search = document.getElementById("search");
  const order = document.getElementById("order");
  const found = document.getElementById("found");
  const bodies = [...document.querySelectorAll(".part tbody")];
  const parts = bodies.map((body) => body.closest(".part"));
  const sizes = bodies.map((body) => body.rows.length);
  const rows = bodies.flatMap((body) => [...body.rows]);
  const texts = new Map();
  const text = (row) => {
    if (!texts.has(row)) texts.set(row, row.textContent.toLowerCase());
    return texts.get(row);
  };
  const number = (row, at) => Number(row.cells[at].textContent.replaceAll(",", "")) || 0;
  const orders = {
    "red first": () => rows,
    "plan": () => [...rows].sort((a, b) => Number(a.id.slice(5)) - Number(b.id.slice(5))),
    "slowest": () => [...rows].sort((a, b) => number(b, 5) - number(a, 5)),
    "fastest GB/s": () => [...rows].sort((a, b) => number(b, 3) - number(a, 3)),
  };
  const outcomes = ["FAIL", "ERROR", "INCONCLUSIVE", "PASS", "SKIP"];

  const describe = () => {
    const only = form.querySelector("input[name=only]:checked").id.slice(5);
    const shown = rows.filter((row) => !row.hidden && (only === "all" || row.classList.contains(only)));
    found.textContent = `${shown.length.toLocaleString("en")} of ${rows.length.toLocaleString("en")} tests shown`;
    parts.forEach((part, at) => {
      const here = [...bodies[at].rows].filter((row) => !row.hidden);
      part.hidden = here.length === 0;
      outcomes.forEach((name) => part.classList.toggle(name, here.some((row) => row.classList.contains(name))));
    });
  };
  const narrow = () => {
    const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
    rows.forEach((row) => { row.hidden = !words.every((word) => text(row).includes(word)); });
    describe();
  };
  const arrange = () => {
    const sorted = orders[order.value]();
    let at = 0;
    bodies.forEach((body, part) => { body.append(...sorted.slice(at, at += sizes[part])); });
    describe();
  };

  form.querySelectorAll("[hidden]").forEach((one) => { one.hidden = false; });
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("change", describe);
  search.addEventListener("input", narrow);
  order.addEventListener("change", arrange);
  if (search.value) narrow();
})();
