"use strict";
// What `tiendo trace` tells, worked out from the facts that are embedded in the page. No DOM in this file.
// Amounts are exact: {n: whole number (BigInt), s: decimals}, added up as the program adds its decimals.

const decimal = (value) => {
  const text = String(value);
  const [whole, fraction = ""] = text.split(".");
  return { n: BigInt(whole + fraction), s: fraction.length };
};
const scaled = (d, s) => d.n * 10n ** BigInt(s - d.s);
const plus = (a, b, sign = 1) => {
  const s = Math.max(a.s, b.s);
  return { n: scaled(a, s) + BigInt(sign) * scaled(b, s), s };
};
const equal = (a, b) => plus(a, b, -1).n === 0n;
const text = (d) => {
  const digits = String(d.n < 0n ? -d.n : d.n).padStart(d.s + 1, "0");
  const whole = digits.slice(0, digits.length - d.s);
  return (d.n < 0n ? "-" : "") + whole + (d.s ? "." + digits.slice(digits.length - d.s) : "");
};
const ZERO = { n: 0n, s: 0 };

// Per cent, half away from zero, two decimals; null when the denominator is 0.
const ratePct = (numerator, denominator) => {
  const s = Math.max(numerator.s, denominator.s);
  const [a, b] = [scaled(numerator, s) * 10000n, scaled(denominator, s)];
  if (b === 0n) return null;
  const negative = a < 0n !== b < 0n;
  const [x, y] = [a < 0n ? -a : a, b < 0n ? -b : b];
  const rounded = (2n * x + y) / (2n * y);
  return { n: negative ? -rounded : rounded, s: 2 };
};

const RANKS = ["rank_rate", "order_lowest", "order_undisbursed", "at_zero"];
const SUMS = {
  treasury_above: ["difference", 1n],
  treasury_below: ["difference", -1n],
  treasury_overdue: ["treasury", 1n],
};

function openBook(data) {
  const figures = new Map();
  for (const group of data.groups) {
    for (const [
      values,
      value = null,
      numerator = null,
      denominator = null,
      coverage = null,
      told = null,
      provisional = null,
    ] of group.rows) {
      const dims = Object.fromEntries(group.dims.map((name, i) => [name, values[i]]));
      const joined = group.dims.map((name, i) => name + "=" + values[i]).join(",");
      const key = joined ? group.metric + "/" + joined : group.metric;
      const as = (v) => (v === null ? null : String(v));
      figures.set(key, {
        key,
        group,
        dims,
        value: as(value),
        numerator: as(numerator),
        denominator: as(denominator),
        coverage,
        told,
        standing: provisional ? "provisional" : "final",
      });
    }
  }
  // Dimensions in the order of the words are those in which a name says them.
  const nameOf = ({ group, dims }) =>
    [group.name, ...data.order.filter((name) => name in dims).map((name) => data.words[name][dims[name]])].join(", ");
  const queryOf = ({ group, dims }) =>
    group.query.replace(/\{(\w+)(?:\.(\w+))?\}/g, (_, name, part) => {
      const [base, number = "1"] = dims[name].split("#");
      if (part === "before") return String(Number(number) - 1);
      return "'" + (part === "base" ? base : dims[name]).replaceAll("'", "''") + "'";
    });
  const fileOf = (no) => {
    const [code, commune, file, sha256, submission_id, period, budget_year, layout] = data.files[no];
    return { code, commune, file, sha256, submission_id, period, budget_year, layout: data.layouts[layout] };
  };
  // Whether a row lies within the dimensions of a figure: its commune, and its place in the tree.
  const within = (table, dims) => {
    const fits = table.places.map((place) =>
      table.by.every((name, i) => !(name in dims) || place[i + 1] === dims[name]),
    );
    return (row) => fits[row[1]] && (!("commune" in dims) || data.files[row[0]][0] === dims.commune);
  };

  const amountOf = (table, row, at) => {
    const { n, s } = decimal(row[3 + at]);
    return text({ n: n * 10n ** BigInt(table.zeros[at]), s });
  };
  const cellOf = (table, row, key) => {
    const file = fileOf(row[0]);
    const [sheet, columns] = file.layout[table.form];
    const decided = typeof row[2] === "string";
    return {
      commune: file.commune,
      line_code: table.places[row[1]][0],
      file: file.file,
      sha256: file.sha256,
      submission_id: file.submission_id,
      sheet: decided ? "Quyết định giao vốn" : sheet,
      cell: decided ? row[2] : (columns[key] || "") + row[2],
      amount: amountOf(table, row, table.keys.indexOf(key)),
    };
  };

  const partOf = (figure, [role, number, terms]) => {
    const table = data.tables[number];
    const rows = table.rows.filter(within(table, figure.dims));
    let total = ZERO;
    const told = terms.map(([key, sign]) => {
      const cells = rows.map((row) => cellOf(table, row, key));
      const amount = cells.reduce((sum, cell) => plus(sum, decimal(cell.amount)), ZERO);
      total = plus(total, amount, sign);
      return { key, sign, amount: text(amount), cells };
    });
    return { role, form: table.form, period: table.period, amount: text(total), terms: told };
  };

  const partsAgree = (figure, parts) => {
    const { metric } = figure.group;
    if (RANKS.includes(metric)) return true;
    const amounts = Object.fromEntries(parts.map((part) => [part.role, decimal(part.amount)]));
    if ("value" in amounts) return figure.value !== null && equal(amounts.value, decimal(figure.value));
    let rate = ratePct(amounts.numerator, amounts.denominator);
    if ("previous_numerator" in amounts) {
      const before = ratePct(amounts.previous_numerator, amounts.previous_denominator);
      rate = rate === null || before === null ? null : plus(rate, before, -1);
    }
    return rate === null ? figure.value === null : figure.value !== null && equal(rate, decimal(figure.value));
  };

  const sumOf = (list) => list.reduce((sum, one) => plus(sum, decimal(one.amount)), ZERO);
  const rowTold = (row) => {
    const file = fileOf(row.file);
    return {
      commune: file.commune,
      code: row.code,
      file: file.file,
      sha256: file.sha256,
      submission_id: file.submission_id,
      sheet: row.sheet,
      cells: row.cells.map(([key, cell, reported]) => ({ key, cell, reported })),
    };
  };
  const without = ({ cells, rows, ...rest }) => rest;

  // The chain of a figure, in the words of `tiendo trace --json`. What the archived cells hold now only the command says.
  const chain = (figure) => {
    const { group } = figure;
    const head = {
      figure_id: data.release.id + "/" + figure.key,
      release_id: data.release.id,
      period: data.release.period,
      budget_year: data.release.budget_year,
      metric: group.metric,
      dims: figure.dims,
      value: figure.value,
      unit: group.unit,
      source: group.source,
      name: nameOf(figure),
      formula: group.formula,
      standing: figure.standing,
      query: queryOf(figure),
    };
    if (group.parts.length) {
      const parts = group.parts.map((part) => partOf(figure, part));
      return { ...head, parts, agrees: partsAgree(figure, parts) };
    }
    const told = figure.told || [];
    switch (group.told) {
      case "tasks": {
        const tasks = told.map((no) => data.tasks[no]);
        const rows = tasks.filter((task) => task.report).sort((a, b) => (a.task_id < b.task_id ? -1 : 1));
        return {
          ...head,
          tasks: tasks.map(({ report, ...task }) => task),
          rows: rows.map((task) => rowTold(task.report)),
        };
      }
      case "proposals":
        return { ...head, rows: told.map((no) => rowTold(data.proposals[no])) };
      case "findings":
        return { ...head, findings: told.map((no) => data.findings[no]) };
      case "difference": {
        const differences = told.map((no) => data.differences[no]);
        if (!differences.length || group.unit !== "vnd") return { ...head, differences };
        const agrees = differences.every(
          (d) =>
            (d.reported === null || equal(sumOf(d.cells), decimal(d.reported))) &&
            equal(sumOf(d.rows), decimal(d.treasury)),
        );
        return { ...head, differences, agrees };
      }
      case "differences": {
        const differences = told.map((no) => without(data.differences[no]));
        if (!(group.metric in SUMS)) return { ...head, differences };
        const [key, sign] = SUMS[group.metric];
        const amounts = differences.map((d) => decimal(d[key])).filter((d) => d.n * sign > 0n);
        return {
          ...head,
          differences,
          agrees: equal(
            amounts.reduce((sum, d) => plus(sum, d), ZERO),
            decimal(figure.value),
          ),
        };
      }
      default: {
        const { commune } = figure.dims;
        const submissions = data.files
          .map((_, no) => fileOf(no))
          .filter((f) => f.period === data.release.period && f.budget_year === data.release.budget_year)
          .filter((f) => commune === undefined || f.code === commune);
        return {
          ...head,
          submissions: submissions.map((f) => ({
            submission_id: f.submission_id,
            commune: f.commune,
            file: f.file,
            sha256: f.sha256,
          })),
        };
      }
    }
  };

  // The other way: figures that rest on a cell of a file.
  const feeds = (no, sheet, letters, rowNo) => {
    const { layout } = fileOf(no);
    const place = Object.entries(layout).find(([, [name]]) => name.toLowerCase() === sheet.toLowerCase());
    if (!place) return null;
    const [form, [name, columns]] = place;
    const key = Object.keys(columns).find((k) => columns[k] === letters);
    const rows = data.tables.map(
      (table) => table.form === form && table.rows.find((row) => row[0] === no && row[2] === rowNo),
    );
    const found = [];
    let fact = null;
    for (const figure of figures.values()) {
      const { group } = figure;
      const hit = group.parts.some(([, number, terms]) => {
        const [table, row] = [data.tables[number], rows[number]];
        if (!row || !terms.some(([k]) => k === key) || !within(table, figure.dims)(row)) return false;
        fact = cellOf(table, row, key);
        return true;
      });
      const told =
        !group.parts.length &&
        (figure.told || []).some((n) => {
          const row =
            form === "B03" && group.told === "tasks"
              ? data.tasks[n].report
              : form === "B04" && group.told === "proposals"
                ? data.proposals[n]
                : null;
          const cell = row && row.file === no && row.row_no === rowNo && row.cells.find(([k]) => k === key);
          if (cell) fact = { line_code: row.code, amount: cell[2] };
          return Boolean(cell);
        });
      if (hit || told) found.push(figure);
    }
    return { form, sheet: name, key, fact, figures: found };
  };

  return { figures, chain, feeds, fileOf, nameOf };
}
