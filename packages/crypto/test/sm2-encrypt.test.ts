import fc from "fast-check";
import { afterEach, describe, expect, it, vi } from "vitest";
import { bytesToHex, concatBytes, hexToBytes, utf8ToBytes } from "../src/bytes.js";
import { digest } from "../src/hash.js";
import type { Sm2CiphertextFormat } from "../src/sm2.js";
import { MAX_PLAINTEXT } from "../src/sm2-ciphertext.js";
import { sm2Kdf } from "../src/sm2-encryption.js";
import { bytesOf, checked, type GmCase, readGm, runGm } from "./sm2-vectors.js";
import { assertSame, codeOf, failureOf, runs } from "./wycheproof.js";

interface EncryptionCase extends GmCase {
  readonly privateKey: string;
  readonly msg?: string;
  readonly k?: string;
  readonly c1c3c2?: string;
  readonly c1c2c3?: string;
  readonly asn1?: string;
}

const FILE = "sm2-encrypt.json";
const cases = readGm<EncryptionCase>(FILE, 28);
const annexC = cases[0] as EncryptionCase;
const formats: readonly Sm2CiphertextFormat[] = ["c1c3c2", "c1c2c3", "asn1"];
const text = utf8ToBytes("a secret");

/** What is not even of the format, as opposed to changed. */
const MALFORMED = ["ASN.1: short", "ASN.1: C3 is 31 bytes", "ASN.1: C2 and C3 exchanged"];

describe.each(checked)("SM2 encryption by $name", (implementation) => {
  const { arithmetic } = implementation.engine;
  const annexKey = implementation.importPrivateScalar(hexToBytes(annexC.privateKey));
  const key = implementation.generateKey();

  it.each(formats)(`passes ${FILE} as %s`, async (format) => {
    const present = cases.filter((test) => test[format] !== undefined);
    const counts = await runGm(FILE, present, async (test) => {
      const own = implementation.importPrivateScalar(hexToBytes(test.privateKey));
      assertSame(own.publicKey.point, hexToBytes(test.publicKey));
      const open = () => own.decrypt(hexToBytes(test[format] ?? ""), { format });
      if (test.result === "valid") {
        assertSame(open(), hexToBytes(test.msg ?? ""));
        return "valid";
      }
      const isMalformed = MALFORMED.includes(test.why ?? "");
      expect(await codeOf(open)).toBe(isMalformed ? "ERR_CIPHERTEXT_INVALID" : "ERR_AUTHENTICATION");
      return isMalformed ? "malformed" : "refused";
    });
    expect(counts).toEqual(
      {
        c1c3c2: { valid: 17, refused: 8 },
        c1c2c3: { valid: 17 },
        asn1: { valid: 17, refused: 8, malformed: 3 },
      }[format],
    );
  });

  it("encrypts for every implementation, and in each form", () => {
    for (const other of checked) {
      const publicKey = other.importPublicKey(key.publicKey.exportSpki());
      for (const length of [1, 31, 32, 33, 1000]) {
        const plaintext = new Uint8Array(length).fill(length);
        const raw = publicKey.encrypt(plaintext);
        expect(raw).toHaveLength(length + 97);
        assertSame(key.decrypt(raw), plaintext);
        const asn1 = publicKey.encrypt(plaintext, { format: "asn1" });
        assertSame(key.decrypt(asn1, { format: "asn1" }), plaintext);
        const old = concatBytes(raw.subarray(0, 65), raw.subarray(97), raw.subarray(65, 97));
        assertSame(key.decrypt(old, { format: "c1c2c3" }), plaintext);
      }
    }
  });

  it("opens what it sealed, for any bytes", () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ minLength: 1, maxLength: 100 }),
        fc.constantFrom("c1c3c2", "asn1"),
        (bytes, format) => {
          const plaintext = Uint8Array.from(bytes);
          const ciphertext = key.publicKey.encrypt(bytes, { format });
          assertSame(bytes, plaintext);
          const copy = Uint8Array.from(ciphertext);
          assertSame(key.decrypt(ciphertext, { format }), plaintext);
          assertSame(ciphertext, copy);
        },
      ),
      runs(20),
    );
  });

  it("gives another ciphertext each time", () => {
    const all = [0, 1, 2, 3].map(() => bytesToHex(key.publicKey.encrypt(text)));
    expect(new Set(all).size).toBe(4);
    expect(new Set(all.map((hex) => hex.slice(2, 66))).size).toBe(4);
  });

  it("never sends a text with a mask of zeros, which one byte meets once in 256 times", () => {
    // As many as noble can do in a second; the faster ones make a miss as good as impossible to overlook.
    const tries = implementation.name === "wasm" ? 3000 : 100;
    for (let i = 0; i < tries; i++) expect(key.publicKey.encrypt(Uint8Array.of(0))[97]).not.toBe(0);
  });

  it("refuses a mask of zeros, though its digest is right", async () => {
    const [best] = checked;
    const publicPoint = annexKey.publicKey.point.subarray(1);
    for (let k = 1n; ; k++) {
      const shared = best?.engine.arithmetic.multiply(bytesOf(k), publicPoint) as Uint8Array;
      if (sm2Kdf(1, shared)[0] !== 0) continue;
      const c1 = arithmetic.multiplyBase(bytesOf(k));
      for (const letter of [0, 65]) {
        const tag = digest("sm3", shared.subarray(0, 32), Uint8Array.of(letter), shared.subarray(32));
        const ciphertext = concatBytes(Uint8Array.of(4), c1, tag, Uint8Array.of(letter));
        expect(await codeOf(() => annexKey.decrypt(ciphertext))).toBe("ERR_AUTHENTICATION");
      }
      return;
    }
  });

  it("answers every change with one error, and gives nothing out", async () => {
    const seen = new Set<string>();
    const ciphertext = key.publicKey.encrypt(text);
    const refuse = async (changed: Uint8Array): Promise<void> => {
      const error = (await failureOf(() => key.decrypt(changed))) as Error & { readonly code: string };
      seen.add(JSON.stringify({ ...error, message: error.message, code: error.code, cause: error.cause }));
    };
    const step = process.env["SLOW"] === "1" ? 1 : 29;
    for (let bit = 8; bit < 8 * ciphertext.length; bit += step) {
      const changed = Uint8Array.from(ciphertext);
      changed[bit >> 3] = (changed[bit >> 3] as number) ^ (1 << (bit & 7));
      await refuse(changed);
    }
    await refuse(concatBytes(ciphertext, Uint8Array.of(0)));
    await refuse(ciphertext.subarray(0, -1));
    // Points that are none: infinity as zeros, coordinates of p and above, and another point that is on the curve.
    const p = hexToBytes("fffffffeffffffffffffffffffffffffffffffff00000000ffffffffffffffff");
    const rest = ciphertext.subarray(65);
    await refuse(concatBytes(Uint8Array.of(4), new Uint8Array(64), rest));
    await refuse(concatBytes(Uint8Array.of(4), p, ciphertext.subarray(33)));
    await refuse(concatBytes(Uint8Array.of(4), new Uint8Array(64).fill(255), rest));
    await refuse(concatBytes(key.publicKey.point, rest));
    expect(seen.size).toBe(1);
    expect([...seen][0]).toContain("ERR_AUTHENTICATION");
    expect(await codeOf(() => implementation.generateKey().decrypt(ciphertext))).toBe("ERR_AUTHENTICATION");
  });

  it("refuses what is not of the format", async () => {
    // Without its first byte it must not begin with 04, the mark of an uncompressed point: one x in 256 does.
    let ciphertext = key.publicKey.encrypt(text);
    while (ciphertext[1] === 4) ciphertext = key.publicKey.encrypt(text);
    const asn1 = key.publicKey.encrypt(text, { format: "asn1" });
    const refuse = async (changed: Uint8Array, format: Sm2CiphertextFormat): Promise<void> => {
      expect(await codeOf(() => key.decrypt(changed, { format }))).toBe("ERR_CIPHERTEXT_INVALID");
    };
    for (const format of ["c1c3c2", "c1c2c3"] as const) {
      for (let length = 0; length <= 97; length++) await refuse(ciphertext.subarray(0, length), format);
      for (const first of [0, 2, 3, 5, 6, 7])
        await refuse(concatBytes(Uint8Array.of(first), ciphertext.subarray(1)), format);
      await refuse(ciphertext.subarray(1), format);
      await refuse(asn1, format);
    }
    for (let length = 0; length < asn1.length; length++) await refuse(asn1.subarray(0, length), "asn1");
    await refuse(concatBytes(asn1, Uint8Array.of(0)), "asn1");
    await refuse(ciphertext, "asn1");
    // A coordinate with a zero too many, a negative one, one of 33 bytes, no text, and a part missing.
    const [x, y, tag] = ["020111", "020122", `0420${"33".repeat(32)}`];
    for (const body of [
      `02020011${y}${tag}040144`,
      `020181${y}${tag}040144`,
      `0221${"11".repeat(33)}${y}${tag}040144`,
      `${x}${y}${tag}0400`,
      `${x}${y}${tag}`,
    ]) {
      await refuse(hexToBytes(`30${(body.length / 2).toString(16).padStart(2, "0")}${body}`), "asn1");
    }
    const wellFormed = `30${((x + y + tag).length / 2 + 3).toString(16)}${x}${y}${tag}040144`;
    expect(await codeOf(() => key.decrypt(hexToBytes(wellFormed), { format: "asn1" }))).toBe("ERR_AUTHENTICATION");
  });

  it("takes texts of 1 to 2^20 bytes, known formats and nothing but bytes", async () => {
    const bad = "text" as unknown as Uint8Array;
    for (const work of [
      () => key.publicKey.encrypt(bad),
      () => key.publicKey.encrypt(new Uint8Array(0)),
      () => key.publicKey.encrypt(new Uint8Array(MAX_PLAINTEXT + 1)),
      () => key.publicKey.encrypt(text, { format: "c1c2c3" as never }),
      () => key.publicKey.encrypt(text, { mode: 1 } as never),
      () => key.decrypt(bad),
      () => key.decrypt(text, { format: "C1C3C2" as never }),
      () => key.decrypt(text, null as never),
    ]) {
      expect(await codeOf(work)).toBe("ERR_ARGUMENT");
    }
    for (const [format, overhead] of [
      ["c1c3c2", 97],
      ["c1c2c3", 97],
      ["asn1", 114],
    ] as const) {
      const tooLong = new Uint8Array(MAX_PLAINTEXT + overhead + 1);
      const error = await failureOf(() => key.decrypt(tooLong, { format }));
      expect(error).toMatchObject({
        code: "ERR_LIMIT",
        details: { limit: "sm2CiphertextBytes", maximum: MAX_PLAINTEXT + overhead, actual: tooLong.length },
      });
      tooLong[0] = 4;
      const longest = tooLong.subarray(0, -1);
      expect(await codeOf(() => key.decrypt(longest, { format }))).toMatch(/^ERR_(AUTHENTICATION|CIPHERTEXT_INVALID)$/);
    }
  });
});

it("carries the longest text", () => {
  const [best] = checked;
  const key = best?.generateKey();
  const plaintext = new Uint8Array(MAX_PLAINTEXT).fill(5);
  const ciphertext = key?.publicKey.encrypt(plaintext, { format: "asn1" }) as Uint8Array;
  assertSame(key?.decrypt(ciphertext, { format: "asn1" }) as Uint8Array, plaintext);
});

describe("with the nonce of the standard", () => {
  afterEach(() => {
    vi.doUnmock("../src/random.js");
    vi.resetModules();
  });

  it("gives the ciphertext of GB/T 32918.5 annex C, in both forms, by each implementation", async () => {
    vi.resetModules();
    const draws: Uint8Array[] = [];
    vi.doMock("../src/random.js", () => ({ randomBytes: (length: number) => draws.shift() ?? new Uint8Array(length) }));
    const { sm2Selector } = await import("../src/sm2-select.js");
    // The node implementation signs with OpenSSL's randomness and needs none here, the others need it for their probe.
    draws.push(new Uint8Array(32).fill(1));
    const implementations = sm2Selector.available();
    expect(implementations).toHaveLength(3);
    for (const implementation of implementations) {
      const publicKey = implementation.importPublicKey(hexToBytes(annexC.publicKey));
      for (const format of ["c1c3c2", "asn1"] as const) {
        // Numbers out of range are drawn again.
        draws.length = 0;
        draws.push(new Uint8Array(32), new Uint8Array(32).fill(255), hexToBytes(annexC.k ?? ""));
        assertSame(publicKey.encrypt(hexToBytes(annexC.msg ?? ""), { format }), hexToBytes(annexC[format] ?? ""));
      }
    }
  });
});
