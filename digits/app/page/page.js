// The page: sends what is drawn, dropped, pasted or chosen to the server, and shows the answer.

import { Asking } from "./asking.js";
import { Drawing } from "./drawing.js";
import { loadModel } from "./model.js";
import { prepare, showAnswer, showNothing, showRefusal, speak } from "./showing.js";

// The server's limit, which a test compares with this one: when the server cuts off a much larger upload, the
// browser may not get to read why.
const MOST_MIB = 16;

const find = (id) => document.getElementById(id);
const model = await loadModel();
const drawing = new Drawing(find("canvas"), find("pen"));
const asking = new Asking(answered, showRefusal);

async function answered(answer, file) {
  const bitmap = file && (await createImageBitmap(file).catch(() => null));
  if (file !== drawing.picture) return;
  if (file) drawing.preview(bitmap);
  showAnswer(answer, bitmap);
}

function changed() {
  find("undo").disabled = !drawing.canUndo;
  find("clear").disabled = drawing.empty;
  find("hint").hidden = !drawing.empty;
  find("box").hidden = true;
  if (drawing.empty) {
    asking.stop();
    showNothing();
  } else {
    asking.ask(drawing.picture);
  }
}

function put(file) {
  if (!file) return;
  if (file.size <= MOST_MIB * 2 ** 20) drawing.put(file);
  else showRefusal("Too large", `${file.name || "The picture"} has more than ${MOST_MIB} MiB.`);
}

function setBrush(size) {
  find("brush").value = size;
  drawing.width = Number(find("brush").value) / 100;
}

asking.content = () => drawing.content();
asking.onbusy = (busy) => (find("verdict").ariaBusy = busy);
drawing.addEventListener("change", changed);
drawing.addEventListener("pen", (event) => speak(event.detail, 0));
find("undo").addEventListener("click", () => drawing.undo());
find("clear").addEventListener("click", () => drawing.clear());
find("brush").addEventListener("input", (event) => setBrush(event.target.value));
find("choose").addEventListener("click", () => find("file").click());
find("file").addEventListener("change", (event) => {
  put(event.target.files[0]);
  event.target.value = ""; // otherwise choosing the same file again is no change
});

document.addEventListener("paste", (event) => put(event.clipboardData.files[0]));
document.addEventListener("dragover", (event) => {
  event.preventDefault();
  document.body.classList.add("dropping");
});
document.addEventListener("dragleave", (event) => {
  if (!event.relatedTarget) document.body.classList.remove("dropping");
});
document.addEventListener("drop", (event) => {
  event.preventDefault();
  document.body.classList.remove("dropping");
  if (event.dataTransfer.files.length) put(event.dataTransfer.files[0]);
  else showRefusal("Not a file", "Drop an image file.");
});

document.addEventListener("keydown", (event) => {
  const onCanvas = event.target === find("canvas");
  if ((event.ctrlKey || event.metaKey) && !event.shiftKey && event.key.toLowerCase() === "z") drawing.undo();
  else if (event.key === "Delete" && !event.ctrlKey && !event.altKey) drawing.clear();
  else if (onCanvas && event.key === "[") setBrush(Number(find("brush").value) - 1);
  else if (onCanvas && event.key === "]") setBrush(Number(find("brush").value) + 1);
  else return;
  event.preventDefault();
});

// Without a pen, the canvas shows pictures only, and a click on it chooses one.
function offerPicturesOnly() {
  drawing.takesStrokes = false;
  for (const id of ["undo", "brush-label", "found", "keys"]) find(id).hidden = true;
  find("drawing").ariaLabel = "Picture";
  find("canvas").classList.add("unpenned");
  find("canvas").removeAttribute("tabindex");
  find("canvas").removeAttribute("aria-describedby");
  find("canvas").removeAttribute("aria-roledescription");
  find("canvas").role = "img";
  find("canvas").ariaLabel = "Picture";
  find("canvas").addEventListener("click", () => find("file").click());
}

setBrush(find("brush").value);
if (model) {
  if (!model.drawn) offerPicturesOnly();
  prepare(model);
  showNothing();
  document.body.classList.remove("starting");
} else {
  find("introduction").textContent = "The server does not answer. Is `digits app` still running?";
}
