import * as nodeCrypto from "node:crypto";
import fc from "fast-check";
import { describe, expect, it, vi } from "vitest";
import { bytesToHex, concatBytes, hexToBytes, utf8ToBytes } from "../src/bytes.js";
import {
  createEcdsaVerifier,
  derSignatureToRaw,
  type EcdsaCurve,
  type EcdsaSignatureEncoding,
  ecdsaImplementations,
  ecdsaPublicKeyFromSpki,
  ecdsaPublicKeyToSpki,
  generateEcdsaKey,
  importEcdsaPrivateKey,
  importEcdsaPublicKey,
  rawSignatureToDer,
  verifyEcdsaDigest,
} from "../src/ecdsa.js";
import { digest } from "../src/hash.js";
import {
  assertSame,
  codeOf,
  readWycheproof,
  runCases,
  runs,
  type WycheproofCase,
  type WycheproofGroup,
} from "./wycheproof.js";

interface SignatureCase extends WycheproofCase {
  readonly msg: string;
  readonly sig: string;
}

interface SignatureGroup extends WycheproofGroup<SignatureCase> {
  readonly publicKeyDer: string;
}

const implementations = ecdsaImplementations();
const curves: readonly EcdsaCurve[] = ["P-256", "P-384"];
const nodeNames = { "P-256": "prime256v1", "P-384": "secp384r1" };
const hashOf = { "P-256": "sha256", "P-384": "sha384" } as const;
const orders = {
  "P-256": "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551",
  "P-384": "ffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf581a0db248b0a77aecec196accc52973",
};
const text = utf8ToBytes("a message");

it("runs node and noble here", () => {
  expect(implementations.map(({ name }) => name)).toEqual(["node", "noble"]);
});

/** A key pair of OpenSSL, as DER. */
function opensslKey(namedCurve: string): { readonly pkcs8: Uint8Array; readonly spki: Uint8Array } {
  const { privateKey, publicKey } = nodeCrypto.generateKeyPairSync("ec", { namedCurve });
  const pkcs8 = privateKey.export({ format: "der", type: "pkcs8" });
  return { pkcs8, spki: publicKey.export({ format: "der", type: "spki" }) };
}

describe.each(implementations)("ECDSA by $name", (implementation) => {
  /** Verifies in two parts and at once by turns. */
  let turn = 0;
  const verifies = (
    curve: EcdsaCurve,
    publicKey: Uint8Array,
    message: Uint8Array,
    signature: Uint8Array,
    encoding: EcdsaSignatureEncoding = "der",
  ): boolean => {
    const key = implementation.importPublicKey(curve, publicKey);
    if (turn++ % 2 === 0) return key.verify(message, signature, encoding);
    const verifier = key.createVerifier();
    verifier.update(message.subarray(0, message.length >> 1));
    verifier.update(message.subarray(message.length >> 1));
    return verifier.verify(signature, encoding);
  };

  it.each([
    ["P-256", "ecdsa_secp256r1_sha256_test.json", 484, 174],
    ["P-384", "ecdsa_secp384r1_sha384_test.json", 504, 194],
  ] as const)(
    "%s passes %s: high s included, every other encoding than strict DER refused",
    async (curve, name, count, valid) => {
      const file = readWycheproof<SignatureCase, SignatureGroup>(name, count);
      const counts = await runCases<SignatureCase, SignatureGroup>(file, (test, group) => {
        const publicKey = ecdsaPublicKeyFromSpki(curve, hexToBytes(group.publicKeyDer));
        const result = verifies(curve, publicKey, hexToBytes(test.msg), hexToBytes(test.sig));
        expect(result).toBe(test.result === "valid");
        return test.result;
      });
      expect(counts).toEqual({ valid, invalid: count - valid });
    },
  );

  it.each([
    ["P-256", "ecdsa_secp256r1_sha256_p1363_test.json", 262, 173],
    ["P-384", "ecdsa_secp384r1_sha384_p1363_test.json", 280, 193],
  ] as const)("%s passes %s, raw and through rawSignatureToDer", async (curve, name, count, valid) => {
    const file = readWycheproof<SignatureCase, SignatureGroup>(name, count);
    const counts = await runCases<SignatureCase, SignatureGroup>(file, async (test, group) => {
      const publicKey = ecdsaPublicKeyFromSpki(curve, hexToBytes(group.publicKeyDer));
      const [message, signature] = [hexToBytes(test.msg), hexToBytes(test.sig)];
      expect(verifies(curve, publicKey, message, signature, "raw")).toBe(test.result === "valid");
      let der: Uint8Array;
      try {
        der = rawSignatureToDer(curve, signature);
      } catch (error) {
        // A wrong length, or a number that is not in 1..n-1.
        expect(test.result).toBe("invalid");
        expect(await codeOf(() => Promise.reject(error))).toBe("ERR_AUTHENTICATION");
        return "refused";
      }
      assertSame(derSignatureToRaw(curve, der), signature);
      if (implementation.name === "node")
        expect(verifies(curve, publicKey, message, der)).toBe(test.result === "valid");
      return test.result;
    });
    expect(counts["valid"]).toBe(valid);
    expect((counts["invalid"] ?? 0) + (counts["refused"] ?? 0)).toBe(count - valid);
    expect(counts["refused"]).toBeGreaterThan(10);
  });

  describe.each(curves)("%s", (curve) => {
    const key = implementation.generateKey(curve);
    const sign = (): Uint8Array => {
      const signer = key.createSigner();
      signer.update(text.subarray(0, 2));
      signer.update(text.subarray(2));
      return signer.sign();
    };

    it("signs what every implementation and OpenSSL verify, also at once and from a digest", () => {
      const spki = ecdsaPublicKeyToSpki(curve, key.publicKey);
      const publicKey = nodeCrypto.createPublicKey({ key: Buffer.from(spki), format: "der", type: "spki" });
      for (const signature of [sign(), key.sign(text), key.signDigest(digest(hashOf[curve], text))]) {
        expect(Buffer.isBuffer(signature)).toBe(false);
        for (const other of implementations) {
          const verifier = other.createVerifier(curve, key.publicKey);
          verifier.update(text);
          expect(verifier.verify(signature)).toBe(true);
          expect(other.importPublicKey(curve, key.publicKey).verify(text, signature)).toBe(true);
        }
        expect(nodeCrypto.verify(hashOf[curve], text, publicKey, signature)).toBe(true);
        expect(verifyEcdsaDigest(curve, key.publicKey, digest(hashOf[curve], text), signature)).toBe(true);
        expect(verifyEcdsaDigest(curve, key.publicKey, digest(hashOf[curve], text, text), signature)).toBe(false);
      }
    });

    it("writes r and s side by side, as OpenSSL does, and takes them so", () => {
      const spki = ecdsaPublicKeyToSpki(curve, key.publicKey);
      const theirKey = nodeCrypto.createPublicKey({ key: Buffer.from(spki), format: "der", type: "spki" });
      const publicKey = implementation.importPublicKey(curve, key.publicKey);
      assertSame(publicKey.publicKey, key.publicKey);
      expect(publicKey.curve).toBe(curve);
      const hash = digest(hashOf[curve], text);
      const signer = key.createSigner();
      signer.update(text);
      for (const signature of [signer.sign("raw"), key.sign(text, "raw"), key.signDigest(hash, "raw")]) {
        expect(signature).toHaveLength(curve === "P-256" ? 64 : 96);
        const options = { key: theirKey, dsaEncoding: "ieee-p1363" } as const;
        expect(nodeCrypto.verify(hashOf[curve], text, options, signature)).toBe(true);
        expect(verifies(curve, key.publicKey, text, signature, "raw")).toBe(true);
        expect(publicKey.verifyDigest(hash, signature, "raw")).toBe(true);
        expect(verifyEcdsaDigest(curve, key.publicKey, hash, signature, "raw")).toBe(true);
        // Neither is taken for the other, and no byte may be missing or over.
        expect(verifies(curve, key.publicKey, text, signature)).toBe(false);
        expect(publicKey.verifyDigest(hash, signature)).toBe(false);
        const der = rawSignatureToDer(curve, signature);
        expect(verifies(curve, key.publicKey, text, der, "raw")).toBe(false);
        expect(publicKey.verifyDigest(hash, der)).toBe(true);
        expect(publicKey.verifyDigest(hash, der, "raw")).toBe(false);
        for (const wrong of [signature.subarray(1), concatBytes(signature, Uint8Array.of(0)), new Uint8Array(0)])
          expect(verifies(curve, key.publicKey, text, wrong, "raw")).toBe(false);
        for (let bit = 0; bit < 8 * signature.length; bit += 37) {
          const changed = Uint8Array.from(signature);
          changed[bit >> 3] = (changed[bit >> 3] as number) ^ (1 << (bit & 7));
          expect(verifies(curve, key.publicKey, text, changed, "raw")).toBe(false);
        }
      }
    });

    it("knows two encodings and no other", () => {
      const publicKey = implementation.importPublicKey(curve, key.publicKey);
      const hash = digest(hashOf[curve], text);
      const argument = expect.objectContaining({ name: "RangeError", code: "ERR_ARGUMENT" });
      for (const encoding of ["DER", "p1363", "constructor", "", null, 5] as unknown as EcdsaSignatureEncoding[]) {
        const [signer, verifier] = [key.createSigner(), publicKey.createVerifier()];
        expect(() => signer.sign(encoding)).toThrow(argument);
        expect(() => verifier.verify(text, encoding)).toThrow(argument);
        // Neither was used up.
        expect(verifier.verify(signer.sign())).toBe(true);
        expect(() => key.sign(text, encoding)).toThrow(argument);
        expect(() => key.signDigest(hash, encoding)).toThrow(argument);
        expect(() => publicKey.verify(text, text, encoding)).toThrow(argument);
        expect(() => publicKey.verifyDigest(hash, text, encoding)).toThrow(argument);
      }
      const wrong = "text" as unknown as Uint8Array;
      expect(() => key.sign(wrong)).toThrow(TypeError);
      expect(() => publicKey.verify(wrong, text)).toThrow(TypeError);
      expect(() => publicKey.verify(text, wrong)).toThrow(TypeError);
      expect(() => publicKey.verifyDigest(hash, wrong)).toThrow(TypeError);
      expect(() => publicKey.verifyDigest(new Uint8Array(20), text)).toThrow(RangeError);
    });

    it("gives another signature each time", () => {
      const hash = digest(hashOf[curve], text);
      const all = [sign(), sign(), key.signDigest(hash), key.signDigest(hash)].map(bytesToHex);
      expect(new Set(all).size).toBe(4);
    });

    it("rejects a signature with any one bit flipped, cut, or with a byte more, and never throws", () => {
      const signature = sign();
      expect(verifies(curve, key.publicKey, text, signature)).toBe(true);
      // Every bit of the framing, and one bit of each other byte: the rest is for SLOW=1.
      const step = process.env["SLOW"] === "1" ? 1 : 5;
      for (let bit = 0; bit < 8 * signature.length; bit += bit < 40 ? 1 : step) {
        const changed = Uint8Array.from(signature);
        changed[bit >> 3] = (changed[bit >> 3] as number) ^ (1 << (bit & 7));
        expect(verifies(curve, key.publicKey, text, changed)).toBe(false);
      }
      for (let length = 0; length < signature.length; length++) {
        expect(verifies(curve, key.publicKey, text, signature.subarray(0, length))).toBe(false);
      }
      expect(verifies(curve, key.publicKey, text, concatBytes(signature, Uint8Array.of(0)))).toBe(false);
      expect(verifies(curve, key.publicKey, concatBytes(text, text), signature)).toBe(false);
      expect(verifies(curve, implementation.generateKey(curve).publicKey, text, signature)).toBe(false);
    });

    it("holds signers and verifiers to one use and to bytes", async () => {
      const signer = key.createSigner();
      expect(() => signer.update("text" as unknown as Uint8Array)).toThrow(TypeError);
      const signature = signer.sign();
      expect(await codeOf(() => signer.sign())).toBe("ERR_CLOSED");
      expect(await codeOf(() => signer.update(text))).toBe("ERR_CLOSED");
      const verifier = implementation.createVerifier(curve, key.publicKey);
      expect(() => verifier.verify("text" as unknown as Uint8Array)).toThrow(TypeError);
      expect(verifier.verify(signature)).toBe(true);
      expect(await codeOf(() => verifier.verify(signature))).toBe("ERR_CLOSED");
      expect(await codeOf(() => verifier.update(text))).toBe("ERR_CLOSED");
      expect(() => key.signDigest(new Uint8Array(20))).toThrow(RangeError);
    });

    it("reads and writes PKCS#8 and SPKI byte for byte as OpenSSL does", () => {
      const { pkcs8, spki } = opensslKey(nodeNames[curve]);
      const imported = implementation.importPrivateKey(curve, pkcs8);
      assertSame(imported.exportPkcs8(), pkcs8);
      assertSame(ecdsaPublicKeyToSpki(curve, imported.publicKey), spki);
      assertSame(ecdsaPublicKeyFromSpki(curve, spki), imported.publicKey);
      expect(imported.curve).toBe(curve);
      const again = implementation.importPrivateKey(curve, key.exportPkcs8());
      assertSame(again.publicKey, key.publicKey);
    });

    it("keeps its public key to itself, and nothing of the buffer it was read from", () => {
      const pkcs8 = key.exportPkcs8();
      const imported = implementation.importPrivateKey(curve, pkcs8);
      pkcs8.fill(0);
      imported.publicKey.fill(0);
      imported.exportPkcs8().fill(0);
      assertSame(imported.publicKey, key.publicKey);
      assertSame(imported.exportPkcs8(), key.exportPkcs8());
      const signer = imported.createSigner();
      expect(verifies(curve, key.publicKey, new Uint8Array(0), signer.sign())).toBe(true);
    });

    it("reads a private key without its public point, and refuses a foreign one and numbers out of range", async () => {
      const size = curve === "P-256" ? 32 : 48;
      const scalarAt = bytesToHex(key.exportPkcs8()).indexOf(`04${size.toString(16)}`, 50) / 2 + 2;
      const withScalar = (scalar: Uint8Array): Uint8Array => {
        const pkcs8 = key.exportPkcs8();
        pkcs8.set(scalar, scalarAt);
        return pkcs8;
      };
      const scalar = key.exportPkcs8().subarray(scalarAt, scalarAt + size);
      const other = implementation
        .generateKey(curve)
        .exportPkcs8()
        .subarray(scalarAt, scalarAt + size);
      for (const wrong of [other, new Uint8Array(size), hexToBytes(orders[curve]), new Uint8Array(size).fill(255)]) {
        expect(await codeOf(() => implementation.importPrivateKey(curve, withScalar(wrong)))).toBe("ERR_KEY_INVALID");
      }
      // RFC 5915: the point may be left out.
      const oid = curve === "P-256" ? "06082a8648ce3d030107" : "06052b81040022";
      const algorithm = `06072a8648ce3d0201${oid}`;
      const wrap = (tag: string, hex: string): string =>
        `${tag}${(hex.length / 2).toString(16).padStart(2, "0")}${hex}`;
      const inner = wrap("30", `020101${wrap("04", bytesToHex(scalar))}`);
      const short = wrap("30", `020100${wrap("30", algorithm)}${wrap("04", inner)}`);
      assertSame(implementation.importPrivateKey(curve, hexToBytes(short)).publicKey, key.publicKey);
      assertSame(implementation.importPrivateKey(curve, hexToBytes(short)).exportPkcs8(), key.exportPkcs8());
    });

    it("refuses private keys of other curves and every damaged one", async () => {
      const others = [...Object.values(nodeNames), "secp256k1", "secp521r1"].filter(
        (name) => name !== nodeNames[curve],
      );
      for (const name of others) {
        expect(await codeOf(() => implementation.importPrivateKey(curve, opensslKey(name).pkcs8))).toBe(
          "ERR_KEY_INVALID",
        );
      }
      const { pkcs8, spki } = opensslKey(nodeNames[curve]);
      for (let length = 0; length < pkcs8.length; length++) {
        expect(await codeOf(() => implementation.importPrivateKey(curve, pkcs8.subarray(0, length)))).toBe(
          "ERR_KEY_INVALID",
        );
      }
      for (const wrong of [concatBytes(pkcs8, Uint8Array.of(0)), spki, new Uint8Array(0)]) {
        expect(await codeOf(() => implementation.importPrivateKey(curve, wrong))).toBe("ERR_KEY_INVALID");
      }
      expect(() => implementation.importPrivateKey(curve, "text" as unknown as Uint8Array)).toThrow(TypeError);
    });

    it("refuses every public key but a compressed point on the curve", async () => {
      const { publicKey } = key;
      const [first, ...x] = publicKey;
      const offCurve = Uint8Array.from(publicKey);
      const onCurve = (point: Uint8Array): boolean => {
        try {
          nodeCrypto.ECDH.convertKey(point, nodeNames[curve]);
          return true;
        } catch {
          return false;
        }
      };
      while (onCurve(offCurve)) offCurve[offCurve.length - 1] = (offCurve.at(-1) as number) + 1;
      const uncompressed = nodeCrypto.ECDH.convertKey(
        publicKey,
        nodeNames[curve],
        undefined,
        undefined,
        "uncompressed",
      ) as Uint8Array;
      for (const wrong of [
        new Uint8Array(0),
        Uint8Array.of(0),
        publicKey.subarray(1),
        publicKey.subarray(0, -1),
        concatBytes(publicKey, Uint8Array.of(0)),
        Uint8Array.of(4, ...x),
        Uint8Array.of(0, ...x),
        Uint8Array.of((first as number) | 4, ...x),
        offCurve,
        new Uint8Array(publicKey.length).fill(255).fill(2, 0, 1),
        uncompressed,
        ecdsaPublicKeyToSpki(curve, publicKey),
      ]) {
        expect(await codeOf(() => implementation.createVerifier(curve, wrong))).toBe("ERR_KEY_INVALID");
        expect(await codeOf(() => implementation.importPublicKey(curve, wrong))).toBe("ERR_KEY_INVALID");
      }
    });
  });
});

it("leaves no copy of a private key that node was given", () => {
  const node = process.getBuiltinModule("node:crypto");
  const spy = vi.spyOn(node, "createPrivateKey");
  try {
    generateEcdsaKey("P-256");
    const [options] = spy.mock.calls[0] as unknown as [{ readonly key: Uint8Array }];
    expect(options.key.length).toBe(138);
    expect(options.key.every((byte) => byte === 0)).toBe(true);
  } finally {
    spy.mockRestore();
  }
});

describe("public keys in SPKI", () => {
  it("refuses other curves, compressed points, points off the curve and damaged bytes", async () => {
    const { spki } = opensslKey("prime256v1");
    const read = (bytes: Uint8Array) => () => ecdsaPublicKeyFromSpki("P-256", bytes);
    expect(await codeOf(read(opensslKey("secp384r1").spki))).toBe("ERR_KEY_INVALID");
    expect(await codeOf(read(opensslKey("secp256k1").spki))).toBe("ERR_KEY_INVALID");
    for (let length = 0; length < spki.length; length++)
      expect(await codeOf(read(spki.subarray(0, length)))).toBe("ERR_KEY_INVALID");
    for (let i = 0; i < spki.length; i++) {
      const changed = Uint8Array.from(spki);
      changed[i] = (changed[i] as number) ^ 1;
      expect(await codeOf(read(changed))).toBe("ERR_KEY_INVALID");
    }
    const compressed = concatBytes(
      hexToBytes("3039301306072a8648ce3d020106082a8648ce3d030107032200"),
      ecdsaPublicKeyFromSpki("P-256", spki),
    );
    expect(await codeOf(read(compressed))).toBe("ERR_KEY_INVALID");
    // The hybrid form (SEC 1 section 2.3.3 has it no more), which OpenSSL takes.
    const hybrid = Uint8Array.from(spki);
    hybrid[26] = 6 | ((hybrid.at(-1) as number) & 1);
    expect(nodeCrypto.createPublicKey({ key: Buffer.from(hybrid), format: "der", type: "spki" }).type).toBe("public");
    expect(await codeOf(read(hybrid))).toBe("ERR_KEY_INVALID");
    expect(await codeOf(() => ecdsaPublicKeyToSpki("P-256", Uint8Array.of(2)))).toBe("ERR_KEY_INVALID");
  });
});

describe("signature encodings", () => {
  it("turn raw into DER and back for all r and s in range", () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...curves),
        fc.boolean(),
        fc.infiniteStream(fc.nat(255)),
        (curve, isSmall, stream) => {
          const size = curve === "P-256" ? 32 : 48;
          const raw = Uint8Array.from(stream.take(2 * size));
          // Below the order for sure; in half of the runs with many leading zeros.
          raw.fill(0, 0, isSmall ? size - 2 : 1);
          raw.fill(0, size, isSmall ? size + 20 : size + 1);
          raw[size - 1] = (raw[size - 1] as number) | 1;
          raw[2 * size - 1] = (raw[2 * size - 1] as number) | 1;
          assertSame(derSignatureToRaw(curve, rawSignatureToDer(curve, raw)), raw);
        },
      ),
      runs(300),
    );
  });

  it.each([
    ["r is zero", "3006020100020101"],
    ["s is zero", "3006020101020100"],
    ["r is negative", "30060201ff020101"],
    ["r has a superfluous zero", "300702020001020101"],
    ["r is empty", "30050200020101"],
    ["s is missing", "3003020101"],
    ["a third number", "3009020101020101020101"],
    ["a byte after the sequence", "300602010102010100"],
    ["a byte within the sequence", "300702010102010100"],
    ["a long length form", "308106020101020101"],
    ["an indefinite length", "30800201010201010000"],
    ["a set", "3106020101020101"],
    ["an octet string", "3006040101020101"],
    ["a cut length", "3081"],
    ["a length of four bytes", "308400000006020101020101"],
    ["nothing", ""],
    ["r is the order", `30260221 00${orders["P-256"]}020101`.replace(" ", "")],
    ["r is longer than the order", `302702220100${"00".repeat(32)}020101`],
  ])("refuse DER when %s", async (_what, hex) => {
    expect(await codeOf(() => derSignatureToRaw("P-256", hexToBytes(hex)))).toBe("ERR_AUTHENTICATION");
    const key = generateEcdsaKey("P-256");
    expect(createEcdsaVerifier("P-256", key.publicKey).verify(hexToBytes(hex))).toBe(false);
    expect(verifyEcdsaDigest("P-256", key.publicKey, new Uint8Array(32), hexToBytes(hex))).toBe(false);
  });

  it("accept the largest r and s", () => {
    const largest = hexToBytes(orders["P-256"]);
    largest[31] = (largest[31] as number) - 1;
    const raw = concatBytes(largest, largest);
    assertSame(derSignatureToRaw("P-256", rawSignatureToDer("P-256", raw)), raw);
    expect(rawSignatureToDer("P-256", raw)).toHaveLength(72);
  });

  it("refuse raw bytes of other lengths and out of range", async () => {
    for (const raw of [
      new Uint8Array(0),
      new Uint8Array(63),
      new Uint8Array(65),
      new Uint8Array(64),
      new Uint8Array(64).fill(255),
    ]) {
      expect(await codeOf(() => rawSignatureToDer("P-256", raw))).toBe("ERR_AUTHENTICATION");
    }
    expect(() => rawSignatureToDer("P-256", "text" as unknown as Uint8Array)).toThrow(TypeError);
    expect(() => rawSignatureToDer("P-521" as EcdsaCurve, new Uint8Array(64))).toThrow(RangeError);
  });
});

it("offers the chosen implementation as functions", () => {
  for (const curve of curves) {
    const key = importEcdsaPrivateKey(curve, generateEcdsaKey(curve).exportPkcs8());
    const signer = key.createSigner();
    signer.update(text);
    const verifier = createEcdsaVerifier(curve, key.publicKey);
    verifier.update(text);
    expect(verifier.verify(signer.sign())).toBe(true);
    expect(importEcdsaPublicKey(curve, key.publicKey).verify(text, key.sign(text, "raw"), "raw")).toBe(true);
    expect(() => verifyEcdsaDigest(curve, key.publicKey, new Uint8Array(20), new Uint8Array(0))).toThrow(RangeError);
  }
  for (const curve of ["P-521", "constructor", undefined] as unknown as EcdsaCurve[]) {
    expect(() => generateEcdsaKey(curve)).toThrow(expect.objectContaining({ code: "ERR_ARGUMENT" }));
  }
});
