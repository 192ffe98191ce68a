import { z } from "zod";

/** What schemas are described as that check by other means. */
const DESCRIBED = new WeakMap<z.core.$ZodType, z.ZodType>();

/**
 * A schema that `fits` decides on, described as `described`, for arrays. A union of zod's tries
 * each kind in turn and keeps an error for every item: for the millions that fit into a body, that
 * takes many seconds and gigabytes. `abort`: nothing else is worth saying of a value that does not
 * fit.
 */
export function checked<T>(
  described: z.ZodType<T>,
  fits: (value: unknown) => boolean,
  says: { readonly error: string; readonly abort?: boolean },
): z.ZodType<T> {
  const schema = z.custom<T>(fits, says);
  DESCRIBED.set(schema, described);
  return schema;
}

/** JSON Schema of what `schema` takes or gives. */
export function jsonSchema(schema: z.ZodType, io: "input" | "output"): object {
  const { $schema: _, ...rest } = z.toJSONSchema(schema, {
    io,
    target: "draft-2020-12",
    unrepresentable: "any",
    override({ zodSchema, jsonSchema: shown }) {
      const described = DESCRIBED.get(zodSchema);
      if (described !== undefined) Object.assign(shown, jsonSchema(described, io));
    },
  });
  return rest;
}

/** Token ids are int32. Which of them a model has, it says itself. */
const ID_MAX = 2 ** 31 - 1;

/** Token ids of one text. */
export const Ids = z.array(z.int().min(0).max(ID_MAX)).min(1);

export const isText = (value: unknown): boolean => typeof value === "string";

export const isIds = (value: unknown): boolean => isFilled(value, isId);

/** Whether it is an array, not empty, of such items. */
export function isFilled(value: unknown, isItem: (item: unknown) => boolean): boolean {
  return isArrayOf(value, isItem) && (value as unknown[]).length > 0;
}

export function isArrayOf(value: unknown, isItem: (item: unknown) => boolean): boolean {
  return Array.isArray(value) && value.every((item: unknown) => isItem(item));
}

function isId(value: unknown): boolean {
  return Number.isInteger(value) && (value as number) >= 0 && (value as number) <= ID_MAX;
}
