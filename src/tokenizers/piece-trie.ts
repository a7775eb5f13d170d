/** Pieces by their beginnings: a trie over code points, kept in one hash table. */
export class PieceTrie {
  static readonly root = 0;
  /** Where each node has its piece: an id, or −1. */
  #ids = new Int32Array(1024).fill(-1);
  #nodes = 1;
  /** Slots of the table: parent and code point as one key (−1: free), and the node they lead to. */
  #keys: Float64Array;
  #targets: Int32Array;

  constructor(pieces: readonly (readonly [points: readonly number[], id: number])[]) {
    this.#keys = new Float64Array(2048).fill(-1);
    this.#targets = new Int32Array(2048);
    for (const [points, id] of pieces) {
      let node = PieceTrie.root;
      for (const point of points) node = this.#child(node, point);
      this.#ids[node] = id;
    }
  }

  /** The node after one more character, or −1 when no piece goes on so. */
  step(node: number, point: number): number {
    const slot = this.#slot(node * 0x200000 + point);
    return this.#keys[slot] === -1 ? -1 : (this.#targets[slot] ?? -1);
  }

  /** The piece that ends at a node, or −1. */
  idAt(node: number): number {
    return this.#ids[node] ?? -1;
  }

  #slot(key: number): number {
    const mask = this.#keys.length - 1;
    let slot = (Math.imul(key % 0x7fffffff, 0x9e3779b1) >>> 7) & mask;
    while (this.#keys[slot] !== key && this.#keys[slot] !== -1) slot = (slot + 1) & mask;
    return slot;
  }

  #child(node: number, point: number): number {
    const key = node * 0x200000 + point;
    let slot = this.#slot(key);
    if (this.#keys[slot] !== -1) return this.#targets[slot] ?? 0;
    if (2 * this.#nodes >= this.#keys.length) {
      this.#grow();
      slot = this.#slot(key);
    }
    const child = this.#nodes++;
    if (child >= this.#ids.length) {
      const ids = new Int32Array(2 * this.#ids.length).fill(-1);
      ids.set(this.#ids);
      this.#ids = ids;
    }
    this.#keys[slot] = key;
    this.#targets[slot] = child;
    return child;
  }

  #grow(): void {
    const [keys, targets] = [this.#keys, this.#targets];
    this.#keys = new Float64Array(2 * keys.length).fill(-1);
    this.#targets = new Int32Array(2 * keys.length);
    for (const [at, key] of keys.entries()) {
      if (key === -1) continue;
      const slot = this.#slot(key);
      this.#keys[slot] = key;
      this.#targets[slot] = targets[at] ?? 0;
    }
  }
}

/** The code points of a text. */
export function codePoints(text: string): number[] {
  const points: number[] = [];
  for (let at = 0; at < text.length; at++) {
    const point = text.codePointAt(at) ?? 0;
    if (point > 0xffff) at++;
    points.push(point);
  }
  return points;
}
