const SEPARATOR = /[-._ ]/;

/** Names of files without the ending, and without what all of them begin and end with. */
export function labelsOf(files: readonly string[]): string[] {
  const names = files.map((file) => file.replace(/\.gguf$/, ""));
  const start = sharedLength(names);
  const end = sharedLength(names.map((name) => name.slice(start).split("").reverse().join("")));
  return names.map((name) => name.slice(start, name.length - end));
}

/** Of the longest beginning that all share, that ends in a separator and leaves something. */
function sharedLength([first = "", ...others]: readonly string[]): number {
  const isShared = (length: number) => {
    const beginning = first.slice(0, length);
    return others.every((name) => name.startsWith(beginning) && name.length > length);
  };
  let length = others.length === 0 ? 0 : first.length - 1;
  while (length > 0 && !(SEPARATOR.test(first[length - 1]!) && isShared(length))) length--;
  return length;
}
