/** A class name without what it says of its head. */
const HEAD = /(Model|For[A-Z]\w*|LMHead\w*)$/;
/** A common part that is shorter is chance. */
const COMMON_MIN = 4;

/** The known class whose name has the longest part in common with this one. */
export function nearestClass(name: string, known: readonly string[]): string | undefined {
  const family = (each: string) => each.replace(HEAD, "").toLowerCase();
  let best: string | undefined;
  let most = COMMON_MIN - 1;
  for (const candidate of known) {
    const common = longestCommon(family(name), family(candidate));
    if (common > most) [best, most] = [candidate, common];
  }
  return best;
}

function longestCommon(a: string, b: string): number {
  let most = 0;
  for (let start = 0; start < b.length; start++) {
    while (start + most < b.length && a.includes(b.slice(start, start + most + 1))) most++;
  }
  return most;
}
