// The canvas: strokes by pointer or keyboard, or a picture instead of them, and undo.

const STEP = 1 / 40; // of the canvas, for an arrow key

// A mark is a stroke, a picture, or a clearing of the canvas. What is seen: the last mark if it is a picture,
// otherwise the strokes after the last picture or clearing. Points and widths are fractions of the canvas.
export class Drawing extends EventTarget {
  #marks = [];
  #canvas;
  #context;
  #pen; // the ring that shows where the keyboard draws
  #place = [0.5, 0.5];
  #stroke = null; // the stroke that is being drawn
  #pointer = null; // the pointer that draws it; null for the keyboard
  width = 0.07;
  takesStrokes = true; // otherwise there are pictures only

  constructor(canvas, pen) {
    super();
    this.#canvas = canvas;
    this.#context = canvas.getContext("2d", { willReadFrequently: true });
    this.#pen = pen;
    this.#context.lineCap = this.#context.lineJoin = "round";
    canvas.addEventListener("pointerdown", (event) => this.#begin(event));
    canvas.addEventListener("pointermove", (event) => this.#move(event));
    for (const name of ["pointerup", "pointercancel"])
      canvas.addEventListener(name, (event) => this.#end(event));
    canvas.addEventListener("keydown", (event) => this.#key(event));
    canvas.addEventListener("blur", () => this.#lift());
    canvas.addEventListener("focus", () => this.#showPen());
    this.#redraw();
  }

  get canUndo() {
    return this.#marks.length > 0;
  }

  get picture() {
    return this.#marks.at(-1)?.file;
  }

  get empty() {
    return !this.picture && this.#strokes().length === 0;
  }

  // The drawing as a PNG: black on white.
  content() {
    return new Promise((resolve) => this.#canvas.toBlob(resolve, "image/png"));
  }

  put(file) {
    this.#add({ file });
  }

  // Show the picture that was added last; `bitmap` is null if the browser cannot read it.
  preview(bitmap) {
    this.#marks.at(-1).bitmap = bitmap;
    this.#redraw();
  }

  clear() {
    if (!this.empty) this.#add({});
  }

  undo() {
    if (!this.canUndo) return;
    this.#lift();
    this.#marks.pop();
    this.#redraw();
    this.#changed();
  }

  #strokes() {
    return this.#marks.slice(this.#marks.findLastIndex((mark) => !mark.points) + 1);
  }

  #add(mark) {
    this.#lift();
    this.#marks.push(mark);
    this.#redraw();
    this.#changed();
  }

  #changed() {
    this.dispatchEvent(new Event("change"));
  }

  #start(point) {
    const covered = this.picture !== undefined;
    this.#stroke = { points: [point], width: this.width };
    this.#marks.push(this.#stroke);
    if (covered) this.#redraw();
    else this.#line(this.#stroke, 0);
    this.#changed();
  }

  #extend(point) {
    this.#stroke.points.push(point);
    this.#line(this.#stroke, this.#stroke.points.length - 1);
    this.#changed();
  }

  #lift() {
    this.#stroke = this.#pointer = null;
    this.#pen.classList.remove("down");
    if (document.activeElement !== this.#canvas) this.#pen.hidden = true;
  }

  #point(event) {
    const { left, top, width, height } = this.#canvas.getBoundingClientRect();
    // Only a pen measures pressure; other pointers report a fixed 0, 0.5 or 1.
    const pressure = event.pointerType === "pen" ? 0.5 + event.pressure : 1;
    return [(event.clientX - left) / width, (event.clientY - top) / height, pressure];
  }

  #begin(event) {
    if (!this.takesStrokes || this.#pointer !== null || event.button !== 0) return;
    this.#lift();
    this.#canvas.setPointerCapture(event.pointerId);
    this.#start(this.#point(event));
    this.#pointer = event.pointerId;
    this.#pen.hidden = true;
  }

  #move(event) {
    if (event.pointerId !== this.#pointer) return;
    const events = event.getCoalescedEvents?.() ?? [];
    for (const move of events.length ? events : [event]) this.#extend(this.#point(move));
  }

  #end(event) {
    if (event.pointerId === this.#pointer) this.#lift();
  }

  #key(event) {
    const moves = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
    if (!this.takesStrokes || event.ctrlKey || event.altKey || event.metaKey || this.#pointer !== null) return;
    if (event.key in moves) {
      this.#place = this.#place.map((value, axis) => Math.min(1, Math.max(0, value + STEP * moves[event.key][axis])));
      if (this.#stroke) this.#extend([...this.#place, 1]);
    } else if (event.key === " " && !event.repeat) {
      if (this.#stroke) this.#lift();
      else this.#start([...this.#place, 1]);
      this.dispatchEvent(new CustomEvent("pen", { detail: this.#stroke ? "Pen down" : "Pen up" }));
    } else return;
    event.preventDefault();
    this.#showPen(true);
  }

  #showPen(always = false) {
    this.#pen.hidden = !always && !this.#canvas.matches(":focus-visible");
    this.#pen.style.left = `${100 * this.#place[0]}%`;
    this.#pen.style.top = `${100 * this.#place[1]}%`;
    this.#pen.classList.toggle("down", this.#stroke !== null);
  }

  // Draw the segment of a stroke that ends at the point with this index; at the first point, draw a dot.
  #line({ points, width }, last) {
    const size = this.#canvas.width;
    const [from, to] = [points[Math.max(0, last - 1)], points[last]];
    this.#context.fillStyle = "#000";
    this.#context.lineWidth = width * to[2] * size;
    this.#context.beginPath();
    if (last === 0) {
      this.#context.arc(to[0] * size, to[1] * size, this.#context.lineWidth / 2, 0, 2 * Math.PI);
      this.#context.fill();
    } else {
      this.#context.moveTo(from[0] * size, from[1] * size);
      this.#context.lineTo(to[0] * size, to[1] * size);
      this.#context.stroke();
    }
  }

  #redraw() {
    const size = this.#canvas.width;
    const { file, bitmap } = this.#marks.at(-1) ?? {};
    this.#context.fillStyle = "#fff";
    this.#context.fillRect(0, 0, size, size);
    this.#canvas.classList.toggle("picture", Boolean(bitmap));
    if (bitmap) {
      const scale = size / Math.max(bitmap.width, bitmap.height);
      const [width, height] = [bitmap.width * scale, bitmap.height * scale];
      this.#context.drawImage(bitmap, (size - width) / 2, (size - height) / 2, width, height);
    } else if (file) {
      this.#context.fillStyle = "#000";
      this.#context.font = "28px system-ui, sans-serif";
      this.#context.textAlign = "center";
      this.#context.fillText(file.name || "picture", size / 2, size / 2, size - 40);
    }
    for (const stroke of this.#strokes()) stroke.points.forEach((_, index) => this.#line(stroke, index));
  }
}
