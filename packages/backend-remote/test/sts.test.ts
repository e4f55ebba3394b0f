// The security token service where the local clock is wrong, and where a source has nothing to sign with any more.
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { FengniError } from "@fengni/core";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { CredentialOptions, Credentials } from "../src/credentials.js";
import { assumeRoleCredentials } from "../src/credentials-assume-role.js";
import { cachedCredentials } from "../src/credentials-cache.js";
import { credentialChain } from "../src/credentials-chain.js";
import { absentError, isAbsent, staticCredentials } from "../src/credentials-static.js";
import { callSts } from "../src/sts.js";

const ROLE = "qcs::cam::uin/100000000001:roleName/least";
const REGION = "ap-guangzhou";
/** By the clock of the service. */
const NOW_MS = 1_700_000_000_000;

let server: Server;
let endpoint: string;
/** The times with which requests were signed, in milliseconds less {@link NOW_MS}. */
let signedMs: number[];
/** The header `Date` of each answer. */
let date: string;
/** The code with which the service refuses; undefined: it does as its clock says. */
let refuseWith: string | undefined;

beforeEach(async () => {
  signedMs = [];
  date = new Date(NOW_MS).toUTCString();
  refuseWith = undefined;
  server = createServer((request, response) => {
    request.resume().on("end", () => {
      const skewMs = Number(request.headers["x-tc-timestamp"]) * 1000 - NOW_MS;
      signedMs.push(skewMs);
      const code = refuseWith ?? (Math.abs(skewMs) > 300_000 ? "AuthFailure.SignatureExpire" : undefined);
      const answer =
        code === undefined
          ? {
              Credentials: { TmpSecretId: "AKIDrole", TmpSecretKey: "role-key", Token: "role-token" },
              ExpiredTime: NOW_MS / 1000 + 7_200,
            }
          : { Error: { Code: code, Message: "no" } };
      response.setHeader("date", date);
      response.end(JSON.stringify({ Response: { ...answer, RequestId: "a" } }));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});

afterEach(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

const clockOff = (skewMs: number) => ({ now: () => NOW_MS + skewMs });

/** A source that counts, and gives other credentials each time. */
function countingSource() {
  const counted = { loads: 0 };
  const source = cachedCredentials("source", async () => {
    counted.loads += 1;
    return { secretId: "AKIDsource", secretKey: "key", token: `token-${counted.loads}` };
  });
  return { counted, source };
}

describe("a clock that is wrong", () => {
  const roleAt = (skewMs: number, source = countingSource().source) =>
    assumeRoleCredentials({ source, roleArn: ROLE, region: REGION, endpoint, clock: clockOff(skewMs) });

  test.each([-10_800_000, -600_000, 600_000, 10_800_000])(
    "by %i ms: the role is assumed with the service's time",
    async (skewMs) => {
      const { counted, source } = countingSource();
      const provider = roleAt(skewMs, source);
      for (let call = 0; call < 3; call++) {
        const { secretId, expiresAtMs } = await provider.getCredentials();
        expect([secretId, expiresAtMs]).toEqual(["AKIDrole", NOW_MS + skewMs + 7_200_000]);
      }
      expect(signedMs).toEqual([skewMs, 0]);
      expect(counted.loads).toBe(1);
    },
  );

  test("is set right for a call that nothing signs, too", async () => {
    const call = { action: "AssumeRoleWithWebIdentity", parameters: {}, region: REGION, endpoint } as const;
    expect(await callSts({ ...call, clock: clockOff(-600_000) })).toMatchObject({ secretId: "AKIDrole" });
    expect(signedMs).toEqual([-600_000, 0]);
  });

  test.each(["AuthFailure.SignatureExpire", "AuthFailure.SignatureExpired"])(
    "%s again is an error, and no reason to renew the source's credentials",
    async (code) => {
      refuseWith = code;
      const { counted, source } = countingSource();
      const provider = roleAt(-600_000, source);
      await expect(provider.getCredentials()).rejects.toMatchObject({
        code: "ERR_CREDENTIALS",
        message: `security token service refused AssumeRole: ${code} (request a): set the clock of this machine`,
      });
      expect(signedMs).toEqual([-600_000, 0]);
      expect(counted.loads).toBe(1);
      refuseWith = undefined;
      expect((await provider.getCredentials()).secretId).toBe("AKIDrole");
    },
  );

  test.each<[string, number, string]>([
    ["a time that is the local one", -29_000, new Date(NOW_MS).toUTCString()],
    ["no time", -600_000, "yesterday"],
    ["a time before the service", -600_000, new Date(0).toUTCString()],
    ["a time beyond all", -600_000, new Date(Date.UTC(2200, 0, 1)).toUTCString()],
  ])("is not told by %s: nothing is sent again", async (_name, skewMs, said) => {
    refuseWith = "AuthFailure.SignatureExpire";
    date = said;
    await expect(roleAt(skewMs).getCredentials()).rejects.toThrow(/SignatureExpire/);
    expect(signedMs).toEqual([skewMs]);
  });

  test("is no reason to repeat another refusal", async () => {
    refuseWith = "UnauthorizedOperation";
    await expect(roleAt(-600_000).getCredentials()).rejects.toMatchObject({ code: "ERR_DENIED" });
    expect(signedMs).toEqual([-600_000]);
  });
});

describe("a source that is gone when the service has refused its credentials", () => {
  test("is an error of the role, and a chain takes no other identity", async () => {
    refuseWith = "AuthFailure.SecretIdNotFound";
    const asked: (CredentialOptions | undefined)[] = [];
    const old: Credentials = { secretId: "AKIDold", secretKey: "old" };
    const source = {
      getCredentials: async (options?: CredentialOptions) => {
        asked.push(options);
        if (options?.forceRefresh === true) throw absentError("profile file: there is none");
        return old;
      },
    };
    const role = assumeRoleCredentials({ source, roleArn: ROLE, region: REGION, endpoint, clock: clockOff(0) });
    const error: unknown = await role.getCredentials().catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(FengniError);
    expect(isAbsent(error)).toBe(false);
    expect(error).toMatchObject({ message: "assumed role: its source has none: profile file: there is none" });
    expect(asked.at(-1)).toEqual({ forceRefresh: true, refused: old });
    const chain = credentialChain([role, staticCredentials({ secretId: "AKIDadmin", secretKey: "admin" })]);
    await expect(chain.getCredentials()).rejects.toMatchObject({ code: "ERR_CREDENTIALS" });
  });
});
