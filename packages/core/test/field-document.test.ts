// Documents with sealed fields: only what the paths name is sealed, all of it, and nothing opens at another place.
import { deepStrictEqual } from "node:assert";
import {
  DocumentCipher,
  type DocumentCipherOptions,
  FIELD_TEXT_PREFIX,
  FieldCipher,
  type JsonValue,
} from "@fengni/core";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { fieldValues, jsonValues, keyringOver } from "./field-support.js";
import { refusal } from "./support.js";

const fields = new FieldCipher({ branchKeys: keyringOver() });
const bound = { encryptionContext: { tenant: "acme", user: "17" } };

function cipherFor(paths: readonly string[], more: Partial<DocumentCipherOptions> = {}): DocumentCipher {
  return new DocumentCipher({ fields, paths, ...more });
}

/** The order below, sealed. */
interface SealedOrder {
  readonly id: number;
  readonly email: string;
  readonly address: { readonly street: string; readonly city: string };
  readonly items: readonly { readonly name: string; readonly card: string }[];
  readonly secrets: Readonly<Record<string, string>>;
  readonly "weird.[*]\\key": string;
}

/** A smaller document, sealed. */
interface SealedList {
  readonly a: string;
  readonly b: string;
  readonly list: readonly { readonly x: string }[];
}

const order = {
  id: 17,
  email: "li.lei@example.cn",
  address: { street: "1 Main St", city: "Beijing" },
  items: [
    { name: "pen", card: 4111n },
    { name: "ink", card: 5500n },
  ],
  secrets: { pin: 1234, "a.b": null, "": true },
  "weird.[*]\\key": new Date(5),
};
const paths = ["email", "address.street", "items[*].card", "secrets.*", "weird\\.\\[\\*\\]\\\\key"];

describe("documents", () => {
  test("are sealed at their paths only, and come back as they were", async () => {
    const before = structuredClone(order);
    const cipher = cipherFor(paths);
    const sealed = (await cipher.sealFields(order, bound)) as SealedOrder;
    expect(order).toStrictEqual(before);
    expect(sealed.id).toBe(17);
    expect(sealed.address.city).toBe("Beijing");
    expect(sealed.items.map(({ name }) => name)).toEqual(["pen", "ink"]);
    const values = [sealed.email, sealed.address.street, ...sealed.items.map(({ card }) => card)];
    values.push(...Object.values(sealed.secrets), sealed["weird.[*]\\key"]);
    expect(values.length).toBe(8);
    for (const value of values) expect(value).toMatch(/^fengni:[\w-]+$/);
    const stored = JSON.stringify(sealed);
    // With characters that base64url has not: sealed text cannot hold them by chance.
    for (const secret of ["li.lei@", "1 Main St"]) expect(stored).not.toContain(secret);
    expect(await cipher.openFields(JSON.parse(stored), bound)).toStrictEqual(order);
  });

  test("synchronously as asynchronously", async () => {
    const branchKeys = keyringOver();
    await branchKeys.warm(["acme"]);
    const cipher = new DocumentCipher({ fields: new FieldCipher({ branchKeys }), paths });
    const sealed = cipher.sealFieldsSync(order, bound);
    expect(cipher.openFieldsSync(sealed, bound)).toStrictEqual(order);
    expect(await cipher.openFields(sealed, bound)).toStrictEqual(order);
    expect(cipher.openFieldsSync(await cipher.sealFields(order, bound), bound)).toStrictEqual(order);
  });

  test("hold fields that the field cipher opens by the path's text", async () => {
    const sealed = (await cipherFor(["items[*].card", "secrets.*"]).sealFields(order, bound)) as SealedOrder;
    expect(await fields.openField(sealed.items[1]?.card ?? "", { name: "items[1].card", ...bound })).toBe(5500n);
    expect(await fields.openField(sealed.secrets["a.b"] ?? "", { name: "secrets.a\\.b", ...bound })).toBe(null);
    expect(await fields.openField(sealed.secrets[""] ?? "", { name: "secrets.\\e", ...bound })).toBe(true);
  });

  test("of any shape, with values of any type", async () => {
    const document = fc.record(
      { sealed: fieldValues, list: fc.array(fieldValues, { maxLength: 3 }), open: jsonValues },
      { noNullPrototype: true },
    );
    const cipher = cipherFor(["sealed", "list[*]"]);
    await fc.assert(
      fc.asyncProperty(document, async (value) => {
        const sealed = (await cipher.sealFields(value, bound)) as { readonly sealed: string; readonly open: JsonValue };
        expect(sealed.sealed).toMatch(/^fengni:/);
        deepStrictEqual(sealed.open, value.open);
        deepStrictEqual(await cipher.openFields(sealed, bound), value);
      }),
      { numRuns: 100 },
    );
  });

  test("share nothing with their copies", async () => {
    const document = { open: { list: [1], bytes: Uint8Array.of(1), at: new Date(1), none: undefined }, sealed: 1 };
    const copy = (await cipherFor(["sealed"]).sealFields(document, bound)) as typeof document;
    copy.open.list.push(2);
    copy.open.bytes[0] = 9;
    copy.open.at.setTime(9);
    expect(document.open).toStrictEqual({ list: [1], bytes: Uint8Array.of(1), at: new Date(1), none: undefined });
    expect("none" in copy.open).toBe(true);
  });

  test("are read before the call returns", async () => {
    const document = { a: "first", b: "first" };
    const context: Record<string, string> = { tenant: "acme", user: "17" };
    const sealing = cipherFor(["a", "b"]).sealFields(document, { encryptionContext: context });
    document.b = "second";
    context["user"] = "18";
    expect(await cipherFor(["a", "b"]).openFields(await sealing, bound)).toEqual({ a: "first", b: "first" });
  });

  test("are padded where that was asked for", async () => {
    const cipher = cipherFor(["a", "b"], { padTo: 64 });
    const sealed = (await cipher.sealFields({ a: "", b: "x".repeat(50) }, bound)) as SealedList;
    expect(sealed.a.length).toBe(sealed.b.length);
    expect(await cipher.openFields(sealed, bound)).toEqual({ a: "", b: "x".repeat(50) });
  });
});

describe("what is sealed stays where it was sealed", () => {
  const cipher = cipherFor(["a", "b", "list[*].x"]);
  const document = { a: 1, b: 2, list: [{ x: 3 }, { x: 4 }] };

  test("not in another document, nor of another tenant", async () => {
    const sealed = await cipher.sealFields(document, bound);
    for (const encryptionContext of [
      { tenant: "acme", user: "18" },
      { tenant: "bolt", user: "17" },
      { tenant: "acme" },
    ]) {
      expect(await refusal(cipher.openFields(sealed, { encryptionContext }))).toBe("ERR_AUTHENTICATION");
    }
  });

  test("not at another path, nor at another index", async () => {
    const sealed = (await cipher.sealFields(document, bound)) as SealedList;
    const swaps: readonly object[] = [
      { ...sealed, a: sealed.b, b: sealed.a },
      { ...sealed, list: [...sealed.list].reverse() },
      { ...sealed, list: sealed.list.slice(1) },
      { ...sealed, a: sealed.list[0]?.x },
    ];
    for (const swapped of swaps) expect(await refusal(cipher.openFields(swapped, bound))).toBe("ERR_AUTHENTICATION");
  });

  test("without bindIndex at another index of the same array, and no further", async () => {
    const loose = cipherFor(["a", "b", "list[*].x", "other[*].x"], { bindIndex: false, missing: "ignore" });
    const sealed = (await loose.sealFields(document, bound)) as SealedList;
    expect(await loose.openFields({ ...sealed, list: [...sealed.list].reverse() }, bound)).toEqual({
      ...document,
      list: [{ x: 4 }, { x: 3 }],
    });
    expect(await refusal(loose.openFields({ other: sealed.list }, bound))).toBe("ERR_AUTHENTICATION");
    expect(await refusal(cipher.openFields(sealed, bound))).toBe("ERR_AUTHENTICATION");
    expect(await fields.openField(sealed.list[1]?.x ?? "", { name: "list[*].x", ...bound })).toBe(4);
  });

  test("a value that is not sealed never passes for one that is", async () => {
    const sealed = (await cipher.sealFields(document, bound)) as SealedList;
    for (const a of ["plain", 1, null, `${FIELD_TEXT_PREFIX}AAAA`, { x: 1 }, true, sealed.a.slice(0, 80)]) {
      expect(await refusal(cipher.openFields({ ...sealed, a }, bound))).toBe("ERR_MESSAGE_INVALID");
    }
    const { a: _removed, ...less } = sealed;
    expect(await refusal(cipher.openFields(less, bound))).toBe("ERR_MESSAGE_INVALID");
    expect(await refusal(cipher.openFields({ ...sealed, list: {} }, bound))).toBe("ERR_MESSAGE_INVALID");
  });

  test("only what is asked for is opened", async () => {
    const sealed = (await cipher.sealFields(document, bound)) as SealedList;
    const opened = await cipher.openFields(sealed, { ...bound, paths: ["b"] });
    expect(opened).toEqual({ ...sealed, b: 2 });
    await expect(cipher.openFields(sealed, { ...bound, paths: ["list[0].x"] })).rejects.toMatchObject({
      code: "ERR_ARGUMENT",
    });
    // Sealed text at a path that nobody named is left alone.
    const other = { ...sealed, more: sealed.a };
    expect(await cipher.openFields(other, bound)).toEqual({ ...document, more: sealed.a });
  });
});

describe("refusals", () => {
  const wrong = (promise: Promise<unknown>): Promise<void> =>
    expect(promise).rejects.toMatchObject({ code: "ERR_ARGUMENT" });

  test("a path that leads nowhere, unless that is ignored", async () => {
    const misses: readonly (readonly [string, object])[] = [
      ["email", { Email: 1 }],
      ["email", { email: undefined }],
      ["a.b", { a: null }],
      ["a.b", { a: [1] }],
      ["a[0]", { a: { 0: 1 } }],
      ["a[1]", { a: [1] }],
      ["a[*].b", { a: [{ b: 1 }, { B: 1 }] }],
      ["a.*", {}],
      ["toString", {}],
      ["__proto__", {}],
      ["a.length", { a: [1] }],
    ];
    for (const [path, document] of misses) {
      await wrong(cipherFor([path]).sealFields(document, bound));
      const lenient = cipherFor([path], { missing: "ignore" });
      const sealed = await lenient.sealFields(document, bound);
      expect(await lenient.openFields(sealed, bound)).toStrictEqual(document);
    }
    expect(await cipherFor(["a[*].b", "c.*"]).sealFields({ a: [], c: {} }, bound)).toEqual({ a: [], c: {} });
  });

  test("a field that is sealed already, unless that is wanted", async () => {
    const cipher = cipherFor(["a"]);
    const once = await cipher.sealFields({ a: 1 }, bound);
    await wrong(cipher.sealFields(once, bound));
    const twice = await cipher.sealFields(once, { ...bound, alreadySealed: "seal" });
    expect(await cipher.openFields(await cipher.openFields(twice, bound), bound)).toEqual({ a: 1 });
    // It is no field: text of somebody who writes about them.
    expect(await cipher.openFields(await cipher.sealFields({ a: "fengni: the bird" }, bound), bound)).toEqual({
      a: "fengni: the bird",
    });
  });

  test("rings, depth, size, and values that no document holds", async () => {
    const cipher = cipherFor(["a"]);
    const ring: Record<string, unknown> = { a: 1 };
    ring["self"] = { ring };
    await wrong(cipher.sealFields(ring, bound));
    let deep: JsonValue = 1;
    for (let i = 0; i < 64; i++) deep = [deep];
    expect(await refusal(cipher.sealFields({ a: 1, deep }, bound))).toBe("ERR_LIMIT");
    let folded: JsonValue = [1];
    for (let i = 0; i < 40; i++) folded = [folded, folded];
    expect(await refusal(cipher.sealFields({ a: 1, folded }, bound))).toBe("ERR_LIMIT");
    const small = cipherFor(["a"], { maxNodes: 4 });
    expect(await small.openFields(await small.sealFields({ a: 1, b: [2] }, bound), bound)).toEqual({ a: 1, b: [2] });
    expect(await refusal(small.sealFields({ a: 1, b: [2, 3] }, bound))).toBe("ERR_LIMIT");
    for (const b of [() => 1, Symbol("s"), new Map(), { [Symbol("s")]: 1 }])
      await wrong(cipher.sealFields({ a: 1, b }, bound));
    for (const document of [null, 1, "text", undefined, new Map()])
      await wrong(cipher.sealFields(document as never, bound));
  });

  test("members named __proto__ are members, and change no prototype", async () => {
    const document = JSON.parse('{"__proto__":{"secret":1,"admin":true},"x":{"__proto__":[2]}}') as object;
    const cipher = cipherFor(["__proto__.secret", "x.*[*]"]);
    const sealed = await cipher.sealFields(document, bound);
    expect(Object.getPrototypeOf(sealed)).toBe(Object.prototype);
    expect(JSON.stringify(sealed)).toMatch(
      /^\{"__proto__":\{"secret":"fengni:[\w-]+","admin":true\},"x":\{"__proto__":\["fengni/,
    );
    const opened = await cipher.openFields(JSON.parse(JSON.stringify(sealed)) as object, bound);
    deepStrictEqual(opened, document);
    expect(({} as { admin?: boolean }).admin).toBeUndefined();
  });

  test("options that are wrong", async () => {
    const none: readonly (readonly [readonly string[], object])[] = [
      [[], {}],
      [["a", "a"], {}],
      [["a", "a.b"], {}],
      [["a[*].b", "a[0]"], {}],
      [["*", "a.b"], {}],
      [["a"], { missing: "maybe" }],
      [["a"], { bindIndex: 1 }],
      [["a"], { padTo: 0 }],
      [["a"], { maxNodes: 0 }],
      [["a"], { pathes: [] }],
      [["a"], { fields: {} }],
    ];
    for (const [wrongPaths, more] of none) {
      expect(() => cipherFor(wrongPaths, more), JSON.stringify([wrongPaths, more])).toThrow(
        expect.objectContaining({ code: "ERR_ARGUMENT" }),
      );
    }
    expect(() => cipherFor(["a.b", "a.c", "a[*]", "b[0]", "b[1]"])).not.toThrow();
    await wrong(cipherFor(["a"]).sealFields({ a: 1 }, { ...bound, alreadySealed: "yes" as never }));
    await wrong(cipherFor(["a"]).sealFields({ a: 1 }, {} as never));
  });
});
