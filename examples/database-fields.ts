// Seal many small values: a cache of data keys keeps the calls to the key provider few.
import { LocalKeyAdmin, LocalKeyProvider, LocalKms } from "@fengni/backend-local";
import { Envelope, providerKey } from "@fengni/core";

const kms = new LocalKms();
await new LocalKeyAdmin(kms).createKey({ alias: "fields" });
const provider = new LocalKeyProvider(kms);

let calls = 0;
const generateDataKey = provider.generateDataKey.bind(provider);
provider.generateDataKey = (request, options) => {
  calls += 1;
  return generateDataKey(request, options);
};

const envelope = new Envelope({
  wrappingKeys: [providerKey(provider, "fields")],
  // One data key serves at most a minute, 10,000 messages or 100 MB per context. A disabled key may be used as long.
  cache: { maxAgeMs: 60_000, maxMessages: 10_000, maxBytes: 100_000_000 },
});

const rows = Array.from({ length: 1000 }, (_value, id) => ({
  id,
  phone: `+86 138 0000 ${String(id).padStart(4, "0")}`,
}));
const sealed = await Promise.all(
  rows.map(({ phone }) => envelope.encrypt(phone, { encryptionContext: { table: "users", column: "phone" } })),
);
const opened = await Promise.all(sealed.map((message) => envelope.decryptText(message)));

console.log(`${sealed.length} values sealed and opened, ${calls} call to generate a data key`);
console.log(`all equal: ${opened.every((phone, i) => phone === rows[i]?.phone)}`);

envelope.close();
await kms.close();
