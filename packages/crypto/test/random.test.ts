import { describe, expect, it, vi } from "vitest";
import { randomBytes } from "../src/random.js";

// The very object that src/runtime.ts got, so that its functions can be watched.
const node = process.getBuiltinModule("node:crypto");

describe("randomBytes", () => {
  it("gives as many bytes as asked for, in memory of its own", () => {
    for (const length of [0, 1, 12, 32, 63, 64, 65, 1000, 8192, 8193, 65_536, 65_537, 2 ** 20]) {
      const bytes = randomBytes(length);
      expect(bytes).toHaveLength(length);
      expect(bytes.buffer.byteLength).toBe(length);
      expect(bytes.byteOffset).toBe(0);
      if (length >= 32) expect(bytes.some((byte) => byte !== 0)).toBe(true);
    }
  });

  it("never repeats itself, through many refills of the pool", () => {
    const seen = new Set<string>();
    for (let i = 0; i < 5000; i++)
      seen.add(
        Buffer.from(randomBytes(12 + (i % 53)))
          .toString("hex")
          .slice(0, 24),
      );
    expect(seen.size).toBe(5000);
  });

  it("looks even: each bit is set about half the time", () => {
    const ones = new Array<number>(8).fill(0);
    for (let i = 0; i < 2000; i++) {
      for (const byte of randomBytes(16))
        for (let bit = 0; bit < 8; bit++) ones[bit] = (ones[bit] ?? 0) + ((byte >> bit) & 1);
    }
    // 32,000 draws a bit: 8 standard deviations are 716.
    for (const count of ones) expect(Math.abs(count - 16_000)).toBeLessThan(716);
  });

  it("overwrites in its pool what it gave out", () => {
    const pools: Uint8Array[] = [];
    const { randomFillSync } = node;
    const spy = vi.spyOn(node, "randomFillSync").mockImplementation(((target: Uint8Array) => {
      pools.push(target);
      return randomFillSync(target);
    }) as typeof node.randomFillSync);
    try {
      for (let i = 0; i < 300; i++) randomBytes(64);
      const [pool] = pools;
      if (pool === undefined) throw new Error("the pool was not refilled");
      expect(pools.every((target) => target === pool)).toBe(true);
      expect(pool.length).toBe(8192);
      while (pools.length < 5) randomBytes(64);
      // Just refilled and cut from once; 64 divides the pool, so that the parts are known.
      const given = Array.from({ length: 10 }, () => randomBytes(64));
      expect(pool.subarray(0, 11 * 64).every((byte) => byte === 0)).toBe(true);
      expect(pool.subarray(11 * 64).some((byte) => byte !== 0)).toBe(true);
      for (const bytes of given) expect(Buffer.from(pool).includes(Buffer.from(bytes))).toBe(false);
      const count = pools.length;
      randomBytes(65);
      expect(pools.at(-1)).not.toBe(pool);
      expect(pools).toHaveLength(count + 1);
    } finally {
      spy.mockRestore();
    }
  });

  it("does without the pool while a start-up snapshot is built", () => {
    const { startupSnapshot } = process.getBuiltinModule("node:v8");
    const lengths: number[] = [];
    const { randomFillSync } = node;
    const building = vi.spyOn(startupSnapshot, "isBuildingSnapshot").mockReturnValue(1 as unknown as boolean);
    const fill = vi.spyOn(node, "randomFillSync").mockImplementation(((target: Uint8Array) => {
      lengths.push(target.length);
      return randomFillSync(target);
    }) as typeof node.randomFillSync);
    try {
      for (let i = 0; i < 3; i++) randomBytes(16);
      expect(lengths).toEqual([16, 16, 16]);
    } finally {
      building.mockRestore();
      fill.mockRestore();
    }
  });

  it.each([-1, 0.5, Number.NaN, 2 ** 20 + 1, Number.POSITIVE_INFINITY])("refuses the length %d", (length) => {
    expect(() => randomBytes(length)).toThrow(expect.objectContaining({ name: "RangeError", code: "ERR_ARGUMENT" }));
  });

  it("refuses a length that is no number", () => {
    expect(() => randomBytes("12" as unknown as number)).toThrow(
      expect.objectContaining({ name: "TypeError", code: "ERR_ARGUMENT" }),
    );
  });
});
