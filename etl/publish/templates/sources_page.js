"use strict";
// The page around the book: search, the entry of one figure, the list of the cells it is made of.

const book = openBook(JSON.parse(document.getElementById("evidence").textContent));
const words = JSON.parse(document.getElementById("words").textContent);
const $ = (id) => document.getElementById(id);

const ROLES = {
  value: "Giá trị",
  numerator: "Tử số",
  denominator: "Mẫu số",
  previous_numerator: "Tử số của kỳ so sánh",
  previous_denominator: "Mẫu số của kỳ so sánh",
};

const el = (tag, attributes = {}, ...children) => {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  node.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined));
  return node;
};
const fold = (s) => s.normalize("NFD").replace(/\p{M}/gu, "").replace(/đ/gi, "d").toLowerCase().trim();

// Vietnamese notation -------------------------------------------------------------------------------------------------

const grouped = (string) => {
  const [whole, fraction] = string.replace("-", "").split(".");
  const sign = string.startsWith("-") ? "−" : "";
  return sign + whole.replace(/\B(?=(\d{3})+$)/g, ".") + (fraction ? "," + fraction : "");
};
const trimmed = (string) => (string.includes(".") ? string.replace(/\.?0+$/, "") : string);
const trieu = (string) => {
  const amount = decimal(string);
  return grouped(trimmed(text({ n: amount.n, s: amount.s + 6 })));
};
const month = (period) => {
  const [year, m] = period.split("-");
  return "tháng " + Number(m) + "/" + year;
};
const day = (iso) => iso.split("-").reverse().join("/");

const shown = (figure) => {
  const { value, group } = figure;
  if (value === null) return "–";
  const indicator = figure.dims.indicator && book.figures.get("indicator_unit/indicator=" + figure.dims.indicator);
  switch (group.unit) {
    case "vnd":
      return trieu(value) + " triệu đồng";
    case "pct":
      return grouped(value) + "%";
    case "pct_points":
      return grouped(value) + " điểm %";
    case "days":
      return grouped(value) + " ngày";
    case "date":
      return day(value);
    case "quantity":
      return grouped(value) + (indicator && indicator.value ? " " + indicator.value : "");
    case "count":
      return grouped(value);
    default:
      return value;
  }
};
const nameOf = book.nameOf;
const hrefOf = (figure) => "#" + encodeURIComponent(figure.key);
const column = (key) => words.columns[key] || key;

// The entry of a figure -----------------------------------------------------------------------------------------------

const hash = (sha256) =>
  el("details", { class: "hash" }, el("summary", {}, "sha256 " + sha256.slice(0, 12) + "…"), el("code", {}, sha256));
const table = (titles, rows, right = []) =>
  el(
    "div",
    { class: "scroll" },
    el(
      "table",
      {},
      el(
        "thead",
        {},
        el(
          "tr",
          {},
          titles.map((title) => el("th", { scope: "col" }, title)),
        ),
      ),
      el(
        "tbody",
        {},
        rows.map((row) =>
          el(
            "tr",
            {},
            row.map((cell, i) => el("td", right.includes(i) ? { class: "right" } : {}, cell ?? "–")),
          ),
        ),
      ),
    ),
  );
const where = (sheet, cell) => (sheet && cell ? sheet + "!" + cell : sheet || cell || "–");

const cellsOf = (cells, amount, unit) => {
  const byCommune = new Map();
  for (const cell of cells) {
    const id = cell.submission_id;
    if (!byCommune.has(id)) byCommune.set(id, []);
    byCommune.get(id).push(cell);
  }
  return [...byCommune.values()].map((own) => {
    const sum = own.reduce((total, cell) => plus(total, decimal(cell.amount)), ZERO);
    const box = el(
      "details",
      { class: "commune" },
      el(
        "summary",
        {},
        el("span", {}, own[0].commune || "–"),
        el("span", { class: "soft" }, grouped(String(own.length)) + " ô"),
        el("span", { class: "amount" }, amount(text(sum))),
      ),
    );
    const fill = () => {
      if (box.dataset.filled) return;
      box.dataset.filled = "yes";
      box.append(el("p", { class: "file" }, "Tệp: " + own[0].file, " ", hash(own[0].sha256)));
      box.append(
        table(
          ["Ô", "Dòng", "Giá trị trong ô" + unit],
          [
            ...own.map((cell) => [where(cell.sheet, cell.cell), cell.line_code, amount(cell.amount)]),
            [el("b", {}, "Cộng"), "", el("b", {}, amount(text(sum)))],
          ],
          [2],
        ),
      );
    };
    box.addEventListener("toggle", () => box.open && fill());
    if (byCommune.size === 1) {
      fill();
      box.open = true;
    }
    return box;
  });
};

const partNode = (part) => {
  const money = part.form === "B01";
  const [amount, unit] = money ? [trieu, " (triệu đồng)"] : [(s) => grouped(trimmed(s)), ""];
  const total = money ? trieu(part.amount) + " triệu đồng (" + grouped(part.amount) + " đồng)" : amount(part.amount);
  return el(
    "section",
    { class: "part" },
    el("h3", {}, ROLES[part.role] + ", " + month(part.period) + ": " + total),
    part.terms.map((term) => [
      el(
        "p",
        { class: "term" },
        (term.sign < 0 ? "− " : part.terms.length > 1 ? "+ " : "") + column(term.key) + ": ",
        el("b", {}, amount(term.amount) + (money ? " triệu đồng" : "")),
        ", cộng từ " + grouped(String(term.cells.length)) + " ô",
      ),
      cellsOf(term.cells, amount, unit),
    ]),
  );
};

const rowNode = (row) =>
  el(
    "section",
    { class: "part" },
    el("h3", {}, (row.commune || "–") + ", " + row.sheet + ", " + row.code),
    el("p", { class: "file" }, "Tệp: " + row.file, " ", hash(row.sha256)),
    table(
      ["Ô", "Cột", "Nội dung trong ô"],
      row.cells
        .filter((c) => c.reported !== null)
        .map((c) => [
          where(row.sheet, c.cell),
          column(c.key),
          c.key === "adjust_amount" ? trieu(c.reported) + " triệu đồng" : c.reported,
        ]),
    ),
  );

const differenceNode = (d) =>
  el(
    "section",
    { class: "part" },
    el("h3", {}, (d.commune || "Cả sao kê") + (d.place ? ", dòng " + d.place : "")),
    el(
      "p",
      {},
      "Báo cáo: " +
        (d.reported === null ? "không có" : trieu(d.reported) + " triệu đồng") +
        "; Kho bạc: " +
        trieu(d.treasury) +
        " triệu đồng; chênh lệch: " +
        trieu(d.difference) +
        " triệu đồng." +
        (d.evidence ? " Căn cứ: " + d.evidence : ""),
    ),
    d.cells && d.cells.length
      ? [
          el("p", { class: "file" }, "Tệp: " + d.cells[0].file, " ", hash(d.cells[0].sha256)),
          table(
            ["Ô của báo cáo", "Dòng", "Giá trị trong ô (triệu đồng)"],
            d.cells.map((c) => [where(c.sheet, c.cell), c.line, trieu(c.amount)]),
            [2],
          ),
        ]
      : null,
    d.rows && d.rows.length
      ? [
          el("p", { class: "file" }, "Sao kê: " + d.statement),
          table(
            ["Ô của sao kê", "Mã", "Số tiền (triệu đồng)"],
            d.rows.map((r) => [where(r.sheet, r.cell), r.code, trieu(r.amount)]),
            [2],
          ),
        ]
      : null,
  );

const listed = (found) => [
  ...(found.parts || []).map(partNode),
  found.tasks
    ? el(
        "section",
        { class: "part" },
        el("h3", {}, grouped(String(found.tasks.length)) + " nhiệm vụ trong sổ theo dõi"),
        table(
          ["Mã", "Cơ quan chủ trì", "Hạn", "Tình trạng"],
          found.tasks.map((t) => [t.task_id, t.lead_vi, t.due_date ? day(t.due_date) : "–", t.state]),
        ),
      )
    : null,
  ...(found.rows || []).map(rowNode),
  found.findings
    ? el(
        "section",
        { class: "part" },
        el("h3", {}, grouped(String(found.findings.length)) + " vấn đề"),
        table(
          ["Xã, phường", "Quy tắc", "Tệp", "Ô", "Nội dung"],
          found.findings.map((f) => [
            f.commune,
            f.rule,
            f.file ? el("span", {}, f.file, f.sha256 ? hash(f.sha256) : "") : "–",
            where(f.sheet, f.cell),
            f.message,
          ]),
        ),
      )
    : null,
  ...(found.differences || []).map(differenceNode),
  found.submissions
    ? el(
        "section",
        { class: "part" },
        el("h3", {}, "Suy từ " + grouped(String(found.submissions.length)) + " báo cáo"),
        table(
          ["Xã, phường", "Tệp", "Mã kiểm tra"],
          found.submissions.map((s) => [s.commune, s.file, hash(s.sha256)]),
        ),
      )
    : null,
];

// A page from the disk may not reach the clipboard everywhere: then the text is marked, ready to be copied by hand.
const copyButton = (said) => {
  const button = el("button", { type: "button", class: "copy" }, "Sao chép");
  button.addEventListener("click", async () => {
    const code = button.parentNode.querySelector("code");
    getSelection().selectAllChildren(code);
    try {
      await navigator.clipboard.writeText(said);
      button.textContent = "Đã sao chép";
    } catch {
      button.textContent = document.execCommand("copy") ? "Đã sao chép" : "Đã bôi đen, bấm Ctrl+C";
    }
  });
  return button;
};

const pair = (name, ...value) => [el("dt", {}, name), el("dd", {}, value)];
const amountOf = (value, unit) =>
  unit === "B02" ? grouped(value) : trieu(value) + " triệu đồng (" + grouped(value) + " đồng)";

const verdict = (found) => {
  if (!("agrees" in found)) return null;
  const said = found.agrees ? "✓ Các ô cộng lại đúng bằng số liệu." : "✗ CÁC Ô KHÔNG CỘNG LẠI ĐÚNG BẰNG SỐ LIỆU.";
  return el("p", { class: found.agrees ? "verdict" : "verdict wrong" }, said);
};

function show(figure) {
  const found = book.chain(figure);
  const id = found.figure_id;
  const form = figure.dims.indicator ? "B02" : "B01";
  const coverage = figure.coverage;
  const heading = el("h2", { tabindex: "-1" }, nameOf(figure));
  const all = el("button", { type: "button" }, "Mở tất cả các xã, phường");
  all.addEventListener("click", () => {
    const boxes = [...$("entry").querySelectorAll("details.commune")];
    const open = boxes.some((box) => !box.open);
    boxes.forEach((box) => {
      box.open = open;
    });
    all.textContent = open ? "Gập lại" : "Mở tất cả các xã, phường";
  });
  const many = (found.parts || []).some((part) =>
    part.terms.some((t) => new Set(t.cells.map((c) => c.submission_id)).size > 1),
  );
  $("entry").replaceChildren(
    ...[
      heading,
      el("p", { class: figure.group.unit === "text" ? "words" : "value" }, shown(figure)),
      verdict(found),
      el(
        "dl",
        {},
        pair("Mã số liệu", el("code", {}, id)),
        figure.group.unit === "vnd" && figure.value !== null ? pair("Giá trị", grouped(figure.value) + " đồng") : null,
        pair("Cách tính", found.formula),
        figure.numerator !== null ? pair("Tử số", amountOf(figure.numerator, form)) : null,
        figure.denominator !== null ? pair("Mẫu số", amountOf(figure.denominator, form)) : null,
        coverage
          ? pair(
              "Độ phủ",
              coverage[0] +
                "/" +
                coverage[1] +
                " xã, phường" +
                (coverage[2] !== null ? ", chiếm " + grouped(String(coverage[2])) + "% kế hoạch vốn" : ""),
            )
          : null,
        pair("Tính chất", words.standing[found.standing]),
        pair("Nguồn", el("code", {}, figure.group.source)),
        found.query.startsWith("select ")
          ? pair("Câu truy vấn", el("code", {}, found.query), " ", copyButton(found.query))
          : pair("Câu truy vấn", found.query),
        pair("So với tệp gốc", el("code", {}, 'tiendo trace "' + id + '"')),
      ),
      many ? el("p", { class: "tools" }, all) : null,
      ...listed(found).flat(),
    ].filter((node) => node !== null),
  );
  document.title = nameOf(figure) + " – Nguồn gốc số liệu";
  return heading;
}

// Search --------------------------------------------------------------------------------------------------------------

const linked = (figure) =>
  el(
    "li",
    {},
    el("a", { href: hrefOf(figure) }, nameOf(figure)),
    ": " + shown(figure).slice(0, 120),
  );
const answer = (node, said, figures) => node.replaceChildren(el("p", {}, said), el("ul", {}, figures.map(linked)));
const MOST = 40;
const more = (n) => (n > MOST ? " Hiện " + MOST + " số liệu đầu." : "");

let index = null;
function findFigures(event) {
  event.preventDefault();
  const wanted = fold($("words-wanted").value).split(/\s+/).filter(Boolean);
  if (!wanted.length) return;
  index = index || [...book.figures.values()].map((f) => [f, fold(nameOf(f) + " " + f.key)]);
  const hits = index.filter(([, said]) => wanted.every((word) => said.includes(word))).map(([f]) => f);
  answer($("found"), "Có " + grouped(String(hits.length)) + " số liệu." + more(hits.length), hits.slice(0, MOST));
}

function fileFor(wanted) {
  const said = fold(wanted);
  const numbers = words.own;
  const name = (no) => fold(book.fileOf(no).commune || "");
  return words.files.findIndex((file) => fold(file) === said) >= 0
    ? words.files.findIndex((file) => fold(file) === said)
    : (numbers.find((no) => name(no) === said || book.fileOf(no).code === said) ??
        numbers.find((no) => name(no).replace(/^(xa|phuong) /, "") === said) ??
        null);
}

function findFed(event) {
  event.preventDefault();
  const node = $("fed");
  const no = fileFor($("commune").value);
  if (no === null) return answer(node, "Không có báo cáo của xã, phường hoặc tệp này trong bản tổng hợp.", []);
  const match = /^'?(.+?)'?!\$?([A-Z]{1,3})\$?([1-9]\d*)$/i.exec($("cell").value.trim());
  if (!match) return answer(node, "Ghi ô như B01-GiaiNgan!K30.", []);
  const fed = book.feeds(no, match[1], match[2].toUpperCase(), Number(match[3]));
  const file = book.fileOf(no);
  if (fed === null)
    return answer(
      node,
      "Báo cáo không có trang tính " +
        match[1] +
        "; các trang có: " +
        Object.values(file.layout)
          .map(([s]) => s)
          .join(", ") +
        ".",
      [],
    );
  const at = fed.sheet + "!" + match[2].toUpperCase() + match[3] + " của " + file.file;
  if (!fed.figures.length)
    return answer(
      node,
      "Không có số liệu nào của bản này lấy từ ô " +
        at +
        "; chỉ các dòng chi tiết là số liệu, dòng tổng do hệ thống tự cộng.",
      [],
    );
  const held =
    fed.fact.amount === null ? "trống" : fed.form === "B01" ? trieu(fed.fact.amount) + " triệu đồng" : fed.fact.amount;
  return answer(
    node,
    "Ô " +
      at +
      " (dòng " +
      fed.fact.line_code +
      ", " +
      column(fed.key) +
      ", " +
      held +
      ") có trong " +
      grouped(String(fed.figures.length)) +
      " số liệu của bản này.",
    fed.figures,
  );
}

function open() {
  const key = decodeURIComponent(location.hash.slice(1));
  if (!key) {
    $("entry").replaceChildren();
    return;
  }
  const figure = book.figures.get(key) || book.figures.get(key.replace(words.release + "/", ""));
  if (!figure) {
    $("entry").replaceChildren(
      el("p", { class: "verdict wrong", role: "alert" }, "Bản này không có số liệu mang mã " + key + "."),
    );
    return;
  }
  const heading = show(figure);
  heading.focus({ preventScroll: true });
  heading.scrollIntoView({ block: "start" });
}

$("find").addEventListener("submit", findFigures);
$("feed").addEventListener("submit", findFed);
$("communes").append(
  ...words.own.map((no) => el("option", { value: book.fileOf(no).commune || book.fileOf(no).code })),
);
addEventListener("hashchange", open);
open();
