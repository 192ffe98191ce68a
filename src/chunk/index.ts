export { chunkInSteps, chunkText } from "./chunk.ts";
export type { Chunk, ChunkOptions } from "./types.ts";
