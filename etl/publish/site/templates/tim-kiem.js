"use strict";
// The site-wide search over window.TIENDO (assets/muc-luc.js). No DOM in the first part.

const SHOWN = 30;
const fold = (text) => text.normalize("NFD").replace(/\p{M}/gu, "").replace(/đ/gi, "d").toLowerCase();
// An id of a figure is several words: its release, its metric, its place.
const wordsOf = (text) => text.toLowerCase().normalize("NFC").split(/[\s/]+/).filter(Boolean);

// [title of the group, how many, the best of them as [address, title, what is told]]; where nothing has all the words,
// what has all but one of them.
function search(index, asked) {
  const words = wordsOf(asked);
  if (!words.length) return { groups: [], all: true };
  const groups = hits(index, words, 0);
  return groups.length || words.length < 2 ? { groups, all: true } : { groups: hits(index, words, 1), all: false };
}

const plain = (text) => " " + fold(text).replace(/[^\p{L}\p{N}]+/gu, " ");
const marked = (text) => text.toLowerCase().normalize("NFC");
// Beginnings of words count: "lang" is in "chi lang", not in "xlang"; what looks like an id may stand anywhere.
const has = (text, raw, word) => text.includes(" " + word) || (/[._=/-]/.test(word) && raw.includes(word));

function hits(index, words, missing) {
  const folded = words.map(fold);
  // Among figures with the same words those that a reader asks for first stand first already; else the shortest title.
  const score = (title, rest, inOrder) => {
    const [near, raw, far] = [plain(title), fold(title), rest ? plain(rest) : ""];
    let [points, absent] = [0, 0];
    folded.forEach((word, i) => {
      if (has(near, raw, word)) points += 4;
      else if (has(far, fold(rest || ""), word)) points += 1;
      else absent += 1;
      if (marked(title).includes(words[i])) points += 2;
    });
    if (absent > missing) return 0;
    if (marked(title).includes(words.join(" "))) points += 5;
    return points + (inOrder ? 0 : 1 / (1 + title.length));
  };
  const best = (entries, inOrder = false) =>
    entries
      .map((entry) => [score(entry[1], entry[2], inOrder), entry])
      .filter(([points]) => points > 0)
      .sort((a, b) => b[0] - a[0]);
  const groups = [["Số liệu", best(figures(index.figures, folded, missing), true)]];
  for (const [title, entries] of index.groups) groups.push([title, best(entries)]);
  return groups
    .filter(([, found]) => found.length)
    .map(([title, found]) => [title, found.length, found.slice(0, SHOWN).map(([, entry]) => entry)]);
}

// Figures of which metric and place together have the words: only these are looked at in full.
function figures(held, folded, missing) {
  const matches = (list) =>
    list.map(([id, said]) => {
      const [text, raw] = [plain(said + " " + id), fold(id)];
      return folded.map((word) => has(text, raw, word));
    });
  const [ofMetric, ofPlace] = [matches(held.metrics), matches(held.places)];
  const found = [];
  for (const [release, month, file, rows] of held.files) {
    const ofFile = folded.map((word) => has(plain(release + " " + month), release, word));
    for (let i = 0; i < rows.length; i += 2) {
      const [metric, place] = [rows[i], rows[i + 1]];
      const absent = folded.filter((_, n) => !ofFile[n] && !ofMetric[metric][n] && !ofPlace[place][n]).length;
      if (absent > missing) continue;
      const [name, said] = held.metrics[metric];
      const [key, where] = held.places[place];
      const id = key ? name + "/" + key : name;
      found.push(["ban/" + release + "/" + file + "#" + id, said + ": " + (where || "toàn tỉnh"), release + "/" + id + " (" + month + ")"]);
    }
  }
  return found;
}

if (typeof document !== "undefined") {
  const box = document.getElementById("tim-chu");
  const told = document.getElementById("tim-dem");
  const place = document.getElementById("tim-thay");
  const el = (tag, attributes, ...children) => {
    const node = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
    node.append(...children);
    return node;
  };
  const count = (number) => number.toLocaleString("vi-VN");

  const show = () => {
    const { groups: found, all } = search(window.TIENDO, box.value);
    const total = found.reduce((sum, [, number]) => sum + number, 0);
    told.textContent = box.value.trim() ? (total ? (all ? "" : "Không có kết quả đủ các từ; gần nhất: ") + count(total) + " kết quả" : "Không thấy. Thử ít từ hơn hoặc từ khác.") : "";
    place.replaceChildren(
      ...found.map(([title, number, hits]) =>
        el(
          "section",
          { class: "hits" },
          el("h2", {}, title + " (" + count(number) + ")"),
          el("ul", {}, ...hits.map(([address, name, rest]) => el("li", {}, el("a", { href: address }, name), " ", el("span", { class: "soft" }, rest)))),
          ...(number > hits.length ? [el("p", { class: "soft" }, "Và " + count(number - hits.length) + " kết quả khác; thêm từ để thu hẹp.")] : []),
        ),
      ),
    );
  };

  const asked = new URLSearchParams(location.search).get("q") || "";
  box.value = asked;
  let waiting;
  box.addEventListener("input", () => {
    clearTimeout(waiting);
    waiting = setTimeout(show, 150);
  });
  document.getElementById("tim").addEventListener("submit", (event) => {
    event.preventDefault();
    show();
  });
  if (asked) show();
  else box.focus();
}
