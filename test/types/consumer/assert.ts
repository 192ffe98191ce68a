/** Whether two types are the same, and not only assignable to each other. */
export type Same<A, B> =
  (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;

/** Does not compile unless `value` is exactly of type `Expected`: `expectType<number>()(1 + 1)`. */
export function expectType<Expected>() {
  return <Actual>(_value: Actual, ..._same: Same<Actual, Expected> extends true ? [] : [never]) =>
    undefined;
}
