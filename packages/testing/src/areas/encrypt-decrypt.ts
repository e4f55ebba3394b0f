// Area: what was encrypted opens as it was, under its own key and its own context, and in no other way.
import type { EncryptionContext } from "@fengni/core";
import { randomBytes } from "@fengni/crypto/random";
import { contextConfusions, contextOrders } from "../contexts.js";
import type { Area, Kit } from "../kit.js";
import {
  CHANGED_CODES,
  containsBytes,
  extensions,
  flips,
  hasRepeatedMask,
  type Mutation,
  noise,
  splices,
  truncations,
} from "../mutations.js";

const REPEATS = 500;
const withContext = (encryptionContext: EncryptionContext | undefined): { encryptionContext?: EncryptionContext } =>
  encryptionContext === undefined ? {} : { encryptionContext };

async function seal(
  kit: Kit,
  plaintext: Uint8Array,
  context?: EncryptionContext,
  which: 0 | 1 = 0,
): Promise<Uint8Array> {
  const call = kit.provider.encrypt({ keyId: kit.symmetric[which], plaintext, ...withContext(context) });
  return (await kit.check.resolves(call, "encrypt")).ciphertext;
}

async function sizes(kit: Kit): Promise<void> {
  const { check, provider } = kit;
  const limit = provider.capabilities.maxPlaintextBytes;
  for (const keyId of kit.symmetric) {
    const full = await provider.resolveKeyId(keyId);
    for (const size of new Set([1, 2, 15, 16, 17, 31, 32, 33, 255, 256, limit - 1, limit].filter((n) => n <= limit))) {
      const what = `${size} bytes`;
      for (const plaintext of [new Uint8Array(size), randomBytes(size)]) {
        const sealed = await check.resolves(provider.encrypt({ keyId, plaintext }), `encrypt of ${what}`);
        check.isBytes(sealed.ciphertext, `the ciphertext of ${what}`);
        check.equal(sealed.keyId, full, `encrypt of ${what}: its keyId`);
        const opened = await check.resolves(provider.decrypt({ ciphertext: sealed.ciphertext }), `decrypt of ${what}`);
        check.sameBytes(opened.plaintext, plaintext, `${what}, decrypted`);
        check.equal(opened.keyId, full, `decrypt of ${what}: its keyId`);
        if (size >= 16)
          check.isTrue(!containsBytes(sealed.ciphertext, plaintext), "expected no plaintext in a ciphertext");
      }
    }
  }
}

async function refusedSizes(kit: Kit): Promise<void> {
  const { check, provider } = kit;
  const limit = provider.capabilities.maxPlaintextBytes;
  const [keyId] = kit.symmetric;
  await check.refuses(provider.encrypt({ keyId, plaintext: new Uint8Array(0) }), "encrypt of no bytes");
  for (const size of [limit + 1, 2 * limit]) {
    const call = provider.encrypt({ keyId, plaintext: new Uint8Array(size) });
    await check.rejects(call, ["ERR_LIMIT"], `encrypt of ${size} bytes, more than the limit`);
  }
  await check.refuses(provider.decrypt({ ciphertext: new Uint8Array(0) }), "decrypt of no bytes");
}

async function neverTheSame(kit: Kit): Promise<void> {
  const { check, provider } = kit;
  const [keyId] = kit.symmetric;
  const plaintext = randomBytes(Math.min(32, provider.capabilities.maxPlaintextBytes));
  const seen = new Set<string>();
  for (let done = 0; done < REPEATS; done += 20) {
    const calls = Array.from({ length: 20 }, () => provider.encrypt({ keyId, plaintext }));
    for (const { ciphertext } of await check.resolves(Promise.all(calls), "encrypt in parallel"))
      seen.add(ciphertext.join());
  }
  check.equal(seen.size, REPEATS, "different ciphertexts of one plaintext");
  const samples = [];
  for (let i = 0; i < 200 && plaintext.length >= 16; i++) {
    const other = randomBytes(plaintext.length);
    samples.push({ plaintext: other, ciphertext: await seal(kit, other) });
  }
  check.isTrue(!hasRepeatedMask(samples), "encrypt: expected that no nonce comes twice");
}

async function contexts(kit: Kit): Promise<void> {
  const { check, provider } = kit;
  const plaintext = randomBytes(16);
  for (const { name, sealed, opened } of contextConfusions(provider.capabilities.maxContextCharacters)) {
    const pairs = [
      { right: sealed, wrong: opened },
      { right: opened, wrong: sealed },
    ];
    for (const { right, wrong } of pairs) {
      const ciphertext = await seal(kit, plaintext, right);
      const answer = await check.resolves(provider.decrypt({ ciphertext, ...withContext(right) }), `context, ${name}`);
      check.sameBytes(answer.plaintext, plaintext, `decrypt under the same context (${name})`);
      const call = provider.decrypt({ ciphertext, ...withContext(wrong) });
      await check.rejects(call, ["ERR_AUTHENTICATION"], `decrypt under another context (${name})`);
    }
  }
}

async function contextOrder(kit: Kit): Promise<void> {
  const { check, provider } = kit;
  const plaintext = randomBytes(16);
  const orders = contextOrders();
  for (const sealed of orders) {
    const ciphertext = await seal(kit, plaintext, sealed);
    for (const encryptionContext of orders) {
      const opened = await check.resolves(
        provider.decrypt({ ciphertext, encryptionContext }),
        "context in another order",
      );
      check.sameBytes(opened.plaintext, plaintext, "decrypt with the context in another order");
    }
  }
  for (const sealed of [undefined, {}]) {
    const ciphertext = await seal(kit, plaintext, sealed);
    for (const opened of [undefined, {}, Object.create(null) as EncryptionContext]) {
      const call = provider.decrypt({ ciphertext, ...withContext(opened) });
      check.sameBytes((await check.resolves(call, "no context and an empty one")).plaintext, plaintext, "no context");
    }
  }
}

async function contextLimits(kit: Kit): Promise<void> {
  const { check, provider } = kit;
  const [keyId] = kit.symmetric;
  const plaintext = randomBytes(16);
  const limit = provider.capabilities.maxContextCharacters;
  if (limit !== undefined) {
    // The canonical JSON of {"a":""} has 8 characters.
    const longest = { a: "x".repeat(limit - 8) };
    const ciphertext = await seal(kit, plaintext, longest);
    await check.resolves(provider.decrypt({ ciphertext, encryptionContext: longest }), "the longest context");
    const encryptionContext = { a: "x".repeat(limit - 7) };
    await check.rejects(provider.encrypt({ keyId, plaintext, encryptionContext }), ["ERR_LIMIT"], "too long a context");
    await check.rejects(provider.decrypt({ ciphertext, encryptionContext }), ["ERR_LIMIT"], "too long a context");
  }
  for (const value of [7, null, undefined, { b: "c" }, ["b"]]) {
    const encryptionContext = { a: value } as unknown as EncryptionContext;
    await check.refuses(provider.encrypt({ keyId, plaintext, encryptionContext }), "a context whose value is no text");
  }
}

async function foreignKeys(kit: Kit): Promise<void> {
  const { check, provider } = kit;
  const plaintext = randomBytes(16);
  for (const which of [0, 1] as const) {
    const own = kit.symmetric[which];
    const ciphertext = await seal(kit, plaintext, undefined, which);
    for (const keyId of [own, await provider.resolveKeyId(own)]) {
      const opened = await check.resolves(provider.decrypt({ ciphertext, keyId }), "decrypt with its key named");
      check.sameBytes(opened.plaintext, plaintext, "decrypt with its key named");
    }
    const foreign = provider.decrypt({ ciphertext, keyId: kit.symmetric[1 - which] as string });
    await check.rejects(foreign, ["ERR_NO_MATCHING_KEY"], "decrypt with another key named");
    const unknown = provider.decrypt({ ciphertext, keyId: "no-such-key-of-the-kit" });
    await check.rejects(unknown, ["ERR_KEY_NOT_FOUND", "ERR_NO_MATCHING_KEY"], "decrypt with an unknown key named");
  }
  const call = provider.encrypt({ keyId: "no-such-key-of-the-kit", plaintext });
  await check.rejects(call, ["ERR_KEY_NOT_FOUND"], "encrypt under an unknown key");
}

async function refusesAll(
  kit: Kit,
  mutations: readonly Mutation[],
  encryptionContext: EncryptionContext,
): Promise<void> {
  const { check, provider, symmetric } = kit;
  for (const { name, bytes } of mutations) {
    await check.rejects(
      provider.decrypt({ ciphertext: bytes, encryptionContext }),
      CHANGED_CODES,
      `decrypt of ${name}`,
    );
    const named = provider.decrypt({ ciphertext: bytes, encryptionContext, keyId: symmetric[0] });
    await check.rejects(named, CHANGED_CODES, `decrypt of ${name}, with the key named`);
  }
}

async function tampering(kit: Kit): Promise<void> {
  const context = { tenant: "7" };
  for (const size of [1, 32]) await refusesAll(kit, flips(await seal(kit, randomBytes(size), context)), context);
}

async function lengthsOfCiphertexts(kit: Kit): Promise<void> {
  const context = { tenant: "7" };
  const ciphertext = await seal(kit, randomBytes(32), context);
  await refusesAll(kit, [...truncations(ciphertext), ...extensions(ciphertext), ...noise()], context);
}

async function mixing(kit: Kit): Promise<void> {
  const context = { tenant: "7" };
  const a = await seal(kit, randomBytes(32), context);
  const sameKey = await seal(kit, randomBytes(32), context);
  const otherContext = await seal(kit, randomBytes(32), { tenant: "8" });
  const otherKey = await seal(kit, randomBytes(32), context, 1);
  for (const b of [sameKey, otherContext, otherKey]) {
    await refusesAll(kit, [...splices(a, b), ...splices(b, a)], context);
  }
}

const needs = { operations: ["encrypt", "decrypt"] } as const;

/** Encryption and decryption with symmetric keys. */
export const encryptDecrypt: Area = {
  name: "encrypt-decrypt",
  checks: [
    { name: "every size opens as it was", needs, run: sizes },
    { name: "no bytes, and more than the limit, are refused", needs, run: refusedSizes },
    { name: "the same plaintext never gives the same ciphertext", needs, run: neverTheSame },
    { name: "another context does not open", needs, run: contexts },
    { name: "the order of a context does not matter, nor whether it is empty or absent", needs, run: contextOrder },
    { name: "contexts that are too long or no text are refused", needs, run: contextLimits },
    { name: "another key than the one named does not open", needs, run: foreignKeys },
    { name: "a change of any byte is refused", needs, run: tampering },
    { name: "a ciphertext cut, extended or made up is refused", needs, run: lengthsOfCiphertexts },
    { name: "parts of two ciphertexts do not make a third", needs, run: mixing },
  ],
};
