// How many calls of the service 100,000 sealed messages of 100 tenants cost, counted at the provider: with the data-key cache,
// and with branch keys. A count, not a time.

import { TencentKeyProvider, TencentKmsClient } from "@fengni/backend-remote";
import {
  BranchKeyring,
  branchKeyStore,
  type EncryptionContext,
  Envelope,
  type KeyProvider,
  memoryBranchKeyRecords,
  providerKey,
} from "@fengni/core";
import { startEmulator } from "@fengni/emulator";
import type { Result } from "./harness.js";

const MESSAGES = 100_000;
const TENANTS = 100;
const PLAINTEXT = new Uint8Array(64);

function counted(provider: KeyProvider): { readonly provider: KeyProvider; readonly calls: () => number } {
  let calls = 0;
  const counting: KeyProvider = Object.create(provider, {
    generateDataKey: {
      value: (...request: Parameters<KeyProvider["generateDataKey"]>) => {
        calls += 1;
        return provider.generateDataKey(...request);
      },
    },
    decrypt: {
      value: (...request: Parameters<KeyProvider["decrypt"]>) => {
        calls += 1;
        return provider.decrypt(...request);
      },
    },
    providerId: { value: provider.providerId },
    capabilities: { value: provider.capabilities },
    resolveKeyId: { value: provider.resolveKeyId.bind(provider) },
  }) as KeyProvider;
  return { provider: counting, calls: () => calls };
}

/** Calls for sealing, and for opening what was sealed. */
export async function measureRemoteCalls(): Promise<readonly Result[]> {
  const emulator = await startEmulator({ console: false });
  const { endpoint, region, secretId = "", secretKey = "" } = emulator;
  const client = new TencentKmsClient({ endpoint, region, credentials: { secretId, secretKey } });
  try {
    const { KeyId = "" } = await client.createKey({ Alias: "bench" });
    const { provider, calls } = counted(new TencentKeyProvider({ client }));
    const wrappingKey = providerKey(provider, KeyId);
    const cached = new Envelope({ wrappingKeys: [wrappingKey], cache: { maxAgeMs: 300_000 } });
    const store = branchKeyStore({ wrappingKey, records: memoryBranchKeyRecords() });
    const tenants = Array.from({ length: TENANTS }, (_, i) => `tenant ${i}`);
    for (const tenant of tenants) await store.create(tenant);
    const keyring = new BranchKeyring({ store, branchKeyIdFor: ({ tenant = "" }) => tenant, ttlMs: 300_000 });
    const branched = new Envelope({ wrappingKeys: [keyring] });
    const results: Result[] = [];
    for (const [how, envelope] of [
      ["cached", cached],
      ["branch keys", branched],
    ] as const) {
      const messages: Uint8Array[] = [];
      const contextOf = (i: number): EncryptionContext => ({ tenant: tenants[i % TENANTS] ?? "" });
      const before = calls();
      for (let i = 0; i < MESSAGES; i++) {
        messages.push(await envelope.encrypt(PLAINTEXT, { encryptionContext: contextOf(i) }));
      }
      const sealed = calls();
      for (const [i, message] of messages.entries()) {
        await envelope.decrypt(message, { encryptionContext: contextOf(i) });
      }
      results.push(figure("seal", how, sealed - before), figure("open", how, calls() - sealed));
      envelope.close();
    }
    keyring.close();
    return results;
  } finally {
    await client.close();
    await emulator.close();
  }
}

function figure(what: string, how: string, value: number): Result {
  const name = `service calls to ${what} ${MESSAGES.toLocaleString("en")} messages of ${TENANTS} tenants, ${how}`;
  return { name, value, unit: "calls", peer: null, ratio: null };
}
