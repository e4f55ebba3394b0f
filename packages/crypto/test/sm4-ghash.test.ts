import * as nodeCrypto from "node:crypto";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { bytesToHex, concatBytes, hexToBytes } from "../src/bytes.js";
import type { GhashKey } from "../src/ghash.js";
import { createPortableGhash } from "../src/ghash-portable.js";
import { createWasmGhash } from "../src/ghash-wasm.js";
import { createSm4Module, type Sm4Module } from "../src/sm4-wasm.js";
import { SM4_WASM, SM4_WASM_RELAXED } from "../src/sm4-wasm-binary.js";
import "./sm4-vectors.js";
import { assertSame, runs } from "./wycheproof.js";

const moduleOf = (binary: string): Sm4Module => createSm4Module(WebAssembly, binary) as Sm4Module;
const [plainModule, relaxedModule] = [moduleOf(SM4_WASM), moduleOf(SM4_WASM_RELAXED)];

const R = 0xe1n << 120n;

function numberOf(block: Uint8Array): bigint {
  return BigInt(`0x${bytesToHex(block)}`);
}

/** SP 800-38D section 6.3, algorithm 1. */
function multiply(x: bigint, y: bigint): bigint {
  let [z, v] = [0n, y];
  for (let bit = 127n; bit >= 0n; bit--) {
    if (((x >> bit) & 1n) === 1n) z ^= v;
    v = (v & 1n) === 1n ? (v >> 1n) ^ R : v >> 1n;
  }
  return z;
}

/** SP 800-38D section 6.4, algorithm 2. */
function reference(h: Uint8Array, data: Uint8Array): Uint8Array {
  let y = 0n;
  for (let at = 0; at < data.length; at += 16) y = multiply(y ^ numberOf(data.subarray(at, at + 16)), numberOf(h));
  return hexToBytes(y.toString(16).padStart(32, "0"));
}

const implementations: readonly (readonly [string, (h: Uint8Array) => GhashKey])[] = [
  ["wasm-relaxed", (h) => createWasmGhash(relaxedModule, h)],
  ["wasm", (h) => createWasmGhash(plainModule, h)],
  ["portable", createPortableGhash],
];

function padded(data: Uint8Array): Uint8Array {
  return concatBytes(data, new Uint8Array((16 - (data.length % 16)) % 16));
}

describe.each(implementations)("GHASH by %s", (_name, create) => {
  const hashOf = (h: Uint8Array, ...parts: readonly Uint8Array[]): Uint8Array => {
    const ghash = create(h).begin();
    for (const part of parts) ghash.update(part);
    return ghash.digest();
  };

  // Test case 2 of the GCM submission: H and the value it gives there.
  it("gives the published value", () => {
    const h = hexToBytes("66e94bd4ef8a2c3b884cfa59ca342b2e");
    const data = hexToBytes("0388dace60b6a392f328c2b971b2fe7800000000000000000000000000000080");
    expect(bytesToHex(hashOf(h, data))).toBe("f38cbb1ad69223dcc3457ae5b6b0f885");
  });

  it("gives the reference's value around the use of tables, with any Y before", () => {
    for (const length of [0, 16, 32, 240, 256, 272, 1520, 1536, 1552, 1792, 2048, 2304, 4096]) {
      const [h, before, data] = [
        nodeCrypto.randomBytes(16),
        nodeCrypto.randomBytes(16),
        nodeCrypto.randomBytes(length),
      ];
      assertSame(hashOf(h, before, data), reference(h, concatBytes(before, data)));
      assertSame(hashOf(h, before, data, before), reference(h, concatBytes(before, data, before)));
    }
  });

  it("gives the reference's value for sparse and dense keys and data", () => {
    for (const h of [0x00, 0x01, 0x80, 0xff].map((byte) => new Uint8Array(16).fill(byte))) {
      for (const byte of [0x00, 0x01, 0x80, 0xff]) {
        for (const length of [16, 2048]) {
          const data = new Uint8Array(length).fill(byte);
          assertSame(hashOf(h, data), reference(h, data));
        }
      }
    }
    for (let bit = 0; bit < 128; bit++) {
      const [h, data] = [new Uint8Array(16), new Uint8Array(16)];
      h[bit >> 3] = 0x80 >> (bit & 7);
      data[15 - (bit >> 3)] = 1 << (bit & 7);
      assertSame(hashOf(h, data, h), reference(h, concatBytes(data, h)));
    }
  });

  it("pads each update, and serves several messages at once", () => {
    const bytes = fc.uint8Array({ maxLength: 100 });
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 16, maxLength: 16 }), bytes, bytes, (h, a, b) => {
        const key = create(h);
        const [first, second] = [key.begin(), key.begin()];
        first.update(a);
        second.update(b);
        first.update(b);
        second.update(a);
        assertSame(first.digest(), reference(h, concatBytes(padded(a), padded(b))));
        assertSame(second.digest(), reference(h, concatBytes(padded(b), padded(a))));
      }),
      runs(50),
    );
  });

  it("keeps its value over pieces of the memory", () => {
    const [h, data] = [nodeCrypto.randomBytes(16), nodeCrypto.randomBytes(140_000)];
    const quarters = [0, 1, 2, 3].map((i) => data.subarray(35_008 * i, 35_008 * (i + 1)));
    assertSame(hashOf(h, data), hashOf(h, ...quarters));
  });
});
