// Tables that sort by a click on a heading: by amount where each cell begins with one, else by text.
const SIZES = { ns: 1, "µs": 1e3, ms: 1e6, s: 1e9, m: 6e10, B: 1, KB: 1e3, KiB: 1024, MB: 1e6, MiB: 1048576, GB: 1e9, GiB: 1073741824 };
const ABSENT = "–";

function amount(text) {
  const found = /^(?:opened )?([+−-]?)([\d,]*\.?\d+)\s*(µs|[a-zA-Z]+)?/.exec(text);
  return found && Number(found[2].replaceAll(",", "")) * (found[1] && found[1] !== "+" ? -1 : 1) * (SIZES[found[3]] ?? 1);
}

// What cannot be known goes last, whichever way the rest goes.
function sorted(rows, column, direction) {
  const text = (row) => row.cells[column]?.textContent ?? "";
  const known = rows.filter((row) => text(row) !== ABSENT);
  const amounts = known.map((row) => amount(text(row)));
  const order = amounts.every((one) => one !== null)
    ? (a, b) => amount(text(a)) - amount(text(b))
    : (a, b) => text(a).localeCompare(text(b), "en", { numeric: true });
  return [...known.sort((a, b) => direction * order(a, b)), ...rows.filter((row) => text(row) === ABSENT)];
}

function sortable(table) {
  const body = table.tBodies[0];
  if (body.rows.length < 2 || body.querySelector("th")) return;
  for (const [column, heading] of [...table.tHead.rows[0].cells].entries()) {
    const button = element("button", { type: "button" }, ...heading.childNodes);
    heading.append(button);
    button.addEventListener("click", () => {
      const direction = heading.ariaSort === "ascending" ? -1 : 1;
      for (const other of table.tHead.rows[0].cells) other.ariaSort = null;
      heading.ariaSort = direction > 0 ? "ascending" : "descending";
      body.append(...sorted([...body.rows], column, direction));
    });
  }
}

for (const table of document.querySelectorAll("table:has(thead)")) sortable(table);
const DATA = document.getElementById("loadgen-data");
if (DATA) start(JSON.parse(DATA.textContent));
