// Messages of the AWS Encryption SDKs through the command: opened where the vectors say so, refused with one line where not.
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { cases, readVectorFile, type VectorCase } from "../../../test/support/aws-esdk.js";
import { expectFailure, Folder, run, runWell } from "./support.js";

const folder = new Folder();
const keys: Readonly<Record<string, { type: string; hex: string; privateKeyPem: string }>> = JSON.parse(
  readFileSync(new URL("../../../vectors/aws-esdk/keys.json", import.meta.url), "utf8"),
);

/** The options that open a case; undefined when the command has none for its keys. */
function keyOptions({ keyrings, options, reproducedEncryptionContext }: VectorCase): string[] | undefined {
  const [keyring, ...others] = keyrings;
  if (keyring === undefined || others.length > 0 || reproducedEncryptionContext !== undefined) return undefined;
  if (keyring.type === "static-data-key" || keyring.publicOnly === true) return undefined;
  const { namespace, name, key, padding } = keyring;
  const material = keys[key];
  if (material === undefined) throw new Error(`keys.json lacks ${key}`);
  const names = [`--namespace=${namespace}`, `--name=${name}`];
  const maximum = options?.maxEncryptedDataKeys;
  if (maximum !== undefined) names.push("--max-encrypted-data-keys", String(maximum));
  if (options?.commitmentPolicy === undefined) names.push("--allow-uncommitted");
  if (keyring.type === "raw-aes") {
    return ["--raw-aes-key", folder.write(`${key}.aes`, Buffer.from(material.hex, "hex")), ...names];
  }
  const path = folder.write(`${key}.pem`, material.privateKeyPem);
  return ["--raw-rsa-private-key", path, "--padding", padding, ...names];
}

const usable = cases.flatMap((vector) => {
  const options = keyOptions(vector);
  return options === undefined ? [] : [{ vector, options }];
});

describe("vectors", () => {
  test("there are enough that the command can open", () => {
    expect(usable.filter(({ vector }) => vector.expect === "accept").length).toBeGreaterThan(40);
    expect(usable.filter(({ vector }) => vector.expect === "reject").length).toBeGreaterThan(40);
  });

  test("every one is opened or refused as it must be", async () => {
    for (const { vector, options } of usable) {
      const stdin = readVectorFile(vector.ciphertext);
      const context = Object.entries(vector.encryptionContext ?? {}).map(([key, value]) => `--context=${key}=${value}`);
      const result = await run(["decrypt", "-", "-o", "-", ...options, ...context], { stdin });
      if (vector.expect === "reject") {
        expectFailure(result, 1, /\((ERR_[A-Z_]+)\)\n$/.exec(result.stderr)?.[1] ?? "");
        continue;
      }
      expect(result, vector.id).toMatchObject({ exitCode: 0, stderr: "" });
      if (vector.plaintext !== undefined) expect(result.stdout.equals(readVectorFile(vector.plaintext))).toBe(true);
      else expect(createHash("sha256").update(result.stdout).digest("hex")).toBe(vector.plaintextSha256);
    }
  });
});

test("a suite without commitment needs --allow-uncommitted, and the error says so", async () => {
  const found = usable.find(({ vector }) => vector.expect === "accept" && readVectorFile(vector.ciphertext)[0] === 1);
  if (found === undefined) throw new Error("no vector of version 1");
  const stdin = readVectorFile(found.vector.ciphertext);
  const options = found.options.filter((option) => option !== "--allow-uncommitted");
  const refused = await run(["decrypt", "-", "-o", folder.at("out"), ...options], { stdin });
  expectFailure(refused, 1, "ERR_MESSAGE_UNSUPPORTED");
  expect(refused.stderr).toContain("add --allow-uncommitted");
  expect(folder.names()).not.toContain("out");
  const { stdout } = await runWell(["inspect", "-"], { stdin });
  expect(stdout.toString()).toContain("commits to its key    no\n");
});
