import { invalidArgument } from "../errors.ts";

/** Throws `INVALID_ARGUMENT`. */
export function checkCount(name: string, value: number): void {
  if (Number.isSafeInteger(value) && value >= 1) return;
  throw invalidArgument(`${name} is ${value}; it must be a whole number from 1`);
}
