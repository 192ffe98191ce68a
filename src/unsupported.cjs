/**
 * What other runtimes than Bun are told. Plain CommonJS, since each of them must be able to read
 * it, and nothing else of this package.
 */
exports.unsupported = () => {
  const runtime =
    typeof process === "undefined" || process.versions?.node === undefined
      ? "another runtime"
      : process.versions.deno === undefined
        ? `Node ${process.version}`
        : `Deno ${process.versions.deno}`;
  const error = new Error(
    `ggufembed runs on Bun alone, and this is ${runtime}: it reaches its native library through ` +
      "bun:ffi, which nothing else has. Run the program with Bun 1.4.5 or newer (`bun FILE`, " +
      "https://bun.sh), or start `ggufembed embed --jsonl` as a process of its own and give it " +
      "texts on standard input.",
  );
  error.name = "GgufEmbedError";
  return Object.assign(error, { code: "UNSUPPORTED" });
};
