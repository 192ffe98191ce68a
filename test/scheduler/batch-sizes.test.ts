import { expect, test } from "bun:test";
import { BatchSizes } from "../../src/scheduler/batch-sizes.ts";

test("a batch counts where its size is at most the bound, and above the one before", () => {
  const bounds = new BatchSizes().stats.map(({ textsMax }) => textsMax);
  expect(bounds).toEqual([1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096, Infinity]);
  for (const size of [1, 2, 3, 4, 5, 8, 9, 63, 64, 65, 4095, 4096, 4097, 2 ** 31]) {
    const sizes = new BatchSizes();
    sizes.add(size);
    sizes.add(size);
    const expected = bounds.find((textsMax) => size <= textsMax);
    const counted = sizes.stats.filter(({ batches }) => batches !== 0);
    expect(counted).toEqual([{ textsMax: expected!, batches: 2 }]);
  }
});
