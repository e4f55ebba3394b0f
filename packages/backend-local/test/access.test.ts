// The authorizer: what it is asked and when, what a refusal looks like, and that nothing leaks or slips through while it waits.
import {
  type AccessRequest,
  type Authorizer,
  type LocalCallOptions,
  LocalKms,
  ManualClock,
} from "@fengni/backend-local";
import { describe, expect, test } from "vitest";
import { codeOf, DAY_MS, errorOf, filled } from "./support.js";

const CALLER = { id: "alice", department: "accounts" };
const AS_ALICE: LocalCallOptions = { caller: CALLER };

/** A KMS that says what it was asked; `answer` may be exchanged. */
function watched(): { kms: LocalKms; asked: AccessRequest[]; clock: ManualClock; answer: { give: Authorizer } } {
  const asked: AccessRequest[] = [];
  const answer: { give: Authorizer } = { give: () => true };
  const clock = new ManualClock();
  const kms = new LocalKms({
    clock,
    regions: [{ name: "here" }, { name: "there" }],
    authorizer: (request) => {
      asked.push(request);
      return answer.give(request);
    },
  });
  return { kms, asked, clock, answer };
}

describe("what is asked", () => {
  test("who, what, where, and which key, by its id, with its creator and tags", async () => {
    const { kms, asked } = watched();
    const { keyId } = await kms.createKey({ alias: "orders", tags: { env: "test" } }, AS_ALICE);
    expect(asked.splice(0)).toEqual([
      {
        caller: CALLER,
        operation: "createKey",
        region: "here",
        resource: { kind: "key", region: "here", id: "*", creator: "alice", tags: {}, exists: false },
        requestTags: { env: "test" },
      },
    ]);
    const resource = { kind: "key", region: "here", id: keyId, creator: "alice", tags: { env: "test" }, exists: true };
    const common = { caller: { id: "local" }, region: "here", resource };
    const { ciphertext } = await kms.encrypt({ keyId: "orders", plaintext: filled(1) });
    await kms.decrypt({ ciphertext });
    await kms.decrypt({ ciphertext, keyId: "orders" });
    await kms.reEncrypt({ ciphertext });
    await kms.reEncrypt({ ciphertext, destinationKeyId: "orders" });
    await kms.generateDataKey({ keyId, numberOfBytes: 1 });
    await kms.resolveKeyId("orders");
    const operations = [
      "encrypt",
      "decrypt",
      "decrypt",
      "reEncrypt",
      "reEncrypt",
      "reEncrypt",
      "generateDataKey",
      "describeKey",
    ];
    expect(asked.splice(0)).toEqual(operations.map((operation) => ({ ...common, operation })));
  });

  test("of a hosted data key: the wrapping key when it is made, itself when it is used", async () => {
    const { kms, asked } = watched();
    const { keyId } = await kms.createKey();
    const hosting = { isHostedByKms: true, dataKeyName: "a", tags: { env: "test" } };
    const { dataKeyId = "" } = await kms.generateDataKey({ keyId, numberOfBytes: 8, ...hosting }, AS_ALICE);
    const importing = { importType: "plaintext", dataKeyName: "b", keyId, importKeyMaterial: filled(1) } as const;
    await kms.importDataKey(importing);
    expect(asked.splice(0).map(({ operation, resource }) => [operation, resource?.kind, resource?.id])).toEqual([
      ["createKey", "key", "*"],
      ["generateDataKey", "key", keyId],
      ["importDataKey", "key", keyId],
    ]);
    await kms.getDataKeyPlaintext({ dataKeyId: "a" });
    await kms.disableDataKeys({ dataKeyIds: ["a", "b"] });
    await kms.listDataKeys();
    const resource = { kind: "data-key", region: "here", creator: "alice", tags: { env: "test" }, exists: true };
    expect(asked[0]?.resource).toEqual({ ...resource, id: dataKeyId });
    expect(asked.map(({ operation }) => operation)).toEqual([
      "getDataKeyPlaintext",
      "disableDataKeys",
      "disableDataKeys",
      "listDataKeys",
    ]);
    expect(asked[3]).not.toHaveProperty("resource");
  });

  test("of random bytes: no resource; in another region: that region", async () => {
    const { kms, asked } = watched();
    await kms.generateRandom({ numberOfBytes: 1 }, { region: "there", ...AS_ALICE });
    expect(asked).toEqual([{ caller: CALLER, operation: "generateRandom", region: "there" }]);
  });

  test("nothing, when the arguments are wrong or the call was aborted", async () => {
    const { kms, asked } = watched();
    const signal = AbortSignal.abort(new Error("enough"));
    for (const call of [
      kms.encrypt({ keyId: "a", plaintext: filled(0) }),
      kms.decrypt({ ciphertext: filled(9) }),
      kms.generateRandom({ numberOfBytes: 0 }),
      kms.generateDataKey({ keyId: "a" }),
      kms.enableDataKeys({ dataKeyIds: ["a", "a"] }),
      kms.encrypt({ keyId: "a", plaintext: filled(1) }, { signal }),
      kms.generateRandom({ numberOfBytes: 1 }, { signal }),
      kms.encrypt({ keyId: "a", plaintext: filled(1) }, { region: "nowhere" }),
    ]) {
      await expect(call).rejects.toThrow();
    }
    expect(asked).toEqual([]);
  });
});

describe("a refusal", () => {
  test("is ERR_DENIED for every operation, and changes nothing", async () => {
    const { kms, answer } = watched();
    const { keyId } = await kms.createKey({ alias: "a" });
    const { ciphertext, dataKeyId = "" } = await kms.generateDataKey({
      keyId,
      numberOfBytes: 8,
      isHostedByKms: true,
      dataKeyName: "a",
    });
    answer.give = () => false;
    const importing = { importType: "plaintext", dataKeyName: "b", keyId, importKeyMaterial: filled(1) } as const;
    for (const call of [
      kms.encrypt({ keyId, plaintext: filled(1) }),
      kms.decrypt({ ciphertext }),
      kms.reEncrypt({ ciphertext }),
      kms.generateRandom({ numberOfBytes: 1 }),
      kms.generateDataKey({ keyId, numberOfBytes: 8, isHostedByKms: true, dataKeyName: "b" }),
      kms.importDataKey(importing),
      kms.getDataKeyPlaintext({ dataKeyId }),
      kms.getDataKeyCiphertextBlob({ dataKeyId }),
      kms.describeDataKey({ dataKeyId }),
      kms.describeDataKeys({ dataKeyIds: [dataKeyId] }),
      kms.listDataKeys(),
      kms.listDataKeyDetail(),
      kms.disableDataKey({ dataKeyId }),
      kms.disableDataKeys({ dataKeyIds: [dataKeyId] }),
      kms.updateDataKeyName({ dataKeyId, dataKeyName: "c" }),
      kms.updateDataKeyDescription({ dataKeyId, description: "c" }),
      kms.resolveKeyId("a"),
    ]) {
      expect(await codeOf(call)).toBe("ERR_DENIED");
    }
    answer.give = () => true;
    const { dataKeys } = await kms.listDataKeyDetail();
    expect(dataKeys.map(({ dataKeyName, state, description }) => [dataKeyName, state, description])).toEqual([
      ["a", "enabled", ""],
    ]);
  });

  test("anything but true refuses, and an error of the authorizer's own comes through", async () => {
    const { kms, answer } = watched();
    const { keyId } = await kms.createKey();
    const given: readonly unknown[] = [undefined, null, 0, 1, "true", {}];
    for (const value of given) {
      answer.give = () => value as boolean;
      expect(await codeOf(kms.encrypt({ keyId, plaintext: filled(1) }))).toBe("ERR_DENIED");
      answer.give = async () => value as boolean;
      expect(await codeOf(kms.encrypt({ keyId, plaintext: filled(1) }))).toBe("ERR_DENIED");
    }
    const own = new Error("policy store is down");
    answer.give = () => {
      throw own;
    };
    expect(await errorOf(kms.encrypt({ keyId, plaintext: filled(1) }))).toBe(own);
    answer.give = () => Promise.reject(own);
    expect(await errorOf(kms.generateRandom({ numberOfBytes: 1 }))).toBe(own);
  });

  test("does not tell what is there: the same for unknown ids, with resources that say so to the authorizer alone", async () => {
    const { kms, asked, answer } = watched();
    const { keyId } = await kms.createKey({ alias: "a" });
    const { ciphertext } = await kms.encrypt({ keyId, plaintext: filled(1) });
    const foreign = Uint8Array.from(ciphertext);
    const unknown = "00000000-0000-4000-8000-000000000000";
    foreign.set(Buffer.from(unknown), 7);
    answer.give = () => false;
    asked.length = 0;
    const pairs: readonly [(known: boolean) => Promise<unknown>, string][] = [
      [(known) => kms.encrypt({ keyId: known ? keyId : unknown, plaintext: filled(1) }), unknown],
      [(known) => kms.encrypt({ keyId: known ? "a" : "b", plaintext: filled(1) }), "b"],
      [(known) => kms.decrypt({ ciphertext: known ? ciphertext : foreign }), unknown],
      [(known) => kms.decrypt({ ciphertext, keyId: known ? "a" : "b" }), "b"],
      [(known) => kms.reEncrypt({ ciphertext: known ? ciphertext : foreign }), unknown],
      [(known) => kms.getDataKeyPlaintext({ dataKeyId: known ? "c" : unknown }), unknown],
    ];
    for (const [call, reference] of pairs) {
      const [there, missing] = [await errorOf(call(true)), await errorOf(call(false))];
      expect(missing.code).toBe("ERR_DENIED");
      expect(missing.message).toBe(there.message);
      expect(missing.details).toEqual(there.details);
      const { resource } = asked.at(-1) ?? {};
      expect(resource).toMatchObject({ id: reference, creator: "local", tags: {}, exists: false });
    }
    answer.give = () => true;
    expect(await codeOf(kms.encrypt({ keyId: unknown, plaintext: filled(1) }))).toBe("ERR_KEY_NOT_FOUND");
  });

  test("of the destination alone refuses a reEncrypt, as does that of the source", async () => {
    const { kms, asked, answer } = watched();
    const { keyId: source } = await kms.createKey();
    const { keyId: destination } = await kms.createKey();
    const { ciphertext } = await kms.encrypt({ keyId: source, plaintext: filled(1) });
    asked.length = 0;
    for (const refused of [source, destination]) {
      answer.give = ({ resource }) => resource?.id !== refused;
      expect(await codeOf(kms.reEncrypt({ ciphertext, destinationKeyId: destination }))).toBe("ERR_DENIED");
    }
    expect(asked.map(({ resource }) => resource?.id)).toEqual([source, source, destination]);
  });
});

describe("an authorizer that waits", () => {
  /** Lets every question wait until `grant` is called. */
  function waiting(answer: { give: Authorizer }): { grant: () => void; isAsked: Promise<void> } {
    const { promise, resolve } = withResolvers<boolean>();
    const asked = withResolvers<void>();
    answer.give = () => {
      asked.resolve();
      return promise;
    };
    return { grant: () => resolve(true), isAsked: asked.promise };
  }

  test.each([
    ["Uint8Array", (bytes: Uint8Array) => Uint8Array.from(bytes)],
    ["Buffer", (bytes: Uint8Array) => Buffer.from(bytes)],
  ])("sees to it that the caller's buffers may change meanwhile: %s", async (_name, copyOf) => {
    const { kms, answer } = watched();
    const { keyId } = await kms.createKey();
    const { ciphertext } = await kms.encrypt({ keyId, plaintext: filled(8, 7) });
    const { grant, isAsked } = waiting(answer);
    const buffers = [filled(8, 7), ciphertext, ciphertext, filled(8, 7)].map(copyOf);
    const [plaintext = ciphertext, opened = ciphertext, moved = ciphertext, imported = ciphertext] = buffers;
    const importing = { importType: "plaintext", dataKeyName: "a", keyId } as const;
    const calls = Promise.all([
      kms.encrypt({ keyId, plaintext }),
      kms.decrypt({ ciphertext: opened }),
      kms.reEncrypt({ ciphertext: moved, destinationEncryptionContext: { a: "b" } }),
      kms.importDataKey({ ...importing, importKeyMaterial: imported }),
    ]);
    for (const buffer of buffers) buffer.fill(0);
    await isAsked;
    grant();
    const [sealed, open, resealed, { dataKeyId }] = await calls;
    answer.give = () => true;
    expect((await kms.decrypt({ ciphertext: sealed.ciphertext })).plaintext).toEqual(filled(8, 7));
    expect(open.plaintext).toEqual(filled(8, 7));
    const context = { encryptionContext: { a: "b" } };
    expect((await kms.decrypt({ ciphertext: resealed.ciphertext, ...context })).plaintext).toEqual(filled(8, 7));
    expect((await kms.getDataKeyPlaintext({ dataKeyId })).plaintext).toEqual(filled(8, 7));
  });

  test("grants the key as it is afterwards: disabled, rotated or gone in the meantime", async () => {
    const { kms, answer, clock } = watched();
    const { keyId } = await kms.createKey({ alias: "a" });
    const { ciphertext } = await kms.encrypt({ keyId, plaintext: filled(3) });
    const during = async (change: () => Promise<unknown>): Promise<string | undefined> => {
      const { grant, isAsked } = waiting(answer);
      const calls = [
        kms.encrypt({ keyId: "a", plaintext: filled(1) }),
        kms.decrypt({ ciphertext }),
        kms.reEncrypt({ ciphertext, destinationKeyId: keyId }),
        kms.generateDataKey({ keyId, numberOfBytes: 1 }),
      ].map((call) =>
        call.then(
          () => "done",
          (error: { code?: string }) => error.code,
        ),
      );
      await isAsked;
      answer.give = () => true;
      await change();
      grant();
      const codes = new Set(await Promise.all(calls));
      expect(codes.size).toBe(1);
      return [...codes][0];
    };
    expect(await during(() => kms.rotateKey({ keyId }))).toBe("done");
    expect(await during(() => kms.disableKey({ keyId }))).toBe("ERR_KEY_STATE");
    await kms.scheduleKeyDeletion({ keyId, pendingWindowDays: 7 });
    const gone = async (): Promise<void> => {
      clock.advance(7 * DAY_MS);
      await kms.runScheduledWork();
    };
    expect(await during(gone)).toBe("ERR_KEY_NOT_FOUND");
  });

  test("an alias that becomes another key's meanwhile does not move what was granted", async () => {
    const { kms, answer } = watched();
    const { keyId } = await kms.createKey({ alias: "a" });
    const { keyId: other } = await kms.createKey();
    const { grant, isAsked } = waiting(answer);
    const sealing = kms.encrypt({ keyId: "a", plaintext: filled(1) });
    await isAsked;
    answer.give = () => true;
    await kms.updateAlias({ keyId, alias: "b" });
    await kms.updateAlias({ keyId: other, alias: "a" });
    grant();
    expect((await sealing).keyId).toBe(keyId);
  });
});

/** As `Promise.withResolvers`, which Node 20 does not have. */
function withResolvers<Value>(): { readonly promise: Promise<Value>; readonly resolve: (value: Value) => void } {
  let resolve: (value: Value) => void = () => {};
  const promise = new Promise<Value>((settle) => {
    resolve = settle;
  });
  return { promise, resolve };
}
