// Every action over the gateway: what it answers, and the exact codes of its refusals.
import { ACTIONS, type ActionName, evaluate, generatePolicy, parsePolicy } from "@fengni/kms-api";
import { describe, expect, it } from "vitest";
import { SIGNATURES } from "./cases/asymmetric.js";
import type { ActionCase } from "./cases/case.js";
import { CASES } from "./cases/index.js";
import { flippedBlob } from "./cases/symmetric.js";
import { base64, OWNER_UIN, SM_REGION, TestGateway, text } from "./gateway-support.js";

async function succeeds<Name extends ActionName>(name: Name): Promise<void> {
  const given: ActionCase<Name> = CASES[name];
  const gateway = new TestGateway();
  const request = await given.request(gateway);
  await given.check(await gateway.call(name, request), gateway, request);
}

describe.each(ACTIONS.map(({ name }) => name))("%s", (name) => {
  it("answers", async () => {
    await succeeds(name);
  });

  it("is allowed by the policy that is generated from its line of the audit log", async () => {
    const gateway = new TestGateway();
    await gateway.send(name, await CASES[name].request(gateway));
    const { action, resources } = gateway.lastEntry();
    expect(action).toBe(name);
    const { policy, notes } = generatePolicy([{ action, resources }]);
    expect(notes.join("\n")).not.toContain("left out");
    const caller = { ownerUin: OWNER_UIN, uin: "100000000002" };
    const request = { caller, action: `kms:${name}`, resources, context: {} };
    expect(evaluate({ policies: [parsePolicy(policy)] }, request).decision).toBe("allow");
  });

  it.each(Object.entries(CASES[name].refused))("is refused by %s", async (code, make) => {
    const gateway = new TestGateway();
    const request = await make(gateway);
    const refusal = await gateway.refusal(name, request);
    expect(refusal.Code, refusal.Message).toBe(code);
    expect(gateway.lastEntry().code).toBe(code);
  });

  it("is refused to whom no policy allows it", async () => {
    const gateway = new TestGateway();
    const refusal = await gateway.refusal(name, await CASES[name].request(gateway), { as: "nobody" });
    expect(refusal.Code, refusal.Message).toBe("UnauthorizedOperation");
    expect(refusal.Message).toContain(`kms:${name}`);
    const { decision, resources } = gateway.lastEntry();
    expect(decision).toBe("implicit_deny");
    expect(resources).toHaveLength(1);
  });
});

it("has a case, with at least one refusal, for each of the 81 actions", () => {
  expect(Object.keys(CASES).sort()).toStrictEqual(ACTIONS.map(({ name }) => name).sort());
  expect(ACTIONS).toHaveLength(81);
  for (const [name, { refused }] of Object.entries(CASES)) expect(Object.keys(refused), name).not.toHaveLength(0);
});

describe("batches", () => {
  it("change nothing when one of them refuses", async () => {
    const gateway = new TestGateway();
    const first = await gateway.key();
    const second = await gateway.dyingKey();
    await gateway.refusal("DisableKeys", { KeyIds: [first, second] });
    expect((await gateway.call("DescribeKey", { KeyId: first })).KeyMetadata?.KeyState).toBe("Enabled");
  });
});

describe("signatures", () => {
  it.each(SIGNATURES)("$algorithm by a key for $usage verify", async ({ usage, algorithm, region }) => {
    const gateway = new TestGateway();
    const as = region === undefined ? {} : { region };
    const KeyId = await gateway.key({ KeyUsage: usage }, as);
    const request = { KeyId, Algorithm: algorithm, Message: base64("message") };
    const { Signature: SignatureValue = "" } = await gateway.call("SignByAsymmetricKey", request, as);
    const answer = await gateway.call("VerifyByAsymmetricKey", { ...request, SignatureValue }, as);
    expect(answer.SignatureValid).toBe(true);
  });
});

describe("regions of the SM algorithms", () => {
  it("make keys of SM4, and say so", async () => {
    const gateway = new TestGateway();
    const as = { region: SM_REGION };
    const KeyId = await gateway.key({}, as);
    const { KeyMetadata } = await gateway.call("DescribeKey", { KeyId }, as);
    expect(KeyMetadata).toMatchObject({ Type: 4, KeyUsage: "ENCRYPT_DECRYPT" });
    const { CiphertextBlob = "" } = await gateway.call("Encrypt", { KeyId, Plaintext: base64("sm") }, as);
    expect(text((await gateway.call("Decrypt", { CiphertextBlob }, as)).Plaintext)).toBe("sm");
    // Regions know nothing of each other's keys.
    expect((await gateway.refusal("Decrypt", { CiphertextBlob })).Code).toBe("ResourceUnavailable.CmkNotFound");
  });
});

it("refuses a blob of which a bit was flipped", async () => {
  const gateway = new TestGateway();
  expect((await gateway.refusal("Decrypt", await flippedBlob(gateway))).Code).toBe("FailedOperation.DecryptError");
});
