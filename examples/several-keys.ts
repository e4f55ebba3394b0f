// Wrap each data key under several keys, so that the loss of one of them loses no data.
import { randomBytes } from "node:crypto";
import { LocalKeyAdmin, LocalKeyProvider, LocalKms } from "@fengni/backend-local";
import { Envelope, isFengniError, providerKey, rawAesKey } from "@fengni/core";

const kms = new LocalKms();
const admin = new LocalKeyAdmin(kms);
await admin.createKey({ alias: "primary" });

const primary = providerKey(new LocalKeyProvider(kms), "primary");
// An escrow key that no service holds; in practice it lies in a safe, not in the process.
const escrow = rawAesKey({ namespace: "example", name: "escrow-2026", key: randomBytes(32) });

const envelope = new Envelope({ wrappingKeys: [primary, escrow] });
const message = await envelope.encrypt("worth keeping");

await admin.disableKey("primary");
try {
  await new Envelope({ wrappingKeys: [primary] }).decrypt(message);
} catch (error) {
  if (!isFengniError(error)) throw error;
  console.log(`primary alone: ${error.code}`);
}
console.log(`with escrow: ${await envelope.decryptText(message)}`);

await kms.close();
