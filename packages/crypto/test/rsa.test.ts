import * as nodeCrypto from "node:crypto";
import fc from "fast-check";
import { describe, expect, it, vi } from "vitest";
import { bytesToHex, concatBytes, hexToBytes, utf8ToBytes } from "../src/bytes.js";
import { digest } from "../src/hash.js";
import { importRsaPrivateKey, importRsaPublicKey, type RsaPadding, rsaImplementations } from "../src/rsa.js";
import { parseRsaPrivateKey } from "../src/rsa-encoding.js";
import { createNodeRsa } from "../src/rsa-node.js";
import { unpadOrReplace } from "../src/rsa-pkcs1.js";
import {
  assertSame,
  codeOf,
  failureOf,
  readWycheproof,
  runCases,
  runs,
  type WycheproofCase,
  type WycheproofGroup,
} from "./wycheproof.js";

interface RsaCase extends WycheproofCase {
  readonly msg: string;
  readonly ct: string;
  readonly label?: string;
}

interface RsaGroup extends WycheproofGroup<RsaCase> {
  readonly privateKeyPem: string;
}

const implementations = rsaImplementations();
const paddings: readonly RsaPadding[] = ["pkcs1", "oaep-sha1", "oaep-sha256", "oaep-sha384", "oaep-sha512"];
const pkcs1File = readWycheproof<RsaCase, RsaGroup>("rsa_pkcs1_2048_test.json", 67);
const keyPem = (pkcs1File.groups[0] as RsaGroup).privateKeyPem;
const keyObject = nodeCrypto.createPrivateKey(keyPem);
const publicPem = nodeCrypto.createPublicKey(keyObject).export({ format: "pem", type: "spki" }) as string;

it("runs node and webcrypto here", () => {
  expect(implementations.map(({ name }) => name)).toEqual(["node", "webcrypto"]);
});

describe.each(implementations)("RSA by $name", (implementation) => {
  it.each([
    // The label is always empty here, so that a message made with one must not open.
    ["oaep-sha1", "rsa_oaep_2048_sha1_mgf1sha1_test.json", 36, { opened: 10, rejected: 19, "label rejected": 7 }],
    ["oaep-sha256", "rsa_oaep_2048_sha256_mgf1sha256_test.json", 37, { opened: 10, rejected: 19, "label rejected": 8 }],
    // MGF1 with another hash than OAEP's is not offered, so that nothing of this file may open.
    ["oaep-sha256", "rsa_oaep_2048_sha256_mgf1sha1_test.json", 31, { rejected: 18, "two hashes rejected": 13 }],
  ] as const)("%s passes %s", async (padding, name, count, expected) => {
    const file = readWycheproof<RsaCase, RsaGroup>(name, count);
    const hasTwoHashes = name.includes("sha256_mgf1sha1");
    const counts = await runCases<RsaCase, RsaGroup>(file, async (test, group) => {
      const key = implementation.importPrivateKey(group.privateKeyPem);
      const decrypt = () => key.decrypt(padding, hexToBytes(test.ct));
      if (test.result === "valid" && !hasTwoHashes && test.label === "") {
        assertSame(await decrypt(), hexToBytes(test.msg));
        return "opened";
      }
      expect(await codeOf(decrypt)).toBe("ERR_AUTHENTICATION");
      if (test.result === "invalid") return "rejected";
      return hasTwoHashes ? "two hashes rejected" : "label rejected";
    });
    expect(counts).toEqual(expected);
  });

  const pair = { private: implementation.importPrivateKey(keyPem), public: implementation.importPublicKey(publicPem) };
  const offered = paddings.filter((padding) => implementation.name === "node" || padding !== "pkcs1");

  it("encrypts what every implementation decrypts", async () => {
    expect(pair.private.modulusBytes).toBe(256);
    expect(pair.public.modulusBytes).toBe(256);
    const messages = fc.uint8Array({ maxLength: 126 });
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...offered), messages, async (padding, message) => {
        const ciphertext = await pair.public.encrypt(padding, message);
        expect(ciphertext).toHaveLength(256);
        for (const other of implementations) {
          if (padding === "pkcs1" && other.name !== "node") continue;
          assertSame(await other.importPrivateKey(keyPem).decrypt(padding, ciphertext), message);
        }
      }),
      runs(30),
    );
  });

  it.each([
    ["pkcs1", 245],
    ["oaep-sha1", 214],
    ["oaep-sha256", 190],
    ["oaep-sha384", 158],
    ["oaep-sha512", 126],
  ] as const)("takes at most the plaintext that %s leaves room for: %i bytes", async (padding, longest) => {
    const tooLong = () => pair.public.encrypt(padding, new Uint8Array(longest + 1));
    expect(tooLong).toThrow(expect.objectContaining({ name: "RangeError", code: "ERR_ARGUMENT" }));
    if (!offered.includes(padding)) return;
    for (const length of [0, 1, longest]) {
      const message = new Uint8Array(length).fill(7);
      assertSame(await pair.private.decrypt(padding, await pair.public.encrypt(padding, message)), message);
    }
  });

  it("rejects OAEP ciphertexts that were changed, cut, or made with another hash, all alike", async () => {
    const ciphertext = await pair.public.encrypt("oaep-sha256", utf8ToBytes("message"));
    const changed = Uint8Array.from(ciphertext);
    changed[100] = (changed[100] as number) ^ 1;
    const errors = [];
    for (const [padding, wrong] of [
      ["oaep-sha256", changed],
      ["oaep-sha256", ciphertext.subarray(1)],
      ["oaep-sha256", concatBytes(Uint8Array.of(0), ciphertext)],
      ["oaep-sha256", new Uint8Array(0)],
      ["oaep-sha256", new Uint8Array(256)],
      ["oaep-sha256", new Uint8Array(256).fill(255)],
      ["oaep-sha1", ciphertext],
      ["oaep-sha384", ciphertext],
      ["oaep-sha512", ciphertext],
    ] as const) {
      errors.push((await failureOf(() => pair.private.decrypt(padding, wrong))) as Error & { code: string });
    }
    expect(new Set(errors.map(({ code, message, cause }) => `${code} ${message} ${String(cause)}`)).size).toBe(1);
    expect(errors[0]?.code).toBe("ERR_AUTHENTICATION");
  });

  it("holds a ciphertext to the length of the modulus, leading zeros included", async () => {
    let ciphertext = await pair.public.encrypt("oaep-sha256", new Uint8Array(3));
    while (ciphertext[0] !== 0) ciphertext = await pair.public.encrypt("oaep-sha256", new Uint8Array(3));
    expect(await pair.private.decrypt("oaep-sha256", ciphertext)).toHaveLength(3);
    expect(await codeOf(() => pair.private.decrypt("oaep-sha256", ciphertext.subarray(1)))).toBe("ERR_AUTHENTICATION");
  });

  it("refuses wrong arguments", async () => {
    const wrong = "text" as unknown as Uint8Array;
    expect(() => pair.public.encrypt("oaep-sha256", wrong)).toThrow(TypeError);
    expect(() => pair.private.decrypt("oaep-sha256", wrong)).toThrow(TypeError);
    for (const padding of ["oaep", "none", "constructor"] as unknown as RsaPadding[]) {
      expect(() => pair.public.encrypt(padding, new Uint8Array(1))).toThrow(
        expect.objectContaining({ code: "ERR_ARGUMENT" }),
      );
      expect(() => pair.private.decrypt(padding, new Uint8Array(256))).toThrow(
        expect.objectContaining({ code: "ERR_ARGUMENT" }),
      );
    }
    expect(() => implementation.importPublicKey(5 as unknown as string)).toThrow(TypeError);
    expect(() => implementation.importPrivateKey(undefined as unknown as string)).toThrow(TypeError);
  });
});

it("has no PKCS#1 v1.5 by webcrypto", async () => {
  const web = implementations.find(({ name }) => name === "webcrypto");
  expect(await codeOf(() => web?.importPublicKey(publicPem).encrypt("pkcs1", new Uint8Array(1)))).toBe(
    "ERR_NOT_SUPPORTED",
  );
  expect(await codeOf(() => web?.importPrivateKey(keyPem).decrypt("pkcs1", new Uint8Array(256)))).toBe(
    "ERR_NOT_SUPPORTED",
  );
});

describe("PKCS#1 v1.5 with implicit rejection", () => {
  const exponentHash = digest("sha256", parseRsaPrivateKey(keyPem).exponent);
  const raw = (ciphertext: Uint8Array): Uint8Array =>
    nodeCrypto.privateDecrypt({ key: keyObject, padding: nodeCrypto.constants.RSA_NO_PADDING }, ciphertext);
  const publicKey = nodeCrypto.createPublicKey(keyObject);
  const encryptBlock = (block: Uint8Array): Uint8Array =>
    nodeCrypto.publicEncrypt({ key: publicKey, padding: nodeCrypto.constants.RSA_NO_PADDING }, block);

  /** Our own unpadding around the raw operation, whatever this Node does by itself. */
  function decryptOurselves(pem: string, ciphertext: Uint8Array): Uint8Array {
    const padding = nodeCrypto.constants.RSA_NO_PADDING;
    const block = nodeCrypto.privateDecrypt({ key: pem, padding }, ciphertext);
    return unpadOrReplace(block, ciphertext, digest("sha256", parseRsaPrivateKey(pem).exponent));
  }

  const ways = [
    [
      "importRsaPrivateKey",
      (pem: string, ciphertext: Uint8Array) => importRsaPrivateKey(pem).decrypt("pkcs1", ciphertext),
    ],
    ["our own unpadding", decryptOurselves],
  ] as const;

  it.each(ways)(
    "%s passes rsa_pkcs1_2048_test.json: a wrong padding gives another message, always the same",
    async (name, decrypt) => {
      const replacements: string[] = [];
      const counts = await runCases<RsaCase, RsaGroup>(pkcs1File, async (test, { privateKeyPem }) => {
        const ciphertext = hexToBytes(test.ct);
        if (test.result === "valid") {
          assertSame(await decrypt(privateKeyPem, ciphertext), hexToBytes(test.msg));
          return "opened";
        }
        if (test.flags.includes("InvalidCiphertextFormat")) {
          // The length, and whether the number is below the modulus, are public: these may fail.
          if (name === "importRsaPrivateKey")
            expect(await codeOf(() => decrypt(privateKeyPem, ciphertext))).toBe("ERR_AUTHENTICATION");
          return "refused";
        }
        expect(test.flags).toEqual(["InvalidPkcs1Padding"]);
        const message = await decrypt(privateKeyPem, ciphertext);
        expect(bytesToHex(message)).not.toBe(test.msg);
        assertSame(await decrypt(privateKeyPem, ciphertext), message);
        replacements.push(`${test.tcId}:${bytesToHex(message)}\n`);
        return "replaced";
      });
      expect(counts).toEqual({ opened: 42, replaced: 19, refused: 6 });
      // Computed once with OpenSSL 3.5.8 (Node 26.10, privateDecrypt with RSA_PKCS1_PADDING) from the same cases.
      expect(bytesToHex(digest("sha256", utf8ToBytes(replacements.join(""))))).toBe(
        "ec005996f4ee8e8ee16601dbfd38b79a99bc3d1a089aa30327a014f4a5ef1554",
      );
    },
  );

  it("tells no wrong padding from another by an error, at any place", async () => {
    const key = importRsaPrivateKey(keyPem);
    const lengths = new Set<number>();
    for (let i = 0; i < 120; i++) {
      const block = nodeCrypto.randomBytes(256).map((byte) => byte || 1);
      block[0] = 0;
      block[1] = 2;
      // No zero at all, a zero in the first eight bytes of padding, a wrong type, a wrong first byte.
      if (i % 4 === 1) block[2 + (i % 8)] = 0;
      if (i % 4 === 2) block[1] = 1 + 2 * (i % 5);
      if (i % 4 === 3) block.fill(0, 0, 2).fill(i, 2, 3);
      lengths.add((await key.decrypt("pkcs1", encryptBlock(block))).length);
    }
    expect(lengths.size).toBeGreaterThan(40);
    expect(Math.max(...lengths)).toBeLessThan(246);
  });

  it("opens a message wherever its zero may stand, and none where it may not", () => {
    for (let zeroAt = 2; zeroAt < 256; zeroAt++) {
      const block = new Uint8Array(256).fill(0xaa);
      block[0] = 0;
      block[1] = 2;
      block[zeroAt] = 0;
      const ciphertext = encryptBlock(block);
      const message = unpadOrReplace(raw(ciphertext), ciphertext, exponentHash);
      const real = block.subarray(zeroAt + 1);
      if (zeroAt >= 10) assertSame(message, real);
      else expect(bytesToHex(message)).not.toBe(bytesToHex(real));
    }
  });

  it("is the native one of this Node, where there is one", () => {
    const native = (ciphertext: Uint8Array): Uint8Array =>
      nodeCrypto.privateDecrypt({ key: keyObject, padding: nodeCrypto.constants.RSA_PKCS1_PADDING }, ciphertext);
    let isThere = true;
    try {
      native(encryptBlock(new Uint8Array(256).fill(1)));
    } catch {
      isThere = false;
    }
    // Node 20 refuses the padding; 24 and 26 have OpenSSL 3.5.
    expect(isThere).toBe(Number(process.versions.node.split(".")[0]) >= 24);
    for (let i = 0; isThere && i < 200; i++) {
      const ciphertext = nodeCrypto.randomBytes(256).fill(0, 0, 1);
      assertSame(unpadOrReplace(raw(ciphertext), ciphertext, exponentHash), native(ciphertext));
    }
  });

  describe("does not believe a native unpadding that is not the very same", () => {
    const wrongPadding = encryptBlock(new Uint8Array(256).fill(1));
    const expected = unpadOrReplace(raw(wrongPadding), wrongPadding, exponentHash);
    it.each([
      [
        "throws",
        () => {
          throw new Error("padding check failed");
        },
      ],
      ["answers with nothing", () => Buffer.alloc(0)],
      ["answers with noise", () => nodeCrypto.randomBytes(20)],
    ] as const)("that %s", (_what, native) => {
      const privateDecrypt = ((options: nodeCrypto.RsaPrivateKey, data: Uint8Array) =>
        options.padding === nodeCrypto.constants.RSA_PKCS1_PADDING
          ? native()
          : nodeCrypto.privateDecrypt(options, data)) as typeof nodeCrypto.privateDecrypt;
      const engine = createNodeRsa({ ...nodeCrypto, privateDecrypt } as typeof nodeCrypto);
      const key = engine.importPrivateKey(parseRsaPrivateKey(keyPem));
      assertSame(key.decrypt("pkcs1", wrongPadding) as Uint8Array, expected);
    });
  });
});

describe("RSA keys", () => {
  const exported = (type: "pkcs1" | "pkcs8", format: "pem" | "der"): string | Uint8Array =>
    format === "pem" ? keyObject.export({ type, format }) : keyObject.export({ type, format });
  const publicObject = nodeCrypto.createPublicKey(keyObject);
  const message = utf8ToBytes("message");
  const spkiDer = publicObject.export({ type: "spki", format: "der" });

  it.each([
    ["PKCS#8 PEM", exported("pkcs8", "pem"), publicPem],
    ["PKCS#1 PEM", exported("pkcs1", "pem"), publicObject.export({ type: "pkcs1", format: "pem" }) as string],
    ["DER", exported("pkcs8", "der"), spkiDer],
    ["PEM as bytes", utf8ToBytes(keyPem), utf8ToBytes(publicPem)],
    ["PEM with CRLF", keyPem.replaceAll("\n", "\r\n"), publicPem.replaceAll("\n", "\r\n")],
    ["PEM within text", `Key of somebody\n${keyPem}\n\n`, `a - b\n${publicPem}`],
  ])("are read as %s", async (_what, privateInput, publicInput) => {
    const ciphertext = await importRsaPublicKey(publicInput).encrypt("oaep-sha256", message);
    assertSame(await importRsaPrivateKey(privateInput).decrypt("oaep-sha256", ciphertext), message);
    assertSame(
      await importRsaPrivateKey(privateInput).decrypt(
        "pkcs1",
        await importRsaPublicKey(publicInput).encrypt("pkcs1", message),
      ),
      message,
    );
  });

  it("are not kept as the caller's buffer", async () => {
    for (const implementation of implementations) {
      const [pkcs8, spki] = [Uint8Array.from(exported("pkcs8", "der") as Uint8Array), Uint8Array.from(spkiDer)];
      const pair = { private: implementation.importPrivateKey(pkcs8), public: implementation.importPublicKey(spki) };
      pkcs8.fill(0);
      spki.fill(0);
      assertSame(await pair.private.decrypt("oaep-sha1", await pair.public.encrypt("oaep-sha1", message)), message);
    }
  });

  it("are overwritten where they were given to node", () => {
    const node = process.getBuiltinModule("node:crypto");
    const spy = vi.spyOn(node, "createPrivateKey");
    try {
      importRsaPrivateKey(keyPem);
      const [options] = spy.mock.calls[0] as unknown as [{ readonly key: Uint8Array }];
      expect(options.key.length).toBeGreaterThan(1000);
      expect(options.key.every((byte) => byte === 0)).toBe(true);
    } finally {
      spy.mockRestore();
    }
  });

  const refusals = async (
    read: (input: string | Uint8Array) => unknown,
    inputs: readonly (string | Uint8Array)[],
  ): Promise<string[]> => {
    const messages: string[] = [];
    for (const input of inputs) {
      const error = (await failureOf(() => read(input))) as Error & { readonly code: string };
      expect(error.code).toBe("ERR_KEY_INVALID");
      messages.push(error.message);
    }
    return messages;
  };

  it("are refused in the place of one another", async () => {
    const publicInputs = [publicPem, publicObject.export({ type: "pkcs1", format: "pem" }) as string, spkiDer];
    const privateInputs = [keyPem, exported("pkcs1", "pem"), exported("pkcs8", "der")];
    for (const text of await refusals(importRsaPrivateKey, publicInputs))
      expect(text).toMatch(/expected an RSA private key/);
    for (const text of await refusals(importRsaPublicKey, privateInputs))
      expect(text).toMatch(/expected an RSA public key/);
  });

  it("are refused when encrypted, with a hint", async () => {
    const cipher = { cipher: "aes-256-cbc", passphrase: "secret", format: "pem" } as const;
    const encrypted = ["pkcs8", "pkcs1"].map(
      (type) => keyObject.export({ type: type as "pkcs8", ...cipher }) as string,
    );
    expect(encrypted[1]).toContain("Proc-Type");
    for (const text of await refusals(importRsaPrivateKey, encrypted)) expect(text).toMatch(/passphrase/);
    const der = keyObject.export({ type: "pkcs8", format: "der", cipher: "aes-256-cbc", passphrase: "secret" });
    await refusals(importRsaPrivateKey, [der]);
  });

  it("are refused when of another algorithm or too short or too long", async () => {
    const ec = nodeCrypto.generateKeyPairSync("ec", { namedCurve: "P-256" });
    const short = nodeCrypto.generateKeyPairSync("rsa", { modulusLength: 1024 });
    const pem = { format: "pem", type: "pkcs8" } as const;
    const spki = { format: "pem", type: "spki" } as const;
    await refusals(importRsaPrivateKey, [ec.privateKey.export(pem) as string]);
    await refusals(importRsaPublicKey, [ec.publicKey.export(spki) as string]);
    const texts = [
      ...(await refusals(importRsaPrivateKey, [short.privateKey.export(pem) as string])),
      ...(await refusals(importRsaPublicKey, [short.publicKey.export(spki) as string])),
    ];
    for (const text of texts) expect(text).toMatch(/2048..8192 bits, got 1024/);
    const publicOf = (bits: number, e: string): string => {
      const n = Buffer.alloc(Math.ceil(bits / 8), 255);
      n[0] = 255 >> (8 * n.length - bits);
      const key = nodeCrypto.createPublicKey({ key: { kty: "RSA", n: n.toString("base64url"), e }, format: "jwk" });
      return key.export(spki) as string;
    };
    expect(importRsaPublicKey(publicOf(2048, "AQAB")).modulusBytes).toBe(256);
    expect(importRsaPublicKey(publicOf(2049, "Aw")).modulusBytes).toBe(257);
    expect(importRsaPublicKey(publicOf(8192, "AQAB")).modulusBytes).toBe(1024);
    for (const [bits, e] of [
      [2047, "AQAB"],
      [8193, "AQAB"],
      [2048, "AQ"],
      [2048, "Ag"],
      [2048, "_".repeat(12)],
    ] as const) {
      await refusals(importRsaPublicKey, [publicOf(bits, e)]);
    }
    // RSASSA-PSS keys are for signing.
    const pss = nodeCrypto.generateKeyPairSync("rsa-pss", { modulusLength: 2048 });
    await refusals(importRsaPublicKey, [pss.publicKey.export(spki) as string]);
    await refusals(importRsaPrivateKey, [pss.privateKey.export(pem) as string]);
  });

  it("are refused when damaged, without a word of their content", async () => {
    const der = exported("pkcs8", "der") as Uint8Array;
    const cut = [0, 1, 2, 5, 20, 30, 100, der.length - 1].map((length) => der.subarray(0, length));
    const inputs = [
      ...cut,
      concatBytes(der, Uint8Array.of(0)),
      "",
      "not a key",
      keyPem.replace("END PRIVATE", "END RSA PRIVATE"),
      keyPem + keyPem,
      keyPem + publicPem,
      keyPem.replace("MII", "MI!"),
      keyPem.slice(0, 400),
      utf8ToBytes("text"),
      Uint8Array.of(0xff, 0xfe),
      "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----",
    ];
    for (const text of await refusals(importRsaPrivateKey, inputs)) expect(text.length).toBeLessThan(140);
    await refusals(importRsaPublicKey, [
      spkiDer.subarray(0, 100),
      concatBytes(spkiDer, Uint8Array.of(0)),
      "",
      ...cut.slice(3),
    ]);
    // Three primes (RFC 8017 A.1.2 version 1).
    const pkcs1 = Buffer.from(exported("pkcs1", "der") as Uint8Array);
    pkcs1[6] = 1;
    const body = pkcs1.toString("base64");
    const multiPrime = `-----BEGIN RSA PRIVATE KEY-----\n${body}\n-----END RSA PRIVATE KEY-----`;
    expect(await refusals(importRsaPrivateKey, [multiPrime])).toEqual(["expected an RSA key of two primes"]);
  });
});
