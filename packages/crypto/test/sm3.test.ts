import { execFileSync } from "node:child_process";
import * as nodeCrypto from "node:crypto";
import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { bytesToHex, concatBytes, hexToBytes, utf8ToBytes } from "../src/bytes.js";
import { createHasher, digest, hashImplementations, hashLength, hkdf, hmac } from "../src/hash.js";
import type { HashEngine } from "../src/hash-checked.js";
import { createNodeSm3, createPortableSm3 } from "../src/sm3-engine.js";
import { sm3Selector } from "../src/sm3-select.js";
import { assertSame, readWycheproof, runCases, runs, type WycheproofCase, type WycheproofGroup } from "./wycheproof.js";

interface Sm3Case {
  readonly source: string;
  readonly msg?: string;
  readonly len?: number;
  readonly pattern?: string;
  readonly digest: string;
}

interface HmacCase extends WycheproofCase {
  readonly key: string;
  readonly msg: string;
  readonly tag: string;
}

interface HmacGroup extends WycheproofGroup<HmacCase> {
  readonly tagSize: number;
}

const PATTERNS: Readonly<Record<string, (index: number) => number>> = {
  "byte i = (31*i + 7) mod 256": (index) => 31 * index + 7,
  "1000000 x 61": () => 0x61,
};

function messageOf(test: Sm3Case): Uint8Array {
  if (test.msg !== undefined) return hexToBytes(test.msg);
  const byteAt = PATTERNS[test.pattern as string] as (index: number) => number;
  return new Uint8Array(test.len as number).map((_, index) => byteAt(index));
}

function readCases(): readonly Sm3Case[] {
  const text = readFileSync(new URL("../../../vectors/gm/sm3.json", import.meta.url), "utf8");
  const file = JSON.parse(text) as { readonly count: number; readonly tests: readonly Sm3Case[] };
  expect(file.count).toBe(39);
  expect(file.tests).toHaveLength(39);
  return file.tests;
}

const none = new Uint8Array(0);
const native = (data: Uint8Array): Uint8Array => nodeCrypto.createHash("sm3").update(data).digest();

it("has node and portable here, and prefers node", () => {
  expect(sm3Selector.available().map(({ name }) => name)).toEqual(["node", "portable"]);
  expect(sm3Selector.chosen()?.name).toBe("node");
});

const engines: readonly (readonly [string, HashEngine<"sm3">])[] = [
  ["node, in TypeScript when short", createNodeSm3(nodeCrypto)],
  ["node always", createNodeSm3(nodeCrypto, 0)],
  ["portable", createPortableSm3()],
];

describe.each(engines)("SM3 by %s", (_name, engine) => {
  const inParts = (data: Uint8Array, partLength: number): Uint8Array => {
    const state = engine.begin("sm3");
    for (let at = 0; at < data.length; at += partLength) {
      const part = Uint8Array.from(data.subarray(at, at + partLength));
      state.update(part);
      part.fill(0xee);
    }
    return state.digest();
  };

  it("passes gm/sm3.json, whole and in parts", () => {
    const failures: string[] = [];
    let count = 0;
    for (const [index, test] of readCases().entries()) {
      try {
        const [message, expected] = [messageOf(test), hexToBytes(test.digest)];
        assertSame(engine.digest("sm3", [message]), expected);
        for (const partLength of message.length > 5000 ? [64, 4095] : [1, 63, 64, 65]) {
          assertSame(inParts(message, partLength), expected);
        }
        count++;
      } catch (error) {
        failures.push(`sm3.json ${index} (${test.source}): ${String(error)}`);
      }
    }
    expect(failures).toEqual([]);
    expect(count).toBe(39);
  });

  it("passes hmac_sm3_test.json", async () => {
    const file = readWycheproof<HmacCase, HmacGroup>("hmac_sm3_test.json", 174);
    const counts = await runCases<HmacCase, HmacGroup>(file, (test, group) => {
      const [key, message] = [hexToBytes(test.key), hexToBytes(test.msg)];
      const whole = engine.hmac("sm3", key, [message]);
      const tag = bytesToHex(whole.subarray(0, group.tagSize / 8));
      if (test.result === "invalid") {
        expect(tag).not.toBe(test.tag);
        return "rejected";
      }
      expect(tag).toBe(test.tag);
      assertSame(engine.hmac("sm3", key, [none, message.subarray(0, 3), message.subarray(3)]), whole);
      assertSame(key, hexToBytes(test.key));
      return "accepted";
    });
    expect(counts).toEqual({ accepted: 66, rejected: 108 });
  });

  it("hashes every length around the blocks, and around the limit of what node:crypto does", () => {
    const data = nodeCrypto.randomBytes(1700);
    for (let length = 0; length <= 300; length++) {
      assertSame(engine.digest("sm3", [data.subarray(0, length)]), native(data.subarray(0, length)));
    }
    for (let length = 1000; length <= 1050; length++) {
      assertSame(engine.digest("sm3", [data.subarray(0, length)]), native(data.subarray(0, length)));
    }
  });

  it("does not depend on how data is cut", () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 200 }), { maxLength: 6 }), fc.nat(200), (parts, partLength) => {
        const whole = concatBytes(...parts);
        const expected = native(whole);
        assertSame(engine.digest("sm3", parts), expected);
        assertSame(inParts(whole, partLength + 1), expected);
      }),
      runs(200),
    );
  });

  it("computes HMAC and HKDF as node:crypto does", () => {
    const bytes = fc.uint8Array({ maxLength: 200 });
    fc.assert(
      fc.property(bytes, bytes, bytes, fc.integer({ min: 1, max: 300 }), (key, salt, info, length) => {
        assertSame(
          engine.hmac("sm3", key, [salt, info]),
          nodeCrypto.createHmac("sm3", key).update(salt).update(info).digest(),
        );
        const prk = engine.hmac("sm3", salt, [key]);
        const okm = engine.expand("sm3", prk, info, length);
        assertSame(okm, new Uint8Array(nodeCrypto.hkdfSync("sm3", key, salt, info, length)));
        expect(okm.buffer.byteLength).toBe(length);
      }),
      runs(100),
    );
    const long = nodeCrypto.randomBytes(5000);
    assertSame(engine.hmac("sm3", long, [long]), nodeCrypto.createHmac("sm3", long).update(long).digest());
    assertSame(engine.expand("sm3", long, long, 255 * 32), new Uint8Array(expandNatively(long, long, 255 * 32)));
  });

  it("agrees with the openssl command", () => {
    const openssl = (args: readonly string[], input: Uint8Array): Uint8Array =>
      execFileSync("openssl", ["dgst", "-sm3", "-binary", ...args], { input });
    for (const length of [0, 1, 55, 56, 64, 1000, 100_000]) {
      const data = nodeCrypto.randomBytes(length);
      assertSame(engine.digest("sm3", [data]), openssl([], data));
      const key = nodeCrypto.randomBytes((length % 100) + 1);
      const hexKey = `hexkey:${bytesToHex(key)}`;
      assertSame(engine.hmac("sm3", key, [data]), openssl(["-mac", "HMAC", "-macopt", hexKey], data));
    }
  });
});

/** RFC 5869 2.3 from node:crypto's HMAC, for a pseudorandom key that no HKDF-Extract gave. */
function expandNatively(prk: Uint8Array, info: Uint8Array, length: number): Uint8Array {
  const blocks: Uint8Array[] = [];
  for (let counter = 1; 32 * blocks.length < length; counter++) {
    const block = nodeCrypto.createHmac("sm3", prk).update(blocks.at(-1) ?? none);
    blocks.push(block.update(info).update(Uint8Array.of(counter)).digest());
  }
  return concatBytes(...blocks).subarray(0, length);
}

it("counts more than 2^32 bits", { skip: process.env["SLOW"] !== "1" }, () => {
  const [state, expected] = [createPortableSm3().begin("sm3"), nodeCrypto.createHash("sm3")];
  const part = nodeCrypto.randomBytes(2 ** 20 + 1);
  for (let i = 0; i < 520; i++) {
    state.update(part);
    expected.update(part);
  }
  assertSame(state.digest(), expected.digest());
});

describe("SM3 through hash.ts", () => {
  const [ikm, salt, info] = [utf8ToBytes("ikm"), utf8ToBytes("salt"), utf8ToBytes("info")];

  it.each(hashImplementations())("is part of $name", (implementation) => {
    const expected = new Uint8Array(nodeCrypto.hkdfSync("sm3", ikm, salt, info, 100));
    const prk = implementation.hkdfExtract("sm3", ikm, salt);
    assertSame(implementation.hkdfExpand("sm3", prk, info, 100), expected);
    assertSame(
      implementation.hkdfExtract("sm3", ikm, none),
      implementation.hkdfExtract("sm3", ikm, new Uint8Array(32)),
    );
    expect(implementation.hkdfExpand("sm3", prk, info, 255 * 32)).toHaveLength(255 * 32);
    expect(() => implementation.hkdfExpand("sm3", prk, info, 255 * 32 + 1)).toThrow(RangeError);
    const hasher = implementation.createHasher("sm3");
    hasher.update(ikm);
    hasher.update(salt);
    const whole = hasher.digest();
    assertSame(whole, native(utf8ToBytes("ikmsalt")));
    assertSame(implementation.digest("sm3", ikm, salt), whole);
    expect(() => hasher.digest()).toThrow(expect.objectContaining({ code: "ERR_CLOSED" }));
    expect(() => implementation.digest("sm3", "text" as unknown as Uint8Array)).toThrow(TypeError);
  });

  it("is offered by the functions", () => {
    assertSame(digest("sm3", ikm, salt), native(utf8ToBytes("ikmsalt")));
    assertSame(hmac("sm3", ikm, salt), nodeCrypto.createHmac("sm3", ikm).update(salt).digest());
    assertSame(hkdf("sm3", ikm, salt, info, 40), new Uint8Array(nodeCrypto.hkdfSync("sm3", ikm, salt, info, 40)));
    const hasher = createHasher("sm3");
    hasher.update(ikm);
    assertSame(hasher.digest(), native(ikm));
    expect(hashLength("sm3")).toBe(32);
  });
});
