// Seal columns of a table and members of a document under a key per tenant, and find rows by a sealed value.
import {
  BlindIndex,
  BranchKeyring,
  branchKeyStore,
  DocumentCipher,
  FieldCipher,
  memoryBranchKeyRecords,
  rawAesKey,
} from "@fengni/core";

// In production a key of a KMS: providerKey(provider, "tenants"), and records that outlive the process.
const key = crypto.getRandomValues(new Uint8Array(32));
const wrappingKey = rawAesKey({ namespace: "example", name: "tenants", key });
const store = branchKeyStore({ wrappingKey, records: memoryBranchKeyRecords() });

// One branch key per tenant. The version that an index is kept under is stored beside the tenant.
const indexVersions = new Map<string, Uint8Array>();
for (const tenant of ["acme", "bolt"]) indexVersions.set(tenant, (await store.create(tenant)).version);
const versionFor = (tenant: string): Uint8Array => {
  const version = indexVersions.get(tenant);
  if (version === undefined) throw new Error("unknown tenant");
  return version;
};

const branchKeys = new BranchKeyring({ store, branchKeyIdFor: ({ tenant }) => tenant ?? "", ttlMs: 5 * 60_000 });
const fields = new FieldCipher({ branchKeys });
const emails = new BlindIndex<string>({
  branchKeys,
  versionFor,
  name: "users.email",
  bits: 24,
  normalize: (email) => email.trim().toLowerCase(),
});

// As a hook of an ORM would: synchronous, once the tenants' keys are warm.
await branchKeys.warm(["acme", "bolt"]);
const row = (tenant: string, id: number, email: string) => {
  const encryptionContext = { tenant, row: String(id) };
  return {
    tenant,
    id,
    email: fields.sealFieldSync(email, { name: "users.email", encryptionContext, encoding: "text", padTo: 32 }),
    emailIndex: Buffer.from(emails.computeSync(email, { encryptionContext })).toString("hex"),
  };
};
const table = [row("acme", 1, "li.lei@example.cn"), row("acme", 2, "han@example.cn"), row("bolt", 3, "han@example.cn")];

// SELECT ... WHERE tenant = 'acme' AND email_index = ?
const context = { tenant: "acme" };
const wanted = Buffer.from(await emails.compute(" Han@example.cn", { encryptionContext: context })).toString("hex");
for (const { id, email } of table.filter(({ tenant, emailIndex }) => tenant === "acme" && emailIndex === wanted)) {
  const place = { name: "users.email", encryptionContext: { tenant: "acme", row: String(id) } };
  console.log(`row ${id}: ${String(await fields.openField(email, place))}`);
}

// A field that was copied into another tenant's row does not open there.
const moved = { name: "users.email", encryptionContext: { tenant: "bolt", row: "3" } };
const refusal = await fields.openField(table[1]?.email ?? "", moved).catch((error: Error) => error);
console.log(`moved to another tenant: ${refusal instanceof Error ? "refused" : "opened"}`);

const documents = new DocumentCipher({ fields, paths: ["card", "address.street", "visits[*].note"] });
const bound = { encryptionContext: { tenant: "acme", document: "17" } };
const document = {
  card: 6222020200112230000n,
  address: { street: "1 Chang'an Ave", city: "Beijing" },
  visits: [{ on: "2026-01-05", note: { text: "paid late", days: 3 } }],
};
const sealed = await documents.sealFields(document, bound);
console.log(`stored: ${JSON.stringify(sealed).replace(/fengni:[\w-]+/g, "<sealed>")}`);
const opened = (await documents.openFields(sealed, bound)) as typeof document;
console.log(`opened: card ${opened.card} (${typeof opened.card}), ${opened.visits[0]?.note.days} days`);

branchKeys.close();
