// An emulator with a clock that tests move, and clients, providers and admins over it: real HTTP, real signatures.
import { ManualClock } from "@fengni/backend-local";
import type { AsymmetricEncryptionAlgorithm, KeySpec, KeyUsage, SignatureAlgorithm } from "@fengni/core";
import { type Emulator, type EmulatorOptions, startEmulator } from "@fengni/emulator";
import type { ConformanceKeys, KeyPair } from "@fengni/testing";
import { TencentKeyAdmin, TencentKeyProvider, TencentKmsClient, type TencentKmsClientOptions } from "../src/index.js";

/** An emulator and what talks to it. */
export interface Bench {
  readonly emulator: Emulator;
  readonly clock: ManualClock;
  readonly client: TencentKmsClient;
  readonly provider: TencentKeyProvider;
  readonly admin: TencentKeyAdmin;
  /** Another client, as another process would have. */
  connect(options?: Partial<TencentKmsClientOptions>): TencentKmsClient;
  close(): Promise<void>;
}

/** Starts an emulator, with a client for it. */
export async function startBench(
  emulatorOptions: EmulatorOptions = {},
  clientOptions: Partial<TencentKmsClientOptions> = {},
): Promise<Bench> {
  const clock = new ManualClock(Math.floor(performance.timeOrigin + performance.now()));
  const emulator = await startEmulator({ clock, ...emulatorOptions });
  const { endpoint, region, secretId = "", secretKey = "" } = emulator;
  const connect = (options: Partial<TencentKmsClientOptions> = {}): TencentKmsClient =>
    new TencentKmsClient({ credentials: { secretId, secretKey }, endpoint, region, ...clientOptions, ...options });
  const client = connect();
  return {
    emulator,
    clock,
    client,
    provider: new TencentKeyProvider({ client }),
    admin: new TencentKeyAdmin({ client }),
    connect,
    async close() {
      await client.close();
      await emulator.close();
    },
  };
}

async function pair(admin: TencentKeyAdmin, name: string, keySpec: KeySpec, keyUsage: KeyUsage): Promise<KeyPair> {
  const alias = `${name}-one`;
  await admin.createKey({ alias, keySpec, keyUsage });
  // One by alias, one by id.
  return [alias, (await admin.createKey({ keySpec, keyUsage })).keyId];
}

/** Two keys for each use that there is. */
export async function createKeys(admin: TencentKeyAdmin): Promise<Required<ConformanceKeys>> {
  const rsaSign = await pair(admin, "rsa-sign", "RSA_2048", "sign-verify");
  const rsaDecrypt = await pair(admin, "rsa-decrypt", "RSA_2048", "asymmetric-decrypt");
  const sign: Record<SignatureAlgorithm, KeyPair> = {
    ECDSA_P256_SHA_256: await pair(admin, "p256", "ECC_P256", "sign-verify"),
    ECDSA_P384_SHA_384: await pair(admin, "p384", "ECC_P384", "sign-verify"),
    RSA_PKCS1_SHA_256: rsaSign,
    RSA_PSS_SHA_256: rsaSign,
    SM2DSA: await pair(admin, "sm2-sign", "SM2", "sign-verify"),
    ML_DSA_65: await pair(admin, "ml-dsa", "ML_DSA_65", "sign-verify"),
  };
  const asymmetricDecrypt: Record<AsymmetricEncryptionAlgorithm, KeyPair> = {
    RSAES_OAEP_SHA_1: rsaDecrypt,
    RSAES_OAEP_SHA_256: rsaDecrypt,
    RSAES_PKCS1_V1_5: rsaDecrypt,
    SM2_C1C3C2_ASN1: await pair(admin, "sm2-decrypt", "SM2", "asymmetric-decrypt"),
  };
  return {
    symmetric: await pair(admin, "symmetric", "AES_256", "encrypt-decrypt"),
    sign,
    asymmetricDecrypt,
    postQuantumEncryption: await pair(admin, "ml-kem", "ML_KEM_768", "post-quantum-encrypt-decrypt"),
  };
}
