// Tells the user when the service does not answer, and goes on when it does again.

import { ready } from "./service.js";

const POLL_MILLISECONDS = 1000;

/** Shows what is wrong, and calls `onRecovery` when the service is ready again. */
export class Connection {
  #alert = document.getElementById("alert");
  #text = document.getElementById("alert-text");
  #retry = document.getElementById("retry");
  #onRecovery;
  #watching = false;
  #wake = () => {};

  constructor(onRecovery) {
    this.#onRecovery = onRecovery;
    this.#retry.addEventListener("click", () => this.#wake());
  }

  /** Shows an error, and watches for the end of those that may pass. */
  report(error) {
    if (error.kind === "gone") {
      this.#say(
        "The service does not answer. Is unsup3d-view still running? " +
          "This page goes on as soon as it answers.",
      );
    } else if (error.kind === "unavailable") {
      this.#say(`The model is not ready yet: ${error.message}`);
    } else {
      const refused = error.kind === "refused";
      const what = refused ? "The service refused this" : "This page cannot go on";
      this.#say(`${what}: ${error.message}`);
      this.#retry.hidden = true;
      return;
    }
    this.#retry.hidden = false;
    this.#watch();
  }

  /** Takes back what was said, for an answer came. */
  clear() {
    if (!this.#watching) this.#alert.hidden = true;
  }

  #say(text) {
    this.#alert.hidden = false;
    // Said again, it would be read out again.
    if (this.#text.textContent !== text) this.#text.textContent = text;
  }

  async #watch() {
    if (this.#watching) return;
    this.#watching = true;
    for (;;) {
      await new Promise((resolve) => {
        this.#wake = resolve;
        setTimeout(resolve, POLL_MILLISECONDS);
      });
      try {
        await ready();
        break;
      } catch (error) {
        if (error.kind === "unavailable") this.report(error);
      }
    }
    this.#watching = false;
    this.clear();
    this.#onRecovery();
  }
}
