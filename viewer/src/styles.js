// From seeds and sliders to a style.

import { mapSeed } from "./service.js";

/** Makes styles of one model. The style of a seed is asked for once. */
export class Styles {
  #description;
  #bySeed = new Map(); // promises, because picture and mesh ask at the same time

  constructor(description) {
    this.#description = description;
  }

  /**
   * Mixes two identities, truncates the mixture, and adds steps along the directions.
   *
   * `mix` is the part of the other identity; `steps` are in standard deviations.
   */
  async style({ seed, otherSeed, mix, truncation, steps }) {
    const [first, second] = await Promise.all([
      this.#ofSeed(seed),
      this.#ofSeed(mix > 0 ? otherSeed : seed),
    ]);
    return this.#description.mean_style.map((mean, index) => {
      const mixed = first[index] + mix * (second[index] - first[index]);
      let value = mean + truncation * (mixed - mean);
      steps.forEach((step, number) => {
        value += step * this.#description.directions[number].step[index];
      });
      return value;
    });
  }

  #ofSeed(seed) {
    if (!this.#bySeed.has(seed)) {
      const style = mapSeed(seed);
      this.#bySeed.set(seed, style);
      // What failed can be asked for again.
      style.catch(() => this.#bySeed.delete(seed));
    }
    return this.#bySeed.get(seed);
  }
}
