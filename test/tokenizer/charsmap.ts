/** Units of the double array that the children of one node take. */
const BLOCK = 256;
const LEAF_BIT = 2 ** 8;
const VALUE_BIT = 2 ** 31;
const OFFSET_SHIFT = 10;

interface Node {
  readonly children: Map<number, Node>;
  value?: number;
}

/**
 * A charsmap as SentencePiece stores it: the length of a double array (`Darts`) in bytes, the
 * array, and the replacements, each with a NUL behind it. Keys and replacements are texts. Each
 * node has a block of its own, so that no two ever share a unit.
 */
export function charsmap(rules: Readonly<Record<string, string>>): Uint8Array {
  const encoder = new TextEncoder();
  const root: Node = { children: new Map() };
  const replacements: number[] = [];
  for (const [key, replacement] of Object.entries(rules)) {
    let node = root;
    for (const byte of encoder.encode(key)) {
      const next: Node = node.children.get(byte) ?? { children: new Map() };
      node.children.set(byte, next);
      node = next;
    }
    node.value = replacements.length;
    replacements.push(...encoder.encode(replacement), 0);
  }
  const units = layOut(root);
  return charsmapOf(units, Uint8Array.from(replacements));
}

/** The bytes of a charsmap, whatever its parts may be. */
export function charsmapOf(units: readonly number[], replacements: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(4 + 4 * units.length + replacements.length);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, 4 * units.length, true);
  for (const [i, unit] of units.entries()) view.setUint32(4 + 4 * i, unit, true);
  bytes.set(replacements, 4 + 4 * units.length);
  return bytes;
}

function layOut(root: Node): number[] {
  // The root is unit 0; its children and those of all others lie in blocks behind it.
  const units: number[] = new Array(BLOCK).fill(0);
  const place = (node: Node, at: number, label: number) => {
    const block = units.length;
    units.push(...new Array(BLOCK).fill(0));
    units[at] = (((at ^ block) << OFFSET_SHIFT) | label) >>> 0;
    if (node.value !== undefined) {
      units[at] |= LEAF_BIT;
      units[block] = VALUE_BIT + node.value;
    }
    for (const [byte, child] of node.children) place(child, block ^ byte, byte);
  };
  place(root, 0, 0);
  return units;
}
