import { expect, test } from "bun:test";
import { drawFlames, foldStacks, readStacks } from "../../bench/profile/flame.ts";
import { readCounters } from "../../bench/profile/perf.ts";

const SCRIPT = `
bun
	    7f10 dot<f32>
	    7f00 main.run

bun
	    7f11 dot<f32>
	    7f00 main.run

bun
	    7f00 main.run

other
	       0 [unknown]
`;

test("stacks of one path are one frame, with their samples", () => {
  expect(foldStacks(readStacks(SCRIPT))).toBe(
    "bun;main.run 1\nbun;main.run;dot<f32> 2\nother;[unknown] 1\n",
  );
});

test("a box is as wide as its share, and says what it is", () => {
  const svg = drawFlames(readStacks(SCRIPT), "A & B");
  expect(svg).toContain(">A &amp; B, 4 samples</text>");
  expect(svg).toMatch(
    /<title>dot&lt;f32&gt;: 2 samples, 50\.00 %<\/title><rect [^>]*width="600\.0"/,
  );
  expect(svg).toMatch(/<title>other: 1 samples, 25\.00 %<\/title><rect x="900\.0"/);
});

test("a counter that the machine does not have is none, and not zero", () => {
  const csv =
    "12.5;msec;task-clock;1;100.00;;\n<not supported>;;cycles;0;100.00;;\n7;;faults:u;1;;\n";
  expect(readCounters(csv)).toEqual({ "task-clock": 12.5, cycles: undefined, faults: 7 });
});
