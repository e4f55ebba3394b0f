// Several sources of credentials in an order: which one is taken, and that it stays.
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { inspect } from "node:util";
import { FengniError } from "@fengni/core";
import { describe, expect, test, vi } from "vitest";
import { credentialChain, defaultCredentials } from "../src/credentials-chain.js";
import { environmentCredentials } from "../src/credentials-environment.js";
import { instanceRoleCredentials } from "../src/credentials-instance-role.js";
import { tkeCredentials } from "../src/credentials-oidc.js";
import { profileCredentials } from "../src/credentials-profile.js";
import { staticCredentials } from "../src/credentials-static.js";

// The usual profile files, as on a machine that has none of them.
vi.mock("../src/credentials-file.js", () => ({ readSmallFile: async () => undefined }));

const SECRET_ID = "AKIDEXAMPLE0000000000000000000000000";
const SECRET_KEY = "EXAMPLEsecretkey0123456789abcdef";
const ROLE = "qcs::cam::uin/100000000001:roleName/sealer";

describe("credentialChain", () => {
  const good = staticCredentials({ secretId: SECRET_ID, secretKey: SECRET_KEY });

  const absent = () => new FengniError("ERR_CREDENTIALS", "not set up", { details: { reason: "absent" } });

  function failing(name: string, error: unknown, times = Number.POSITIVE_INFINITY) {
    const provider = {
      name,
      calls: 0,
      async getCredentials() {
        provider.calls += 1;
        if (provider.calls <= times) throw error;
        return { secretId: SECRET_ID, secretKey: `key-of-${name}` };
      },
    };
    return provider;
  }

  test("takes the first that is there, and stays with it", async () => {
    const [first, last] = [failing("first", absent()), failing("last", absent())];
    const chain = credentialChain([first, good, last]);
    for (let i = 0; i < 3; i++) expect((await chain.getCredentials()).secretKey).toBe(SECRET_KEY);
    expect([first.calls, last.calls]).toEqual([1, 0]);
  });

  test("names each that is not there, and tries again at the next call", async () => {
    const [first, second] = [failing("first", absent(), 1), failing("second", absent())];
    const chain = credentialChain([first, { getCredentials: second.getCredentials }]);
    const message = "no credentials were found: first: not set up; provider 2: not set up";
    await expect(chain.getCredentials()).rejects.toMatchObject({ code: "ERR_CREDENTIALS", message });
    expect((await chain.getCredentials()).secretKey).toBe("key-of-first");
  });

  test("one that is there but fails is an error, and no other takes its place", async () => {
    const broken = failing("broken", Object.assign(new Error("no"), { rawPacket: Buffer.from(SECRET_KEY) }), 1);
    const chain = credentialChain([failing("first", absent()), broken, good]);
    const error: unknown = await chain.getCredentials().catch((caught: unknown) => caught);
    expect(error).toMatchObject({ code: "ERR_CREDENTIALS" });
    expect(String(error)).toContain("broken: it failed (before it: first: not set up)");
    expect(inspect(error, { depth: 9 })).not.toContain("rawPacket");
    expect((await chain.getCredentials()).secretKey).toBe("key-of-broken");
  });

  test.each([
    ["half of the variables", [environmentCredentials({ TENCENTCLOUD_SECRET_ID: SECRET_ID })], /^environment: /],
    [
      "a malformed variable",
      [environmentCredentials({ TENCENTCLOUD_SECRET_ID: "a b", TENCENTCLOUD_SECRET_KEY: "k" })],
      /^environment: /,
    ],
    ["half of a cluster's variables", [tkeCredentials({ environment: { TKE_ROLE_ARN: ROLE } })], /^OIDC: /],
  ])("does not go on after %s", async (_name, sources, message) => {
    await expect(credentialChain([...sources, good]).getCredentials()).rejects.toMatchObject({
      code: "ERR_CREDENTIALS",
      message: expect.stringMatching(message),
    });
  });

  test("goes on where nothing is set up: no variables, no file, no role", async () => {
    const server = createServer((_request, response) => response.writeHead(404).end());
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const chain = credentialChain([
      environmentCredentials({}),
      profileCredentials(),
      tkeCredentials({ environment: { TKE_REGION: "ap-guangzhou" } }),
      instanceRoleCredentials({ endpoint }),
      good,
    ]);
    expect((await chain.getCredentials()).secretKey).toBe(SECRET_KEY);
    await new Promise((resolve) => server.close(resolve));
  });

  test("one search serves all who ask at once; who gives up ends only its own wait", async () => {
    const first = failing("first", absent());
    const chain = credentialChain([first, good]);
    const controller = new AbortController();
    const aborted = chain.getCredentials({ signal: controller.signal });
    const others = Array.from({ length: 20 }, () => chain.getCredentials());
    const reason = new Error("given up");
    controller.abort(reason);
    await expect(aborted).rejects.toBe(reason);
    for (const { secretKey } of await Promise.all(others)) expect(secretKey).toBe(SECRET_KEY);
    expect(first.calls).toBe(1);
  });

  test.each([new Error("gone"), absent()])("stays with the chosen one when it fails (%s)", async (gone) => {
    const fickle = failing("fickle", gone, 0);
    const chain = credentialChain([fickle, good]);
    const { getCredentials } = fickle;
    expect((await chain.getCredentials()).secretKey).toBe("key-of-fickle");
    fickle.getCredentials = async () => {
      throw gone;
    };
    await expect(chain.getCredentials()).rejects.toBe(gone);
    fickle.getCredentials = getCredentials;
    expect((await chain.getCredentials()).secretKey).toBe("key-of-fickle");
  });

  test.each([[[null]], [good], [undefined], [[{}]]])("refuses %j", (providers) => {
    const make = () => credentialChain(providers as unknown as readonly [typeof good]);
    expect(make).toThrow(expect.objectContaining({ code: "ERR_ARGUMENT" }));
  });

  test("the usual order begins with the environment", async () => {
    const environment = { TENCENTCLOUD_SECRET_ID: SECRET_ID, TENCENTCLOUD_SECRET_KEY: SECRET_KEY };
    expect((await defaultCredentials({ environment }).getCredentials()).secretKey).toBe(SECRET_KEY);
    expect(() => credentialChain([])).toThrow(expect.objectContaining({ code: "ERR_ARGUMENT" }));
  });
});
