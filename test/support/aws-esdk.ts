// Reads vectors/aws-esdk: messages in the AWS Encryption SDK format, with what must become of them.
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { type EnvelopeOptions, rawAesKey, rawRsaKey, type UnwrappingKey } from "@fengni/core";

interface VectorKeyring {
  readonly type: "raw-aes" | "raw-rsa" | "static-data-key";
  readonly namespace: string;
  readonly name: string;
  readonly key: string;
  readonly padding: "pkcs1" | "oaep-sha1" | "oaep-sha256" | "oaep-sha384" | "oaep-sha512";
  readonly publicOnly?: boolean;
  readonly dataKeyHex: string;
}

export interface VectorCase {
  readonly id: string;
  readonly origin: string;
  readonly ciphertext: string;
  readonly plaintext?: string;
  readonly plaintextSha256?: string;
  readonly encryptionContext?: Readonly<Record<string, string>>;
  readonly keyrings: readonly VectorKeyring[];
  readonly reproducedEncryptionContext?: Readonly<Record<string, string>>;
  readonly options?: { readonly maxEncryptedDataKeys?: number; readonly commitmentPolicy?: string };
  readonly expect: "accept" | "reject";
  readonly why?: string;
  /** The check that the vectors' own reader stopped at. */
  readonly failsAt?: string;
}

type VectorKey =
  | { readonly type: "aes"; readonly hex: string }
  | { readonly type: "rsa"; readonly privateKeyPem: string; readonly publicKeyPem: string };

const folder = fileURLToPath(new URL("../../vectors/aws-esdk/", import.meta.url));
const keys: Readonly<Record<string, VectorKey>> = JSON.parse(readFileSync(`${folder}keys.json`, "utf8"));

export const cases: readonly VectorCase[] = JSON.parse(readFileSync(`${folder}manifest.json`, "utf8")).cases;

export function readVectorFile(name: string): Uint8Array {
  return readFileSync(folder + name);
}

function unwrappingKeyOf(keyring: VectorKeyring): UnwrappingKey {
  const { namespace, name } = keyring;
  if (keyring.type === "static-data-key") {
    // A key that is longer than the suite needs is cut to length.
    const dataKey = Buffer.from(keyring.dataKeyHex, "hex");
    return {
      name: "static",
      unwrapDataKey: async ({ dataKeyBytes }) => new Uint8Array(dataKey.subarray(0, dataKeyBytes)),
    };
  }
  const key = keys[keyring.key];
  if (key === undefined) throw new Error(`keys.json lacks ${keyring.key}`);
  if (key.type === "aes") return rawAesKey({ namespace, name, key: Buffer.from(key.hex, "hex") });
  const half = keyring.publicOnly === true ? { publicKey: key.publicKeyPem } : { privateKey: key.privateKeyPem };
  return rawRsaKey({ namespace, name, padding: keyring.padding, ...half });
}

/** The options of the envelope that reads a case. */
export function envelopeOptionsOf({ keyrings, options }: VectorCase): EnvelopeOptions {
  const policy = options?.commitmentPolicy;
  if (policy !== undefined && policy !== "require-encrypt-require-decrypt") throw new Error(`policy ${policy}`);
  return {
    wrappingKeys: [],
    unwrappingKeys: keyrings.map(unwrappingKeyOf),
    commitmentPolicy: policy ?? "require-encrypt-allow-decrypt",
    ...(options?.maxEncryptedDataKeys !== undefined && { maxEncryptedDataKeys: options.maxEncryptedDataKeys }),
  };
}
