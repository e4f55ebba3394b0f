// The format of fields and blind indexes to the byte: fixed vectors, computed anew by node:crypto from docs/fields.md alone.
import { createCipheriv, createDecipheriv, createHmac, hkdfSync } from "node:crypto";
import { BlindIndex, FieldCipher, type FieldValue, isFengniError } from "@fengni/core";
import { describe, expect, test } from "vitest";
import { keyringOver, materialOf, VERSION_1 } from "./field-support.js";

const NAME = "users.email";
const CONTEXT = { tenant: "acme", row: "17" };
const place = { name: NAME, encryptionContext: CONTEXT };
const SALT = Buffer.from("000102030405060708090a0b0c0d0e0f", "hex");

const u16 = (value: number): Buffer => Buffer.from([value >> 8, value & 255]);
const sized = (bytes: Uint8Array | string): Buffer =>
  Buffer.concat([u16(Buffer.byteLength(bytes)), Buffer.from(bytes)]);
const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");

/** docs/branch-keys.md, "Derivation": HKDF-SHA-512 with a fixed extract salt. */
function derive(label: string, salt: Uint8Array, length: number, id = "acme"): Buffer {
  const info = Buffer.concat([sized(label), sized(id), VERSION_1, sized(salt)]);
  return Buffer.from(hkdfSync("sha512", materialOf(id, VERSION_1), "fengni-branch-key/1", info, length));
}

/** The serialised context, written by hand: two pairs, sorted by key. */
const SERIALISED = Buffer.concat([u16(2), sized("row"), sized("17"), sized("tenant"), sized("acme")]);

function headOf(salt: Uint8Array, commitment: Uint8Array): Buffer {
  return Buffer.concat([Buffer.from([0xf1]), VERSION_1, salt, commitment]);
}

function aadOf(head: Uint8Array): Buffer {
  return Buffer.concat([head, sized("acme"), sized(NAME), SERIALISED]);
}

/** Seals as docs/fields.md says. */
function sealed(plaintext: string, commitmentChange = 0): Buffer {
  const derived = derive("fengni-field/1", SALT, 48);
  const commitment = Buffer.from(derived.subarray(32));
  commitment[15] = (commitment[15] as number) ^ commitmentChange;
  const head = headOf(SALT, commitment);
  const cipher = createCipheriv("aes-256-gcm", derived.subarray(0, 32), Buffer.alloc(12));
  cipher.setAAD(aadOf(head));
  const ciphertext = Buffer.concat([cipher.update(Buffer.from(plaintext, "hex")), cipher.final()]);
  return Buffer.concat([head, ciphertext, cipher.getAuthTag()]);
}

const json = (text: string): string => `09${Buffer.from(text).toString("hex")}`;

const VECTORS: readonly (readonly [what: string, plaintext: string, value: FieldValue])[] = [
  ["null", "00", null],
  ["false", "01", false],
  ["true", "02", true],
  ["a number", "033ff8000000000000", 1.5],
  ["minus zero", "038000000000000000", -0],
  ["no integer", "04", 0n],
  ["a positive integer", "04010000", 65_536n],
  ["a negative integer", "05ff", -255n],
  ["text", "06c3a9f09f9491", "é\u{1f511}"],
  ["bytes", "0700ff", Uint8Array.of(0, 255)],
  ["a date", "0842776b6181400000", new Date(1_609_372_800_000)],
  ["JSON", json('{"a":[1,-0,null],"b":"é"}'), { b: "é", a: [1, -0, null] }],
  ["padded text", "8661620080000000", "ab\0"],
  ["padded null", "8080", null],
];

describe("vectors of docs/fields.md", () => {
  test.each(VECTORS)("%s", async (_what, plaintext, value) => {
    const cipher = new FieldCipher({ branchKeys: keyringOver() });
    expect(await cipher.openField(sealed(plaintext), place)).toStrictEqual(value);
  });

  test("the whole field, as it is printed in the document", async () => {
    const field = sealed(`06${Buffer.from("li.lei@example.cn").toString("hex")}`);
    expect(hex(field)).toMatchInlineSnapshot(
      `"f1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1000102030405060708090a0b0c0d0e0f9345f9bfdd651ac27be628cd2fc153c521404baf1c66de135a2a975fce47b4848a62420a0c76df3c65ab6c71e5b72ff50895"`,
    );
    const cipher = new FieldCipher({ branchKeys: keyringOver() });
    const text = `fengni:${field.toString("base64url")}`;
    expect(text).toMatchInlineSnapshot(
      `"fengni:8aGhoaGhoaGhoaGhoaGhoaEAAQIDBAUGBwgJCgsMDQ4Pk0X5v91lGsJ75ijNL8FTxSFAS68cZt4TWiqXX85HtISKYkIKDHbfPGWrbHHlty_1CJU"`,
    );
    expect(await cipher.openField(text, place)).toBe("li.lei@example.cn");
  });

  test.each(VECTORS)("sealed here, opened by node:crypto: %s", async (_what, plaintext, value) => {
    const cipher = new FieldCipher({ branchKeys: keyringOver() });
    const isPadded = plaintext.startsWith("8");
    const options = isPadded ? { ...place, padTo: plaintext.length / 2 } : place;
    const field = Buffer.from(await cipher.sealField(value, options));
    const derived = derive("fengni-field/1", field.subarray(17, 33), 48);
    expect(hex(field.subarray(0, 49))).toBe(hex(headOf(field.subarray(17, 33), derived.subarray(32))));
    const decipher = createDecipheriv("aes-256-gcm", derived.subarray(0, 32), Buffer.alloc(12));
    decipher.setAAD(aadOf(field.subarray(0, 49)));
    decipher.setAuthTag(field.subarray(-16));
    expect(hex(Buffer.concat([decipher.update(field.subarray(49, -16)), decipher.final()]))).toBe(plaintext);
  });
});

describe("authentic fields that are wrong inside", () => {
  const WRONG: readonly (readonly [what: string, plaintext: string, code: string])[] = [
    ["a later type", "0a", "ERR_MESSAGE_UNSUPPORTED"],
    ["bytes behind null", "0000", "ERR_MESSAGE_INVALID"],
    ["a short number", "033ff80000000000", "ERR_MESSAGE_INVALID"],
    ["a number that is not finite", "037ff0000000000000", "ERR_MESSAGE_INVALID"],
    ["a zero in front of an integer", "040001", "ERR_MESSAGE_INVALID"],
    ["a negative zero integer", "05", "ERR_MESSAGE_INVALID"],
    ["text that is not UTF-8", "06ff", "ERR_MESSAGE_INVALID"],
    ["a date with a fraction", "083ff8000000000000", "ERR_MESSAGE_INVALID"],
    ["a date beyond dates", "087fe0000000000000", "ERR_MESSAGE_INVALID"],
    ["no JSON", "097b", "ERR_MESSAGE_INVALID"],
    ["JSON of a scalar", "0931", "ERR_MESSAGE_INVALID"],
    ["JSON with white space", json("[1, 2]"), "ERR_MESSAGE_INVALID"],
    ["JSON with keys out of order", json('{"b":1,"a":2}'), "ERR_MESSAGE_INVALID"],
    ["JSON with a key twice", json('{"a":1,"a":2}'), "ERR_MESSAGE_INVALID"],
    ["JSON with another spelling of a number", json("[1.0]"), "ERR_MESSAGE_INVALID"],
    ["JSON of 65 levels", json("[".repeat(65) + "]".repeat(65)), "ERR_MESSAGE_INVALID"],
    ["padding without a mark", "86610000", "ERR_MESSAGE_INVALID"],
    ["padding with another mark", "86618100", "ERR_MESSAGE_INVALID"],
    ["padding alone", "80", "ERR_MESSAGE_INVALID"],
  ];

  test.each(WRONG)("%s", async (_what, plaintext, code) => {
    const cipher = new FieldCipher({ branchKeys: keyringOver() });
    await expect(cipher.openField(sealed(plaintext), place)).rejects.toMatchObject({ code });
  });

  test("JSON of 64 levels opens, and escapes of lone surrogates", async () => {
    const cipher = new FieldCipher({ branchKeys: keyringOver() });
    const text = "[".repeat(64) + "]".repeat(64);
    expect(JSON.stringify(await cipher.openField(sealed(json(text)), place))).toBe(text);
    const sealedHere = await cipher.sealField(["\ud800"], place);
    expect(await cipher.openField(sealedHere, place)).toEqual(["\ud800"]);
  });

  test("a commitment of another key is refused, though the tag is right", async () => {
    const cipher = new FieldCipher({ branchKeys: keyringOver() });
    expect(await cipher.openField(sealed("02", 0), place)).toBe(true);
    const error: unknown = await cipher.openField(sealed("02", 1), place).catch((reason: unknown) => reason);
    expect(isFengniError(error, "ERR_AUTHENTICATION")).toBe(true);
  });
});

describe("blind indexes", () => {
  const plaintext = Buffer.from(`06${Buffer.from("li.lei@example.cn").toString("hex")}`, "hex");

  test("under a branch key", async () => {
    const common = { branchKeys: keyringOver(), versionFor: () => VERSION_1, name: NAME };
    const key = derive("fengni-blind-index/1", Buffer.from(NAME), 32);
    const digest = createHmac("sha256", key).update(plaintext).digest();
    expect(hex(digest)).toMatchInlineSnapshot(`"9600fb27c64815face05c54c94a94b566ddd3db87e2bfda80ee12628ff971878"`);
    const compute = (bits: number): Promise<Uint8Array> =>
      new BlindIndex({ ...common, bits }).compute("li.lei@example.cn", { encryptionContext: CONTEXT });
    expect(hex(await compute(256))).toBe(hex(digest));
    expect(hex(await compute(32))).toBe(hex(digest.subarray(0, 4)));
    const third = (digest[2] as number) & 0xf0;
    expect(hex(await compute(20))).toBe(hex(digest.subarray(0, 2)) + hex(Uint8Array.of(third)));
  });

  test("under a key of one's own", () => {
    const indexKey = new Uint8Array(32).fill(9);
    const info = Buffer.concat([sized(NAME), Buffer.from("acme")]);
    const key = Buffer.from(hkdfSync("sha512", indexKey, "fengni-blind-index/1", info, 32));
    const digest = createHmac("sha256", key).update(plaintext).digest();
    expect(hex(digest)).toMatchInlineSnapshot(`"573a2a62cc6746fa6523a76b5ee7eb46dfdab8f3cf6db030589e45ce7a172de2"`);
    const index = new BlindIndex({ indexKey, name: NAME, bits: 256, partitionFor: ({ tenant }) => tenant ?? "" });
    expect(hex(index.computeSync("li.lei@example.cn", { encryptionContext: CONTEXT }))).toBe(hex(digest));
  });
});
