// Every comparison that `npm run bench` knows.
import { emulator } from "./emulator.js";
import { fields } from "./fields.js";
import type { Comparison } from "./harness.js";
import { fileRewrap, LARGE_FILE_BYTES, rangeRead } from "./large-file.js";
import { localKms } from "./local-kms.js";
import { pq, rsaEcdsa } from "./pq.js";
import { remote } from "./remote.js";
import { sm2 } from "./sm2.js";
import { sm3Of } from "./sm3.js";
import { sm4Of } from "./sm4.js";
import { small } from "./small.js";
import { streamOf } from "./stream.js";

const MIB = 1024 * 1024;

export const comparisons: Readonly<Record<string, { comparison: Comparison; unit: string; scale: number }>> = {
  small: { comparison: small, unit: "op/s", scale: 1 },
  "stream-64k": { comparison: streamOf(64 * 1024, 256 * MIB), unit: "MB/s", scale: (256 * MIB) / 1e6 },
  "stream-4k": { comparison: streamOf(4 * 1024, 64 * MIB), unit: "MB/s", scale: (64 * MIB) / 1e6 },
  fields: { comparison: fields, unit: "op/s", scale: 1 },
  range: { comparison: rangeRead, unit: "op/s", scale: 1 },
  rewrap: { comparison: fileRewrap, unit: "MB/s", scale: LARGE_FILE_BYTES / 1e6 },
  "local-kms": { comparison: localKms, unit: "op/s", scale: 1 },
  sm2: { comparison: sm2, unit: "op/s", scale: 1 },
  "sm3-64b": { comparison: sm3Of(64), unit: "op/s", scale: 1 },
  "sm3-64k": { comparison: sm3Of(64 * 1024), unit: "MB/s", scale: 0.065536 },
  "sm4-64b": { comparison: sm4Of(64), unit: "op/s", scale: 1 },
  "sm4-64k": { comparison: sm4Of(64 * 1024), unit: "MB/s", scale: 0.065536 },
  pq: { comparison: pq, unit: "op/s", scale: 1 },
  remote: { comparison: remote, unit: "req/s", scale: 1 },
  "rsa-ecdsa": { comparison: rsaEcdsa, unit: "op/s", scale: 1 },
  emulator: { comparison: emulator, unit: "op/s", scale: 1 },
};
