// How many calls of the service 100,000 sealed messages cost, counted at the provider: with the data-key cache as it is by default.
// A count, not a time; there are no branch keys yet.

import { TencentKeyProvider, TencentKmsClient } from "@fengni/backend-remote";
import { Envelope, type KeyProvider, providerKey } from "@fengni/core";
import { startEmulator } from "@fengni/emulator";
import type { Result } from "./harness.js";

const MESSAGES = 100_000;

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
    const envelope = new Envelope({ wrappingKeys: [providerKey(provider, KeyId)], cache: { maxAgeMs: 300_000 } });
    const plaintext = new Uint8Array(64);
    const encryptionContext = { tenant: "7" };
    const messages: Uint8Array[] = [];
    for (let i = 0; i < MESSAGES; i++) messages.push(await envelope.encrypt(plaintext, { encryptionContext }));
    const sealing = calls();
    for (const message of messages) await envelope.decrypt(message, { encryptionContext });
    const figures = { seal: sealing, open: calls() - sealing };
    return Object.entries(figures).map(([what, value]) => ({
      name: `service calls to ${what} ${MESSAGES.toLocaleString("en")} messages, cached`,
      value,
      unit: "calls",
      peer: null,
      ratio: null,
    }));
  } finally {
    await client.close();
    await emulator.close();
  }
}
