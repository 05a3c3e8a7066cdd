// Keeps a panel up to date without flooding the service.

/**
 * Runs a task, and once more if it was asked for meanwhile. While it runs, the panel is
 * marked as busy.
 */
export class Latest {
  #panel;
  #task;
  #onError;
  #running = false;
  #again = false;

  constructor(panel, task, onError) {
    this.#panel = panel;
    this.#task = task;
    this.#onError = onError;
  }

  async ask() {
    this.#again = true;
    if (this.#running) return;
    this.#running = true;
    this.#panel.setAttribute("aria-busy", "true");
    while (this.#again) {
      this.#again = false;
      try {
        await this.#task();
      } catch (error) {
        this.#onError(error);
      }
    }
    this.#running = false;
    this.#panel.setAttribute("aria-busy", "false");
  }
}
