// Keeps a panel up to date without flooding the service.

/**
 * Runs a task, and once more if it was asked for meanwhile. While it runs, the panel is
 * marked as busy; if it failed, as not up to date.
 */
export class Latest {
  #panel;
  #note;
  #task;
  #connection;
  #running = false;
  #again = false;

  constructor(name, task, connection) {
    this.#panel = document.getElementById(name);
    this.#note = document.getElementById(`${name}-note`);
    this.#task = task;
    this.#connection = connection;
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
        this.#note.textContent = "";
        this.#connection.clear(this.#panel.id);
      } catch (error) {
        this.#note.textContent = "(not up to date)";
        this.#connection.report(this.#panel.id, error);
      }
    }
    this.#running = false;
    this.#panel.setAttribute("aria-busy", "false");
  }
}
