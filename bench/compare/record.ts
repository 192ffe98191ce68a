/** What a comparison found, as it is kept: one machine, one commit, and the cases measured so. */
import { CASE_IDS } from "./cases.ts";
import type { Machine, Revision } from "./machine.ts";
import type { Absent, Participant } from "./players.ts";
import type { CaseResult } from "./results.ts";

export interface Comparison extends Findings {
  readonly setting: Setting;
}

/** What results must have in common to stand in one table. */
export interface Setting {
  readonly machine: Machine;
  readonly revision: Revision;
  readonly threads: number;
  readonly seed: number;
}

interface Findings {
  readonly participants: readonly Participant[];
  readonly absent: readonly Absent[];
  readonly results: readonly CaseResult[];
}

/** Whether results of the two may stand together: what is not committed may be anything. */
export function isSameSetting(a: Setting, b: Setting): boolean {
  return !a.revision.dirty && Bun.deepEquals(a, b, true);
}

/** The later findings take the places of earlier ones of the same case, or of the same name. */
export function addFindings(before: Comparison | undefined, after: Comparison): Comparison {
  if (before === undefined || !isSameSetting(before.setting, after.setting)) return after;
  const absent = after.absent.concat(
    before.absent.filter(({ name }) => !isNamed([...after.participants, ...after.absent], name)),
  );
  const participants = before.participants.filter(({ name }) => !isNamed(after.absent, name));
  const results = before.results.filter(({ id }) => !after.results.some((each) => each.id === id));
  return {
    setting: after.setting,
    participants: mergeParticipants(participants, after.participants),
    absent,
    results: [...results, ...after.results].sort(
      (a, b) => CASE_IDS.indexOf(a.id) - CASE_IDS.indexOf(b.id),
    ),
  };
}

function mergeParticipants(
  before: readonly Participant[],
  after: readonly Participant[],
): Participant[] {
  const merged = new Map(before.map((each) => [each.name, each]));
  for (const each of after) {
    const accuracy = { ...merged.get(each.name)?.accuracy, ...each.accuracy };
    merged.set(each.name, { ...each, accuracy });
  }
  return [...merged.values()];
}

function isNamed(list: readonly { readonly name: string }[], name: string): boolean {
  return list.some((each) => each.name === name);
}

/** A machine has one comparison: the later one. */
export function addComparison(
  before: readonly Comparison[],
  added: Comparison,
): readonly Comparison[] {
  const kind = ({ setting: { machine, threads } }: Comparison) =>
    [machine.cpu, machine.cores, machine.variant, threads].join();
  const at = before.findIndex((each) => kind(each) === kind(added));
  return at < 0 ? [...before, added] : before.with(at, added);
}

/** Undefined if there is no such file. */
export async function readJson<T>(path: string): Promise<T | undefined> {
  const file = Bun.file(path);
  return (await file.exists()) ? await file.json() : undefined;
}

/** Digits that a sample keeps. */
const PRECISION = 6;

/** A line for each short thing, so that two versions can be compared. */
export function formatJson(value: object): string {
  const lines = JSON.stringify(value, rounded, 1)
    // Samples side by side.
    .replace(/\[\n\s+(?:-?[\d.e+-]+,?\n\s+)+\]/g, (list) => list.replace(/\s+/g, " "));
  return `${lines}\n`;
}

function rounded(_key: string, value: unknown): unknown {
  const isSample = typeof value === "number" && !Number.isInteger(value);
  return isSample ? Number(value.toPrecision(PRECISION)) : value;
}
