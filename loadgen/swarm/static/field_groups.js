// Locust shows all options of ours one below the other, with a line of text each. Here they get the headings of our own
// help, which fold them up, and those with several lines get a box for them. Locust's own elements stay where they are,
// as Locust draws its form anew at any time; what it sends is its own inputs' text.

import { element } from "./figures.js";
import { fieldOf, OURS, ourInputs } from "./form_fields.js";

const LINE_END = "\u2028"; // a text of one line can't hold the usual one

/** Arrange our fields in each form that is shown and that they aren't arranged in yet. */
export function arrangeFields() {
  for (const [name, input] of ourInputs(document)) {
    const field = fieldOf(input);
    if (field.dataset.loadgenGroup === undefined) {
      const { group, has_lines: hasLines } = OURS[name];
      field.dataset.loadgenGroup = group;
      if (hasLines) {
        addLines(name, input, field);
      }
      headingOf(group, field);
    }
  }
}

/** Fold the field up as those of its group are, under a heading before the first of them. */
function headingOf(group, field) {
  const fields = field.parentElement;
  let heading = [...fields.querySelectorAll(".loadgen-group")].find((one) => one.textContent === group);
  if (heading === undefined) {
    heading = element("button", "loadgen-group");
    heading.type = "button";
    heading.textContent = group;
    heading.addEventListener("click", () => fold(heading, heading.getAttribute("aria-expanded") === "true"));
    field.before(heading);
  }
  fold(heading, heading.getAttribute("aria-expanded") !== "true");
}

function fold(heading, isFolded) {
  heading.setAttribute("aria-expanded", `${!isFolded}`);
  for (const field of heading.parentElement.children) {
    if (field.dataset.loadgenGroup === heading.textContent) {
      field.toggleAttribute("data-loadgen-folded", isFolded);
    }
  }
}

/** A box of several lines in place of the input, which holds the same text. */
function addLines(name, input, field) {
  const lines = element("textarea");
  lines.rows = 2;
  lines.spellcheck = false;
  lines.setAttribute("aria-label", name.replaceAll("_", " "));
  lines.value = (input.getAttribute("value") ?? "").replaceAll(LINE_END, "\n");
  const copy = () => {
    input.value = lines.value.replaceAll("\n", LINE_END);
  };
  lines.addEventListener("input", copy);
  copy();
  field.dataset.loadgenLines = "";
  input.after(lines);
}
