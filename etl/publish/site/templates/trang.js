"use strict";
// Filter of the rows of a page. Without this script the page is what it is: plain tables.

(() => {
  const form = document.getElementById("loc");
  const box = document.getElementById("loc-chu");
  if (!form || !box) return;
  const only = document.getElementById("loc-chi-so");
  const told = document.getElementById("loc-dem");
  const none = document.getElementById("loc-trong");
  const fold = (text) => text.normalize("NFD").replace(/\p{M}/gu, "").replace(/đ/gi, "d").toLowerCase();
  let groups;

  const read = () =>
    [...document.querySelectorAll(".group")].map((group) => {
      const title = fold(group.querySelector("h2").textContent);
      const rows = [...group.querySelectorAll("tbody tr")].map((row) => ({ row, text: title + " " + fold(row.textContent) }));
      return { group, rows };
    });

  const filter = () => {
    groups = groups || read();
    const words = fold(box.value).split(/\s+/).filter(Boolean);
    const chosen = only ? only.value : "";
    let found = 0;
    for (const { group, rows } of groups) {
      const asked = !chosen || group.id === chosen;
      let here = 0;
      for (const { row, text } of rows) {
        const shown = asked && words.every((word) => text.includes(word));
        row.hidden = !shown;
        here += shown ? 1 : 0;
      }
      group.hidden = here === 0;
      found += here;
    }
    told.textContent = words.length || chosen ? found.toLocaleString("vi-VN") + " dòng" : "";
    none.hidden = found > 0;
  };

  // A link into the page must reach its row although the filter hides it.
  const reveal = () => {
    const there = document.getElementById(location.hash.slice(1));
    if (there && there.closest("[hidden]")) {
      box.value = "";
      if (only) only.value = "";
      filter();
      there.scrollIntoView();
    }
  };

  let waiting;
  box.addEventListener("input", () => {
    clearTimeout(waiting);
    waiting = setTimeout(filter, 120);
  });
  if (only) only.addEventListener("change", filter);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    filter();
  });
  window.addEventListener("hashchange", reveal);
  form.hidden = false;
})();
