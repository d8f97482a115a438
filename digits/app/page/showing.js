// The answer: the verdict, what the network sees, and a bar for each class, or for the likeliest ones.

const SPEAK_DELAY = 600; // milliseconds without a newer answer before a screen reader hears it

const find = (id) => document.getElementById(id);
const percent = (share) => `${(Math.floor(1000 * share) / 10).toFixed(1)}%`;

const MOST_BARS = 10;

let model; // as model.js returns it
let rows = [];

// Write the words of this page, and make its bars, for a model.
export function prepare(loaded) {
  model = loaded;
  document.title = `${model.title} · digits`;
  find("title").textContent = model.title;
  find("introduction").textContent = model.introduction;
  find("hint").textContent = model.hint;
  const { length } = model.classes;
  const kind = model.digits ? "digit" : "class";
  const few = length <= MOST_BARS;
  find("bars-title").textContent = few ? `Probability of each ${kind}` : `The ${MOST_BARS} likeliest of ${length.toLocaleString("en")} classes`;
  find("bars").classList.toggle("named", !model.digits);
  find("verdict").classList.toggle("named", !model.digits);
  find("verdict").classList.toggle("fitted", !model.drawn);
  [find("seen").height, find("seen").width] = model.size;
  rows = Array.from({ length: Math.min(length, MOST_BARS) }, makeRow);
  find("bars").replaceChildren(...rows.map(({ row }) => row));
}

function makeRow() {
  const [row, name, track, fill, value] = ["li", "span", "div", "div", "span"].map((tag) => document.createElement(tag));
  name.className = "name";
  track.className = "track";
  fill.className = "fill";
  value.className = "value";
  track.append(fill);
  row.append(name, track, value);
  return { row, name, fill, value };
}

let speaking;

// Tell a screen reader, unless newer text comes within `delay` milliseconds.
export function speak(text, delay = SPEAK_DELAY) {
  clearTimeout(speaking);
  speaking = setTimeout(() => (find("spoken").textContent = text), delay);
}

export function showNothing() {
  verdict("empty", "–", "Nothing to read yet", model.empty);
  showBars(null, null);
  showSeen(null, null);
}

export function showRefusal(headline, detail) {
  verdict("refused", "×", headline, detail);
  showBars(null, null);
  showSeen(null, null);
  find("box").hidden = true;
}

// Show the server's answer; `bitmap` is the picture that was sent, null for a drawing.
export function showAnswer({ label, index, confidence, probabilities, sure, reason, image, ink, box }, bitmap) {
  const name = model.called(label);
  if (sure) verdict("sure", label, model.digits ? `It is ${name}` : name, `${percent(confidence)} sure.`);
  else if (!box) verdict("unsure", "?", "Nothing to read", "No ink was found.");
  else verdict("unsure", `${label}?`, "Unsure", `Most likely ${name}, but ${reason}.`);
  showBars(probabilities, box ? index : null);
  showSeen(image, ink);
  showBox(box, bitmap);
}

function verdict(state, sign, headline, detail) {
  find("verdict").dataset.state = state;
  find("sign").textContent = sign;
  find("headline").textContent = headline;
  find("detail").textContent = detail;
  speak(`${headline}. ${detail}`);
}

// `probabilities` are a number from 0 to 1 for each class, or null without an answer.
function showBars(probabilities, likeliest) {
  const shown = classesToShow(probabilities);
  rows.forEach(({ row, name, fill, value }, place) => {
    const index = shown?.[place];
    name.textContent = name.title = model.classes[index] ?? "";
    row.classList.toggle("likeliest", index !== undefined && index === likeliest);
    fill.style.setProperty("--share", probabilities?.[index] ?? 0);
    value.textContent = probabilities ? percent(probabilities[index]) : "";
  });
}

// Few classes keep their places, so that bars move while one draws; of many, the likeliest come first.
function classesToShow(probabilities) {
  const all = model.classes.map((_, index) => index);
  if (all.length <= MOST_BARS) return all;
  return probabilities && all.sort((one, other) => probabilities[other] - probabilities[one]).slice(0, MOST_BARS);
}

// `image` has a row for each of its height, of numbers from 0 to 255, or of red, green and blue; `ink` has
// 56 rows of 56 numbers; each may be null.
function showSeen(image, ink) {
  showLevels("seen", image);
  showLevels("ink", ink);
  const [height, width] = model.size;
  const shown = model.drawn ? "light on dark" : "the picture in the size that the network reads";
  find("seen").ariaLabel = `What the network sees: ${width} by ${height} pixels, ${image ? shown : "nothing yet"}`;
  find("ink").ariaLabel = `The ink that was found: ${ink ? "56 by 56 pixels, light on dark" : "nothing yet"}`;
}

function showLevels(name, rows) {
  const canvas = find(name);
  const context = canvas.getContext("2d", { willReadFrequently: true });
  if (!rows && !model.drawn) return context.clearRect(0, 0, canvas.width, canvas.height);
  const pixels = context.createImageData(canvas.width, canvas.height);
  const levels = rows ? rows.flat() : new Array(canvas.width * canvas.height).fill(0);
  levels.forEach((level, index) => {
    const [red, green, blue] = Array.isArray(level) ? level : [level, level, level];
    pixels.data.set([red, green, blue, 255], 4 * index);
  });
  context.putImageData(pixels, 0, 0);
}

// The canvas shows the whole picture, centred; the box is scaled and moved with it.
function showBox(box, bitmap) {
  const [left, top, right, bottom] = box ?? [0, 0, 0, 0];
  const whole = bitmap && right - left === bitmap.width && bottom - top === bitmap.height;
  find("box").hidden = !box || !bitmap || whole;
  if (find("box").hidden) return;
  const size = Math.max(bitmap.width, bitmap.height);
  const [marginX, marginY] = [(size - bitmap.width) / 2, (size - bitmap.height) / 2];
  const lengths = { left: marginX + left, top: marginY + top, width: right - left, height: bottom - top };
  for (const [name, length] of Object.entries(lengths)) find("box").style[name] = `${(100 * length) / size}%`;
}
