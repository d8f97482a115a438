// The answer: the verdict, what the network sees, and a bar for each digit.

const SPEAK_DELAY = 600; // milliseconds without a newer answer before a screen reader hears it

const find = (id) => document.getElementById(id);
const percent = (share) => `${(Math.floor(1000 * share) / 10).toFixed(1)}%`;

const rows = Array.from({ length: 10 }, (_, digit) => {
  const [row, name, track, fill, value] = ["li", "span", "div", "div", "span"].map((tag) => document.createElement(tag));
  name.textContent = digit;
  track.className = "track";
  fill.className = "fill";
  value.className = "value";
  track.append(fill);
  row.append(name, track, value);
  find("bars").append(row);
  return { row, fill, value };
});

let speaking;

// Tell a screen reader, unless newer text comes within `delay` milliseconds.
export function speak(text, delay = SPEAK_DELAY) {
  clearTimeout(speaking);
  speaking = setTimeout(() => (find("spoken").textContent = text), delay);
}

export function showNothing() {
  verdict("empty", "–", "Nothing to read yet", "The canvas is empty.");
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
export function showAnswer({ digit, confidence, probabilities, sure, reason, image, ink, box }, bitmap) {
  if (sure) verdict("sure", digit, `It is a ${digit}`, `${percent(confidence)} sure.`);
  else if (!box) verdict("unsure", "?", "Nothing to read", "No ink was found.");
  else verdict("unsure", `${digit}?`, "Unsure", `Most likely a ${digit}, but ${reason}.`);
  showBars(probabilities, box ? digit : null);
  showSeen(image, ink);
  showBox(box, bitmap);
}

function verdict(state, sign, headline, detail) {
  find("verdict").dataset.state = state;
  find("digit").textContent = sign;
  find("headline").textContent = headline;
  find("detail").textContent = detail;
  speak(`${headline}. ${detail}`);
}

// `probabilities` are ten numbers from 0 to 1, or null without an answer.
function showBars(probabilities, likeliest) {
  rows.forEach(({ row, fill, value }, digit) => {
    row.classList.toggle("likeliest", digit === likeliest);
    fill.style.setProperty("--share", probabilities?.[digit] ?? 0);
    value.textContent = probabilities ? percent(probabilities[digit]) : "";
  });
}

// `image` has 28 rows of 28 numbers from 0 to 255, `ink` has 56 rows of 56; each may be null.
function showSeen(image, ink) {
  showLevels("seen", image);
  showLevels("ink", ink);
  find("seen").ariaLabel = `What the network sees: 28 by 28 pixels, ${image ? "light on dark" : "nothing yet"}`;
  find("ink").ariaLabel = `The ink that was found: ${ink ? "56 by 56 pixels, light on dark" : "nothing yet"}`;
}

function showLevels(name, rows) {
  const canvas = find(name);
  const context = canvas.getContext("2d", { willReadFrequently: true });
  const pixels = context.createImageData(canvas.width, canvas.height);
  const levels = rows ? rows.flat() : new Array(canvas.width * canvas.height).fill(0);
  levels.forEach((level, index) => pixels.data.set([level, level, level, 255], 4 * index));
  context.putImageData(pixels, 0, 0);
}

// The canvas shows the whole picture, centred; the box is scaled and moved with it.
function showBox(box, bitmap) {
  find("box").hidden = !(box && bitmap);
  if (!box || !bitmap) return;
  const size = Math.max(bitmap.width, bitmap.height);
  const [marginX, marginY] = [(size - bitmap.width) / 2, (size - bitmap.height) / 2];
  const [left, top, right, bottom] = box;
  const lengths = { left: marginX + left, top: marginY + top, width: right - left, height: bottom - top };
  for (const [name, length] of Object.entries(lengths)) find("box").style[name] = `${(100 * length) / size}%`;
}
