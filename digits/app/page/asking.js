// Questions to the server, one at a time: while one waits for its answer, only the latest that follows it is kept.

const PAUSE = 60; // milliseconds from the start of one question to the start of the next
const PATIENCE = 30000; // milliseconds, for an answer

const pause = (milliseconds) => new Promise((resolve) => setTimeout(resolve, Math.max(0, milliseconds)));

export class Asking {
  content = null; // gives a promise of the drawing's bytes
  onbusy = null; // is told when questions begin and cease to wait for an answer
  #answered;
  #refused;
  #wanted = null; // the question that comes next: {file}, without a file for the drawing
  #stopper = null; // of the question that waits for its answer
  #busy = false;

  constructor(answered, refused) {
    this.#answered = answered;
    this.#refused = refused;
  }

  ask(file) {
    // The answer to a picture is worth nothing once there is something else; that to half a stroke is.
    if (file || this.#stopper?.file) this.#stopper?.abort();
    this.#wanted = { file };
    if (!this.#busy) this.#work();
  }

  stop() {
    this.#wanted = null;
    this.#stopper?.abort();
  }

  async #work() {
    this.#setBusy(true);
    while (this.#wanted) {
      const { file } = this.#wanted;
      const start = performance.now();
      this.#wanted = null;
      await this.#one(file);
      await pause(start + PAUSE - performance.now());
    }
    this.#setBusy(false);
  }

  #setBusy(busy) {
    this.#busy = busy;
    this.onbusy(busy);
  }

  async #one(file) {
    const stopper = (this.#stopper = new AbortController());
    stopper.file = file;
    const timer = setTimeout(() => stopper.abort("late"), PATIENCE);
    try {
      const body = file ?? (await this.content());
      const response = await fetch("predict", { method: "POST", body, signal: stopper.signal });
      const text = await response.text();
      if (stopper.signal.aborted) return;
      if (response.ok) await this.#answered(JSON.parse(text), file);
      else this.#refused(response.status === 503 ? "Busy" : "Refused", text.trim());
    } catch {
      if (stopper.signal.reason === "late") this.#refused("No answer", "The server takes too long.");
      else if (!stopper.signal.aborted) this.#refused("No answer", "Is `digits app` still running?");
    } finally {
      clearTimeout(timer);
      this.#stopper = null;
    }
  }
}
