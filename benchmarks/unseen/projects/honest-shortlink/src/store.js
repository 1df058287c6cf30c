/**
 * @typedef {{code: string, target: string}} Link
 */

const ALPHABET = '23456789abcdefghjkmnpqrstuvwxyz';

/** A code of six characters from a number, so that the same number gives the same code. */
export function codeOf(number) {
  let rest = (number * 7919 + 104729) % ALPHABET.length ** 6;
  let code = '';
  for (let i = 0; i < 6; i++) {
    code = ALPHABET[rest % ALPHABET.length] + code;
    rest = Math.floor(rest / ALPHABET.length);
  }
  return code;
}

export class Store {
  #links = new Map();
  #next = 1;

  /** @returns {Link} */
  add(target) {
    const link = { code: codeOf(this.#next++), target };
    this.#links.set(link.code, link);
    return link;
  }

  /** @returns {Link | undefined} */
  get(code) {
    return this.#links.get(code);
  }

  /** @returns {Link[]} at most a hundred, the newest last */
  list() {
    return [...this.#links.values()].slice(-100);
  }

  remove(code) {
    return this.#links.delete(code);
  }
}
