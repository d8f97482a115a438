// What the server's model tells apart, and the page's words for it.

const MOST_LETTERS = 80; // of the classes that the introduction names

// Ask the server; `undefined` if it does not answer.
export async function loadModel() {
  const response = await fetch("model").catch(() => null);
  return response?.ok ? withWords(await response.json()) : undefined;
}

// `model` has the names of the `classes`, whether they are `digits`, whether they can be `drawn`, and the
// height and width of its images as `size`.
function withWords(model) {
  const { classes, digits, drawn } = model;
  const some = named(classes);
  const one = digits ? `one ${classes.length === 10 ? "from 0 to 9" : `of ${some}`}` : "one";
  const ways = drawn ? `Draw ${one}, or drop, paste or choose a picture.` : "Drop, paste or choose a picture.";
  const known = digits ? "" : ` The ${classes.length.toLocaleString("en")} classes are ${some}.`;
  return {
    ...model,
    title: digits ? "Which digit is this?" : "What is this?",
    introduction: `${ways}${known} Nothing is stored.`,
    hint: drawn ? "Draw here" : "Drop a picture here, or click to choose one",
    empty: drawn ? "The canvas is empty." : "No picture yet.",
    called: (label) => (digits ? `a ${label}` : label),
  };
}

function named(classes) {
  const names = [];
  for (const name of classes) {
    if (names.length && names.join(", ").length + name.length > MOST_LETTERS) break;
    names.push(name);
  }
  const left = classes.length - names.length;
  return left ? `${names.join(", ")} and ${left.toLocaleString("en")} more` : names.join(", ");
}
