// From seeds and sliders to a style.

import { mapSeeds } from "./service.js";

/** Makes styles of one model. Styles of seeds are asked for once. */
export class Styles {
  #description;
  #bySeed = new Map();
  #mean;

  constructor(description) {
    this.#description = description;
  }

  /**
   * Mixes two identities, truncates the mixture, and adds steps along the directions.
   *
   * `mix` is the part of the other identity; `steps` are in standard deviations.
   */
  async style({ seed, otherSeed, mix, truncation, steps }) {
    await this.#load(mix > 0 ? [seed, otherSeed] : [seed]);
    const first = this.#bySeed.get(seed);
    const second = mix > 0 ? this.#bySeed.get(otherSeed) : first;
    return this.#mean.map((mean, index) => {
      const mixed = first[index] + mix * (second[index] - first[index]);
      let value = mean + truncation * (mixed - mean);
      steps.forEach((step, number) => {
        value += step * this.#description.directions[number].step[index];
      });
      return value;
    });
  }

  async #load(seeds) {
    const missing = [...new Set(seeds)].filter((seed) => !this.#bySeed.has(seed));
    if (!missing.length && this.#mean) return;
    // Truncated by 0, every style is the mean style.
    const truncation = [...missing.map(() => 1), 0];
    const asked = [...missing, 0];
    const styles = await mapSeeds(this.#description.name, asked, truncation);
    missing.forEach((seed, index) => this.#bySeed.set(seed, styles[index]));
    this.#mean = styles.at(-1);
  }
}
