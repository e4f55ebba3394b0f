// Many tenants and many messages with few calls to the key service; and a second key that may fail without stopping anything.
import { LocalKeyAdmin, LocalKeyProvider, LocalKms } from "@fengni/backend-local";
import {
  BranchKeyring,
  branchKeyStore,
  Envelope,
  memoryBranchKeyRecords,
  providerKey,
  type TelemetryEvent,
} from "@fengni/core";

const kms = new LocalKms();
const admin = new LocalKeyAdmin(kms);
for (const alias of ["tenants", "orders", "second"]) await admin.createKey({ alias });
const provider = new LocalKeyProvider(kms);

// One branch key per tenant, opened through the KMS once in five minutes. In production the records outlive the process.
const store = branchKeyStore({ wrappingKey: providerKey(provider, "tenants"), records: memoryBranchKeyRecords() });
const tenants = Array.from({ length: 50 }, (_value, i) => `tenant-${i}`);
for (const tenant of tenants) await store.create(tenant);

const branchKeys = new BranchKeyring({ store, branchKeyIdFor: ({ tenant }) => tenant ?? "", ttlMs: 5 * 60_000 });
const perTenant = new Envelope({ wrappingKeys: [branchKeys] });
const rows = Array.from({ length: 1000 }, (_value, i) => ({ tenant: `tenant-${i % tenants.length}`, row: String(i) }));
// Every row has a context of its own, which would make a data-key cache useless.
const sealed = await Promise.all(
  rows.map((encryptionContext) => perTenant.encrypt(`row ${encryptionContext.row}`, { encryptionContext })),
);
const texts = await Promise.all(
  sealed.map((message, i) => perTenant.decryptText(message, { encryptionContext: rows[i] ?? {} })),
);
const allEqual = texts.every((text, i) => text === `row ${i}`);
console.log(`${tenants.length} tenants, ${rows.length} messages sealed and opened, all equal: ${allEqual}`);
console.log(`branch keys loaded: ${branchKeys.stats().active.loads}`);

const moved = await perTenant
  .decrypt(sealed[0] ?? new Uint8Array(), { encryptionContext: { tenant: "tenant-1" } })
  .then(
    () => "opened",
    () => "refused",
  );
console.log(`one tenant's message as another's: ${moved}`);

// One context for many messages: a data-key cache. The second key wraps too where it can.
const calls = new Map<string, number>();
const missed = new Set<string>();
const listen = (event: TelemetryEvent): void => {
  if (event.type === "provider-call") calls.set(event.operation, (calls.get(event.operation) ?? 0) + 1);
  if (event.type === "wrapping-incomplete") missed.add(`${event.key} (${event.errorCode})`);
};
const orders = new Envelope({
  wrappingKeys: [providerKey(provider, "orders")],
  optionalWrappingKeys: [providerKey(provider, "second")],
  keyDeadlineMs: 2000,
  cache: { maxAgeMs: 60_000 },
  telemetry: listen,
});
const encryptionContext = { purpose: "orders" };

await admin.disableKey("second");
await orders.prewarm([{ encryptionContext }]);
const messages: Uint8Array[] = [];
for (let i = 0; i < 1000; i++) messages.push(await orders.encrypt(`order ${i}`, { encryptionContext }));
console.log(`cache: ${orders.stats()?.sealing.hits} hits, ${orders.stats()?.sealing.loads} load`);
console.log(`calls: ${[...calls].map(([operation, count]) => `${operation} ${count}`).join(", ")}`);
console.log(`not wrapped by: ${[...missed].join(", ")}`);

// The second key is there again. What it missed is added, message by message; the bodies stay as they are.
await admin.enableKey("second");
const [first = new Uint8Array()] = messages;
const healed = await orders.rewrap(first, { heal: true });

// Some day the first key is gone.
await admin.disableKey("orders");
const onlySecond = new Envelope({ wrappingKeys: [providerKey(provider, "second")] });
const { verdict } = await onlySecond.explain(first);
console.log(`by the second key alone: before ${verdict}, healed ${await onlySecond.decryptText(healed)}`);

for (const closing of [perTenant, orders, onlySecond, branchKeys]) closing.close();
await kms.close();
