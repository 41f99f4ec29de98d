// What Locust's page makes of our options: which of its fields are ours, and where they are. Changes nothing.

/** By the options' names: under which heading a field stands, and whether its value has several lines. */
export const OURS = JSON.parse(document.getElementById("loadgen-options")?.textContent ?? "{}");

/** Locust writes retry_stale as retryStale. */
export const optionName = (fieldName) => fieldName.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);

/** Our inputs in this part of the page, by the names of their options. */
export function ourInputs(part) {
  return [...part.querySelectorAll("form [name]")]
    .map((input) => [optionName(input.name), input])
    .filter(([name]) => Object.hasOwn(OURS, name));
}

/** The largest element around the input that holds no other one: its label and its frame too. */
export function fieldOf(input) {
  let found = input;
  while (found.parentElement.querySelectorAll("[name]").length === 1) {
    found = found.parentElement;
  }
  return found;
}
