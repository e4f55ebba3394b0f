// Every action over real HTTP by the official base client: a call that succeeds, and one that is refused, each as the tests of the
// handlers know it. scripts/test-full-client.mjs runs the same by the methods of the official full client.
import { ManualClock } from "@fengni/backend-local";
import { ACTIONS, type ActionName, findAction } from "@fengni/kms-api";
import { afterEach, describe, expect, it } from "vitest";
import { officialClient } from "../../backend-remote/test/official-client.js";
import { type Emulator, startEmulator } from "../src/index.js";
import type { ActionCase } from "./cases/case.js";
import { CASES } from "./cases/index.js";
import { callByFullClient, FULL_CLIENT } from "./full-client.js";
import { type CallAs, OTHER_REGION, OWNER_UIN, REGION, SM_REGION, TestGateway } from "./gateway-support.js";

const SECRET_KEY = "a-secret-that-is-no-secret";
const CREDENTIALS = {
  ownerUin: OWNER_UIN,
  users: [
    { uin: OWNER_UIN, name: "root", keys: [{ secretId: "secret-id-root", secretKey: SECRET_KEY }] },
    { uin: "100000000002", name: "nobody", keys: [{ secretId: "secret-id-nobody", secretKey: SECRET_KEY }] },
  ],
};

function isInFullClient(action: string): boolean {
  return findAction(action)?.inSdk === true;
}

/** The same short ways to call, through the official client. */
class OfficialClientGateway extends TestGateway {
  readonly #emulator: Emulator;

  constructor(emulator: Emulator, clock: ManualClock) {
    super();
    this.#emulator = emulator;
    Object.assign(this, { kms: emulator.kms, clock });
  }

  override async send(action: string, request: object, { as = "root", region = REGION }: CallAs = {}): Promise<object> {
    // The client signs with the real time, whatever the keys' clock says.
    this.#emulator.faults.skewSeconds = Math.round((Date.now() - this.clock.now()) / 1000);
    const credential = { secretId: `secret-id-${as}`, secretKey: SECRET_KEY };
    const { host } = new URL(this.#emulator.endpoint);
    try {
      if (FULL_CLIENT !== undefined && isInFullClient(action)) {
        return await callByFullClient(host, region, credential, action, request);
      }
      return (await officialClient(host, region, credential).request(action, request)) as object;
    } catch (error) {
      const { code, message, requestId } = error as { code?: string; message: string; requestId?: string };
      expect(requestId, message).toMatch(/^[0-9a-f-]{36}$/);
      return { Error: { Code: code, Message: message } };
    }
  }
}

const emulators: Emulator[] = [];

async function start(): Promise<OfficialClientGateway> {
  const clock = new ManualClock(Date.now());
  const regions = [REGION, OTHER_REGION, SM_REGION];
  const emulator = await startEmulator({ clock, regions, smRegions: [SM_REGION], credentials: CREDENTIALS });
  emulators.push(emulator);
  return new OfficialClientGateway(emulator, clock);
}

afterEach(async () => {
  for (const emulator of emulators.splice(0)) await emulator.close();
});

async function succeeds<Name extends ActionName>(name: Name): Promise<void> {
  const given: ActionCase<Name> = CASES[name];
  const gateway = await start();
  const request = await given.request(gateway);
  await given.check(await gateway.call(name, request), gateway, request);
}

describe.each(ACTIONS.map(({ name }) => name))("%s by the official client", (name) => {
  it("succeeds", async () => {
    await succeeds(name);
  });

  it("is refused with the code that the service has", async () => {
    const [code, make] = Object.entries(CASES[name].refused)[0] ?? [];
    const gateway = await start();
    const refusal = await gateway.refusal(name, (await make?.(gateway)) ?? {});
    expect(refusal.Code, refusal.Message).toBe(code);
  });

  it("is refused to whom no policy allows it", async () => {
    const gateway = await start();
    const refusal = await gateway.refusal(name, await CASES[name].request(gateway), { as: "nobody" });
    expect(refusal.Code, refusal.Message).toBe("UnauthorizedOperation");
  });
});

it("the base client drives all 81 actions, the full client the 69 that it has", () => {
  expect(ACTIONS).toHaveLength(81);
  expect(ACTIONS.filter(({ inSdk }) => inSdk)).toHaveLength(69);
});
