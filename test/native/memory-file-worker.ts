import { memoryFile } from "../../src/native/memory-file.ts";

declare const self: Worker;

self.onmessage = ({ data }: MessageEvent<string>) => {
  self.postMessage(memoryFile(new TextEncoder().encode(data)));
};
