import * as nodeCrypto from "node:crypto";
import { describe, expect, it, vi } from "vitest";
import { bytesToHex, concatBytes, hexToBytes, utf8ToBytes } from "../src/bytes.js";
import { bytesOf, checked, n, numberOf } from "./sm2-vectors.js";
import { assertSame, codeOf } from "./wycheproof.js";

const ALGORITHM = "301306072a8648ce3d020106082a811ccf5501822d";
const P256_ALGORITHM = "301306072a8648ce3d020106082a8648ce3d030107";
const text = utf8ToBytes("a message");

/** A key pair of OpenSSL, as DER. */
function opensslKey(namedCurve = "SM2"): {
  readonly pkcs8: Uint8Array;
  readonly spki: Uint8Array;
  readonly sec1: Uint8Array;
} {
  const { privateKey, publicKey } = nodeCrypto.generateKeyPairSync("ec", { namedCurve });
  const pkcs8 = privateKey.export({ format: "der", type: "pkcs8" });
  const sec1 = privateKey.export({ format: "der", type: "sec1" });
  return { pkcs8, sec1, spki: publicKey.export({ format: "der", type: "spki" }) };
}

/** One element of DER. */
function element(tag: string, ...hex: readonly string[]): string {
  const body = hex.join("");
  const length = body.length / 2;
  const header = length < 128 ? length.toString(16).padStart(2, "0") : `81${length.toString(16).padStart(2, "0")}`;
  return tag + header + body;
}

const pem = (label: string, der: Uint8Array): string =>
  `-----BEGIN ${label}-----\n${Buffer.from(der).toString("base64")}\n-----END ${label}-----`;

describe.each(checked)("SM2 keys by $name", (implementation) => {
  const key = implementation.generateKey();
  const pkcs8 = key.exportPkcs8();
  const sec1 = key.exportSec1();
  const spki = key.publicKey.exportSpki();
  const { point } = key.publicKey;
  const scalar = hexToBytes(bytesToHex(sec1).slice(14, 78));
  const refuses = async (input: unknown): Promise<void> => {
    expect(await codeOf(() => implementation.importPrivateKey(input as Uint8Array))).toBe("ERR_KEY_INVALID");
    expect(await codeOf(() => implementation.importPublicKey(input as Uint8Array))).toBe("ERR_KEY_INVALID");
  };

  it("writes and reads DER byte for byte as OpenSSL does", () => {
    const theirs = opensslKey();
    for (const form of ["pkcs8", "sec1"] as const) {
      const imported = implementation.importPrivateKey(theirs[form]);
      assertSame(imported.exportPkcs8(), theirs.pkcs8);
      assertSame(imported.exportSec1(), theirs.sec1);
      assertSame(imported.publicKey.exportSpki(), theirs.spki);
    }
    assertSame(implementation.importPublicKey(theirs.spki).exportSpki(), theirs.spki);
    for (const [type, der] of [["pkcs8", pkcs8] as const, ["sec1", sec1] as const]) {
      const read = nodeCrypto.createPrivateKey({ key: Buffer.from(der), format: "der", type });
      assertSame(read.export({ format: "der", type: "pkcs8" }), pkcs8);
    }
  });

  it("writes PEM that OpenSSL reads, and reads what it writes, as text and as bytes", () => {
    const privateForms = [key.exportPkcs8Pem(), key.exportSec1Pem(), key.exportSec1Pem().replaceAll("EC ", "SM2 ")];
    for (const form of privateForms) {
      // OpenSSL puts the curve before a key, and people put text around it.
      const parameters = pem("SM2 PARAMETERS", hexToBytes("06082a811ccf5501822d"));
      for (const variant of [form, form.replaceAll("\n", "\r\n"), `a key\n${parameters}\n${form}end`]) {
        assertSame(implementation.importPrivateKey(variant).exportPkcs8(), pkcs8);
        assertSame(implementation.importPrivateKey(utf8ToBytes(variant)).exportPkcs8(), pkcs8);
      }
    }
    for (const form of privateForms.slice(0, 2)) {
      assertSame(nodeCrypto.createPrivateKey(form).export({ format: "der", type: "pkcs8" }), pkcs8);
    }
    const publicPem = key.publicKey.exportSpkiPem();
    const read = nodeCrypto.createPublicKey(publicPem);
    assertSame(read.export({ format: "der", type: "spki" }), spki);
    expect(read.export({ format: "pem", type: "spki" })).toBe(publicPem);
    expect(nodeCrypto.createPrivateKey(privateForms[0] as string).export({ format: "pem", type: "pkcs8" })).toBe(
      privateForms[0],
    );
    for (const variant of [publicPem, utf8ToBytes(publicPem)]) {
      assertSame(implementation.importPublicKey(variant).point, point);
    }
  });

  it("reads bare numbers and points, also compressed ones", () => {
    assertSame(implementation.importPrivateScalar(scalar).exportPkcs8(), pkcs8);
    assertSame(implementation.importPublicKey(point).exportSpki(), spki);
    for (const each of [key, implementation.generateKey(), implementation.generateKey()]) {
      const whole = each.publicKey.point;
      const compressed = concatBytes(Uint8Array.of(2 + ((whole[64] as number) & 1)), whole.subarray(1, 33));
      assertSame(implementation.importPublicKey(compressed).point, whole);
      const bits = element("03", "00", bytesToHex(compressed));
      assertSame(implementation.importPublicKey(hexToBytes(element("30", ALGORITHM, bits))).point, whole);
    }
  });

  it("reads keys with fewer and more parts: no public point, a curve inside, attributes", () => {
    const digits = element("04", bytesToHex(scalar));
    const curve = element("a0", "06082a811ccf5501822d");
    const bits = element("a1", element("03", "00", bytesToHex(point)));
    const wrap = (version: string, inner: string, ...rest: readonly string[]): Uint8Array =>
      hexToBytes(element("30", version, ALGORITHM, element("04", inner), ...rest));
    for (const der of [
      wrap("020100", element("30", "020101", digits)),
      wrap("020100", element("30", "020101", digits, curve, bits)),
      wrap("020100", element("30", "020101", digits, bits), element("a0", "3000")),
      wrap("020101", element("30", "020101", digits), element("81", "00", bytesToHex(point))),
      hexToBytes(element("30", "020101", digits, curve)),
      hexToBytes(element("30", "020101", digits, curve, bits)),
    ]) {
      assertSame(implementation.importPrivateKey(der).exportPkcs8(), pkcs8);
    }
    for (const der of [
      wrap("020102", element("30", "020101", digits)),
      wrap("02020001", element("30", "020101", digits)),
      wrap("020100", element("30", "020102", digits)),
      wrap("020100", element("30", "020101", digits, element("a0", "06082a8648ce3d030107"))),
      wrap("020100", element("30", "020101", element("04", `00${bytesToHex(scalar)}`))),
      wrap("020100", element("30", "020101", digits), element("81", "00", bytesToHex(point))),
      hexToBytes(element("30", "020101", digits)),
      hexToBytes(element("30", "020101", digits, bits)),
      hexToBytes(element("30", "020101", digits, element("a0", "06082a8648ce3d030107"))),
      hexToBytes(element("30", "020101", digits, curve, element("a1", element("03", "00", "00")))),
    ]) {
      expect(() => implementation.importPrivateKey(der)).toThrow(/SM2|curve/);
    }
  });

  it("refuses numbers out of 1..n-2 and foreign public points", async () => {
    const at = bytesToHex(pkcs8).indexOf(bytesToHex(scalar)) / 2;
    const withScalar = (bytes: Uint8Array): Uint8Array => {
      const der = Uint8Array.from(pkcs8);
      der.set(bytes, at);
      return der;
    };
    for (const number of [0n, n - 1n, n, n + 1n, 2n ** 256n - 1n]) {
      const wrong = bytesOf(number);
      expect(await codeOf(() => implementation.importPrivateScalar(wrong))).toBe("ERR_KEY_INVALID");
      expect(await codeOf(() => implementation.importPrivateKey(withScalar(wrong)))).toBe("ERR_KEY_INVALID");
    }
    for (const wrong of [scalar.subarray(1), concatBytes(Uint8Array.of(0), scalar), new Uint8Array(0)]) {
      expect(await codeOf(() => implementation.importPrivateScalar(wrong))).toBe("ERR_KEY_INVALID");
    }
    expect(await codeOf(() => implementation.importPrivateScalar("11" as never))).toBe("ERR_ARGUMENT");
    for (const number of [1n, 2n, n - 2n]) {
      const edge = implementation.importPrivateScalar(bytesOf(number));
      expect(edge.publicKey.verify(text, edge.sign(text))).toBe(true);
      assertSame(edge.decrypt(edge.publicKey.encrypt(text)), text);
    }
    const other = bytesOf(numberOf(scalar) - 1n);
    expect(await codeOf(() => implementation.importPrivateKey(withScalar(other)))).toBe("ERR_KEY_INVALID");
  });

  it("refuses points off the curve, infinity, other lengths and forms", async () => {
    const off = Uint8Array.from(point);
    off[64] = (off[64] as number) ^ 1;
    const p = hexToBytes("fffffffeffffffffffffffffffffffffffffffff00000000ffffffffffffffff");
    const hybrid = Uint8Array.from(point);
    hybrid[0] = 6 | ((point[64] as number) & 1);
    const points = [
      off,
      Uint8Array.of(0),
      Uint8Array.of(4),
      concatBytes(Uint8Array.of(4), new Uint8Array(64)),
      concatBytes(Uint8Array.of(4), p, point.subarray(33)),
      concatBytes(Uint8Array.of(4), new Uint8Array(64).fill(255)),
      // x = 5 is no point's.
      concatBytes(Uint8Array.of(2), bytesOf(5n)),
      concatBytes(Uint8Array.of(2), p),
      concatBytes(Uint8Array.of(2), new Uint8Array(32).fill(255)),
      hybrid,
      point.subarray(0, 64),
      point.subarray(0, 33),
      concatBytes(point, Uint8Array.of(0)),
      point.subarray(1),
    ];
    for (const wrong of points) {
      await refuses(wrong);
      await refuses(hexToBytes(element("30", ALGORITHM, element("03", "00", bytesToHex(wrong)))));
    }
  });

  it("refuses other curves and algorithms, and one kind of key for the other", async () => {
    const rsa = nodeCrypto.generateKeyPairSync("rsa", { modulusLength: 2048 });
    const others = ["prime256v1", "secp256k1", "secp384r1"].map(opensslKey);
    for (const { pkcs8: theirs, spki: theirPublic, sec1: theirSec1 } of others) {
      for (const der of [theirs, theirPublic, theirSec1]) await refuses(der);
      await refuses(pem("PUBLIC KEY", theirPublic));
      await refuses(pem("EC PRIVATE KEY", theirSec1));
    }
    await refuses(rsa.publicKey.export({ format: "der", type: "spki" }));
    await refuses(rsa.privateKey.export({ format: "der", type: "pkcs8" }));
    await refuses(hexToBytes(bytesToHex(spki).replace(ALGORITHM, P256_ALGORITHM)));
    expect(await codeOf(() => implementation.importPrivateKey(spki))).toBe("ERR_KEY_INVALID");
    expect(await codeOf(() => implementation.importPrivateKey(key.publicKey.exportSpkiPem()))).toBe("ERR_KEY_INVALID");
    for (const form of [pkcs8, sec1, key.exportPkcs8Pem(), key.exportSec1Pem()]) {
      expect(await codeOf(() => implementation.importPublicKey(form))).toBe("ERR_KEY_INVALID");
    }
  });

  it("refuses damaged DER: cut, longer, and with any byte of its framing changed", async () => {
    for (const [form, whole] of Object.entries({ spki, pkcs8, sec1 })) {
      const read = (bytes: Uint8Array) => () =>
        form === "spki" ? implementation.importPublicKey(bytes) : implementation.importPrivateKey(bytes);
      for (let length = 0; length < whole.length; length++) {
        expect(await codeOf(read(whole.subarray(0, length)))).toBe("ERR_KEY_INVALID");
      }
      expect(await codeOf(read(concatBytes(whole, Uint8Array.of(0))))).toBe("ERR_KEY_INVALID");
      for (let i = 0; i < whole.length; i++) {
        const changed = Uint8Array.from(whole);
        changed[i] = (changed[i] as number) ^ 1;
        // The version of PKCS#8 may be 1 as well.
        if (form === "pkcs8" && i === 5) continue;
        expect(await codeOf(read(changed)), `${form} byte ${i}`).toBe("ERR_KEY_INVALID");
      }
    }
  });

  it("refuses PEM that is none, encrypted, double or damaged", async () => {
    const good = key.exportPkcs8Pem();
    const encrypted = nodeCrypto
      .generateKeyPairSync("ec", { namedCurve: "SM2" })
      .privateKey.export({ format: "pem", type: "pkcs8", cipher: "aes-256-cbc", passphrase: "secret" });
    const legacy =
      "-----BEGIN EC PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,00\n\nAAAA\n-----END EC PRIVATE KEY-----";
    for (const wrong of [
      "",
      "a key",
      good + good,
      good.replace("END PRIVATE", "END PUBLIC"),
      good.replace("\n", "\n!"),
      good.replaceAll("PRIVATE KEY", "CERTIFICATE"),
      good.slice(0, -10),
      encrypted,
      legacy,
    ]) {
      await refuses(wrong);
    }
    for (const wrong of [encrypted, legacy])
      expect(() => implementation.importPrivateKey(wrong as string)).toThrow(/passphrase/);
    await refuses(Uint8Array.of(0xff, 0xfe));
    for (const wrong of [undefined, null, 5, {}, [4]]) {
      expect(await codeOf(() => implementation.importPrivateKey(wrong as never))).toBe("ERR_ARGUMENT");
      expect(await codeOf(() => implementation.importPublicKey(wrong as never))).toBe("ERR_ARGUMENT");
    }
  });

  it("keeps nothing of the buffer that it was read from, and gives out copies", () => {
    for (const form of [pkcs8, sec1, scalar]) {
      const buffer = Uint8Array.from(form);
      const imported =
        form === scalar ? implementation.importPrivateScalar(buffer) : implementation.importPrivateKey(buffer);
      buffer.fill(0);
      for (const out of [imported.exportPkcs8(), imported.exportSec1(), imported.publicKey.point]) out.fill(0);
      assertSame(imported.exportPkcs8(), pkcs8);
      assertSame(imported.decrypt(key.publicKey.encrypt(text)), text);
    }
    const buffer = Uint8Array.from(point);
    const imported = implementation.importPublicKey(buffer);
    buffer.fill(0);
    assertSame(imported.point, point);
  });

  it("says nothing of a key in its errors, nor when it is printed", async () => {
    const hex = bytesToHex(scalar);
    const shown = [
      JSON.stringify(key),
      String(key),
      (await import("node:util")).inspect(key, { depth: 5, showHidden: true }),
    ];
    for (const each of shown) expect(each.includes(hex) || each.includes(scalar.join(","))).toBe(false);
    const wrong = concatBytes(pkcs8, Uint8Array.of(0));
    expect(() => implementation.importPrivateKey(wrong)).toThrow(
      /^not an SM2 private key in PEM, or in DER PKCS#8 or SEC1$/,
    );
  });

  it("makes another key each time", () => {
    const keys = [0, 1, 2, 3].map(() => bytesToHex(implementation.generateKey().exportPkcs8()));
    expect(new Set(keys).size).toBe(4);
  });
});

it("leaves no copy of a private key that node was given, and never hands it a generated one", () => {
  const implementation = checked.find(({ name }) => name === "node");
  const node = process.getBuiltinModule("node:crypto");
  const spies = [vi.spyOn(node, "createPrivateKey"), vi.spyOn(node, "generateKeyPairSync")] as const;
  try {
    const key = implementation?.generateKey();
    key?.sign(text);
    key?.sign(text);
    expect(spies[0]).toHaveBeenCalledTimes(1);
    const [options] = spies[0].mock.calls[0] as unknown as [{ readonly key: Uint8Array }];
    expect(options.key.length).toBe(138);
    expect(options.key.every((byte) => byte === 0)).toBe(true);
    expect(spies[1]).not.toHaveBeenCalled();
  } finally {
    for (const spy of spies) spy.mockRestore();
  }
});
