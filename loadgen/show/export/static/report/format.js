// How numbers are written, as in the tables beside the charts: three digits, and the unit that suits.
const UNITS = [[1e9, "s"], [1e6, "ms"], [1e3, "µs"], [1, "ns"]];

function duration(ns) {
  const amount = Math.abs(ns);
  if (!amount) return "0";
  const [size, unit] = UNITS.find(([size]) => amount >= size * 0.9995) ?? UNITS.at(-1);
  return `${number(amount / size)} ${unit}`;
}

function signed(ns) {
  return `${ns < 0 ? "−" : "+"}${duration(ns)}`;
}

function number(value) {
  if (value > 0 && value < 0.005) return `${+value.toPrecision(2)}`; // not 0.00
  const digits = value >= 99.95 || Number.isInteger(value) ? 0 : value >= 9.995 ? 1 : 2;
  return value.toLocaleString("en", { maximumFractionDigits: digits, minimumFractionDigits: digits });
}

// A value with its interval, the bounds in the unit and to the decimals of the value: 1.02 ms [0.91, 1.12].
function estimate(ns, low, high, write = duration) {
  const text = write(ns);
  if (low === null || low === undefined) return text;
  if (!ns && write !== rate) return `${text} [${write(low)}, ${write(high)}]`; // 0 has no unit that bounds could share
  const [, digits, unit] = /([\d,.]+) ?(\S*)$/.exec(text);
  const size = UNITS.find((one) => one[1] === unit)?.[0] ?? 1;
  const decimals = digits.split(".")[1]?.length ?? 0;
  const bound = (value) => (value / size).toLocaleString("en", { maximumFractionDigits: decimals, minimumFractionDigits: decimals }).replace("-", "−");
  return `${text} [${bound(low)}, ${bound(high)}]`;
}

// What a character of a label takes, in pixels.
const CHARACTER_WIDTH = 7.4;

// A name cut off in its middle, where it would not fit beside what follows it.
function fitted(name, rest, width) {
  const room = Math.max(4, Math.floor(width / CHARACTER_WIDTH) - rest.length);
  if (name.length <= room) return name + rest;
  return `${name.slice(0, Math.ceil(room / 2) - 1)}…${name.slice(-Math.floor(room / 2))}${rest}`;
}

// Only all of it is 100%.
function rounded(share) {
  const percent = +(100 * share).toPrecision(3);
  return percent === 100 && share < 1 ? ">99.9%" : `${percent}%`;
}

// For axes: 2 ms, not 2.00 ms.
function shortDuration(ns) {
  return duration(ns).replace(/(\.\d*?)0+ /, "$1 ").replace(". ", " ");
}

function percentage(share) {
  return `${+(100 * share).toPrecision(6)}%`;
}

// Round values from low to high, as many as there is room for; over many powers of ten every second, third ... of them, 1 among them.
function logTicks(low, high, room) {
  const choices = [[1, 1.5, 2, 3, 5, 7], [1, 2, 5], [1, 3], [1]].map((steps) => roundValues(low, high, steps));
  const tens = choices.at(-1);
  const apart = Math.ceil(tens.length / Math.max(1, room));
  return choices.find((ticks) => ticks.length <= room) ?? tens.filter((tick) => Math.round(Math.log10(tick)) % apart === 0);
}

function roundValues(low, high, steps) {
  const found = [];
  for (let power = Math.floor(Math.log10(low)); power <= Math.ceil(Math.log10(high)); power++)
    found.push(...steps.map((step) => step * 10 ** power));
  return found.filter((tick) => tick >= low * 0.9999 && tick <= high * 1.0001);
}
