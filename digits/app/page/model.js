// What the server's model tells apart, and the page's words for it.

const MOST_NAMED = 12; // classes in the introduction

// Ask the server; `undefined` if it does not answer.
export async function loadModel() {
  const response = await fetch("model").catch(() => null);
  return response?.ok ? wordsFor(await response.json()) : undefined;
}

// `model` has the names of the `classes`, whether they are `digits`, whether they can be `drawn`, and the
// height and width of its images as `size`.
function wordsFor(model) {
  const { classes, digits, drawn } = model;
  const named = [...classes.slice(0, MOST_NAMED), ...(classes.length > MOST_NAMED ? ["…"] : [])].join(", ");
  const range = classes.length === 10 ? "from 0 to 9" : `of ${named}`;
  const drop = drawn ? `Draw one${digits ? ` ${range}` : ""}, or drop, paste or choose a picture` : "Drop, paste or choose a picture";
  const introduction = digits ? `${drop}.` : `${drop}. It is one of ${classes.length} classes: ${named}.`;
  return {
    ...model,
    title: digits ? "Which digit is this?" : "What is this?",
    introduction: `${introduction} Nothing is stored.`,
    hint: drawn ? "Draw here" : "Drop a picture here, or click to choose one",
    empty: drawn ? "The canvas is empty." : "No picture yet.",
    called: (label) => (digits ? `a ${label}` : label),
  };
}
