// Seal a text under a key of a local key management service and open it again.
import { LocalKeyAdmin, LocalKeyProvider, LocalKms } from "@fengni/backend-local";
import { Envelope, providerKey } from "@fengni/core";

const kms = new LocalKms();
await new LocalKeyAdmin(kms).createKey({ alias: "app" });

const envelope = new Envelope({ wrappingKeys: [providerKey(new LocalKeyProvider(kms), "app")] });

// The encryption context is not secret: it says what the text is, and must be the same when it is opened.
const encryptionContext = { tenant: "4711", table: "users", column: "email" };
const message = await envelope.encrypt("li.lei@example.cn", { encryptionContext });

console.log(`sealed: ${message.length} bytes`);
console.log(`opened: ${await envelope.decryptText(message, { encryptionContext })}`);

await kms.close();
