// Requests to the server, one at a time: while one is under way, only the latest of those that follow is kept.

const INTERVAL = 60; // milliseconds from the start of one request to the start of the next
const TIMEOUT = 30000; // milliseconds, for an answer

const pause = (milliseconds) => new Promise((resolve) => setTimeout(resolve, Math.max(0, milliseconds)));

export class Asking {
  content = null; // returns a promise of the drawing's bytes
  onbusy = null; // called with true when requests start, and with false when none is left
  #answered;
  #refused;
  #next = null; // the request that comes next: {file}, without a file for the drawing
  #controller = null; // aborts the request that is under way
  #busy = false;

  constructor(answered, refused) {
    this.#answered = answered;
    this.#refused = refused;
  }

  ask(file) {
    // An answer about a replaced picture is useless; one about half a stroke still moves the bars.
    if (file || this.#controller?.file) this.#controller?.abort();
    this.#next = { file };
    if (!this.#busy) this.#work();
  }

  stop() {
    this.#next = null;
    this.#controller?.abort();
  }

  async #work() {
    this.#setBusy(true);
    while (this.#next) {
      const { file } = this.#next;
      const start = performance.now();
      this.#next = null;
      await this.#request(file);
      await pause(start + INTERVAL - performance.now());
    }
    this.#setBusy(false);
  }

  #setBusy(busy) {
    this.#busy = busy;
    this.onbusy(busy);
  }

  async #request(file) {
    const controller = (this.#controller = new AbortController());
    controller.file = file;
    const timer = setTimeout(() => controller.abort("late"), TIMEOUT);
    try {
      const body = file ?? (await this.content());
      const response = await fetch("predict", { method: "POST", body, signal: controller.signal });
      const text = await response.text();
      if (controller.signal.aborted) return;
      if (response.ok) await this.#answered(JSON.parse(text), file);
      else this.#refused(response.status === 503 ? "Busy" : "Refused", text.trim());
    } catch {
      if (controller.signal.reason === "late") this.#refused("No answer", "The server takes too long.");
      else if (!controller.signal.aborted) this.#refused("No answer", "Is `digits app` still running?");
    } finally {
      clearTimeout(timer);
      this.#controller = null;
    }
  }
}
