// SM2 against the openssl command, both ways. It is skipped, with the reason, where the command or its SM2 is missing.
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { utf8ToBytes } from "../src/bytes.js";
import { checked } from "./sm2-vectors.js";
import { assertSame } from "./wycheproof.js";

const folder = mkdtempSync(join(tmpdir(), "sm2-openssl-"));
afterAll(() => rmSync(folder, { recursive: true }));

const at = (name: string): string => join(folder, name);

function openssl(...args: readonly string[]): string {
  return execFileSync("openssl", args, { cwd: folder, encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });
}

/** Why these tests cannot run, if so. */
function whyNot(): string | undefined {
  try {
    const version = openssl("version");
    if (!version.startsWith("OpenSSL 3")) return `needs OpenSSL 3, found ${version.trim()}`;
    openssl("genpkey", "-algorithm", "SM2", "-out", "theirs.pem");
    return undefined;
  } catch (error) {
    return `no openssl command with SM2: ${String(error)}`;
  }
}

const reason = whyNot();
const text = utf8ToBytes("a message for the command");
const ids = [undefined, "1234567812345678", "Alice", "张三"] as const;

describe.skipIf(reason !== undefined)(
  `SM2 with the openssl command${reason === undefined ? "" : ` (${reason})`}`,
  () => {
    const theirsPem = (): string => readFileSync(at("theirs.pem"), "utf8");

    it("reads its keys in every form that it writes, and writes them the same", () => {
      openssl("pkey", "-in", "theirs.pem", "-outform", "DER", "-out", "sec1.der");
      openssl("pkcs8", "-topk8", "-nocrypt", "-in", "theirs.pem", "-outform", "DER", "-out", "pkcs8.der");
      openssl("ec", "-in", "theirs.pem", "-out", "sec1.pem");
      openssl("ecparam", "-name", "SM2", "-genkey", "-out", "parameters.pem");
      openssl("pkey", "-in", "theirs.pem", "-pubout", "-out", "public.pem");
      openssl("pkey", "-in", "theirs.pem", "-pubout", "-outform", "DER", "-out", "public.der");
      openssl("ec", "-in", "theirs.pem", "-pubout", "-conv_form", "compressed", "-out", "compressed.pem");
      const [first] = checked;
      if (first === undefined) throw new Error();
      const pkcs8 = readFileSync(at("pkcs8.der"));
      const key = first.importPrivateKey(theirsPem());
      assertSame(key.exportPkcs8(), pkcs8);
      for (const name of ["sec1.der", "pkcs8.der", "sec1.pem"]) {
        assertSame(first.importPrivateKey(readFileSync(at(name))).exportPkcs8(), pkcs8);
      }
      expect(readFileSync(at("parameters.pem"), "utf8")).toContain("PARAMETERS");
      first.importPrivateKey(readFileSync(at("parameters.pem"), "utf8"));
      assertSame(key.publicKey.exportSpki(), readFileSync(at("public.der")));
      expect(key.publicKey.exportSpkiPem()).toBe(readFileSync(at("public.pem"), "utf8"));
      expect(key.exportPkcs8Pem()).toBe(theirsPem());
      for (const name of ["public.pem", "public.der", "compressed.pem"]) {
        assertSame(first.importPublicKey(readFileSync(at(name))).point, key.publicKey.point);
      }
    });

    describe.each(checked)("by $name", (implementation) => {
      const key = implementation.generateKey();
      const write = (): void => {
        writeFileSync(at("pkcs8.pem"), key.exportPkcs8Pem());
        writeFileSync(at("sec1.pem"), key.exportSec1Pem());
        writeFileSync(at("pkcs8.der"), key.exportPkcs8());
        writeFileSync(at("sec1.der"), key.exportSec1());
        writeFileSync(at("public.pem"), key.publicKey.exportSpkiPem());
        writeFileSync(at("message"), text);
      };
      const options = (id: string | undefined): readonly string[] => [
        "-rawin",
        "-digest",
        "sm3",
        "-pkeyopt",
        `distid:${id ?? "1234567812345678"}`,
      ];
      const userIdOf = (id: string | undefined): { readonly userId?: string } =>
        id === undefined ? {} : { userId: id };

      it("gives keys that it reads, in every form", () => {
        write();
        for (const name of ["pkcs8.pem", "sec1.pem", "pkcs8.der", "sec1.der"]) {
          openssl("pkey", "-in", name, "-check", "-noout");
          expect(openssl("pkey", "-in", name, "-pubout")).toBe(key.publicKey.exportSpkiPem());
        }
        openssl("pkey", "-pubin", "-in", "public.pem", "-pubcheck", "-noout");
      });

      it("verifies what it signs, and signs what it verifies, for each id", () => {
        write();
        for (const id of ids) {
          openssl("pkeyutl", "-sign", "-in", "message", "-inkey", "sec1.pem", "-out", "signature", ...options(id));
          const signature = readFileSync(at("signature"));
          expect(key.publicKey.verify(text, signature, userIdOf(id))).toBe(true);
          expect(key.publicKey.verify(text, signature, { userId: "Mallory" })).toBe(false);
          writeFileSync(at("ours"), key.sign(text, userIdOf(id)));
          const verify = ["pkeyutl", "-verify", "-in", "message", "-pubin", "-inkey", "public.pem", "-sigfile", "ours"];
          expect(openssl(...verify, ...options(id))).toContain("Verified Successfully");
          expect(() => openssl(...verify, ...options("Mallory"))).toThrow();
        }
      });

      it("opens what it encrypts, and encrypts what it opens", () => {
        write();
        for (const length of [16, 32, 1000]) {
          const plaintext = new Uint8Array(length).fill(length & 255);
          writeFileSync(at("plaintext"), plaintext);
          openssl("pkeyutl", "-encrypt", "-in", "plaintext", "-pubin", "-inkey", "public.pem", "-out", "ciphertext");
          assertSame(key.decrypt(readFileSync(at("ciphertext")), { format: "asn1" }), plaintext);
          writeFileSync(at("ours"), key.publicKey.encrypt(plaintext, { format: "asn1" }));
          openssl("pkeyutl", "-decrypt", "-in", "ours", "-inkey", "pkcs8.pem", "-out", "opened");
          assertSame(readFileSync(at("opened")), plaintext);
        }
      });
    });
  },
);
