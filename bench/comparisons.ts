// Every comparison that `npm run bench` knows.
import type { Comparison } from "./harness.js";
import { small } from "./small.js";
import { streamOf } from "./stream.js";

const MIB = 1024 * 1024;

export const comparisons: Readonly<Record<string, { comparison: Comparison; unit: string; scale: number }>> = {
  small: { comparison: small, unit: "op/s", scale: 1 },
  "stream-64k": { comparison: streamOf(64 * 1024, 256 * MIB), unit: "MB/s", scale: (256 * MIB) / 1e6 },
  "stream-4k": { comparison: streamOf(4 * 1024, 64 * MIB), unit: "MB/s", scale: (64 * MIB) / 1e6 },
};
