// Identical reads at the same time: what is shared, and what is not.
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { TencentKmsClient } from "../src/client.js";
import {
  answer,
  KEY_ID,
  OpenClients,
  RawServer,
  refuse,
  rejection,
  silence,
  until,
  VirtualClock,
} from "./client-support.js";

let server: RawServer;
let clock: VirtualClock;
const clients = new OpenClients();
const client = clients.of;

beforeEach(async () => {
  clock = new VirtualClock();
  server = await new RawServer().listen();
});

afterEach(async () => {
  await clients.close();
  await server.close();
});

describe("identical reads", () => {
  const read = (kms: TencentKmsClient, signal?: AbortSignal): Promise<object> =>
    kms.describeKey({ KeyId: KEY_ID }, signal === undefined ? {} : { signal });

  test("share a request, and no answer", async () => {
    const kms = client(server, clock);
    server.script = [answer({ KeyMetadata: { KeyId: KEY_ID } })];
    const answers = await Promise.all([read(kms), read(kms), read(kms)]);
    expect(server.seen).toHaveLength(1);
    expect(new Set(answers).size).toBe(3);
    expect(answers[1]).toEqual(answers[0]);
    await read(kms);
    expect(server.seen).toHaveLength(2);
  });

  test("differ by parameters, region, and not by the order of fields", async () => {
    const kms = client(server, clock);
    await Promise.all([
      kms.listKeys({ Offset: 0, Limit: 5 }),
      kms.listKeys({ Limit: 5, Offset: 0 }),
      kms.listKeys({ Limit: 6, Offset: 0 }),
      kms.listKeys({ Limit: 5, Offset: 0 }, { region: "ap-shanghai" }),
    ]);
    expect(server.seen).toHaveLength(3);
  });

  test("go on for the others when one caller leaves", async () => {
    const kms = client(server, clock);
    let go = silence;
    server.script = [(response, seen) => (go = () => answer({})(response, seen))];
    const controller = new AbortController();
    const first = rejection(read(kms, controller.signal));
    const second = read(kms);
    await until(() => server.seen.length === 1);
    controller.abort(new Error("enough"));
    expect(await first).toEqual(new Error("enough"));
    go();
    expect(await second).toHaveProperty("RequestId");
    expect(server.seen).toHaveLength(1);
  });

  test("end when all have left", async () => {
    const kms = client(server, clock);
    server.script = [silence];
    const controller = new AbortController();
    const calls = [rejection(read(kms, controller.signal)), rejection(read(kms, controller.signal))];
    await until(() => server.seen.length === 1);
    controller.abort(new Error("enough"));
    await Promise.all(calls);
    await until(() => server.sockets.size === 0);
  });

  test("have their own deadlines: one in a hurry does not end the others'", async () => {
    const kms = client(server, clock);
    let go = silence;
    server.script = [(response, seen) => (go = () => answer({})(response, seen))];
    const hurried = rejection(kms.describeKey({ KeyId: KEY_ID }, { timeoutMs: 100 }));
    const patient = read(kms);
    await until(() => server.seen.length === 1);
    clock.advance(100);
    expect(await hurried).toMatchObject({ code: "ERR_TIMEOUT", details: { timeoutMs: 100 } });
    go();
    await patient;
    expect(server.seen).toHaveLength(1);
  });

  test("fail for all", async () => {
    const kms = client(server, clock);
    server.script = [refuse("ResourceUnavailable.CmkNotFound")];
    const errors = await Promise.all([rejection(read(kms)), rejection(read(kms))]);
    for (const error of errors) expect(error).toMatchObject({ code: "ERR_KEY_NOT_FOUND", details: { keyId: KEY_ID } });
    expect(server.seen).toHaveLength(1);
  });

  test("after a change get an answer from after it", async () => {
    const kms = client(server, clock);
    const answers: (() => void)[] = [];
    server.script = [(response, seen) => void answers.push(() => answer({})(response, seen))];
    const before = read(kms);
    await until(() => answers.length === 1);
    const change = kms.disableKey({ KeyId: KEY_ID });
    await until(() => answers.length === 2);
    answers[1]?.();
    await change;
    const after = read(kms);
    await until(() => answers.length === 3);
    answers[0]?.();
    answers[2]?.();
    await Promise.all([before, after]);
    expect(server.count("DescribeKey")).toBe(2);
  });

  test("of key material, and uses of keys, are sent for each caller", async () => {
    const kms = client(server, clock);
    const blob = { CiphertextBlob: "QUJD" };
    await Promise.all([kms.decrypt(blob), kms.decrypt(blob)]);
    const hosted = { DataKeyId: KEY_ID };
    await Promise.all([kms.getDataKeyPlaintext(hosted), kms.getDataKeyPlaintext(hosted)]);
    await Promise.all([
      kms.generateDataKey({ KeyId: KEY_ID, NumberOfBytes: 32 }),
      kms.generateDataKey({ KeyId: KEY_ID, NumberOfBytes: 32 }),
    ]);
    expect(server.seen).toHaveLength(6);
  });
});
