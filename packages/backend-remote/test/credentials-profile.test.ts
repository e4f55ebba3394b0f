// Which profile file is read, and that no other one and no other source takes its place.
import { homedir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, test, vi } from "vitest";
import { credentialChain, defaultCredentials } from "../src/credentials-chain.js";
import { type ProfileCredentialsOptions, profileCredentials } from "../src/credentials-profile.js";
import { isAbsent, staticCredentials } from "../src/credentials-static.js";

/** The files of the machine: a test must not write to its real ones. */
const files = vi.hoisted(() => new Map<string, string>());
vi.mock("../src/credentials-file.js", () => ({ readSmallFile: async (path: string) => files.get(path) }));

const OF_USER = join(homedir(), ".tencentcloud", "credentials");
const OF_SYSTEM = "/etc/tencentcloud/credentials";
const NAMED = "/srv/credentials";

const profile = (secretId: string, name = "default"): string =>
  `[${name}]\nsecret_id = ${secretId}\nsecret_key = key-of-${secretId}\n`;

afterEach(() => files.clear());

/** The profile, and after it another identity that must not be taken. */
function chainOf(options: ProfileCredentialsOptions) {
  const other = staticCredentials({ secretId: "AKIDother", secretKey: "other" });
  return credentialChain([profileCredentials(options), other]);
}

describe("a profile in a chain", () => {
  test("that nobody named, and of which there is no file, is left out", async () => {
    expect((await chainOf({}).getCredentials()).secretId).toBe("AKIDother");
  });

  test.each<[string, ProfileCredentialsOptions]>([
    ["a file", { path: NAMED }],
    ["a profile", { profile: "prod" }],
    ["a profile in a file", { path: NAMED, profile: "prod" }],
  ])("that was named as %s and has no file is an error", async (_name, options) => {
    const chain = chainOf(options);
    const error: unknown = await chain.getCredentials().catch((caught: unknown) => caught);
    expect(error).toMatchObject({ code: "ERR_CREDENTIALS", message: expect.stringContaining("there is none at") });
    expect(isAbsent(error)).toBe(false);
    files.set(options.path ?? OF_USER, profile("AKIDmine", options.profile));
    expect((await chain.getCredentials()).secretId).toBe("AKIDmine");
  });

  test("that was named for the usual order of sources is an error too", async () => {
    const order = defaultCredentials({ environment: {}, profile: "prod" });
    await expect(order.getCredentials()).rejects.toThrow(/^profile file: there is none at /);
  });

  test.each([
    ["nothing", ""],
    ["blanks", " \n\t\n"],
    ["a comment", "# to be written\n"],
    ["other profiles only", profile("AKIDprod", "prod")],
    ["the name of the profile only", "[default]\n"],
  ])("whose file holds %s is broken, and read once it is whole", async (_name, text) => {
    for (const options of [{}, { path: NAMED }]) {
      const [path, chain] = [options.path ?? OF_USER, chainOf(options)];
      files.set(path, text);
      await expect(chain.getCredentials()).rejects.toMatchObject({
        code: "ERR_CREDENTIALS",
        message: expect.stringContaining(path),
      });
      files.set(path, profile("AKIDmine"));
      expect((await chain.getCredentials()).secretId).toBe("AKIDmine");
    }
  });
});

describe("the file that was found", () => {
  const refresh = { forceRefresh: true };

  test("is the user's, else the system's", async () => {
    files.set(OF_SYSTEM, profile("AKIDmachine"));
    expect((await profileCredentials().getCredentials()).secretId).toBe("AKIDmachine");
    files.set(OF_USER, profile("AKIDuser"));
    expect((await profileCredentials().getCredentials()).secretId).toBe("AKIDuser");
  });

  test("stays the one that is read, though another one comes that goes before it", async () => {
    files.set(OF_SYSTEM, profile("AKIDmachine"));
    const provider = profileCredentials();
    await provider.getCredentials();
    files.set(OF_USER, profile("AKIDuser"));
    expect((await provider.getCredentials(refresh)).secretId).toBe("AKIDmachine");
  });

  test("is missed when it is gone, and the system's is not read in its place", async () => {
    files.set(OF_USER, profile("AKIDuser")).set(OF_SYSTEM, profile("AKIDmachine"));
    const clock = { ms: 1_000_000, now: () => clock.ms };
    const provider = profileCredentials({ clock });
    const refused = await provider.getCredentials();
    files.delete(OF_USER);
    const call = provider.getCredentials({ ...refresh, refused });
    await expect(call).rejects.toThrow(`profile file ${OF_USER} is gone`);
    await expect(call.catch(isAbsent)).resolves.toBe(false);
    files.set(OF_USER, profile("AKIDrotated"));
    clock.ms += 1_000;
    expect((await provider.getCredentials({ ...refresh, refused })).secretId).toBe("AKIDrotated");
  });

  test("is so from when it was found, also if it was broken then", async () => {
    files.set(OF_USER, "").set(OF_SYSTEM, profile("AKIDmachine"));
    const provider = profileCredentials();
    await expect(provider.getCredentials()).rejects.toThrow(/has no profile/);
    files.delete(OF_USER);
    await expect(provider.getCredentials()).rejects.toThrow(/is gone/);
  });

  test("is read again where only the secret key was refused", async () => {
    files.set(NAMED, "[default]\nsecret_id = AKIDmine\nsecret_key = key-of-AK");
    const provider = profileCredentials({ path: NAMED });
    const refused = await provider.getCredentials();
    files.set(NAMED, profile("AKIDmine"));
    const renewed = await provider.getCredentials({ ...refresh, refused });
    expect(renewed.secretKey).toBe("key-of-AKIDmine");
    // Another call that was refused with the old key is answered with the new one, and reads nothing.
    files.delete(NAMED);
    expect((await provider.getCredentials({ ...refresh, refused })).secretKey).toBe("key-of-AKIDmine");
  });
});
