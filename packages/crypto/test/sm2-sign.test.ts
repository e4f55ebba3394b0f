import * as nodeCrypto from "node:crypto";
import fc from "fast-check";
import { afterEach, describe, expect, it, vi } from "vitest";
import { bytesToHex, concatBytes, hexToBytes, utf8ToBytes } from "../src/bytes.js";
import { digest } from "../src/hash.js";

import {
  generateSm2Key,
  importSm2PrivateKey,
  importSm2PublicKey,
  SM2_DEFAULT_USER_ID,
  type Sm2PrivateKey,
  type Sm2PublicKey,
  sm2Implementations,
} from "../src/sm2.js";
import { rawToDer } from "../src/sm2-signature.js";
import { bytesOf, checked, type GmCase, inverse, mod, n, numberOf, readGm, runGm } from "./sm2-vectors.js";
import { assertSame, codeOf, runs } from "./wycheproof.js";

interface SignatureCase extends GmCase {
  readonly id: string;
  readonly msg: string;
  readonly signatureDer: string;
  readonly za?: string;
  readonly e?: string;
  readonly r?: string;
  readonly s?: string;
  readonly k?: string;
}

const FILE = "sm2-sign.json";
const cases = readGm<SignatureCase>(FILE, 37);
const annexA = cases[0] as SignatureCase;
const text = utf8ToBytes("a message");

/** Verifies as OpenSSL does when it is handed Z before the message. */
function opensslVerifies(key: Sm2PublicKey, message: Uint8Array, der: Uint8Array, userId?: string): boolean {
  const publicKey = nodeCrypto.createPublicKey(key.exportSpkiPem());
  return nodeCrypto.createVerify("sm3").update(key.identityDigest(userId)).update(message).verify(publicKey, der);
}

it("runs wasm, node and noble here", () => {
  expect(sm2Implementations().map(({ name }) => name)).toEqual(["wasm", "node", "noble"]);
});

describe.each(checked)("SM2 signatures by $name", (implementation) => {
  const { arithmetic } = implementation.engine;

  it(`passes ${FILE}: messages, digests and identities, as DER`, async () => {
    const counts = await runGm(FILE, cases, async (test) => {
      const [message, signature, userId] = [test.msg, test.signatureDer, test.id].map(hexToBytes) as [
        Uint8Array,
        Uint8Array,
        Uint8Array,
      ];
      const read = () => implementation.importPublicKey(hexToBytes(test.publicKey));
      if (test.why?.startsWith("public key")) {
        expect(await codeOf(read)).toBe("ERR_KEY_INVALID");
        return "key refused";
      }
      const key = read();
      assertSame(key.identityDigest(userId), hexToBytes(test.za ?? ""));
      const isValid = test.result === "valid";
      expect(key.verify(message, signature, { userId })).toBe(isValid);
      expect(key.verifyDigest(hexToBytes(test.e ?? ""), signature)).toBe(isValid);
      return test.result;
    });
    expect(counts).toEqual({ valid: 18, invalid: 17, "key refused": 2 });
  });

  it(`passes ${FILE} as r and s side by side`, async () => {
    const valid = cases.filter(({ result }) => result === "valid");
    const counts = await runGm(FILE, valid, ({ publicKey, id, msg, r = "", s = "", signatureDer }) => {
      const key = implementation.importPublicKey(hexToBytes(publicKey));
      const raw = hexToBytes(r + s);
      assertSame(rawToDer(raw), hexToBytes(signatureDer));
      const options = { userId: hexToBytes(id), format: "raw" } as const;
      expect(key.verify(hexToBytes(msg), raw, options)).toBe(true);
      expect(key.verify(hexToBytes(msg), raw, { userId: options.userId })).toBe(false);
      return "valid";
    });
    expect(counts).toEqual({ valid: 18 });
  });

  it("signs as GB/T 32918.5 annex A does with its nonce", () => {
    const signingKey = arithmetic.signingKey(hexToBytes(annexA.privateKey ?? ""));
    const raw = arithmetic.sign(signingKey, hexToBytes(annexA.k ?? ""), hexToBytes(annexA.e ?? ""));
    expect(bytesToHex(raw as Uint8Array)).toBe(`${annexA.r}${annexA.s}`);
  });

  it("asks for another nonce where r, r + k or s are zero", () => {
    const d = numberOf(hexToBytes(annexA.privateKey ?? ""));
    const k = 0x1234567890abcdefn;
    const x = numberOf(arithmetic.multiplyBase(bytesOf(k)).subarray(0, 32));
    const signingKey = arithmetic.signingKey(bytesOf(d));
    const signs = (r: bigint): boolean => arithmetic.sign(signingKey, bytesOf(k), bytesOf(mod(r - x))) !== undefined;
    expect(signs(0n)).toBe(false);
    expect(signs(n - k)).toBe(false);
    // s = (k - rd) / (1 + d)
    expect(signs(mod(k * inverse(d)))).toBe(false);
    expect([1n, n - 1n, n - k + 1n].map(signs)).toEqual([true, true, true]);
  });

  it("verifies where the two multiples are equal, and refuses where they cancel each other out", () => {
    const d = numberOf(hexToBytes(annexA.privateKey ?? ""));
    const key = implementation.importPublicKey(hexToBytes(annexA.publicKey));
    const s = 0x123456789n;
    const verifies = (t: bigint, x: bigint): boolean => {
      const r = mod(t - s);
      return key.verifyDigest(bytesOf(mod(r - x)), concatBytes(bytesOf(r), bytesOf(s)), { format: "raw" });
    };
    // t * P = s * G, so that the sum is 2s * G.
    const double = numberOf(arithmetic.multiplyBase(bytesOf(2n * s)).subarray(0, 32));
    expect(verifies(mod(s * inverse(d)), double)).toBe(true);
    expect(verifies(mod(s * inverse(d)), double + 1n)).toBe(false);
    for (const x of [0n, 1n, double]) expect(verifies(mod(-s * inverse(d)), x)).toBe(false);
    // t = 0 leaves s * G alone, whose x would fit.
    const single = numberOf(arithmetic.multiplyBase(bytesOf(s)).subarray(0, 32));
    expect(verifies(0n, single)).toBe(false);
  });

  it("refuses r and s out of range, r + s = n, and other lengths, without throwing", () => {
    const key = implementation.importPublicKey(hexToBytes(annexA.publicKey));
    const e = hexToBytes(annexA.e ?? "");
    const [r, s] = [hexToBytes(annexA.r ?? ""), hexToBytes(annexA.s ?? "")] as const;
    const right = concatBytes(r, s);
    const verifies = (raw: Uint8Array): boolean => key.verifyDigest(e, raw, { format: "raw" });
    expect(verifies(right)).toBe(true);
    const wrong = [
      ...[0n, n, n + 1n, 2n ** 256n - 1n].flatMap((value) => [
        concatBytes(bytesOf(value), s),
        concatBytes(r, bytesOf(value)),
      ]),
      concatBytes(r, bytesOf(n - numberOf(r))),
      concatBytes(bytesOf(1n), bytesOf(n - 1n)),
      concatBytes(s, r),
      concatBytes(right, Uint8Array.of(0)),
      concatBytes(Uint8Array.of(0), right),
      right.subarray(1),
      right.subarray(0, 63),
      r,
      new Uint8Array(0),
    ];
    expect(wrong.map(verifies)).toEqual(wrong.map(() => false));
    for (const raw of wrong.slice(0, 11)) {
      expect(key.verifyDigest(e, rawToDer(raw))).toBe(false);
      expect(key.verify(hexToBytes(annexA.msg), rawToDer(raw))).toBe(false);
    }
  });

  it("signs what every implementation and OpenSSL verify, with each id and in each form", () => {
    const key = implementation.generateKey();
    for (const userId of [undefined, "", "张三", SM2_DEFAULT_USER_ID, "x".repeat(8191)]) {
      const options = userId === undefined ? {} : { userId };
      const e = digest("sm3", key.publicKey.identityDigest(userId), text);
      const signatures = [key.sign(text, options), key.signDigest(e)];
      const raw = [key.sign(text, { ...options, format: "raw" }), key.signDigest(e, { format: "raw" })];
      for (const other of checked) {
        const publicKey = other.importPublicKey(key.publicKey.point);
        for (const signature of signatures) expect(publicKey.verify(text, signature, options)).toBe(true);
        for (const signature of raw) expect(publicKey.verifyDigest(e, signature, { format: "raw" })).toBe(true);
      }
      for (const signature of signatures) expect(opensslVerifies(key.publicKey, text, signature, userId)).toBe(true);
    }
    expect(key.publicKey.verify(text, key.sign(text), { userId: SM2_DEFAULT_USER_ID })).toBe(true);
    expect(key.publicKey.verify(text, key.sign(text), { userId: "" })).toBe(false);
  });

  it("verifies what OpenSSL signs", () => {
    const key = implementation.generateKey();
    const privateKey = nodeCrypto.createPrivateKey(key.exportPkcs8Pem());
    const z = key.publicKey.identityDigest("Alice");
    const signature = nodeCrypto.createSign("sm3").update(z).update(text).sign(privateKey);
    expect(key.publicKey.verify(text, signature, { userId: "Alice" })).toBe(true);
    expect(key.publicKey.verify(text, signature)).toBe(false);
    // OpenSSL's one-shot form takes an empty id.
    expect(key.publicKey.verify(text, nodeCrypto.sign("sm3", text, privateKey), { userId: "" })).toBe(true);
  });

  it("gives another signature each time", () => {
    const key = implementation.generateKey();
    const e = digest("sm3", text);
    const all = [key.sign(text), key.sign(text), key.signDigest(e), key.signDigest(e)];
    expect(new Set(all.map(bytesToHex)).size).toBe(4);
  });

  it("rejects a signature with any one bit flipped, cut, or with a byte more, and never throws", () => {
    const key = implementation.generateKey();
    const signature = key.sign(text);
    const verifies = (bytes: Uint8Array): boolean => key.publicKey.verify(text, bytes);
    expect(verifies(signature)).toBe(true);
    // Every bit of the framing, and a few of each number: the rest is for SLOW=1.
    const step = process.env["SLOW"] === "1" ? 1 : 13;
    for (let bit = 0; bit < 8 * signature.length; bit += bit < 40 ? 1 : step) {
      const changed = Uint8Array.from(signature);
      changed[bit >> 3] = (changed[bit >> 3] as number) ^ (1 << (bit & 7));
      expect(verifies(changed)).toBe(false);
    }
    for (let length = 0; length < signature.length; length++) {
      expect(verifies(signature.subarray(0, length))).toBe(false);
    }
    expect(verifies(concatBytes(signature, Uint8Array.of(0)))).toBe(false);
    expect(key.publicKey.verify(concatBytes(text, text), signature)).toBe(false);
    expect(implementation.generateKey().publicKey.verify(text, signature)).toBe(false);
  });

  it("takes nothing but bytes, known options and ids of at most 8191 bytes", async () => {
    const key = implementation.generateKey();
    const call = (work: () => unknown) => codeOf(work);
    const bad = "text" as unknown as Uint8Array;
    const wrong: readonly (() => unknown)[] = [
      () => key.sign(bad),
      () => key.sign(text, { userID: "x" } as never),
      () => key.sign(text, { format: "hex" as never }),
      () => key.sign(text, { userId: 1 as never }),
      () => key.sign(text, { userId: new Uint8Array(8192) }),
      () => key.sign(text, null as never),
      () => key.signDigest(new Uint8Array(31)),
      () => key.signDigest(new Uint8Array(32), { userId: "x" } as never),
      () => key.publicKey.verify(bad, text),
      () => key.publicKey.verify(text, bad),
      () => key.publicKey.verify(text, text, { userId: "\ud800" }),
      () => key.publicKey.verifyDigest(new Uint8Array(33), text),
      () => key.publicKey.identityDigest(1 as never),
    ];
    for (const work of wrong) expect(await call(work)).toBe("ERR_ARGUMENT");
    for (const work of wrong) expect(work).toThrow(/^"(message|options|format|userId|digest|signature|text)"/);
  });

  it("changes no argument and keeps its own buffers to itself", () => {
    const key = implementation.generateKey();
    const [message, userId] = [Uint8Array.from(text), utf8ToBytes("id")];
    const signature = key.sign(message, { userId, format: "raw" });
    const copy = Uint8Array.from(signature);
    key.publicKey.point.fill(0);
    key.publicKey.identityDigest().fill(0);
    expect(key.publicKey.verify(message, signature, { userId, format: "raw" })).toBe(true);
    assertSame(message, text);
    assertSame(userId, utf8ToBytes("id"));
    assertSame(signature, copy);
    expect(Buffer.isBuffer(key.sign(text))).toBe(false);
    expect(key.publicKey.verify(text, key.sign(text))).toBe(true);
  });
});

describe("nonces", () => {
  afterEach(() => {
    vi.doUnmock("../src/random.js");
    vi.resetModules();
  });

  async function withRandomness(fill: number): Promise<typeof import("../src/sm2-signature.js")> {
    vi.resetModules();
    vi.doMock("../src/random.js", () => ({ randomBytes: (length: number) => new Uint8Array(length).fill(fill) }));
    return await import("../src/sm2-signature.js");
  }

  const hmac = (key: Uint8Array, ...data: readonly Uint8Array[]): Uint8Array => {
    const state = nodeCrypto.createHmac("sm3", key);
    for (const part of data) state.update(part);
    return state.digest();
  };

  it("follow RFC 6979 with additional data", async () => {
    const { HedgedNonces } = await withRandomness(7);
    fc.assert(
      fc.property(
        fc.uint8Array({ minLength: 32, maxLength: 32 }),
        fc.uint8Array({ minLength: 32, maxLength: 32 }),
        (d, e) => {
          const nonces = new HedgedNonces(d, e);
          // RFC 6979 3.2, steps b to h, with the additional data of 3.6.
          const seed = [d, e, new Uint8Array(32).fill(7)];
          let value: Uint8Array = new Uint8Array(32).fill(1);
          let key = hmac(new Uint8Array(32), value, Uint8Array.of(0), ...seed);
          value = hmac(key, value);
          key = hmac(key, value, Uint8Array.of(1), ...seed);
          value = hmac(key, value);
          for (let i = 0; i < 3; i++) {
            value = hmac(key, value);
            assertSame(nonces.next(), value);
            key = hmac(key, value, Uint8Array.of(0));
            value = hmac(key, value);
          }
        },
      ),
      runs(20),
    );
  });

  it("differ by key, by digest and by randomness, each alone", async () => {
    const zero = new Uint8Array(32);
    const one = new Uint8Array(32).fill(1);
    const first = await withRandomness(0);
    const nonces = [
      new first.HedgedNonces(zero, zero),
      new first.HedgedNonces(one, zero),
      new first.HedgedNonces(zero, one),
      new (await withRandomness(1)).HedgedNonces(zero, zero),
    ].map((each) => bytesToHex(each.next()));
    expect(new Set(nonces).size).toBe(4);
  });

  it("stay apart while the system's randomness stands still", async () => {
    await withRandomness(9);
    const { sm2Selector } = await import("../src/sm2-select.js");
    for (const implementation of sm2Selector.available().filter(({ name }) => name !== "node")) {
      const key: Sm2PrivateKey = implementation.importPrivateScalar(hexToBytes(annexA.privateKey ?? ""));
      const sign = (message: string): string => bytesToHex(key.sign(utf8ToBytes(message), { format: "raw" }));
      expect(sign("a")).toBe(sign("a"));
      // Two signatures of one nonce would have one r - e.
      const nonceX = (message: string): bigint =>
        mod(
          numberOf(hexToBytes(sign(message).slice(0, 64))) -
            numberOf(digest("sm3", key.publicKey.identityDigest(), utf8ToBytes(message))),
        );
      expect(nonceX("a")).not.toBe(nonceX("b"));
    }
  });
});

it("offers the chosen implementation", () => {
  const key = generateSm2Key();
  const again = importSm2PrivateKey(key.exportPkcs8());
  expect(importSm2PublicKey(key.publicKey.exportSpki()).verify(text, again.sign(text))).toBe(true);
});
