// Every action of the catalogue is a method, and nothing else is.
import { LocalKms, OPERATION_GROUPS } from "@fengni/backend-local";
import { expect, test } from "vitest";
import actions from "./fixtures/catalogue/actions.json" with { type: "json" };
import { filled } from "./support.js";

const OWN = ["close", "regions", "resolveKeyId", "runScheduledWork"];
const methodNames = actions.map((name) => `${name.slice(0, 1).toLowerCase()}${name.slice(1)}`);

test("the catalogue has 81 different actions", () => {
  expect(new Set(actions).size).toBe(81);
  expect(actions.length).toBe(81);
});

test("the methods are the actions, with a small first letter", () => {
  const kms = new LocalKms();
  expect(Object.keys(kms).sort()).toEqual([...methodNames, ...OWN].sort());
  for (const name of methodNames) expect(typeof kms[name as "encrypt"], name).toBe("function");
});

test("the names of operations are the same", () => {
  expect(Object.values(OPERATION_GROUPS).flat().sort()).toEqual([...methodNames].sort());
});

test("methods may be taken off the object", async () => {
  const { createKey, encrypt, decrypt, enableDataKey, close } = new LocalKms();
  const { keyId } = await createKey();
  const { ciphertext } = await encrypt({ keyId, plaintext: filled(3) });
  expect((await decrypt({ ciphertext })).plaintext).toEqual(filled(3));
  await expect(enableDataKey({ dataKeyId: "none" })).rejects.toMatchObject({ code: "ERR_KEY_NOT_FOUND" });
  await close();
});

test("after close every method rejects with ERR_CLOSED or refuses its arguments first", async () => {
  const kms = new LocalKms();
  await kms.close();
  await kms.close();
  for (const name of methodNames) {
    const call = kms[name as "getServiceStatus"]();
    await expect(call, name).rejects.toMatchObject({ code: expect.stringMatching(/^ERR_(CLOSED|ARGUMENT)$/) });
  }
  const id = { keyId: "a" };
  for (const call of [
    kms.encrypt({ ...id, plaintext: filled(1) }),
    kms.generateDataKey({ ...id, numberOfBytes: 1 }),
    kms.generateRandom({ numberOfBytes: 1 }),
    kms.getDataKeyPlaintext({ dataKeyId: "a" }),
    kms.listDataKeys(),
    kms.listDataKeyDetail(),
    kms.createKey(),
    kms.describeKey(id),
    kms.resolveKeyId("a"),
    kms.runScheduledWork(),
  ]) {
    await expect(call).rejects.toMatchObject({ code: "ERR_CLOSED" });
  }
});

test("options that are unknown or wrong are refused", () => {
  expect(() => new LocalKms({ clocks: 1 } as object)).toThrow(TypeError);
  expect(() => new LocalKms({ regions: [] })).toThrow(RangeError);
  expect(new LocalKms().regions).toEqual(["local"]);
  expect(new LocalKms({ regions: [{ name: "a" }, { name: "b", symmetric: "sm4" }] }).regions).toEqual(["a", "b"]);
  expect(new LocalKms()).toBeInstanceOf(LocalKms);
});
