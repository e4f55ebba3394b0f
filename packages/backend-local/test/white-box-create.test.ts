// How white-box keys come to be: their names, and what is left when they do not.
import { LocalKms, type RecordStore } from "@fengni/backend-local";
import { afterEach, expect, test, vi } from "vitest";
import { MemoryRecordStore } from "../src/store-memory.js";
import { codeOf } from "./assertions.js";

const made = vi.hoisted((): Uint8Array[] => []);
vi.mock("../src/white-box-container.js", async (importOriginal) => {
  const original = await importOriginal<typeof import("../src/white-box-container.js")>();
  const formatWhiteBoxContainer: typeof original.formatWhiteBoxContainer = (container) => {
    const bytes = original.formatWhiteBoxContainer(container);
    made.push(bytes);
    return bytes;
  };
  return { ...original, formatWhiteBoxContainer };
});

afterEach(() => {
  made.length = 0;
});

test("aliases that are reserved for products are refused", async () => {
  const kms = new LocalKms();
  expect(await codeOf(kms.createWhiteBoxKey({ alias: "kms-mine", algorithm: "SM4" }))).toBe("ERR_ARGUMENT");
  await kms.createWhiteBoxKey({ alias: "kms_mine", algorithm: "SM4" });
});

test("the containers are wiped when the change fails after they were made", async () => {
  const memory = new MemoryRecordStore();
  const store: RecordStore = {
    view: () => memory.view(),
    change: (apply, options) =>
      memory.change((records) => {
        apply(records);
        throw new Error("disk full");
      }, options),
    close: () => memory.close(),
  };
  const kms = new LocalKms({ store });
  await expect(kms.createWhiteBoxKey({ alias: "a", algorithm: "SM4" })).rejects.toThrow("disk full");
  expect(made.length).toBe(2);
  for (const container of made) expect(container.every((byte) => byte === 0)).toBe(true);
});

test("they are the caller's when it does not", async () => {
  const { encryptKey, decryptKey } = await new LocalKms().createWhiteBoxKey({ alias: "a", algorithm: "SM4" });
  expect(made).toEqual([encryptKey, decryptKey]);
  for (const container of made) expect(container.some((byte) => byte !== 0)).toBe(true);
});
