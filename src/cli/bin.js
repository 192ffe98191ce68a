#!/usr/bin/env bun
import unsupported from "../unsupported.cjs";

// Where there is no Bun, npm's own start of this file still brings the reason, not a riddle.
if (typeof Bun === "undefined") {
  console.error(unsupported.unsupported().message);
  process.exit(1);
}
await import("./main.ts");
