// The arithmetic in WebAssembly against noble's and against BigInt, at the edges of its formulas and at random.
import { readFileSync } from "node:fs";
import fc from "fast-check";
import { afterEach, describe, expect, it, vi } from "vitest";
import { concatBytes, hexToBytes, utf8ToBytes } from "../src/bytes.js";
import { createNobleSm2 } from "../src/sm2-noble.js";
import { createWasmSm2 } from "../src/sm2-wasm.js";
import { sm2WasmSource } from "../wasm-sm2/compile.js";
import { bytesOf, inverse, mod, n, numberOf } from "./sm2-vectors.js";
import { assertSame, runs } from "./wycheproof.js";

const p = 0xfffffffeffffffffffffffffffffffffffffffff00000000ffffffffffffffffn;
const b = 0x28e9fa9e9d9f5e344d5a9e4bcf6509a7f39789f515ab8f92ddbcbd414d940e93n;
const noble = createNobleSm2();
const wasm = createWasmSm2(WebAssembly);
const scalars = fc.bigInt({ min: 1n, max: n - 1n });

/** Where the recoding, the windows and the last addition have their edges. */
function edges(): readonly bigint[] {
  const all = new Set<bigint>();
  for (let k = 1n; k <= 66n; k++) all.add(k).add(n - k);
  for (let bit = 0n; bit < 256n; bit++) {
    for (const k of [1n << bit, (1n << bit) - 1n, (1n << bit) + 1n, n - (1n << bit), n >> bit]) all.add(k);
  }
  for (const pattern of ["0f", "f0", "55", "aa", "ff00", "00ff", "84210842108421084210", "7bdef7bdef7bdef7bdef"]) {
    all.add(BigInt(`0x${pattern.repeat(64).slice(0, 64)}`));
  }
  return [...all].filter((k) => k > 0n && k < n);
}

/** Points whose coordinates are near 0 and p, where reduction has its edges: x with the y of its point. */
function edgePoints(): readonly Uint8Array[] {
  const power = (base: bigint, exponent: bigint): bigint => {
    let result = 1n;
    for (let square = base % p, rest = exponent; rest > 0n; rest >>= 1n, square = (square * square) % p) {
      if ((rest & 1n) === 1n) result = (result * square) % p;
    }
    return result;
  };
  const points: Uint8Array[] = [];
  const small = Array.from({ length: 16 }, (_, index) => BigInt(index));
  for (const x of [...small, ...small.map((each) => p - 1n - each), n, 1n << 255n, (1n << 232n) - 1n]) {
    const right = (((x * x * x - 3n * x + b) % p) + p) % p;
    const y = power(right, (p + 1n) / 4n);
    if ((y * y) % p === right)
      points.push(concatBytes(bytesOf(x), bytesOf(y)), concatBytes(bytesOf(x), bytesOf(p - y)));
  }
  return points;
}

const some = edges();
const points = edgePoints();

it("has edges to try", () => {
  expect(some.length).toBeGreaterThan(1000);
  expect(points.length).toBeGreaterThan(10);
});

describe("SM2's arithmetic in WebAssembly", () => {
  it("is compiled from its source", async () => {
    const source = readFileSync(new URL("../src/sm2-wasm-binary.ts", import.meta.url), "utf8");
    expect(source).toBe(await sm2WasmSource());
  });

  it("multiplies G by every edge as noble does", () => {
    for (const k of some) assertSame(wasm.multiplyBase(bytesOf(k)), noble.multiplyBase(bytesOf(k)));
  });

  it("multiplies a point by every edge, as the sum of what G takes", () => {
    // P = q * G, so that k * P = (kq mod n) * G, which the test before has proven.
    const q = 0xfedcba9876543210n;
    const point = wasm.multiplyBase(bytesOf(q));
    for (const k of some) assertSame(wasm.multiply(bytesOf(k), point), wasm.multiplyBase(bytesOf(mod(k * q))));
  });

  it("adds equal points in its last step, for points at random", () => {
    fc.assert(
      fc.property(scalars, (q) => {
        const point = wasm.multiplyBase(bytesOf(q));
        for (let digit = 1n; digit < 32n; digit += 2n) {
          const k = n - 2n * digit;
          assertSame(wasm.multiply(bytesOf(k), point), wasm.multiplyBase(bytesOf(mod(k * q))));
        }
      }),
      runs(100),
    );
  });

  it("multiplies G, and points at the field's edges, by one and two", () => {
    const g = wasm.multiplyBase(bytesOf(1n));
    assertSame(wasm.multiply(bytesOf(1n), g), g);
    for (const point of points) {
      assertSame(wasm.multiply(bytesOf(1n), point), point);
      for (const k of [2n, 3n, n - 1n, n - 2n, n - 62n, (n - 1n) / 2n]) {
        assertSame(wasm.multiply(bytesOf(k), point), noble.multiply(bytesOf(k), point));
      }
    }
  });

  it("multiplies at random as noble does", () => {
    fc.assert(
      fc.property(scalars, scalars, fc.nat(points.length - 1), (k, q, at) => {
        assertSame(wasm.multiplyBase(bytesOf(k)), noble.multiplyBase(bytesOf(k)));
        for (const point of [noble.multiplyBase(bytesOf(q)), points[at] as Uint8Array]) {
          assertSame(wasm.multiply(bytesOf(k), point), noble.multiply(bytesOf(k), point));
        }
      }),
      runs(60),
    );
  });

  it("knows the points of the curve from all others", () => {
    for (const arithmetic of [wasm, noble]) {
      for (const point of points) {
        expect(arithmetic.isOnCurve(point)).toBe(true);
        for (const bit of [0, 7, 100, 255, 256, 300, 511]) {
          const changed = Uint8Array.from(point);
          changed[bit >> 3] = (changed[bit >> 3] as number) ^ (128 >> (bit & 7));
          expect(arithmetic.isOnCurve(changed)).toBe(false);
        }
        // The same residues, not below p.
        const [x, y] = [numberOf(point.subarray(0, 32)), numberOf(point.subarray(32))];
        if (x + p < 2n ** 256n) expect(arithmetic.isOnCurve(concatBytes(bytesOf(x + p), bytesOf(y)))).toBe(false);
        if (y + p < 2n ** 256n) expect(arithmetic.isOnCurve(concatBytes(bytesOf(x), bytesOf(y + p)))).toBe(false);
      }
      expect(arithmetic.isOnCurve(new Uint8Array(64))).toBe(false);
      expect(arithmetic.isOnCurve(new Uint8Array(64).fill(255))).toBe(false);
    }
  });

  it("calculates modulo n as BigInt does", () => {
    const numbers = fc.oneof(
      scalars,
      fc.constantFrom(1n, 2n, n - 1n, n - 2n, 1n << 255n, (1n << 232n) - 1n, (1n << 29n) - 1n),
    );
    fc.assert(
      fc.property(numbers, numbers, numbers, (a, c, d) => {
        for (const arithmetic of [wasm, noble]) {
          assertSame(arithmetic.multiplyAdd(bytesOf(a), bytesOf(c), bytesOf(d)), bytesOf(mod(a + c * d)));
          if (a < n - 1n) assertSame(arithmetic.signingKey(bytesOf(a)), bytesOf(inverse(a + 1n)));
        }
      }),
      runs(100),
    );
    // a + c * d = 0
    for (const arithmetic of [wasm, noble]) {
      assertSame(arithmetic.multiplyAdd(bytesOf(n - 6n), bytesOf(2n), bytesOf(3n)), new Uint8Array(32));
    }
  });

  it("signs as noble does, for digests on both sides of n, and each verifies the other", () => {
    const digests = fc.oneof(
      fc.bigInt({ min: 0n, max: 2n ** 256n - 1n }),
      fc.constantFrom(0n, n - 1n, n, n + 1n, 2n ** 256n - 1n),
    );
    fc.assert(
      fc.property(fc.bigInt({ min: 1n, max: n - 2n }), scalars, digests, (d, k, e) => {
        // With s one more or less the point is (k + d + 1)G or (k - d - 1)G: where that is -kG it has the same x, and verifies.
        fc.pre((2n * k + d + 1n) % n !== 0n && (2n * k - d - 1n) % n !== 0n);
        const point = wasm.multiplyBase(bytesOf(d));
        const signingKey = wasm.signingKey(bytesOf(d));
        const raw = wasm.sign(signingKey, bytesOf(k), bytesOf(e)) as Uint8Array;
        assertSame(raw, noble.sign(signingKey, bytesOf(k), bytesOf(e)) as Uint8Array);
        const changed = Uint8Array.from(raw);
        changed[63] = (changed[63] as number) ^ 1;
        for (const arithmetic of [wasm, noble]) {
          expect(arithmetic.verify(point, bytesOf(e), raw)).toBe(true);
          expect(arithmetic.verify(point, bytesOf(e), changed)).toBe(false);
          expect(arithmetic.verify(point, bytesOf(e ^ 1n), raw)).toBe(false);
        }
      }),
      runs(30),
    );
  });

  it("leaves nothing of what it worked with in its memory", () => {
    let memory: Uint8Array | undefined;
    class Instance extends WebAssembly.Instance {
      constructor(module: WebAssembly.Module) {
        super(module);
        memory = new Uint8Array((this.exports["memory"] as WebAssembly.Memory).buffer);
      }
    }
    const watched = createWasmSm2({ Module: WebAssembly.Module, Instance } as unknown as typeof WebAssembly);
    const before = Uint8Array.from(memory as Uint8Array);
    const [k, d, e] = [bytesOf(n - 12345n), bytesOf(n - 54321n), bytesOf(n - 99999n)];
    const point = watched.multiplyBase(d);
    assertSame(memory as Uint8Array, before);
    watched.multiply(k, point);
    assertSame(memory as Uint8Array, before);
    const signingKey = watched.signingKey(d);
    assertSame(memory as Uint8Array, before);
    watched.multiplyAdd(d, k, e);
    assertSame(memory as Uint8Array, before);
    watched.sign(signingKey, k, e);
    assertSame(memory as Uint8Array, before);
    expect(before.some((byte) => byte !== 0)).toBe(true);
  });

  it("refuses to run where code may not be made", () => {
    const Module = class {
      constructor() {
        throw new WebAssembly.CompileError("forbidden by policy");
      }
    };
    expect(() => createWasmSm2({ Module } as unknown as typeof WebAssembly)).toThrow("forbidden by policy");
  });
});

describe("a runtime that lacks something", () => {
  afterEach(() => {
    vi.unstubAllGlobals();
    vi.restoreAllMocks();
    vi.resetModules();
  });

  const text = utf8ToBytes("a message");
  const key = hexToBytes("3945208f7b2144b13f36e38ac6d39f95889393692860b51a42fb81ef4df7c5b8");

  async function worksBy(name: string, available: readonly string[]): Promise<void> {
    const { importSm2PrivateScalar } = await import("../src/sm2.js");
    const { sm2Selector } = await import("../src/sm2-select.js");
    const explained = sm2Selector.explain();
    expect([explained.chosen, explained.available]).toEqual([name, available]);
    const own = importSm2PrivateScalar(key);
    expect(own.publicKey.verify(text, own.sign(text))).toBe(true);
    assertSame(own.decrypt(own.publicKey.encrypt(text)), text);
  }

  it("uses node:crypto with noble where there is no WebAssembly", async () => {
    vi.resetModules();
    vi.stubGlobal("WebAssembly", undefined);
    await worksBy("node", ["node", "noble"]);
  });

  it("uses WebAssembly where there is no node:crypto", async () => {
    vi.resetModules();
    vi.spyOn(process, "getBuiltinModule").mockReturnValue(undefined as never);
    await worksBy("wasm", ["wasm", "noble"]);
  });

  it("uses noble where there is neither", async () => {
    vi.resetModules();
    vi.spyOn(process, "getBuiltinModule").mockReturnValue(undefined as never);
    vi.stubGlobal("WebAssembly", undefined);
    await worksBy("noble", ["noble"]);
  });

  it("does not believe an OpenSSL that signs ECDSA with the key", async () => {
    vi.resetModules();
    vi.stubGlobal("WebAssembly", undefined);
    const node = process.getBuiltinModule("node:crypto");
    const generated = node.generateKeyPairSync("ec", { namedCurve: "SM2" });
    vi.spyOn(node, "createPrivateKey").mockReturnValue(generated.privateKey);
    vi.spyOn(node, "createPublicKey").mockReturnValue(generated.publicKey);
    const { sm2Selector } = await import("../src/sm2-select.js");
    expect(sm2Selector.explain()).toMatchObject({ chosen: "noble", available: ["noble"] });
    expect(sm2Selector.explain().reason).toContain("node failed its known-answer test");
  });
});
