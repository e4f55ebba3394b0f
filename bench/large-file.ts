// A stored message of 1 GiB: a part of it against the whole, and its rewrap against a copy of the file.
import { createReadStream, createWriteStream } from "node:fs";
import { mkdtemp, open, rename, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable, Writable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { Envelope } from "@fengni/core";
import { createDecryptStream, createEncryptStream, fileSource, rewrapFile } from "@fengni/core/node";
import type { Arm, Comparison } from "./harness.js";
import { ourKey } from "./key.js";

const MIB = 1024 * 1024;
/** Bytes of plaintext. */
export const LARGE_FILE_BYTES = 1024 * MIB;
const PART_BYTES = MIB;
const COPY_BYTES = MIB;

const NAMES = {
  whole: "decrypt a file of 1 GiB, whole",
  part: "decrypt 1 MiB out of 1 GiB, opened anew each time",
  copy: "copy a file of 1 GiB: read, write, fsync, rename",
  rewrap: "rewrap a file of 1 GiB in place",
};

/** A message of zeros on disk, made for one process and removed with it. */
async function sealedFile(): Promise<{ readonly path: string; readonly envelope: Envelope }> {
  const folder = await mkdtemp(join(tmpdir(), "fengni-bench-"));
  process.on("exit", () => void rm(folder, { recursive: true, force: true }));
  process.on("SIGTERM", () => {
    rm(folder, { recursive: true, force: true }).finally(() => process.exit());
  });
  const path = join(folder, "message");
  const envelope = new Envelope({ wrappingKeys: [ourKey()] });
  const zeros = Buffer.alloc(MIB);
  const plaintext = Readable.from(
    (function* () {
      for (let i = 0; i < LARGE_FILE_BYTES / MIB; i++) yield zeros;
    })(),
  );
  await pipeline(plaintext, createEncryptStream(envelope), createWriteStream(path));
  return { path, envelope };
}

const whole: Arm = async () => {
  const { path, envelope } = await sealedFile();
  return async (count) => {
    for (let i = 0; i < count; i++) {
      const nowhere = new Writable({ write: (_chunk, _encoding, callback) => callback() });
      await pipeline(createReadStream(path, { highWaterMark: MIB }), createDecryptStream(envelope), nowhere);
    }
  };
};

const part: Arm = async () => {
  const { path, envelope } = await sealedFile();
  let start = 12_345;
  return async (count) => {
    for (let i = 0; i < count; i++) {
      start = (start + 7_919 * 65_521) % (LARGE_FILE_BYTES - PART_BYTES);
      const source = await fileSource(path);
      try {
        const bytes = await envelope.decryptRange(source, start, start + PART_BYTES);
        if (bytes.length !== PART_BYTES) throw new Error("the part is not whole");
      } finally {
        await source.close();
      }
    }
  };
};

const copy: Arm = async () => {
  const { path } = await sealedFile();
  const buffer = Buffer.alloc(COPY_BYTES);
  return async (count) => {
    for (let i = 0; i < count; i++) {
      const from = await open(path);
      const to = await open(`${path}.copy`, "w");
      for (;;) {
        const { bytesRead } = await from.read(buffer);
        if (bytesRead === 0) break;
        await to.write(buffer, 0, bytesRead);
      }
      await to.sync();
      await to.close();
      await from.close();
      await rename(`${path}.copy`, path);
    }
  };
};

const rewrap: Arm = async () => {
  const { path, envelope } = await sealedFile();
  return async (count) => {
    for (let i = 0; i < count; i++) await rewrapFile(envelope, path);
  };
};

/** How often a second a part is had, and the whole. */
export const rangeRead: Comparison = {
  rounds: 2,
  roundMs: 500,
  arms: { [NAMES.whole]: whole, [NAMES.part]: part },
  lines: (line) => [line(NAMES.whole), line(NAMES.part, NAMES.whole)],
};

/** How fast the file is rewritten. */
export const fileRewrap: Comparison = {
  rounds: 2,
  roundMs: 500,
  arms: { [NAMES.copy]: copy, [NAMES.rewrap]: rewrap },
  lines: (line) => [line(NAMES.copy), line(NAMES.rewrap, NAMES.copy)],
};
