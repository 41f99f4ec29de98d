// A sweep over two axes: a square for each cell, its colour and its text the value of the map that is chosen.
function heatMap(data, chosen, width) {
  const { x, y, maps } = data.heat_map;
  const map = maps.find((one) => one.name === chosen.map) ?? maps[0];
  const picker = choices("map", "Show", maps.map((one) => one.name), map.name, (name) => {
    chosen.map = name;
    chosen.redraw();
  });
  const look = map.unit === "ns" ? meanLook(map) : percentLook(map);
  const left = 32 + 8 * Math.max(...y.values.map((text) => text.length));
  const square = (width - left - 10) / x.values.length;
  const squares = map.squares.map(([column, row, value]) => {
    const fill = value === null ? "var(--panel)" : look.fill(value);
    const isDark = value !== null && d3.lab(fill).l < 62;
    const text = value === null ? "–" : look.write(value);
    return { column, row, fill, text, ink: value === null ? "var(--ink)" : isDark ? "#fff" : "#111",
      title: `${map.name}\n${x.label}: ${x.values[column]}\n${y.label}: ${y.values[row]}\n${text}` };
  });
  const isRoomy = square >= 7.2 * Math.max(...squares.map((one) => one.text.length)) + 6;
  const isSlanted = square < 7.5 * Math.max(...x.values.map((text) => text.length)) + 4;
  return [...(maps.length > 1 ? [picker] : []), Plot.plot({
    color: IDENTITY, width, height: 46 * y.values.length + (isSlanted ? 84 : 64), marginLeft: left, marginRight: 10, marginTop: 24,
    marginBottom: isSlanted ? 60 : 40,
    x: { type: "band", domain: [...x.values.keys()], padding: 0.03, tickFormat: (at) => x.values[at], tickSize: 0, label: x.label, labelArrow: "none",
      tickRotate: isSlanted ? -45 : 0 },
    y: { type: "band", domain: [...y.values.keys()], padding: 0.03, tickFormat: (at) => y.values[at], tickSize: 0, label: y.label, labelArrow: "none" },
    marks: [
      Plot.cell(squares, { x: "column", y: "row", fill: "fill" }),
      ...(isRoomy ? [Plot.text(squares, { x: "column", y: "row", text: "text", fill: "ink", fontVariant: "tabular-nums" })] : []),
      Plot.tip(squares, Plot.pointer({ x: "column", y: "row", title: "title", maxRadius: 400 })),
    ],
  })];
}

function known(map) {
  return map.squares.map((one) => one[2]).filter((value) => value !== null);
}

// Logarithmic, the slowest cell darkest.
function meanLook(map) {
  const [low, high] = d3.extent(known(map), Math.log);
  return { fill: (ns) => d3.color(d3.interpolateCividis(1 - (Math.log(ns) - low) / (high - low || 1))).formatHex(), write: duration };
}

// Equally far from 0 in both directions; slower is orange, as costs are.
function percentLook(map) {
  const most = Math.max(...known(map).map(Math.abs)) || 1;
  return {
    fill: (percent) => d3.color(d3.interpolatePuOr(0.5 + percent / most / 2)).formatHex(),
    write: (percent) => `${percent < 0 ? "−" : "+"}${Math.abs(percent).toFixed(Math.abs(percent) < 9.95 ? 1 : 0)}%`,
  };
}

PLOTS.heat_map = heatMap;
