// What a refusal tells a caller without rights: nothing of whether a key exists. The audit log has what was presented.
import { describe, expect, it } from "vitest";
import { base64, OWNER_UIN, REGION, TestGateway } from "./gateway-support.js";

const UNKNOWN = "00000000-0000-4000-8000-000000000000";

/** A gateway with a key that an account below the root made. */
async function withKeyOf(): Promise<{ gateway: TestGateway; id: string; creator: string }> {
  const gateway = new TestGateway([{ effect: "allow", action: "kms:CreateKey", resource: "*" }]);
  const { KeyId: id } = await gateway.call("CreateKey", { Alias: gateway.alias() }, { as: "limited" });
  const creator = /creatorUin\/([0-9]+)\//.exec(gateway.lastEntry().resources[0] ?? "")?.[1];
  if (id === undefined || creator === undefined || creator === OWNER_UIN) throw new Error("no key of another account");
  return { gateway, id, creator };
}

function shown(id: string): string {
  return `resource (qcs::kms:${REGION}:uin/${OWNER_UIN}:key/creatorUin/${OWNER_UIN}/${id}) has no permission`;
}

describe("a refusal", () => {
  it.each(["DescribeKey", "DisableKey"])("of %s names the owner as creator, whoever made the key", async (action) => {
    const { gateway, id, creator } = await withKeyOf();
    for (const KeyId of [id, UNKNOWN]) {
      const { Code, Message } = await gateway.refusal(action, { KeyId }, { as: "nobody" });
      expect(Code).toBe("UnauthorizedOperation");
      expect(Message.split("\n")[1]).toBe(shown(KeyId));
      const maker = KeyId === id ? creator : OWNER_UIN;
      expect(gateway.lastEntry().resources).toEqual([
        `qcs::kms:${REGION}:uin/${OWNER_UIN}:key/creatorUin/${maker}/${KeyId}`,
      ]);
    }
  });

  it("of ReEncrypt does so for the source too", async () => {
    const { gateway, id } = await withKeyOf();
    const { CiphertextBlob = "" } = await gateway.call("Encrypt", { KeyId: id, Plaintext: base64("text") });
    const { KeyId: DestinationKeyId = "" } = await gateway.call("CreateKey", { Alias: gateway.alias() });
    const { Message } = await gateway.refusal("ReEncrypt", { CiphertextBlob, DestinationKeyId }, { as: "nobody" });
    expect(Message.split("\n")[1]).toBe(shown(id));
  });

  it("of CreateKey names the caller, who would be the creator", async () => {
    const gateway = new TestGateway();
    const { Message } = await gateway.refusal("CreateKey", { Alias: gateway.alias() }, { as: "nobody" });
    expect(Message.split("\n")[1]).toBe(`resource (${gateway.lastEntry().resources[0]}) has no permission`);
  });
});
