// Says what is wrong, and goes on when the service answers again.

import { ready } from "./service.js";

const POLL_MILLISECONDS = 1000;

/** What an error says about the service as a whole, if anything. */
function outage(error) {
  if (error.kind === "gone") {
    return (
      "The service does not answer. Is unsup3d-view still running? " +
      "This page goes on as soon as it answers."
    );
  }
  return error.kind === "unavailable"
    ? `The model is not ready yet: ${error.message}`
    : "";
}

/**
 * Shows what is wrong with the service, and with each part of the page. Calls `onRetry`
 * when the service is ready again, or the user wants to try again.
 */
export class Connection {
  #alert = document.getElementById("alert");
  #text = document.getElementById("alert-text");
  #onRetry;
  #outage = ""; // what is wrong with the service
  #failures = new Map(); // and with parts of the page, by their names
  #wake = null; // looks at the service at once, while it is watched

  constructor(onRetry) {
    this.#onRetry = onRetry;
    document
      .getElementById("retry")
      .addEventListener("click", () => (this.#wake ?? this.#onRetry)());
  }

  /** Shows why a part of the page failed, and watches for the end of an outage. */
  report(part, error) {
    if (outage(error)) {
      this.#setOutage(outage(error));
      this.#watch();
      return;
    }
    const what = error.kind === "refused" ? "The service refused" : "Cannot show";
    this.#failures.set(part, `${what} the ${part}: ${error.message}`);
    this.#show();
  }

  /** Takes back what was said about a part of the page, which is as it should be. */
  clear(part) {
    this.#failures.delete(part);
    this.#show();
  }

  #setOutage(text) {
    this.#outage = text;
    this.#show();
  }

  #show() {
    const lines = [this.#outage, ...this.#failures.values()].filter(Boolean);
    this.#alert.hidden = !lines.length;
    const text = lines.join("\n");
    // Said again, it would be read out again.
    if (this.#text.textContent !== text) this.#text.textContent = text;
  }

  async #watch() {
    if (this.#wake) return;
    for (;;) {
      await new Promise((resolve) => {
        this.#wake = resolve;
        setTimeout(resolve, POLL_MILLISECONDS);
      });
      try {
        await ready();
        break;
      } catch (error) {
        this.#setOutage(outage(error) || this.#outage);
      }
    }
    this.#wake = null;
    this.#setOutage("");
    this.#onRetry();
  }
}
