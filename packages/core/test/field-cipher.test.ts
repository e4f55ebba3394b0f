// Single sealed fields: every type comes back as it was, and no field opens that was changed or moved.
import { deepStrictEqual } from "node:assert";
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import {
  BranchKeyring,
  branchKeyStore,
  FIELD_OVERHEAD_BYTES,
  FIELD_TEXT_PREFIX,
  FieldCipher,
  type FieldValue,
  isSealedField,
  memoryBranchKeyRecords,
} from "@fengni/core";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { changed, fieldValues, keyringOver, TwoVersions, VERSION_1, VERSION_2 } from "./field-support.js";
import { refusal, testKey } from "./support.js";

const place = { name: "users.email", encryptionContext: { tenant: "acme", row: "17" } };

async function warmCipher(): Promise<FieldCipher> {
  const branchKeys = keyringOver();
  await branchKeys.warm(["acme"]);
  return new FieldCipher({ branchKeys });
}

function thrown(call: () => unknown): unknown {
  try {
    call();
  } catch (error) {
    return error;
  }
  throw new Error("accepted what must be refused");
}

describe("values", () => {
  test("of every type come back as they were, sealed and opened each way", async () => {
    const cipher = await warmCipher();
    await fc.assert(
      fc.asyncProperty(fieldValues, fc.option(fc.integer({ min: 1, max: 100 })), async (value, padding) => {
        const options = padding === null ? place : { ...place, padTo: padding };
        const sealed = [
          await cipher.sealField(value, options),
          cipher.sealFieldSync(value, options),
          await cipher.sealField(value, { ...options, encoding: "text" }),
          cipher.sealFieldSync(value, { ...options, encoding: "text" }),
        ];
        for (const field of sealed) {
          expect(isSealedField(field)).toBe(true);
          // Tells -0 from 0, and own members named __proto__ and constructor from inherited ones.
          deepStrictEqual(await cipher.openField(field, place), value);
          deepStrictEqual(cipher.openFieldSync(field, place), value);
        }
      }),
      { numRuns: 200 },
    );
  });

  test("of types that look alike are told apart", async () => {
    const cipher = await warmCipher();
    for (const value of [1, 1n, "1", true, 0, -0, 0n, "", null, [], {}, [1], new Uint8Array(0), new Date(1)]) {
      const opened = cipher.openFieldSync(cipher.sealFieldSync(value, place), place);
      expect(opened).toStrictEqual(value);
      expect(Object.is(opened, -0)).toBe(Object.is(value, -0));
    }
  });

  test("cost the same overhead; numbers and dates have one length", async () => {
    const cipher = await warmCipher();
    const lengthOf = (value: FieldValue): number => cipher.sealFieldSync(value, place).length - FIELD_OVERHEAD_BYTES;
    expect(FIELD_OVERHEAD_BYTES).toBe(66);
    expect([null, true, "", "é", "12345678", new Uint8Array(9), 255n, -256n, 0n].map(lengthOf)).toEqual([
      0, 0, 0, 2, 8, 9, 1, 2, 0,
    ]);
    expect([0, 1e300, -1, new Date(0), new Date(8.64e15)].map(lengthOf)).toEqual([8, 8, 8, 8, 8]);
    expect(lengthOf({ b: 1, a: [] })).toBe('{"a":[],"b":1}'.length);
  });

  test("padding hides the length up to a multiple", async () => {
    const cipher = await warmCipher();
    const lengthOf = (length: number): number =>
      cipher.sealFieldSync("x".repeat(length), { ...place, padTo: 32 }).length - FIELD_OVERHEAD_BYTES + 1;
    for (const length of [0, 1, 29, 30]) expect(lengthOf(length)).toBe(32);
    for (const length of [31, 62]) expect(lengthOf(length)).toBe(64);
    expect(lengthOf(63)).toBe(96);
  });

  test("that are none are refused", async () => {
    const cipher = await warmCipher();
    const ring: unknown[] = [];
    ring.push(ring);
    let deep: unknown = 1;
    for (let i = 0; i < 65; i++) deep = [deep];
    const symbols = { [Symbol("hidden")]: 1 };
    const named = Object.assign([1], { name: "lost" });
    // biome-ignore lint/suspicious/noSparseArray: it is what is tested
    const holes = [1, , 2];
    // biome-ignore lint/suspicious/noSparseArray: it is what is tested
    const evened = Object.assign([, 1], { name: 1 });
    const none = [
      undefined,
      Number.NaN,
      Infinity,
      Symbol("s"),
      () => 1,
      new Map(),
      new Date(Number.NaN),
      ring,
      holes,
      evened,
    ];
    const nested = [{ a: undefined }, [1n], { at: new Date(0) }, { a: Number.NaN }, symbols, named, new (class A {})()];
    for (const value of [...none, ...nested, "\ud800"]) {
      expect(
        thrown(() => cipher.sealFieldSync(value as FieldValue, place)),
        String(typeof value),
      ).toMatchObject({ code: "ERR_ARGUMENT" });
    }
    expect(thrown(() => cipher.sealFieldSync(deep as FieldValue, place))).toMatchObject({ code: "ERR_LIMIT" });
  });

  test("beyond the limit are refused, on sealing and on opening, also when many times the same part", async () => {
    const branchKeys = keyringOver();
    await branchKeys.warm(["acme"]);
    const small = new FieldCipher({ branchKeys, maxFieldLength: 100 });
    const large = new FieldCipher({ branchKeys });
    expect(small.openFieldSync(small.sealFieldSync("x".repeat(99), place), place)).toBe("x".repeat(99));
    for (const value of [
      "x".repeat(100),
      "é".repeat(50),
      new Uint8Array(100),
      2n ** 800n,
      [["x".repeat(90)], 1, 2, 3],
    ]) {
      expect(
        thrown(() => small.sealFieldSync(value, place)),
        String(value),
      ).toMatchObject({ code: "ERR_LIMIT" });
      for (const encoding of ["bytes", "text"] as const) {
        const sealed =
          encoding === "text" ? large.sealFieldSync(value, { ...place, encoding }) : large.sealFieldSync(value, place);
        expect(thrown(() => small.openFieldSync(sealed, place))).toMatchObject({ code: "ERR_LIMIT" });
      }
    }
    expect(thrown(() => small.sealFieldSync("", { ...place, padTo: 101 }))).toMatchObject({ code: "ERR_LIMIT" });
    // 2^40 elements, were they all written.
    let folded: FieldValue = "x";
    for (let i = 0; i < 40; i++) folded = [folded, folded];
    expect(thrown(() => large.sealFieldSync(folded, place))).toMatchObject({ code: "ERR_LIMIT" });
  });
});

describe("a field opens at its own place only", () => {
  const elsewhere = {
    "another name": { ...place, name: "users.phone" },
    "a name that ends earlier": { ...place, name: "users.emai" },
    "another row": { ...place, encryptionContext: { tenant: "acme", row: "18" } },
    "another tenant": { ...place, encryptionContext: { tenant: "acme2", row: "17" } },
    "less context": { ...place, encryptionContext: { tenant: "acme" } },
    "more context": { ...place, encryptionContext: { ...place.encryptionContext, more: "" } },
    "context that reads the same when joined": { ...place, encryptionContext: { tenant: "acme", ro: "w17" } },
  };

  test.each(Object.entries(elsewhere))("%s", async (_name, other) => {
    const cipher = await warmCipher();
    const sealed = await cipher.sealField("secret", place);
    expect(await refusal(cipher.openField(sealed, other))).toBe("ERR_AUTHENTICATION");
    expect(await cipher.openField(await cipher.sealField("secret", other), other)).toBe("secret");
  });

  test("two fields never exchange places", async () => {
    const cipher = new FieldCipher({ branchKeys: keyringOver() });
    const places = fc.record({
      name: fc.string({ minLength: 1, maxLength: 6 }),
      encryptionContext: fc.record({
        tenant: fc.constantFrom("acme", "bolt"),
        row: fc.string({ maxLength: 3 }),
        column: fc.string({ maxLength: 3 }),
      }),
    });
    await fc.assert(
      fc.asyncProperty(places, places, async (a, b) => {
        fc.pre(JSON.stringify(a) !== JSON.stringify(b));
        const sealed = await cipher.sealField("value", a);
        expect(await refusal(cipher.openField(sealed, b))).toBe("ERR_AUTHENTICATION");
      }),
      { numRuns: 100 },
    );
  });

  test("not under another branch key of the same version, nor another version of the same branch key", async () => {
    const cipher = new FieldCipher({ branchKeys: keyringOver() });
    const sealed = await cipher.sealField("secret", place);
    expect(sealed.slice(1, 17)).toEqual(VERSION_1);
    const moved = sealed.slice();
    moved.set(VERSION_2, 1);
    expect(await refusal(cipher.openField(moved, place))).toBe("ERR_AUTHENTICATION");
  });
});

describe("damage", () => {
  test("of any byte is refused", async () => {
    const cipher = await warmCipher();
    const sealed = cipher.sealFieldSync("secret", { ...place, padTo: 16 });
    for (let at = 0; at < sealed.length; at++) {
      for (const by of [1, 0x80]) {
        const code = await refusal(cipher.openField(changed(sealed, at, by), place));
        const expected =
          at === 0
            ? by === 1
              ? "ERR_MESSAGE_UNSUPPORTED"
              : "ERR_MESSAGE_INVALID"
            : at < 17
              ? "ERR_KEY_NOT_FOUND"
              : "ERR_AUTHENTICATION";
        expect(code, `byte ${at}`).toBe(expected);
      }
    }
  });

  test("of any character of the text is refused", async () => {
    const cipher = await warmCipher();
    // 67 and 68 and 69 bytes: with every number of bits to spare in the last character.
    for (const value of ["a", "ab", "abc"]) {
      const text = cipher.sealFieldSync(value, { ...place, encoding: "text" });
      for (let at = 0; at < text.length; at++) {
        for (const other of ["A", "B", "=", "+", " ", "\u0100"]) {
          if (text[at] === other) continue;
          await refusal(cipher.openField(text.slice(0, at) + other + text.slice(at + 1), place));
        }
      }
      for (const more of ["=", "A", "AA", "AAA", "AAAA", "\n"]) await refusal(cipher.openField(text + more, place));
    }
  });

  test("by cutting it anywhere is refused, and so is what follows it", async () => {
    const cipher = await warmCipher();
    const sealed = cipher.sealFieldSync("secret", place);
    const text = cipher.sealFieldSync("secret", { ...place, encoding: "text" });
    for (let length = 0; length < sealed.length; length++) {
      const code = await refusal(cipher.openField(sealed.subarray(0, length), place));
      expect(code, String(length)).toBe(length < FIELD_OVERHEAD_BYTES ? "ERR_MESSAGE_TRUNCATED" : "ERR_AUTHENTICATION");
    }
    for (let length = 0; length < text.length; length++) await refusal(cipher.openField(text.slice(0, length), place));
    const longer = new Uint8Array(sealed.length + 1);
    longer.set(sealed);
    expect(await refusal(cipher.openField(longer, place))).toBe("ERR_AUTHENTICATION");
  });

  test("formats of later versions are refused as such, other bytes as no field", async () => {
    const cipher = await warmCipher();
    const sealed = cipher.sealFieldSync("secret", place);
    for (let first = 0; first < 256; first++) {
      if (first === 0xf1) continue;
      const bytes = sealed.slice();
      bytes[0] = first;
      const code = await refusal(cipher.openField(bytes, place));
      expect(code).toBe(first >= 0xf0 ? "ERR_MESSAGE_UNSUPPORTED" : "ERR_MESSAGE_INVALID");
      expect(isSealedField(bytes)).toBe(first >= 0xf0);
    }
    expect(isSealedField("secret")).toBe(false);
    expect(isSealedField(`${FIELD_TEXT_PREFIX}8aGhoQ`)).toBe(false);
    expect(isSealedField(undefined)).toBe(false);
    expect(await refusal(cipher.openField("secret", place))).toBe("ERR_MESSAGE_INVALID");
  });
});

describe("branch keys", () => {
  test("two fields of one value have nothing in common but the version", async () => {
    const cipher = await warmCipher();
    const [a, b] = [cipher.sealFieldSync("same", place), cipher.sealFieldSync("same", place)];
    expect(a.slice(0, 17)).toEqual(b.slice(0, 17));
    for (const [from, to] of [
      [17, 33],
      [33, 49],
      [a.length - 16, a.length],
    ] as const) {
      expect(a.slice(from, to)).not.toEqual(b.slice(from, to));
    }
  });

  test("after a rotation old fields open, and new ones are of the new version", async () => {
    const store = branchKeyStore({ wrappingKey: testKey(), records: memoryBranchKeyRecords() });
    await store.create("acme");
    const branchKeys = keyringOver(store);
    const cipher = new FieldCipher({ branchKeys });
    const before = await cipher.sealField("old", place);
    await store.rotate("acme");
    branchKeys.clear();
    const after = await cipher.sealField("new", place);
    const [first, second] = await store.versions("acme");
    expect(before.slice(1, 17)).toEqual(first?.version);
    expect(after.slice(1, 17)).toEqual(second?.version);
    expect(await cipher.openField(before, place)).toBe("old");
    expect(await cipher.openField(after, place)).toBe("new");
  });

  test("are asked for once, however many fields", async () => {
    const store = new TwoVersions();
    const cipher = new FieldCipher({ branchKeys: keyringOver(store) });
    const sealed = await Promise.all(Array.from({ length: 50 }, (_value, i) => cipher.sealField(i, place)));
    for (const [i, field] of sealed.entries()) expect(await cipher.openField(field, place)).toBe(i);
    expect(store.calls).toBe(1);
  });

  test("synchronous calls need a warm one, and say which", async () => {
    const cold = new FieldCipher({ branchKeys: keyringOver() });
    const notWarm = { code: "ERR_NOT_WARM", details: { name: "acme" } };
    expect(thrown(() => cold.sealFieldSync(1, place))).toMatchObject(notWarm);
    const store = new TwoVersions();
    const branchKeys = keyringOver(store);
    const cipher = new FieldCipher({ branchKeys });
    await branchKeys.warm(["acme"]);
    const old = cipher.sealFieldSync("old", place);
    store.active = VERSION_2;
    branchKeys.clear();
    await branchKeys.warm(["acme"]);
    expect(thrown(() => cold.openFieldSync(old, place))).toMatchObject(notWarm);
    const needed = cipher.branchKeyOf(old, place.encryptionContext);
    expect(needed).toEqual({ branchKeyId: "acme", version: VERSION_1 });
    await branchKeys.warm([needed]);
    expect(cipher.openFieldSync(old, place)).toBe("old");
  });

  test("a signal ends the asynchronous calls", async () => {
    const cipher = await warmCipher();
    const sealed = cipher.sealFieldSync(1, place);
    const signal = AbortSignal.abort(new Error("enough"));
    await expect(cipher.sealField(1, { ...place, signal })).rejects.toThrow("enough");
    await expect(cipher.openField(sealed, { ...place, signal })).rejects.toThrow("enough");
  });
});

describe("arguments", () => {
  test("that are wrong are the programmer's fault", async () => {
    const cipher = await warmCipher();
    const wrong: readonly object[] = [
      { ...place, name: "" },
      { ...place, name: 1 },
      { ...place, name: "\ud800" },
      { name: "n" },
      { ...place, encryptionContext: new Map() },
      { ...place, padTo: 0 },
      { ...place, padTo: 65_537 },
      { ...place, encoding: "hex" },
      { ...place, nmae: "n" },
    ];
    for (const options of wrong) {
      expect(thrown(() => cipher.sealFieldSync("x", options as typeof place))).toMatchObject({ code: "ERR_ARGUMENT" });
      await expect(cipher.sealField("x", options as typeof place)).rejects.toMatchObject({ code: "ERR_ARGUMENT" });
    }
    expect(thrown(() => new FieldCipher({} as never))).toMatchObject({ code: "ERR_ARGUMENT" });
    expect(thrown(() => new FieldCipher({ branchKeys: keyringOver(), maxFieldLength: 0 }))).toMatchObject({
      code: "ERR_ARGUMENT",
    });
    expect(thrown(() => cipher.openFieldSync(1 as never, place))).toMatchObject({ code: "ERR_ARGUMENT" });
  });

  test("reserved context keys, and contexts without a branch key, are refused", async () => {
    const cipher = await warmCipher();
    const reserved = { ...place, encryptionContext: { tenant: "acme", "fengni-x": "" } };
    expect(await refusal(cipher.sealField("x", reserved))).toBe("ERR_CONTEXT_INVALID");
    expect(await refusal(cipher.sealField("x", { ...place, encryptionContext: {} }))).toBe("ERR_CONTEXT_INVALID");
    expect(await refusal(cipher.sealField("x", { ...place, name: "n".repeat(65_536) }))).toBe("ERR_LIMIT");
  });
});

describe.each(["webcrypto", "noble"])("without node:crypto: %s", (mode) => {
  test("fields cross over; synchronous calls work, or say that they cannot", async () => {
    const store = new TwoVersions();
    const branchKeys = new BranchKeyring({ store, branchKeyIdFor: () => "acme", ttlMs: 60_000 });
    const cipher = new FieldCipher({ branchKeys });
    const child = spawnSync(
      process.execPath,
      [
        "--conditions=@fengni/source",
        "--import",
        "tsx",
        fileURLToPath(new URL("./fixtures/field-child.ts", import.meta.url)),
        mode,
      ],
      {
        cwd: fileURLToPath(new URL("../../..", import.meta.url)),
        input: await cipher.sealField("from here", { ...place, encoding: "text" }),
        encoding: "utf8",
      },
    );
    expect(child.stderr).toBe("");
    const answer = JSON.parse(child.stdout) as Readonly<Record<string, string>>;
    const refused = "ERR_NOT_SUPPORTED";
    expect(answer).toEqual({
      opened: "from here",
      sealed: expect.any(String),
      openedNow: mode === "noble" ? "from here" : refused,
      sealedNow: mode === "noble" ? expect.stringMatching(/^fengni:/) : refused,
      damaged: "ERR_AUTHENTICATION",
      damagedNow: mode === "noble" ? "ERR_AUTHENTICATION" : refused,
    });
    expect(await cipher.openField(answer["sealed"] as string, place)).toBe("from elsewhere");
  });
});
