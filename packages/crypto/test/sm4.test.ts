import { execFileSync } from "node:child_process";
import * as nodeCrypto from "node:crypto";
import fc from "fast-check";
import { describe, expect, it, vi } from "vitest";
import { bytesToHex, hexToBytes } from "../src/bytes.js";
import { importSm4Key, sm4Implementations } from "../src/sm4.js";
import type { Sm4Engine } from "../src/sm4-checked.js";
import { createNodeSm4, nodeHasSm4Hardware } from "../src/sm4-node.js";
import { createPortableSm4 } from "../src/sm4-portable.js";
import { sm4ChainSelector, sm4Selector } from "../src/sm4-select.js";
import { runSm4Cases } from "./sm4-vectors.js";
import { assertSame, codeOf, runs } from "./wycheproof.js";

const none = new Uint8Array(0);
const key16 = hexToBytes("0123456789abcdeffedcba9876543210");
const zeros = new Uint8Array(16);

/** node:crypto's answer, which the tests compare with. */
function native(mode: "ecb" | "cbc" | "ctr", key: Uint8Array, iv: Uint8Array | null, data: Uint8Array): Uint8Array {
  return nodeCrypto.createCipheriv(`sm4-${mode}`, key, iv).setAutoPadding(false).update(data);
}

it("has every implementation here, WebAssembly first, but node for the chain of CBC", () => {
  expect(sm4Implementations().map(({ name }) => name)).toEqual(["wasm-relaxed", "wasm", "node", "portable"]);
  expect(sm4Selector.explain().chosen).toBe("wasm-relaxed");
  expect(sm4ChainSelector.explain().chosen).toBe("node");
  expect(importSm4Key(key16).implementation).toBe("wasm-relaxed");
});

const engines: readonly Sm4Engine[] = sm4Selector.available();

describe.each(engines)("SM4 engine $name", (engine) => {
  it("passes the ECB cases of gm/sm4.json", () => {
    const counts = runSm4Cases("ecb", (test) => {
      const key = engine.importKey(hexToBytes(test.key));
      assertSame(key.encryptBlocks(hexToBytes(test.pt)), hexToBytes(test.ct));
      assertSame(key.decryptBlocks(hexToBytes(test.ct)), hexToBytes(test.pt));
      return "valid";
    });
    expect(counts).toEqual({ valid: 3 });
  });

  it("passes the CBC cases of gm/sm4.json without padding", () => {
    const counts = runSm4Cases("cbc", (test) => {
      const key = engine.importKey(hexToBytes(test.key));
      assertSame(key.encryptCbc(hexToBytes(test.iv), hexToBytes(test.pt)), hexToBytes(test.ct));
      assertSame(key.decryptCbc(hexToBytes(test.iv), hexToBytes(test.ct)), hexToBytes(test.pt));
      return "valid";
    });
    expect(counts).toEqual({ valid: 5 });
  });

  it("agrees with node:crypto in every mode, around batches and pieces", () => {
    // 8 and 32 blocks are worked on at once; the module's memory holds 64 KiB.
    const blockCounts = [1, 2, 7, 8, 9, 31, 32, 33, 64, 65, 4095, 4096, 4097, 8193];
    for (const blocks of blockCounts) {
      const [raw, iv] = [nodeCrypto.randomBytes(16), nodeCrypto.randomBytes(16)];
      const data = nodeCrypto.randomBytes(16 * blocks);
      const key = engine.importKey(raw);
      const ecb = native("ecb", raw, null, data);
      assertSame(key.encryptBlocks(data), ecb);
      assertSame(key.decryptBlocks(ecb), data);
      const cbc = native("cbc", raw, iv, data);
      assertSame(key.encryptCbc(iv, data), cbc);
      assertSame(key.decryptCbc(iv, cbc), data);
    }
    for (const length of [1, 15, 16, 17, 127, 128, 129, 511, 512, 513, 65_535, 65_536, 65_537, 131_073]) {
      const [raw, counter, data] = [16, 16, length].map((size) => nodeCrypto.randomBytes(size)) as [
        Buffer,
        Buffer,
        Buffer,
      ];
      assertSame(engine.importKey(raw).ctr(counter, data), native("ctr", raw, counter, data));
    }
  });

  it("counts the whole counter block up", () => {
    const key = engine.importKey(key16);
    const data = nodeCrypto.randomBytes(16 * 100);
    for (const counter of [
      "ffffffffffffffffffffffffffffffff",
      "000000000000000000000000ffffffff",
      "0000000000000000ffffffffffffffde",
      "00000000fffffffffffffffffffffffe",
      "0123456789abcdef01234567fffffffe",
      "0123456789abcdef012345677ffffffe",
    ].map(hexToBytes)) {
      assertSame(key.ctr(counter, data), native("ctr", key16, counter, data));
    }
  });

  it("agrees with the openssl command", () => {
    const openssl = (mode: string, data: Uint8Array, ...args: readonly string[]): Uint8Array =>
      execFileSync("openssl", ["enc", `-sm4-${mode}`, "-K", bytesToHex(key16), "-nopad", ...args], { input: data });
    const key = engine.importKey(key16);
    const iv = nodeCrypto.randomBytes(16);
    const data = nodeCrypto.randomBytes(16 * 700);
    const ivArgs = ["-iv", bytesToHex(iv)];
    assertSame(key.encryptBlocks(data), openssl("ecb", data));
    assertSame(key.decryptBlocks(data), openssl("ecb", data, "-d"));
    assertSame(key.encryptCbc(iv, data), openssl("cbc", data, ...ivArgs));
    assertSame(key.decryptCbc(iv, data), openssl("cbc", data, "-d", ...ivArgs));
    assertSame(key.ctr(iv, data.subarray(5)), openssl("ctr", data.subarray(5), ...ivArgs));
  });

  it("gives what others give for any key and data", () => {
    const sixteen = fc.uint8Array({ minLength: 16, maxLength: 16 });
    fc.assert(
      fc.property(sixteen, sixteen, fc.uint8Array({ minLength: 1, maxLength: 700 }), (raw, iv, data) => {
        const key = engine.importKey(raw);
        assertSame(key.ctr(iv, data), native("ctr", raw, iv, data));
        const whole = data.subarray(0, data.length - (data.length % 16));
        if (whole.length === 0) return;
        assertSame(key.encryptBlocks(whole), native("ecb", raw, null, whole));
        assertSame(key.encryptCbc(iv, whole), native("cbc", raw, iv, whole));
        assertSame(key.decryptCbc(iv, key.encryptCbc(iv, whole)), whole);
      }),
      runs(100),
    );
  });
});

it("passes the case of gm/sm4.json with a million iterations, of which each engine does its share", () => {
  const counts = runSm4Cases("ecb-iterated", (test) => {
    let block = hexToBytes(test.pt);
    let left = test.iterations as number;
    for (const [index, engine] of engines.entries()) {
      const share = Math.floor(left / (engines.length - index));
      // A block encrypted again and again is the chain of CBC over zeros.
      const chain = engine.importKey(hexToBytes(test.key)).encryptCbc(block, new Uint8Array(16 * share));
      block = chain.slice(-16);
      left -= share;
    }
    expect(left).toBe(0);
    assertSame(block, hexToBytes(test.ct));
    return "valid";
  });
  expect(counts).toEqual({ valid: 1 });
});

describe.each(sm4Implementations())("SM4 by $name", (implementation) => {
  const key = implementation.importKey(key16);

  it("passes the padded CBC cases of gm/sm4.json; invalid ones all fail alike", () => {
    const messages = new Set<string>();
    const counts = runSm4Cases("cbc-pkcs7", (test) => {
      const own = implementation.importKey(hexToBytes(test.key));
      const [iv, ciphertext] = [hexToBytes(test.iv), hexToBytes(test.ct)];
      if (test.result === "invalid") {
        try {
          own.decryptCbc(iv, ciphertext);
        } catch (error) {
          expect(error).toMatchObject({ code: "ERR_CIPHERTEXT_INVALID" });
          messages.add((error as Error).message);
          return "rejected";
        }
        return "accepted though invalid";
      }
      assertSame(own.encryptCbc(iv, hexToBytes(test.pt)), ciphertext);
      assertSame(own.decryptCbc(iv, ciphertext), hexToBytes(test.pt));
      return "accepted";
    });
    expect(counts).toEqual({ accepted: 21, rejected: 32 });
    expect(messages.size).toBe(1);
  });

  it("passes the counter mode cases of gm/sm4.json", () => {
    const counts = runSm4Cases("ctr", (test) => {
      const own = implementation.importKey(hexToBytes(test.key));
      assertSame(own.ctr(hexToBytes(test.iv), hexToBytes(test.pt)), hexToBytes(test.ct));
      assertSame(own.ctr(hexToBytes(test.iv), hexToBytes(test.ct)), hexToBytes(test.pt));
      return "valid";
    });
    expect(counts).toEqual({ valid: 8 });
  });

  it("judges every last byte, and every byte of a padding", async () => {
    const decrypt = (block: Uint8Array) => key.decryptCbc(zeros, key.encryptBlocks(block));
    for (let last = 0; last < 256; last++) {
      const block = new Uint8Array(16).fill(last);
      if (last >= 1 && last <= 16) expect(decrypt(block)).toHaveLength(16 - last);
      else expect(await codeOf(() => decrypt(block))).toBe("ERR_CIPHERTEXT_INVALID");
    }
    for (let padding = 1; padding <= 16; padding++) {
      for (let at = 0; at < 16; at++) {
        const block = new Uint8Array(16).fill(padding);
        block[at] = padding ^ 0x80;
        if (at < 16 - padding) expect(decrypt(block)).toHaveLength(16 - padding);
        else expect(await codeOf(() => decrypt(block))).toBe("ERR_CIPHERTEXT_INVALID");
      }
    }
  });

  it("refuses ciphertext of a wrong length as it does a wrong padding", async () => {
    for (const length of [0, 1, 15, 17, 33]) {
      expect(await codeOf(() => key.decryptCbc(zeros, new Uint8Array(length)))).toBe("ERR_CIPHERTEXT_INVALID");
    }
  });

  it("takes nothing for an answer to nothing", () => {
    expect(key.encryptBlocks(none)).toHaveLength(0);
    expect(key.decryptBlocks(none)).toHaveLength(0);
    expect(key.ctr(zeros, none)).toHaveLength(0);
    expect(key.decryptCbc(zeros, key.encryptCbc(zeros, none))).toHaveLength(0);
  });

  it("refuses wrong arguments", () => {
    const wrong = "text" as unknown as Uint8Array;
    for (const call of [
      () => implementation.importKey(wrong),
      () => key.encryptBlocks(wrong),
      () => key.decryptBlocks(wrong),
      () => key.encryptCbc(wrong, none),
      () => key.encryptCbc(zeros, wrong),
      () => key.decryptCbc(wrong, none),
      () => key.decryptCbc(zeros, wrong),
      () => key.ctr(wrong, none),
      () => key.ctr(zeros, wrong),
    ]) {
      expect(call).toThrow(expect.objectContaining({ name: "TypeError", code: "ERR_ARGUMENT" }));
    }
    for (const length of [0, 15, 17, 32]) {
      const bytes = new Uint8Array(length);
      for (const call of [
        () => implementation.importKey(bytes),
        () => key.encryptCbc(bytes, none),
        () => key.decryptCbc(bytes, zeros),
        () => key.ctr(bytes, none),
      ]) {
        expect(call).toThrow(expect.objectContaining({ name: "RangeError", code: "ERR_ARGUMENT" }));
      }
    }
    expect(() => key.encryptBlocks(new Uint8Array(17))).toThrow(
      '"blocks" expected Uint8Array of a multiple of 16 bytes',
    );
    expect(() => key.decryptBlocks(new Uint8Array(1))).toThrow(RangeError);
  });

  it("copies the key, keeps nothing of its arguments, and gives out memory that nothing else uses", () => {
    const raw = Uint8Array.from(key16);
    const own = implementation.importKey(raw);
    raw.fill(0);
    const data = new Uint8Array(40).fill(9);
    const encrypted = own.encryptCbc(zeros, data);
    assertSame(encrypted, key.encryptCbc(zeros, data));
    for (const output of [encrypted, own.ctr(zeros, data), own.decryptCbc(zeros, encrypted)]) {
      expect(output.constructor).toBe(Uint8Array);
      expect(output.buffer.byteLength).toBeLessThanOrEqual(48);
    }
    assertSame(data, new Uint8Array(40).fill(9));
  });
});

describe("whether node:crypto has SM4 instructions", () => {
  /** The answer where the trials, of 16 KiB each, take these milliseconds, on a clock that stands still between them. */
  function answerFor(...trialsMs: readonly number[]): boolean {
    let [nowMs, trial] = [0, 0];
    const update = (data: Uint8Array): Uint8Array => {
      nowMs += trialsMs[trial++ % trialsMs.length] as number;
      return data;
    };
    const clock = vi.spyOn(performance, "now").mockImplementation(() => nowMs);
    try {
      return nodeHasSm4Hardware({ ...nodeCrypto, createCipheriv: () => ({ update }) } as unknown as typeof nodeCrypto);
    } finally {
      clock.mockRestore();
    }
  }

  it("is what its speed says", () => {
    expect(answerFor(0)).toBe(true);
    // On both sides of 600 MB/s.
    expect(answerFor(0.027)).toBe(true);
    expect(answerFor(0.028)).toBe(false);
    expect(answerFor(100)).toBe(false);
    // The fastest trial counts: the others were disturbed.
    expect(answerFor(100, 100, 0.02, 100)).toBe(true);
  });

  it("is an error where there is no SM4", () => {
    const without = { ...nodeCrypto, createCipheriv: () => nodeCrypto.createCipheriv("no-such-cipher", key16, null) };
    expect(() => nodeHasSm4Hardware(without as unknown as typeof nodeCrypto)).toThrow();
  });
});

it("decrypts by one implementation what another encrypted", () => {
  const keys = [createNodeSm4(nodeCrypto), createPortableSm4()].map((engine) => engine.importKey(key16));
  const best = importSm4Key(key16);
  const data = nodeCrypto.randomBytes(1000);
  const ciphertext = best.encryptCbc(zeros, data);
  for (const key of keys) assertSame(key.decryptCbc(zeros, ciphertext).subarray(0, 1000), data);
  assertSame(best.decryptCbc(zeros, ciphertext), data);
});
