import { execFileSync } from "node:child_process";
import * as nodeCrypto from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, describe, expect, it } from "vitest";
import { concatBytes, hexToBytes, utf8ToBytes } from "../src/bytes.js";
import { digest, type Sha2Name } from "../src/hash.js";
import {
  generateRsaKey,
  importRsaPrivateKey,
  importRsaPublicKey,
  type RsaImplementation,
  type RsaModulusBits,
  type RsaPrivateKey,
  type RsaPublicKey,
  type RsaSignatureScheme,
  rsaImplementations,
} from "../src/rsa.js";
import { parseRsaPrivateKey } from "../src/rsa-encoding.js";
import { createNodeRsa } from "../src/rsa-node.js";
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

interface VerifyGroup extends WycheproofGroup<SignatureCase> {
  readonly publicKeyDer: string;
  readonly sLen?: number;
}

interface SignGroup extends WycheproofGroup<SignatureCase> {
  readonly privateKeyPkcs8: string;
  readonly sha: string;
}

const implementations = rsaImplementations();
const schemes = ["pss-sha256", "pss-sha384", "pss-sha512", "pkcs1-sha256", "pkcs1-sha384", "pkcs1-sha512"] as const;
const hashOf = (scheme: RsaSignatureScheme): Sha2Name => scheme.slice(-6) as Sha2Name;
const takesDigests = ({ name }: RsaImplementation): boolean => name === "node";
const text = utf8ToBytes("a message");

interface Pair {
  readonly pkcs8: Uint8Array;
  readonly spki: Uint8Array;
}

/** A key of an odd number of bits, which OpenSSL does not make by itself: PSS then encodes in a byte less than the modulus has. */
function oddKey(bits: number): nodeCrypto.KeyObject {
  const prime = (size: number): bigint => nodeCrypto.generatePrimeSync(size, { bigint: true });
  const e = 65_537n;
  for (;;) {
    const [p, q] = [prime((bits + 1) / 2), prime((bits - 1) / 2)];
    const phi = (p - 1n) * (q - 1n);
    if ((p * q).toString(2).length !== bits || phi % e === 0n) continue;
    // One of the multiples of phi plus one is a multiple of e.
    let d = 0n;
    for (let k = 1n; d === 0n; k++) if ((k * phi + 1n) % e === 0n) d = (k * phi + 1n) / e;
    let qi = 1n;
    for (let [base, rest] = [q % p, p - 2n]; rest > 0n; rest >>= 1n, base = (base * base) % p)
      if (rest & 1n) qi = (qi * base) % p;
    const numbers = { n: p * q, e, d, p, q, dp: d % (p - 1n), dq: d % (q - 1n), qi };
    const jwk = Object.entries(numbers).map(([name, number]) => {
      const hex = number.toString(16);
      return [name, Buffer.from(hex.padStart(hex.length + (hex.length % 2), "0"), "hex").toString("base64url")];
    });
    return nodeCrypto.createPrivateKey({ key: { kty: "RSA", ...Object.fromEntries(jwk) }, format: "jwk" });
  }
}

/** One key of each length. */
const keys = new Map<number, Pair>();
function keyOf(bits: number): Pair {
  const known = keys.get(bits);
  if (known !== undefined) return known;
  const privateKey =
    bits % 2 === 1 ? oddKey(bits) : nodeCrypto.generateKeyPairSync("rsa", { modulusLength: bits }).privateKey;
  expect(privateKey.asymmetricKeyDetails?.modulusLength).toBe(bits);
  const pair = {
    pkcs8: privateKey.export({ format: "der", type: "pkcs8" }),
    spki: nodeCrypto.createPublicKey(privateKey).export({ format: "der", type: "spki" }),
  };
  keys.set(bits, pair);
  return pair;
}

it("runs node and webcrypto here", () => {
  expect(implementations.map(({ name }) => name)).toEqual(["node", "webcrypto"]);
});

describe.each(implementations)("RSA signatures by $name", (implementation) => {
  /** Verifies a message, and its digest too where that is offered: both must say the same. */
  async function verifies(
    key: RsaPublicKey,
    scheme: RsaSignatureScheme,
    message: Uint8Array,
    signature: Uint8Array,
    options: { readonly saltLength?: number } = {},
  ): Promise<boolean> {
    const result = await key.verify(scheme, message, signature, options);
    if (takesDigests(implementation)) {
      const hash = digest(hashOf(scheme), message);
      expect(await key.verifyDigest(scheme, hash, signature, options), "by digest").toBe(result);
    }
    return result;
  }

  it.each([
    ["pss-sha256", "rsa_pss_2048_sha256_mgf1_32_test.json", 108, 0, { valid: 63, invalid: 45 }],
    ["pss-sha256", "rsa_pss_2048_sha256_mgf1_0_test.json", 103, 0, { valid: 61, invalid: 42 }],
    // The acceptable one leaves the NULL of the DigestInfo out, which RFC 8017 allows old signers: it is refused.
    ["pkcs1-sha256", "rsa_signature_2048_sha256_test.json", 259, 1, { valid: 9, invalid: 249, acceptable: 1 }],
  ] as const)(
    "%s passes %s, from the message and from the digest",
    async (scheme, name, count, acceptable, expected) => {
      const file = readWycheproof<SignatureCase, VerifyGroup>(name, count, acceptable);
      const counts = await runCases<SignatureCase, VerifyGroup>(file, async (test, group) => {
        const key = implementation.importPublicKey(hexToBytes(group.publicKeyDer));
        const options = group.sLen === undefined ? {} : { saltLength: group.sLen };
        const result = await verifies(key, scheme, hexToBytes(test.msg), hexToBytes(test.sig), options);
        expect(result).toBe(test.result === "valid");
        return test.result;
      });
      expect(counts).toEqual(expected);
    },
  );

  it("pkcs1 signs as rsa_pkcs1_2048_sig_gen_test.json says; SHA-1 and SHA-224 are not offered", async () => {
    const file = readWycheproof<SignatureCase, SignGroup>("rsa_pkcs1_2048_sig_gen_test.json", 43, 11);
    const counts = await runCases<SignatureCase, SignGroup>(file, async (test, group) => {
      const scheme = `pkcs1-${group.sha.replace("-", "").toLowerCase()}` as RsaSignatureScheme;
      const key = implementation.importPrivateKey(hexToBytes(group.privateKeyPkcs8));
      if (!schemes.includes(scheme)) {
        expect(await codeOf(() => key.sign(scheme, hexToBytes(test.msg)))).toBe("ERR_ARGUMENT");
        return "not offered";
      }
      assertSame(await key.sign(scheme, hexToBytes(test.msg)), hexToBytes(test.sig));
      if (takesDigests(implementation)) {
        assertSame(await key.signDigest(scheme, digest(hashOf(scheme), hexToBytes(test.msg))), hexToBytes(test.sig));
      }
      // The public exponent 3 makes three cases acceptable: they are signed like the others.
      return "signed";
    });
    expect(counts).toEqual({ signed: 27, "not offered": 16 });
  });

  describe.each([2048, 3072, 4096, 2049, 2054])("%i bits", (bits) => {
    const pair = keyOf(bits);
    const key = implementation.importPrivateKey(pair.pkcs8);
    const publicKey = implementation.importPublicKey(pair.spki);
    const bytes = Math.ceil(bits / 8);

    it.each(schemes)("signs with %s what every implementation verifies, in every form", async (scheme) => {
      const hash = digest(hashOf(scheme), text);
      const signatures = [await key.sign(scheme, text)];
      if (takesDigests(implementation)) signatures.push(await key.signDigest(scheme, hash));
      for (const signature of signatures) {
        expect(signature).toHaveLength(bytes);
        expect(Buffer.isBuffer(signature)).toBe(false);
        for (const other of implementations) {
          const verifier = other.importPublicKey(pair.spki);
          expect(await verifier.verify(scheme, text, signature)).toBe(true);
          if (takesDigests(other)) expect(await verifier.verifyDigest(scheme, hash, signature)).toBe(true);
        }
        for (const wrong of schemes.filter((name) => name !== scheme)) {
          expect(await verifies(publicKey, wrong, text, signature)).toBe(false);
        }
      }
    });

    it("takes a salt of every length that the modulus has room for, and holds signatures to it", async () => {
      const longest = Math.ceil((bits - 1) / 8) - 32 - 2;
      for (const saltLength of [0, 1, 20, 33, longest]) {
        const signatures = [await key.sign("pss-sha256", text, { saltLength })];
        if (takesDigests(implementation))
          signatures.push(await key.signDigest("pss-sha256", digest("sha256", text), { saltLength }));
        for (const signature of signatures) {
          expect(await verifies(publicKey, "pss-sha256", text, signature, { saltLength })).toBe(true);
          for (const other of [saltLength === 0 ? 1 : saltLength - 1, Math.min(longest, saltLength + 1), 32]) {
            if (other === saltLength) continue;
            expect(await verifies(publicKey, "pss-sha256", text, signature, { saltLength: other })).toBe(false);
          }
        }
      }
      for (const saltLength of [longest + 1, -1, 1.5, Number.NaN]) {
        for (const call of [
          () => key.sign("pss-sha256", text, { saltLength }),
          () => publicKey.verify("pss-sha256", text, new Uint8Array(bytes), { saltLength }),
        ]) {
          expect(call).toThrow(expect.objectContaining({ name: "RangeError", code: "ERR_ARGUMENT" }));
        }
      }
    });
  });

  const pair = keyOf(2048);
  const key = implementation.importPrivateKey(pair.pkcs8);
  const publicKey = implementation.importPublicKey(pair.spki);

  it("signs messages of any length", async () => {
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...schemes), fc.uint8Array({ maxLength: 300 }), async (scheme, message) => {
        const signature = await key.sign(scheme, message);
        expect(await verifies(publicKey, scheme, message, signature)).toBe(true);
        expect(await verifies(publicKey, scheme, concatBytes(message, Uint8Array.of(0)), signature)).toBe(false);
      }),
      runs(25),
    );
  });

  it.each(["pss-sha256", "pkcs1-sha256"] as const)(
    "rejects with %s every changed, cut and prolonged signature, and never throws",
    async (scheme) => {
      const signature = await key.sign(scheme, text);
      const step = process.env["SLOW"] === "1" ? 1 : 37;
      for (let bit = 0; bit < 8 * signature.length; bit += step) {
        const changed = Uint8Array.from(signature);
        changed[bit >> 3] = (changed[bit >> 3] as number) ^ (1 << (bit & 7));
        expect(await verifies(publicKey, scheme, text, changed)).toBe(false);
      }
      for (const wrong of [
        new Uint8Array(0),
        signature.subarray(1),
        signature.subarray(0, -1),
        concatBytes(signature, Uint8Array.of(0)),
        concatBytes(Uint8Array.of(0), signature),
        new Uint8Array(256),
        new Uint8Array(256).fill(255),
        modulusOf(pair.spki),
      ]) {
        expect(await verifies(publicKey, scheme, text, wrong)).toBe(false);
      }
      // The same number, a modulus higher: 257 bytes have room for it.
      const odd = keyOf(2049);
      const right = await implementation.importPrivateKey(odd.pkcs8).sign(scheme, text);
      const numberOf = (bytes: Uint8Array): bigint => BigInt(`0x${Buffer.from(bytes).toString("hex")}`);
      const higher = hexToBytes((numberOf(right) + numberOf(modulusOf(odd.spki))).toString(16).padStart(514, "0"));
      expect(await verifies(implementation.importPublicKey(odd.spki), scheme, text, right)).toBe(true);
      expect(await verifies(implementation.importPublicKey(odd.spki), scheme, text, higher)).toBe(false);
    },
  );

  it("salts each PSS signature anew, and gives the same with PKCS#1 v1.5", async () => {
    const sign = (scheme: RsaSignatureScheme) =>
      takesDigests(implementation) ? key.signDigest(scheme, digest("sha256", text)) : key.sign(scheme, text);
    expect(Buffer.compare(await sign("pss-sha256"), await sign("pss-sha256"))).not.toBe(0);
    assertSame(await sign("pkcs1-sha256"), await key.sign("pkcs1-sha256", text));
    const twice = [await key.sign("pss-sha256", text, { saltLength: 0 })];
    twice.push(await key.sign("pss-sha256", text, { saltLength: 0 }));
    assertSame(twice[0] as Uint8Array, twice[1] as Uint8Array);
  });

  it("gives keys out as OpenSSL writes them, and takes them back", async () => {
    assertSame(key.exportPkcs8(), pair.pkcs8);
    assertSame(key.exportSpki(), pair.spki);
    assertSame(publicKey.exportSpki(), pair.spki);
    for (const bytes of [key.exportPkcs8(), key.exportSpki(), publicKey.exportSpki()]) bytes.fill(0);
    assertSame(key.exportPkcs8(), pair.pkcs8);
    assertSame(key.exportSpki(), pair.spki);
    assertSame(publicKey.exportSpki(), pair.spki);
    const again = implementation.importPrivateKey(key.exportPkcs8());
    expect(await publicKey.verify("pss-sha512", text, await again.sign("pss-sha512", text))).toBe(true);
    // Without the NULL of the algorithm, which some write: it comes out with it.
    const start = Buffer.from(pair.spki).indexOf(hexToBytes("06092a864886f70d0101010500"));
    const cut = concatBytes(pair.spki.subarray(0, start + 11), pair.spki.subarray(start + 13));
    cut[3] = (cut[3] as number) - 2;
    cut[start - 1] = 11;
    assertSame(implementation.importPublicKey(cut).exportSpki(), pair.spki);
  });

  it("generates keys that sign and decrypt", async () => {
    const made = await implementation.generateKey(2048);
    expect(made.modulusBytes).toBe(256);
    const details = nodeCrypto.createPrivateKey({
      key: Buffer.from(made.exportPkcs8()),
      format: "der",
      type: "pkcs8",
    }).asymmetricKeyDetails;
    expect(details).toMatchObject({ modulusLength: 2048, publicExponent: 65_537n });
    const half = implementation.importPublicKey(made.exportSpki());
    expect(await half.verify("pss-sha256", text, await made.sign("pss-sha256", text))).toBe(true);
    assertSame(await made.decrypt("oaep-sha256", await half.encrypt("oaep-sha256", text)), text);
    for (const bits of [1024, 2047, 8192, "2048", undefined] as unknown as RsaModulusBits[]) {
      expect(await codeOf(() => implementation.generateKey(bits))).toBe("ERR_ARGUMENT");
    }
  });

  it("refuses wrong arguments", async () => {
    const wrong = "text" as unknown as Uint8Array;
    const argument = expect.objectContaining({ code: "ERR_ARGUMENT" });
    for (const name of [
      "pss",
      "pss-sha1",
      "oaep-sha256",
      "constructor",
      undefined,
    ] as unknown as RsaSignatureScheme[]) {
      expect(() => key.sign(name, text)).toThrow(argument);
      expect(() => key.signDigest(name, text)).toThrow(argument);
      expect(() => publicKey.verify(name, text, text)).toThrow(argument);
      expect(() => publicKey.verifyDigest(name, text, text)).toThrow(argument);
    }
    expect(() => key.sign("pss-sha256", wrong)).toThrow(TypeError);
    expect(() => publicKey.verify("pss-sha256", wrong, text)).toThrow(TypeError);
    expect(() => publicKey.verify("pss-sha256", text, wrong)).toThrow(TypeError);
    expect(() => publicKey.verifyDigest("pss-sha256", new Uint8Array(32), wrong)).toThrow(TypeError);
    for (const length of [0, 20, 31, 33, 64]) {
      expect(() => key.signDigest("pss-sha256", new Uint8Array(length))).toThrow(RangeError);
      expect(() => publicKey.verifyDigest("pkcs1-sha256", new Uint8Array(length), text)).toThrow(RangeError);
    }
    expect(() => key.sign("pkcs1-sha256", text, { saltLength: 0 })).toThrow(argument);
    expect(() => publicKey.verify("pkcs1-sha256", text, text, { saltLength: 32 })).toThrow(argument);
    expect(() => key.sign("pss-sha256", text, { saltlength: 0 } as object)).toThrow(/"saltlength"/);
    expect(() => key.sign("pss-sha256", text, null as unknown as object)).toThrow(argument);
  });
});

/** The modulus of a key. */
function modulusOf(spki: Uint8Array): Uint8Array {
  const key = nodeCrypto.createPublicKey({ key: Buffer.from(spki), format: "der", type: "spki" });
  return Buffer.from(key.export({ format: "jwk" }).n as string, "base64url");
}

it("has no digest form by webcrypto", async () => {
  const web = implementations.find(({ name }) => name === "webcrypto") as RsaImplementation;
  const { pkcs8, spki } = keyOf(2048);
  const hash = new Uint8Array(32);
  expect(await codeOf(() => web.importPrivateKey(pkcs8).signDigest("pss-sha256", hash))).toBe("ERR_NOT_SUPPORTED");
  const verify = () => web.importPublicKey(spki).verifyDigest("pss-sha256", hash, new Uint8Array(256));
  expect(await codeOf(verify)).toBe("ERR_NOT_SUPPORTED");
});

it("lets no OpenSSL error out of signing", async () => {
  const privateEncrypt = (): never => {
    throw new Error("error:0200007A:rsa routines::data too large");
  };
  const engine = createNodeRsa({ ...nodeCrypto, privateEncrypt, sign: privateEncrypt } as typeof nodeCrypto);
  const key = engine.importPrivateKey(parseRsaPrivateKey(keyOf(2048).pkcs8));
  const scheme = { padding: "pss", hash: "sha256", saltLength: 32 } as const;
  expect(await codeOf(() => key.sign(scheme, text))).toBe("ERR_KEY_INVALID");
  expect(await codeOf(() => key.signDigest(scheme, new Uint8Array(32)))).toBe("ERR_KEY_INVALID");
});

describe("the openssl command", () => {
  const folder = mkdtempSync(join(tmpdir(), "fengni-rsa-"));
  afterAll(() => rmSync(folder, { recursive: true }));
  const path = (name: string): string => join(folder, name);
  const openssl = (...args: readonly string[]): string =>
    execFileSync("openssl", args, { cwd: folder, encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });
  const key: RsaPrivateKey = importRsaPrivateKey(keyOf(3072).pkcs8);
  writeFileSync(path("key.der"), key.exportPkcs8());
  writeFileSync(path("public.der"), key.exportSpki());
  writeFileSync(path("message"), text);

  const paddingOf = (scheme: RsaSignatureScheme, salt: string): readonly string[] =>
    scheme.startsWith("pss")
      ? ["-sigopt", "rsa_padding_mode:pss", "-sigopt", `rsa_pss_saltlen:${salt}`]
      : ["-sigopt", "rsa_padding_mode:pkcs1"];

  it.each(schemes)("%s: each verifies what the other signs", async (scheme) => {
    const hash = hashOf(scheme);
    const common = [`-${hash}`, "-keyform", "DER", ...paddingOf(scheme, "digest")];
    openssl("dgst", ...common, "-sign", "key.der", "-out", "theirs", "message");
    const publicKey = importRsaPublicKey(readFileSync(path("public.der")));
    const theirs = readFileSync(path("theirs"));
    expect(await publicKey.verify(scheme, text, theirs)).toBe(true);
    expect(await publicKey.verifyDigest(scheme, digest(hash, text), theirs)).toBe(true);
    for (const ours of [await key.sign(scheme, text), await key.signDigest(scheme, digest(hash, text))]) {
      writeFileSync(path("ours"), ours);
      expect(openssl("dgst", ...common, "-verify", "public.der", "-signature", "ours", "message")).toMatch(
        /^Verified OK/,
      );
    }
  });

  it("PSS without salt: each verifies what the other signs", async () => {
    const common = ["-sha256", "-keyform", "DER", ...paddingOf("pss-sha256", "0")];
    openssl("dgst", ...common, "-sign", "key.der", "-out", "theirs", "message");
    const ours = await key.sign("pss-sha256", text, { saltLength: 0 });
    assertSame(ours, readFileSync(path("theirs")));
    assertSame(await key.signDigest("pss-sha256", digest("sha256", text), { saltLength: 0 }), ours);
  });

  it("reads the keys that we make, and we read its own", async () => {
    writeFileSync(path("made.der"), (await generateRsaKey(2048)).exportPkcs8());
    expect(openssl("pkey", "-inform", "DER", "-in", "made.der", "-check", "-noout")).toMatch(/Key is valid/);
    openssl("genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048", "-out", "theirs.pem");
    const theirs = importRsaPrivateKey(readFileSync(path("theirs.pem")));
    const half = openssl("pkey", "-in", "theirs.pem", "-pubout");
    const signature = await theirs.sign("pss-sha256", text);
    expect(await importRsaPublicKey(half).verify("pss-sha256", text, signature)).toBe(true);
  });

  it("decrypts what we encrypt, and we decrypt what it encrypts", async () => {
    const publicKey = importRsaPublicKey(key.exportSpki());
    for (const [padding, options] of [
      ["oaep-sha256", ["-pkeyopt", "rsa_padding_mode:oaep", "-pkeyopt", "rsa_oaep_md:sha256"]],
      ["oaep-sha1", ["-pkeyopt", "rsa_padding_mode:oaep"]],
      ["pkcs1", ["-pkeyopt", "rsa_padding_mode:pkcs1"]],
    ] as const) {
      writeFileSync(path("ours"), await publicKey.encrypt(padding, text));
      const decrypt = ["-decrypt", "-inkey", "key.der", "-keyform", "DER", "-in", "ours", "-out", "opened"];
      openssl("pkeyutl", ...decrypt, ...options);
      assertSame(readFileSync(path("opened")), text);
      const encrypt = [
        "-encrypt",
        "-pubin",
        "-inkey",
        "public.der",
        "-keyform",
        "DER",
        "-in",
        "message",
        "-out",
        "sealed",
      ];
      openssl("pkeyutl", ...encrypt, ...options);
      assertSame(await key.decrypt(padding, readFileSync(path("sealed"))), text);
    }
  });
});
