// Numbers as the report writes them: the twins of model/units.py and of Python's format(), which rounds a half to the
// even digit.

const MAX_DECIMALS = 3;
const FAR = 1000; // times a value: an interval that reaches farther has another unit

/** A duration with three significant digits and the unit that suits: 412 µs, 1.25 ms, 2.00 s. */
export function formatDuration(valueNs) {
  const [unit, sizeNs, decimals] = threeDigits(valueNs);
  return `${grouped(fixed(valueNs / sizeNs, decimals))} ${unit}`;
}

/** A duration with its interval, if it has one, in one unit: 0.99 ms [0.94, 1.11]; far ones have their own. */
export function formatEstimate(valueNs, intervalNs) {
  const numbers = [valueNs, ...(intervalNs ?? [])];
  const largestNs = Math.max(...numbers.map(Math.abs));
  if (intervalNs && valueNs > 0 && valueNs * FAR < largestNs) {
    return `${formatDuration(valueNs)} [${intervalNs.map(formatDuration).join(", ")}]`;
  }
  const [unit, sizeNs, least] = threeDigits(largestNs);
  let decimals = least;
  while (decimals < MAX_DECIMALS && numbers.some((one) => one && !Number(fixed(one / sizeNs, decimals)))) {
    decimals += 1; // no bound looks like 0 that is none
  }
  const [value, ...bounds] = numbers.map((one) => formatNumber(one / sizeNs, decimals));
  return `${value} ${unit}${bounds.length ? ` [${bounds.join(", ")}]` : ""}`;
}

/** A number with up to this number of decimals; with fewer where three digits are there without them. */
function formatNumber(value, maxDecimals) {
  const size = Math.abs(value);
  return grouped(fixed(value, Math.min(maxDecimals, size >= 99.95 ? 0 : size >= 9.995 ? 1 : maxDecimals)));
}

/** The unit in which a time has three significant digits, the unit's size, and how many decimals that takes. */
function threeDigits(valueNs) {
  for (const [unit, sizeNs] of [["s", 1e9], ["ms", 1e6], ["µs", 1e3]]) {
    const size = Math.abs(valueNs / sizeNs);
    if (size >= 0.9995) {
      return [unit, sizeNs, size < 9.995 ? 2 : size < 99.95 ? 1 : 0];
    }
  }
  return ["ns", 1, 0];
}

/** A count or a rate without decimals: 1,234,568. */
export function formatCount(value) {
  return grouped(fixed(value, 0));
}

/** A rate, with three digits where it is low: 12,345, 40.2, 0.4. */
export function formatRate(value) {
  return value >= 100 ? formatCount(value) : `${Number(value.toPrecision(3))}`;
}

/** A share in percent with one decimal; cut, not rounded: only all of it is 100%, and only nothing is 0%. */
export function formatShare(value) {
  if (value > 0 && value < 0.001) {
    return "<0.1%";
  }
  return value === 1 ? "100%" : `${fixed(Math.floor(value * 1000) / 10, 1)}%`;
}

/** Python's format(value, ".Nf"). toFixed is as exact, but rounds a half away from zero. */
function fixed(value, decimals) {
  const halves = value * 2 ** (decimals + 1); // exact, and odd only where value is in the middle of two results
  if (!Number.isInteger(halves) || halves % 2 === 0) {
    return value.toFixed(decimals);
  }
  const below = Math.floor(value * 10 ** decimals);
  return ((below % 2 === 0 ? below : below + 1) / 10 ** decimals).toFixed(decimals);
}

function grouped(text) {
  const [whole, ...rest] = text.split(".");
  return [whole.replace(/\B(?=(\d{3})+$)/g, ","), ...rest].join(".");
}
