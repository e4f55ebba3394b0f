// Admins that create, name, list and delete keys wrongly.
import { FengniError } from "@fengni/core";
import { caughtBy, type Fault, inAdmin, inProvider, inSubject, overriding, recoded, unless } from "./support.js";

export const lifecycleFaults: readonly Fault[] = caughtBy("key-lifecycle", [
  inAdmin("an alias may name two keys", (right) => ({
    updateAlias: (keyId, alias, options) => unless(right.updateAlias(keyId, alias, options), "ERR_CONFLICT", () => {}),
  })),
  inAdmin("a new key takes the alias of another away", (right) => ({
    createKey: (request, options) =>
      unless(right.createKey(request, options), "ERR_CONFLICT", async () => {
        const { alias, ...rest } = request ?? {};
        await right.updateAlias(alias ?? "", `${(alias ?? "").slice(0, 50)}-old`);
        return right.createKey({ ...rest, ...(alias !== undefined && { alias }) }, options);
      }),
  })),
  inAdmin("a key may not be given the alias that it has", (right) => ({
    updateAlias: async (keyId, alias, options) => {
      const { alias: current } = await right.describeKey(keyId, options);
      if (current === alias) throw new FengniError("ERR_CONFLICT", "this alias is in use");
      return right.updateAlias(keyId, alias, options);
    },
  })),
  inAdmin("any text is an alias", (right) => ({
    updateAlias: async (keyId, alias, options) => {
      await right.describeKey(keyId, options);
      const isAlias = /^[A-Za-z0-9][A-Za-z0-9_-]{0,59}$/.test(alias);
      return isAlias ? right.updateAlias(keyId, alias, options) : undefined;
    },
  })),
  inAdmin("an alias may end with a line feed", (right) => ({
    updateAlias: (keyId, alias, options) => right.updateAlias(keyId, alias.replace(/\n$/, ""), options),
  })),
  inSubject("an alias that was given up still names its key", ({ provider, admin }) => {
    const past = new Map<string, string>();
    return {
      admin: overriding(admin, {
        updateAlias: async (keyId, alias, options) => {
          const key = await admin.describeKey(keyId, options);
          await admin.updateAlias(keyId, alias, options);
          if (key.alias !== undefined) past.set(key.alias, key.keyId);
        },
      }),
      provider: overriding(provider, {
        resolveKeyId: (keyId, options) =>
          unless(provider.resolveKeyId(keyId, options), "ERR_KEY_NOT_FOUND", () =>
            provider.resolveKeyId(past.get(keyId) ?? keyId, options),
          ),
      }),
    };
  }),
  inAdmin("the alias of a deleted key stays taken", (right) => {
    const taken = new Set<string>();
    return {
      createKey: async (request, options) => {
        if (request?.alias !== undefined && taken.has(request.alias)) throw new FengniError("ERR_CONFLICT", "in use");
        const key = await right.createKey(request, options);
        if (key.alias !== undefined) taken.add(key.alias);
        return key;
      },
    };
  }),
  inProvider("resolving an alias gives the alias", (right) => ({
    resolveKeyId: async (keyId, options) => {
      await right.resolveKeyId(keyId, options);
      return keyId;
    },
  })),
  inProvider("generateDataKey answers with the alias that was asked for", (right) => ({
    generateDataKey: async (request, options) => ({
      ...(await right.generateDataKey(request, options)),
      keyId: request.keyId,
    }),
  })),
  inProvider("encrypt answers with the alias that was asked for", (right) => ({
    encrypt: async (request, options) => ({ ...(await right.encrypt(request, options)), keyId: request.keyId }),
  })),
  inProvider("decrypt answers with the alias that was asked for", (right) => ({
    decrypt: async (request, options) => {
      const answer = await right.decrypt(request, options);
      return { ...answer, keyId: request.keyId ?? answer.keyId };
    },
  })),
  inProvider("sign answers with the alias that was asked for", (right) => ({
    sign: async (request, options) => ({ ...(await right.sign(request, options)), keyId: request.keyId }),
  })),
  inProvider("verify answers with the alias that was asked for", (right) => ({
    verify: async (request, options) => ({ ...(await right.verify(request, options)), keyId: request.keyId }),
  })),
  inProvider("getPublicKey answers with the alias that was asked for", (right) => ({
    getPublicKey: async (request, options) => ({
      ...(await right.getPublicKey(request, options)),
      keyId: request.keyId,
    }),
  })),
  inProvider("postQuantumEncrypt answers with the alias that was asked for", (right) => ({
    postQuantumEncrypt: async (request, options) => ({
      ...(await right.postQuantumEncrypt(request, options)),
      keyId: request.keyId,
    }),
  })),
  inProvider("reEncrypt answers with the alias that was asked for", (right) => ({
    reEncrypt: async (request, options) => {
      const answer = await right.reEncrypt(request, options);
      return { ...answer, keyId: request.destinationKeyId ?? answer.keyId };
    },
  })),
  inAdmin("a description is cut", (right) => ({
    updateDescription: (keyId, description, options) =>
      right.updateDescription(keyId, description.slice(0, 1000), options),
  })),
  inAdmin("a description is kept without what is no ASCII", (right) => ({
    updateDescription: (keyId, description, options) =>
      right.updateDescription(keyId, description.replace(/[^\0-\x7f]/g, "?"), options),
  })),
  inAdmin("an empty description changes nothing", (right) => ({
    updateDescription: async (keyId, description, options) => {
      if (description !== "") await right.updateDescription(keyId, description, options);
    },
  })),
  inAdmin("a new key has no description", (right) => ({
    createKey: ({ description: _lost, ...request } = {}, options) => right.createKey(request, options),
  })),
  inAdmin("the list skips a key at the edge of a page", (right) => ({
    listKeys: async (request, options) => {
      const page = await right.listKeys(request, options);
      return page.next === undefined ? page : { ...page, next: String(Number(page.next) + 1) };
    },
  })),
  inAdmin("the list has a key twice at the edge of a page", (right) => ({
    listKeys: async (request, options) => {
      const page = await right.listKeys(request, options);
      return page.next === undefined ? page : { ...page, next: String(Number(page.next) - 1) };
    },
  })),
  inAdmin("the list ends after its first page", (right) => ({
    listKeys: async (request, options) => ({ keys: (await right.listKeys(request, options)).keys }),
  })),
  inAdmin("the list does not look at its limit", (right) => ({
    listKeys: async (request = {}, options) => {
      const page = await right.listKeys(request, options);
      const rest = await right.listKeys({ cursor: page.next ?? "0", limit: 1 }, options);
      return page.next === undefined ? page : { ...rest, keys: [...page.keys, ...rest.keys] };
    },
  })),
  inAdmin("the list takes any limit", (right) => ({
    listKeys: ({ limit, ...request } = {}, options) =>
      right.listKeys(
        { ...request, ...(limit !== undefined && { limit: Math.min(200, Math.max(1, Math.floor(limit))) }) },
        options,
      ),
  })),
  inAdmin("the list has the newest first", (right) => ({
    listKeys: async (request = {}, options) => {
      const page = await right.listKeys(request, options);
      const { keys } = await right.listKeys({ limit: 200 }, options);
      const from = Number(request.cursor ?? 0);
      return { ...page, keys: keys.toReversed().slice(from, from + page.keys.length) };
    },
  })),
  inAdmin("times are seconds", (right) => ({
    scheduleKeyDeletion: async (keyId, days, options) => {
      const { deletionAtMs } = await right.scheduleKeyDeletion(keyId, days, options);
      return { deletionAtMs: Math.floor(deletionAtMs / 1000) };
    },
    describeKey: async (keyId, options) => {
      const { deletionAtMs, ...key } = await right.describeKey(keyId, options);
      return { ...key, ...(deletionAtMs !== undefined && { deletionAtMs: Math.floor(deletionAtMs / 1000) }) };
    },
  })),
  inAdmin("an unknown spec is the default one", (right) => ({
    createKey: (request, options) =>
      unless(right.createKey(request, options), "ERR_NOT_SUPPORTED", () => right.createKey({}, options)),
  })),
  inAdmin("an unknown spec is an argument error", (right) => ({
    createKey: (request, options) =>
      recoded(right.createKey(request, options), "ERR_NOT_SUPPORTED", () =>
        Object.assign(new TypeError("keySpec"), { code: "ERR_ARGUMENT" }),
      ),
  })),
  inAdmin("a usage that the spec does not have is overlooked", (right) => ({
    createKey: ({ keyUsage, ...request } = {}, options) =>
      right
        .createKey({ ...request, ...(keyUsage && { keyUsage }) }, options)
        .catch((error: unknown) =>
          error instanceof TypeError ? right.createKey(request, options) : Promise.reject(error),
        ),
  })),
  inAdmin("keys are looked up in an object with a prototype", (right) => ({
    describeKey: async (keyId, options) => {
      const keys: Record<string, unknown> = {};
      if (keys[keyId] !== undefined) throw new TypeError("key.state is undefined");
      return right.describeKey(keyId, options);
    },
  })),
  inAdmin("a key id that is no text throws at once", (right) => ({
    enableKey: (keyId, options) => right.enableKey(keyId.trim(), options),
  })),
  inAdmin("unknown keys are overlooked", (right) => ({
    updateDescription: (keyId, description, options) =>
      unless(right.updateDescription(keyId, description, options), "ERR_KEY_NOT_FOUND", () => {}),
  })),
  inAdmin("an unknown key is a key in a wrong state", (right) => ({
    cancelKeyDeletion: (keyId, options) =>
      recoded(
        right.cancelKeyDeletion(keyId, options),
        "ERR_KEY_NOT_FOUND",
        () => new FengniError("ERR_KEY_STATE", "no"),
      ),
  })),
  inAdmin("an enabled key may be scheduled for deletion", (right) => ({
    scheduleKeyDeletion: (keyId, days, options) =>
      unless(right.scheduleKeyDeletion(keyId, days, options), "ERR_KEY_STATE", async () => {
        await right.disableKey(keyId, options);
        return right.scheduleKeyDeletion(keyId, days, options);
      }),
  })),
  inAdmin("any waiting time will do, and is made one that is allowed", (right) => ({
    scheduleKeyDeletion: (keyId, days, options) =>
      right.scheduleKeyDeletion(keyId, Math.min(30, Math.max(7, Math.ceil(days))), options),
  })),
  inAdmin("the deletion that it answers with is not the one it describes", (right) => ({
    scheduleKeyDeletion: async (keyId, days, options) => ({
      deletionAtMs: (await right.scheduleKeyDeletion(keyId, days, options)).deletionAtMs + 1000,
    }),
  })),
  inAdmin("deletion takes 30 days, whatever was asked for", (right) => ({
    scheduleKeyDeletion: async (keyId, days, options) => {
      const answer = await right.scheduleKeyDeletion(keyId, days, options);
      await right.cancelKeyDeletion(keyId, options);
      await right.scheduleKeyDeletion(keyId, 30, options);
      return answer;
    },
  })),
  inSubject("deletion comes an hour early", ({ clock }) => ({
    clock: { advance: (ms) => clock.advance(ms > 86_400_000 ? ms + 3_600_000 : ms) },
  })),
  inAdmin("a key that waits for its deletion may be enabled", (right) => ({
    enableKey: (keyId, options) =>
      unless(right.enableKey(keyId, options), "ERR_KEY_STATE", async () => {
        await right.cancelKeyDeletion(keyId, options);
        await right.enableKey(keyId, options);
      }),
  })),
  inAdmin("a deletion may be scheduled anew", (right) => ({
    scheduleKeyDeletion: (keyId, days, options) =>
      unless(right.scheduleKeyDeletion(keyId, days, options), "ERR_KEY_STATE", async () => {
        await right.cancelKeyDeletion(keyId, options);
        return right.scheduleKeyDeletion(keyId, days, options);
      }),
  })),
  inAdmin("a key whose deletion is cancelled is enabled", (right) => ({
    cancelKeyDeletion: async (keyId, options) => {
      await right.cancelKeyDeletion(keyId, options);
      await right.enableKey(keyId, options);
    },
  })),
  inAdmin("cancelling a deletion that there is not succeeds", (right) => ({
    cancelKeyDeletion: (keyId, options) => unless(right.cancelKeyDeletion(keyId, options), "ERR_KEY_STATE", () => {}),
  })),
  inAdmin("a disabled key cannot be disabled again", (right) => ({
    disableKey: async (keyId, options) => {
      const { state } = await right.describeKey(keyId, options);
      if (state === "disabled") throw new FengniError("ERR_KEY_STATE", "it is disabled");
      await right.disableKey(keyId, options);
    },
  })),
  inAdmin("enabling does nothing", (right) => ({
    enableKey: async (keyId, options) => {
      await right.describeKey(keyId, options);
    },
  })),
  inAdmin("disabling does nothing", (right) => ({
    disableKey: async (keyId, options) => {
      await right.describeKey(keyId, options);
    },
  })),
  inAdmin("archiving disables", (right) => ({ archiveKey: (keyId, options) => right.disableKey(keyId, options) })),
  inAdmin("a key that comes back from the archive is disabled", (right) => ({
    cancelKeyArchive: async (keyId, options) => {
      await right.cancelKeyArchive(keyId, options);
      await right.disableKey(keyId, options);
    },
  })),
  inAdmin("an archived key may be rotated", (right) => ({
    rotateKey: (keyId, options) =>
      unless(right.rotateKey(keyId, options), "ERR_KEY_STATE", async () => {
        const { state } = await right.describeKey(keyId, options);
        if (state !== "archived") throw new FengniError("ERR_KEY_STATE", "not in this state");
      }),
  })),
  inAdmin("an archived key may be disabled", (right) => ({
    disableKey: (keyId, options) =>
      unless(right.disableKey(keyId, options), "ERR_KEY_STATE", async () => {
        const { state } = await right.describeKey(keyId, options);
        if (state !== "archived") throw new FengniError("ERR_KEY_STATE", "not in this state");
      }),
  })),
  inAdmin("a key is made in another state than it is described in", (right) => ({
    createKey: async (request, options) => ({ ...(await right.createKey(request, options)), state: "disabled" }),
  })),
  inAdmin("two keys have one id", (right) => {
    let first: Awaited<ReturnType<typeof right.createKey>> | undefined;
    return {
      createKey: async (request, options) => {
        first ??= await right.createKey(request, options);
        return first;
      },
    };
  }),
]);
