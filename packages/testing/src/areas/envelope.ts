// Area: the provider under core's Envelope: what it guards opens with its keys, and with nothing else.
import {
  AggregateUnwrapError,
  contextToJson,
  Envelope,
  type EnvelopeOptions,
  inspect,
  isFengniError,
  type KeyProvider,
  providerKey,
  rawAesKey,
} from "@fengni/core";
import { bytesToUtf8 } from "@fengni/crypto/bytes";
import { randomBytes } from "@fengni/crypto/random";
import type { Area, Kit } from "../kit.js";
import { fewFlips } from "../mutations.js";
import { wrapMethods } from "../wrap-methods.js";

const TEXT = "worth keeping";
const encryptionContext = { tenant: "7", table: "users" };
/** As long as a check may last, and longer. */
const LONG_MS = 600_000;

function under(provider: KeyProvider, keyIds: readonly string[], cache?: EnvelopeOptions["cache"]): Envelope {
  const wrappingKeys = keyIds.map((keyId) => providerKey(provider, keyId));
  return new Envelope({ wrappingKeys, ...(cache && { cache }) });
}

async function eitherOpens(kit: Kit): Promise<void> {
  const { check, provider } = kit;
  const [a, b] = kit.symmetric;
  const message = await check.resolves(
    under(provider, [a, b]).encrypt(TEXT, { encryptionContext }),
    "seal under two keys",
  );
  const { encryptedDataKeys } = inspect(message);
  check.equal(encryptedDataKeys.length, 2, "encrypted data keys of a message under two keys");
  for (const [index, keyId] of [a, b].entries()) {
    const named = encryptedDataKeys[index];
    check.equal(named?.providerId, provider.providerId, "an encrypted data key: its provider id");
    const info = named === undefined ? "" : bytesToUtf8(named.providerInfo);
    check.equal(info, await provider.resolveKeyId(keyId), "an encrypted data key: its key id");
    const opened = await check.resolves(under(provider, [keyId]).decryptText(message, { encryptionContext }), "open");
    check.equal(opened, TEXT, "a message under two keys, opened with one of them");
  }
  const single = await check.resolves(under(provider, [a]).encrypt(TEXT, { encryptionContext }), "seal under one key");
  const foreign = under(provider, [b]).decrypt(single);
  await check.rejects(foreign, ["ERR_NO_MATCHING_KEY"], "open with a key that did not seal");
}

async function contexts(kit: Kit): Promise<void> {
  const { check, provider } = kit;
  const envelope = under(provider, [kit.symmetric[0]]);
  const unstoredContextKeys = ["tenant"];
  const message = await check.resolves(envelope.encrypt(TEXT, { encryptionContext, unstoredContextKeys }), "seal");
  const opened = await check.resolves(envelope.decryptText(message, { reproducedContext: { tenant: "7" } }), "open");
  check.equal(opened, TEXT, "a message whose context is reproduced");
  for (const reproducedContext of [{}, { tenant: "8" }]) {
    const call = envelope.decrypt(message, { reproducedContext });
    const error = await check.rejects(call, ["ERR_UNWRAP_FAILED"], "open under another context");
    const causes = error instanceof AggregateUnwrapError ? error.attempts.map((attempt) => attempt.error) : [];
    const isRight = causes.length > 0 && causes.every((cause) => isFengniError(cause, "ERR_AUTHENTICATION"));
    check.isTrue(isRight, "open under another context: expected the provider to answer ERR_AUTHENTICATION");
  }
  const mismatch = envelope.decrypt(message, { encryptionContext: { table: "orders" } });
  await check.rejects(mismatch, ["ERR_CONTEXT_MISMATCH"], "open with another context expected");
}

async function longContexts(kit: Kit): Promise<void> {
  const { check, provider } = kit;
  const envelope = under(provider, [...kit.symmetric]);
  const limit = provider.capabilities.maxContextCharacters ?? 4000;
  const own = contextToJson({ tenant: "7", note: "" }).length;
  for (const length of [limit, limit + 1, 2 * limit]) {
    const encryptionContext = { tenant: "7", note: "x".repeat(length - own) };
    const message = await check.resolves(
      envelope.encrypt(TEXT, { encryptionContext }),
      `seal with a context of ${length} characters`,
    );
    const opened = await check.resolves(envelope.decryptText(message), "open");
    check.equal(opened, TEXT, `a message with a context of ${length} characters`);
  }
}

async function tampering(kit: Kit): Promise<void> {
  const { check, provider } = kit;
  const envelope = under(provider, [kit.symmetric[0]]);
  const message = await check.resolves(envelope.encrypt(TEXT, { encryptionContext }), "seal");
  for (const { name, bytes } of fewFlips(message)) {
    const outcome = envelope.decrypt(bytes, { encryptionContext });
    await check.refuses(outcome, `open a message with ${name}`);
  }
}

async function foreignProviders(kit: Kit): Promise<void> {
  const { check, provider } = kit;
  const [keyId] = kit.symmetric;
  const raw = new Envelope({ wrappingKeys: [rawAesKey({ namespace: "kit", name: "foreign", key: randomBytes(32) })] });
  const message = await raw.encrypt(TEXT);
  await check.rejects(under(provider, [keyId]).decrypt(message), ["ERR_NO_MATCHING_KEY"], "open a foreign message");
  const renamed = new Proxy(provider, {
    get: (target, name) => (name === "providerId" ? "another-provider" : Reflect.get(target, name)),
  });
  const elsewhere = await check.resolves(under(renamed, [keyId]).encrypt(TEXT), "seal under another provider id");
  const call = under(provider, [keyId]).decrypt(elsewhere);
  await check.rejects(call, ["ERR_NO_MATCHING_KEY"], "open a message of another provider id");
}

async function caches(kit: Kit): Promise<void> {
  const { check } = kit;
  const calls = { generateDataKey: 0, decrypt: 0 };
  const counting = wrapMethods(kit.provider, (method, args, call) => {
    if (method === "generateDataKey" || method === "decrypt") calls[method] += 1;
    return call(args);
  });
  const envelope = under(counting, [kit.symmetric[0]], { maxAgeMs: LONG_MS });
  const texts = Array.from({ length: 20 }, (_value, index) => `${TEXT} ${index}`);
  const contextOf = (index: number): { tenant: string } => ({ tenant: String(index % 2) });
  const messages = await check.resolves(
    Promise.all(texts.map((text, index) => envelope.encrypt(text, { encryptionContext: contextOf(index) }))),
    "seal through a cache",
  );
  for (const [index, message] of messages.entries()) {
    const opened = await check.resolves(envelope.decryptText(message, { encryptionContext: contextOf(index) }), "open");
    check.equal(opened, texts[index], "a message sealed and opened through a cache");
    const wrong = envelope.decrypt(message, { encryptionContext: contextOf(index + 1) });
    await check.rejects(wrong, ["ERR_CONTEXT_MISMATCH"], "open through a cache with another context expected");
  }
  check.equal(calls.generateDataKey, 2, "calls of generateDataKey through a cache, for two contexts");
  check.isTrue(calls.decrypt <= 2, `calls of decrypt through a cache: expected at most 2, got ${calls.decrypt}`);
  envelope.close();
  await check.rejects(envelope.encrypt(TEXT), ["ERR_CLOSED"], "seal after close");
}

async function cacheAndRotation(kit: Kit): Promise<void> {
  const { check, provider, admin } = kit;
  const { keyId } = await kit.createKey();
  const cached = under(provider, [keyId], { maxAgeMs: LONG_MS });
  const messages = [await check.resolves(cached.encrypt(TEXT, { encryptionContext }), "seal")];
  for (let rotation = 0; rotation < 2; rotation++) {
    await check.resolves(admin.rotateKey(keyId), "rotateKey");
    messages.push(await check.resolves(cached.encrypt(TEXT, { encryptionContext }), "seal after rotation, cached"));
    messages.push(
      await check.resolves(under(provider, [keyId]).encrypt(TEXT, { encryptionContext }), "seal after rotation"),
    );
    for (const message of messages) {
      for (const envelope of [cached, under(provider, [keyId])]) {
        const opened = await check.resolves(
          envelope.decryptText(message, { encryptionContext }),
          "open after rotation",
        );
        check.equal(opened, TEXT, "a message of any version, opened after rotation");
      }
    }
  }
  cached.close();
}

/** What core documents: the cache may use a disabled key until its age is reached, and nothing else may. */
async function cacheAndDisabling(kit: Kit): Promise<void> {
  const { check, provider, admin } = kit;
  const { keyId } = await kit.createKey();
  const cached = under(provider, [keyId], { maxAgeMs: LONG_MS });
  const message = await check.resolves(cached.encrypt(TEXT), "seal");
  await check.resolves(cached.decryptText(message), "open");
  await check.resolves(admin.disableKey(keyId), "disableKey");
  check.equal(await check.resolves(cached.decryptText(message), "open, cached"), TEXT, "a message from the cache");
  await check.resolves(cached.encrypt(TEXT), "seal with a disabled key through the cache");
  const uncached = under(provider, [keyId]);
  await check.rejects(uncached.encrypt(TEXT), ["ERR_KEY_STATE"], "seal with a disabled key without the cache");
  await check.rejects(uncached.decrypt(message), ["ERR_UNWRAP_FAILED"], "open with a disabled key without the cache");
  const fresh = cached.encrypt(TEXT, { encryptionContext: { tenant: "new" } });
  await check.rejects(fresh, ["ERR_KEY_STATE"], "seal with a disabled key under a context that is not in the cache");
  cached.close();
  await check.resolves(admin.enableKey(keyId), "enableKey");
  check.equal(
    await check.resolves(uncached.decryptText(message), "open"),
    TEXT,
    "a message, after its key is enabled again",
  );
}

async function siblings(kit: Kit): Promise<void> {
  const { check, provider } = kit;
  const sibling = await kit.sibling();
  check.equal(sibling.providerId, provider.providerId, "a sibling's providerId");
  const [keyId] = kit.symmetric;
  const message = await check.resolves(under(provider, [keyId]).encrypt(TEXT, { encryptionContext }), "seal");
  const opened = await check.resolves(under(sibling, [keyId]).decryptText(message, { encryptionContext }), "open");
  check.equal(opened, TEXT, "a message, opened by a sibling");
}

const operations = ["generateDataKey", "encrypt", "decrypt"] as const;

/** The level of messages. */
export const envelope: Area = {
  name: "envelope",
  checks: [
    { name: "a message under two keys opens with either", needs: { operations }, run: eitherOpens },
    { name: "a message does not open under another context", needs: { operations }, run: contexts },
    { name: "a context at the limit works, and beyond it as its digest", needs: { operations }, run: longContexts },
    { name: "a change of any byte of a message is refused", needs: { operations }, run: tampering },
    { name: "messages of other providers are refused", needs: { operations }, run: foreignProviders },
    { name: "the cache of data keys is right", needs: { operations }, run: caches },
    {
      name: "the cache of data keys is right under rotation",
      needs: { operations, admin: ["createKey", "rotateKey"] },
      run: cacheAndRotation,
    },
    {
      name: "the cache of data keys is right under disabling",
      needs: { operations, admin: ["createKey", "disableKey", "enableKey"] },
      run: cacheAndDisabling,
    },
    { name: "another provider over the same keys opens", needs: { operations, parts: ["sibling"] }, run: siblings },
  ],
};
