// What requests refer to, for every action of the catalogue; and what an account with policies may find out.
import { ACTIONS, type Action } from "@fengni/kms-api";
import { describe, expect, it } from "vitest";
import { ID_PARAMETERS } from "../src/handlers/references.js";
import { CASES } from "./cases/index.js";
import { OWNER_UIN, REGION, TestGateway, UNKNOWN_ID } from "./gateway-support.js";

const LIMITED_UIN = "100000000003";
const isIdParameter = (name: string): boolean => (ID_PARAMETERS as readonly string[]).includes(name);

function actionsWith(parameter: (name: string) => boolean): [string, string][] {
  return ACTIONS.flatMap(({ name, request }: Action) =>
    request.filter((field) => parameter(field.name)).map((field): [string, string] => [name, field.name]),
  );
}

async function requestOf(gateway: TestGateway, action: string): Promise<Record<string, unknown>> {
  const { request } = CASES[action as keyof typeof CASES];
  return { ...(await request(gateway)) };
}

describe("ids", () => {
  const cases = actionsWith(isIdParameter);

  it("are all the parameters that look like one", () => {
    expect(cases).toHaveLength(actionsWith((name) => /KeyIds?$/.test(name)).length);
    expect(cases).toHaveLength(58);
  });

  it.each(cases)("of %s: an alias is no %s", async (action, parameter) => {
    const gateway = new TestGateway();
    const request = await requestOf(gateway, action);
    const alias = "a-well-formed-alias";
    const wrong = { ...request, [parameter]: parameter.endsWith("s") ? [alias] : alias };
    expect((await gateway.refusal(action, wrong)).Code).toBe("InvalidParameterValue.InvalidKeyId");
    // Nothing was asked of the policies: the answer is the same for everybody.
    expect((await gateway.refusal(action, wrong, { as: "nobody" })).Code).toBe("InvalidParameterValue.InvalidKeyId");
  });
});

describe("what is not there", () => {
  it.each(actionsWith((name) => name === "MemberAccount" || name === "MemberAccounts" || name === "HsmClusterId"))(
    "%s with a %s is refused",
    async (action, parameter) => {
      const gateway = new TestGateway();
      const request = await requestOf(gateway, action);
      const account = { MemberUin: 5 };
      const values = { HsmClusterId: "cluster", MemberAccount: account, MemberAccounts: [account] };
      const value = values[parameter as keyof typeof values];
      expect((await gateway.refusal(action, { ...request, [parameter]: value })).Code).toBe("ResourceNotFound");
    },
  );

  it("may be named by nothing", async () => {
    const gateway = new TestGateway();
    const KeyId = await gateway.key({ HsmClusterId: "" });
    expect((await gateway.refusal("DescribeKey", { KeyId, MemberAccount: {} })).Code).toBe("none");
  });
});

describe("an account with policies", () => {
  const own = `qcs::kms:${REGION}:uin/${OWNER_UIN}:key/creatorUin/${LIMITED_UIN}/*`;

  it("makes keys that are told to be its own", async () => {
    const gateway = new TestGateway([{ effect: "allow", action: "kms:*", resource: own }]);
    const KeyId = await gateway.key({}, { as: "limited" });
    const { KeyMetadata } = await gateway.call("DescribeKey", { KeyId }, { as: "limited" });
    expect(KeyMetadata).toMatchObject({
      CreatorUin: Number(LIMITED_UIN),
      CreatorUinString: LIMITED_UIN,
      ResourceId: `creatorUin/${LIMITED_UIN}/${KeyId}`,
      AccountUin: Number(OWNER_UIN),
    });
    expect(gateway.lastEntry().resources).toStrictEqual([
      `qcs::kms:${REGION}:uin/${OWNER_UIN}:key/creatorUin/${LIMITED_UIN}/${KeyId}`,
    ]);
  });

  it("cannot tell a key of another from one that is not there", async () => {
    const gateway = new TestGateway([{ effect: "allow", action: "kms:*", resource: own }]);
    const KeyId = await gateway.key();
    for (const id of [KeyId, UNKNOWN_ID]) {
      const { Code } = await gateway.refusal("DescribeKey", { KeyId: id }, { as: "limited" });
      expect(Code).toBe("UnauthorizedOperation");
    }
  });

  it("gets nothing of an allowed Decrypt that names keys, for it is authorized as a whole", async () => {
    for (const [resource, expected] of [
      [own, "UnauthorizedOperation"],
      ["*", "none"],
    ]) {
      const gateway = new TestGateway([
        { effect: "allow", action: ["kms:CreateKey", "kms:Encrypt"], resource: own },
        { effect: "allow", action: "kms:Decrypt", resource },
      ]);
      const KeyId = await gateway.key({}, { as: "limited" });
      const { CiphertextBlob } = await gateway.call("Encrypt", { KeyId, Plaintext: "QQ==" }, { as: "limited" });
      expect((await gateway.refusal("Decrypt", { CiphertextBlob }, { as: "limited" })).Code).toBe(expected);
      expect(gateway.lastEntry().resources).toStrictEqual(["*"]);
    }
  });

  it("needs every key of a batch, and nothing is done without one", async () => {
    const gateway = new TestGateway([{ effect: "allow", action: "kms:*", resource: own }]);
    const mine = await gateway.key({}, { as: "limited" });
    const other = await gateway.key();
    const { Code } = await gateway.refusal("DisableKeys", { KeyIds: [mine, other] }, { as: "limited" });
    expect(Code).toBe("UnauthorizedOperation");
    expect((await gateway.call("DescribeKey", { KeyId: mine })).KeyMetadata?.KeyState).toBe("Enabled");
  });
});
