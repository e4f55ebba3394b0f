// The same messages where there is no node:crypto: asynchronous WebCrypto, and noble alone, each in a process of its own.
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { Envelope, rawAesKey } from "@fengni/core";
import { describe, expect, test } from "vitest";
import { bytesOf } from "./support.js";

const CHILD = fileURLToPath(new URL("./fixtures/portable-child.ts", import.meta.url));
const ROOT = fileURLToPath(new URL("../../..", import.meta.url));

interface Answer {
  readonly opened: readonly string[];
  readonly sealed: readonly string[];
  readonly chosen: Readonly<Record<string, string>>;
}

describe.each(["webcrypto", "noble"])("without node:crypto: %s", (mode) => {
  const envelope = new Envelope({
    wrappingKeys: [rawAesKey({ namespace: "portable", name: "key", key: new Uint8Array(32).fill(3) })],
    frameLength: 512,
  });

  test("messages cross over, streams and refusals are the same", async () => {
    const plaintexts = [bytesOf(0), bytesOf(1), bytesOf(512), bytesOf(1500)];
    const messages: string[] = [];
    for (const suite of [0x0478, 0x0578] as const) {
      for (const plaintext of plaintexts) {
        messages.push(Buffer.from(await envelope.encrypt(plaintext, { suite })).toString("base64"));
      }
    }
    const options = ["--conditions=@fengni/source", "--import", "tsx", CHILD, mode];
    const child = spawnSync(process.execPath, options, {
      cwd: ROOT,
      input: JSON.stringify({ messages }),
      encoding: "utf8",
    });
    expect(child.stderr).toBe("");
    const answer = JSON.parse(child.stdout) as Answer;
    expect(answer.chosen["AES-GCM"]).toBe(mode);
    const expected = [...plaintexts, ...plaintexts].map((plaintext) => Buffer.from(plaintext).toString("base64"));
    expect(answer.opened).toEqual(expected);
    const lengths: number[] = [];
    for (const message of answer.sealed) {
      const { plaintext } = await envelope.decrypt(Buffer.from(message, "base64"), {
        encryptionContext: { made: "elsewhere" },
      });
      lengths.push(plaintext.length);
      plaintext.forEach((byte, i) => {
        if (byte !== Math.floor(i / 300)) throw new Error(`byte ${i} is ${byte}`);
      });
    }
    expect(lengths).toEqual([0, 1, 1000, 2500, 0, 1, 1000, 2500]);
  });
});
