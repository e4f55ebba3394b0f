// fengni serve: what it says, whom it lets in, how it ends, and what it refuses to start with.
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { chmodSync, existsSync, mkdirSync } from "node:fs";
import { createServer } from "node:net";
import { createInterface } from "node:readline";
import { beforeAll, describe, expect, test } from "vitest";
import { call, halfRequest, refusesConnections, type Started } from "./serve-client.js";
import {
  bytesOf,
  Capture,
  ended,
  expectFailure,
  Folder,
  type RunOptions,
  type RunResult,
  run,
  runWell,
  start,
} from "./support.js";

const folder = new Folder();
const OWNER = "100000000001";
const APP = "100000000002";
const SECRET = { secretId: "AKIDexample000001", secretKey: "an-example-of-a-secret" };

beforeAll(() => {
  folder.write("root.key", bytesOf(32));
  mkdirSync(folder.at("policies"));
  const statement = [{ effect: "allow", action: "kms:GenerateRandom", resource: "*" }];
  folder.write("policies/random.json", JSON.stringify({ version: "2.0", statement }));
  const users = [{ uin: APP, policies: ["random"], keys: [SECRET] }];
  folder.write("credentials.json", JSON.stringify({ ownerUin: OWNER, users }));
  chmodSync(folder.at("credentials.json"), 0o600);
});

/** Serves in this process until `use` is done. */
async function serving(
  words: readonly string[],
  use: (firstLine: string) => Promise<void>,
  options: RunOptions = {},
): Promise<RunResult> {
  const ending = new AbortController();
  const stdout = new Capture();
  const result = run(["serve", ...words], { ...options, stdout, signal: ending.signal });
  try {
    await Promise.race([stdout.firstWrite, result.then(({ stderr }) => Promise.reject(new Error(stderr)))]);
    await use(stdout.text);
  } finally {
    ending.abort();
  }
  return result;
}

const json = (line: string): Started => JSON.parse(line);

describe("serving", () => {
  test("--json: one line with endpoint, region and the secret made at start; the secret is good for a call", async () => {
    let grace = 0;
    const result = await serving(
      ["--json"],
      async (line) => {
        const started = json(line);
        expect(Object.keys(started)).toEqual(["endpoint", "region", "secretId", "secretKey"]);
        expect(started.endpoint).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
        expect(started.region).toBe("ap-guangzhou");
        const answer = await call(started, "GenerateRandom", { NumberOfBytes: 32 });
        expect(Buffer.from(answer["Plaintext"] as string, "base64")).toHaveLength(32);
        const wrong = await call({ ...started, secretKey: "another-secret-key" }, "GenerateRandom");
        expect(wrong.Error?.Code).toBe("AuthFailure.SignatureFailure");
      },
      { setGraceMs: (ms) => (grace = ms) },
    );
    expect(result).toMatchObject({ exitCode: 0, stderr: "" });
    expect(result.stdout.toString().split("\n")).toHaveLength(2);
    expect(grace).toBeGreaterThan(10_000);
  });

  test("for people: the endpoint, the secret, the console, and how to point a client at it", async () => {
    const result = await serving([], async (text) => {
      const endpoint = /^ {2}endpoint +(http:\S+)$/m.exec(text)?.[1] as string;
      expect(text).toMatch(/^ {2}secret id +AKID[0-9a-f]{32}$/m);
      expect(text).toMatch(/^ {2}secret key +\S+$/m);
      expect(text).toContain(`endpoint: "${new URL(endpoint).host}", protocol: "http://"`);
      const console = /^ {2}console +(http:\S+)$/m.exec(text)?.[1] as string;
      expect((await fetch(console)).status).toBe(200);
    });
    expect(result).toMatchObject({ exitCode: 0, stderr: "" });
  });

  test("--no-console", async () => {
    await serving(["--json", "--no-console"], async (line) => {
      expect((await fetch(`${json(line).endpoint}/_fengni/console`)).status).toBe(404);
    });
  });

  test("--credentials and --policies: who may do what; the secrets of the file are not shown", async () => {
    const words = ["--credentials", folder.at("credentials.json"), "--policies", folder.at("policies")];
    const result = await serving([...words, "--json", "--region", "ap-shanghai"], async (line) => {
      const { endpoint, region } = json(line);
      expect(Object.keys(json(line))).toEqual(["endpoint", "region"]);
      expect(region).toBe("ap-shanghai");
      const allowed = await call({ endpoint, ...SECRET }, "GenerateRandom", { NumberOfBytes: 16 });
      expect(allowed.Error).toBeUndefined();
      const denied = await call({ endpoint, ...SECRET }, "CreateKey", { Alias: "a" });
      expect(denied.Error?.Code).toBe("UnauthorizedOperation");
      expect(denied.Error?.Message).toContain("qcs::kms:ap-shanghai:");
    });
    const plain = await serving(words, async () => {});
    for (const { stdout, stderr } of [result, plain]) {
      expect(`${stdout}${stderr}`).not.toContain(SECRET.secretKey);
      expect(stderr).toBe("");
    }
  });

  test.skipIf(process.platform === "win32")("a credentials file that others may read: a warning", async () => {
    folder.write("open.json", folder.read("credentials.json"));
    chmodSync(folder.at("open.json"), 0o644);
    const words = ["--json", "--credentials", folder.at("open.json"), "--policies", folder.at("policies")];
    const { stderr, exitCode } = await serving(words, async () => {});
    expect(stderr).toMatch(/^warning: .*open\.json holds secrets.*chmod 600 it\n$/);
    expect(exitCode).toBe(0);
  });

  test("--audit: the log makes a policy that allows what was done", async () => {
    const audit = folder.at("audit.jsonl");
    await serving(["--json", "--audit", audit], async (line) => {
      const { KeyId } = await call(json(line), "CreateKey", { Alias: "orders" });
      await call(json(line), "Encrypt", { KeyId, Plaintext: "YWJj" });
      await call(json(line), "Decrypt", { CiphertextBlob: "YWJj" });
    });
    const { stdout } = await runWell(["policy", "generate", "--audit", audit, "--json"]);
    const { policy } = JSON.parse(stdout.toString());
    expect(policy.statement.flatMap(({ action }: { action: string[] }) => action).sort()).toEqual([
      "kms:CreateKey",
      "kms:Encrypt",
    ]);
    expect(folder.read("audit.jsonl").toString()).not.toContain("YWJj");
  });

  test.skipIf(!existsSync("/dev/full"))(
    "--audit on a full disk: one line says so, and the exit code is 1",
    async () => {
      const result = await serving(["--json", "--audit", "/dev/full"], async (line) => {
        await call(json(line), "ListKeys");
        // Health tells when the disk has refused.
        while ((await fetch(`${json(line).endpoint}/_fengni/health`)).ok);
        expect((await call(json(line), "ListKeys")).Error?.Code).toBe("InternalError");
      });
      expect(result.exitCode).toBe(1);
      expect(result.stderr).toMatch(
        /^fengni: the audit log \/dev\/full cannot be written.*no space is left.* \(ERR_OUTPUT\)\n$/,
      );
    },
  );

  test("--data: keys stay, sealed by a root key or a passphrase", async () => {
    for (const rootKey of [["--keystore-key", folder.at("root.key")], []]) {
      const env = rootKey.length === 0 ? { FENGNI_PASSPHRASE: "correct horse" } : {};
      const words = ["--json", "--data", folder.at(`keys-${rootKey.length}`), ...rootKey];
      let ciphertext: unknown;
      await serving(
        words,
        async (line) => {
          const { KeyId } = await call(json(line), "CreateKey", { Alias: "orders" });
          ({ CiphertextBlob: ciphertext } = await call(json(line), "Encrypt", { KeyId, Plaintext: "YWJj" }));
        },
        { env },
      );
      await serving(
        words,
        async (line) => {
          const opened = await call(json(line), "Decrypt", { CiphertextBlob: ciphertext });
          expect(opened["Plaintext"]).toBe("YWJj");
        },
        { env },
      );
    }
  });

  test("--rate-limits", async () => {
    await serving(["--json", "--rate-limits"], async (line) => {
      // A slow machine may stay below the limit for a while, with however many calls at once.
      for (let isLimited = false; !isLimited; ) {
        const answers = await Promise.all(Array.from({ length: 60 }, () => call(json(line), "GetServiceStatus")));
        const codes = new Set(answers.map(({ Error: error }) => error?.Code));
        isLimited = codes.delete("RequestLimitExceeded");
        expect([...codes].filter((code) => code !== undefined)).toEqual([]);
      }
    });
  });

  test("--admin: a token for the switches, which are not there without", async () => {
    await serving(["--json", "--admin"], async (line) => {
      const { endpoint, adminToken } = json(line);
      const faults = (token: string): Promise<Response> =>
        fetch(`${endpoint}/_fengni/faults`, { headers: { "x-fengni-admin-token": token } });
      expect((await faults(adminToken as string)).status).toBe(200);
      expect((await faults("another")).status).toBe(401);
    });
    await serving(["--json"], async (line) => {
      expect((await fetch(`${json(line).endpoint}/_fengni/faults`)).status).toBe(404);
    });
  });
});

describe("refusals to start", () => {
  const usage = (name: string, says: RegExp, ...options: string[]): void =>
    test(name, async () => {
      const result = await run(["serve", ...options]);
      expectFailure(result, 2, "ERR_USAGE");
      expect(result.stderr).toMatch(says);
    });
  usage("a port that is none", /--port expected a whole number from 0 to 65535/, "--port", "65536");
  usage("policies for nobody", /--policies needs --credentials/, "--policies", "x");
  usage("a root key without its keystore", /--keystore-key needs --data/, "--keystore-key", "x");
  for (const [option, others] of [
    ["data", []],
    ["keystore-key", ["--data", "k.db"]],
    ["passphrase-file", ["--data", "k.db"]],
    ["credentials", []],
  ] as const) {
    test(`--audit in the file of --${option}`, async () => {
      const path = folder.at(`destroyed-by-${option}`);
      const result = await run([
        "serve",
        ...others,
        `--${option}`,
        path,
        "--audit",
        `${folder.path}/./destroyed-by-${option}`,
      ]);
      expectFailure(result, 2, "ERR_USAGE");
      expect(result.stderr).toContain(`--audit names the file of --${option}`);
    });
  }
  usage("the console on and off", /exclude each other/, "--console", "--no-console");
  usage("an operand", /one operand too many/, "8510");

  const failing = (name: string, code: string, says: RegExp, options: () => string[]): void =>
    test(name, async () => {
      const result = await run(["serve", ...options()]);
      expectFailure(result, 1, code);
      expect(result.stderr).toMatch(says);
      expect(result.stdout.length).toBe(0);
      expect(result.stderr).not.toContain(SECRET.secretKey);
    });
  const credentials = (): string[] => ["--credentials", folder.at("credentials.json")];

  failing("no credentials file", "ERR_CONFIGURATION", /missing\.json cannot be read/, () => [
    "--credentials",
    folder.at("missing.json"),
  ]);
  failing("a credentials file that is not JSON", "ERR_CONFIGURATION", /torn\.json is not JSON/, () => [
    "--credentials",
    folder.write("torn.json", `{"users":[{"secretKey":"${SECRET.secretKey}"`),
  ]);
  failing("a policy that is not there", "ERR_CONFIGURATION", /the policy "random", which is not there/, credentials);
  failing("a folder with a malformed policy", "ERR_CONFIGURATION", /bad\.json: statement: has no statement/, () => {
    mkdirSync(folder.at("bad"));
    folder.write("bad/bad.json", '{"version":"2.0","statement":[]}');
    return [...credentials(), "--policies", folder.at("bad")];
  });
  failing("no folder of policies", "ERR_CONFIGURATION", /cannot be read/, () => [
    ...credentials(),
    "--policies",
    folder.at("none"),
  ]);
  failing("a region of another form", "ERR_CONFIGURATION", /region expected/, () => ["--region", "Guangzhou"]);
  failing("an audit log that cannot be written", "ERR_CONFIGURATION", /cannot be opened for appending/, () => [
    "--audit",
    folder.path,
  ]);
  failing("another address without credentials", "ERR_CONFIGURATION", /is not loopback.*give credentials/, () => [
    "--host",
    "0.0.0.0",
  ]);
  failing("the console on another address", "ERR_CONFIGURATION", /console are refused there \(/, () => [
    ...credentials(),
    "--policies",
    folder.at("policies"),
    "--host",
    "0.0.0.0",
    "--console",
  ]);
  failing("an address of another machine", "ERR_LISTEN", /cannot listen on 192\.0\.2\.1, port 0: this machine/, () => [
    ...credentials(),
    "--policies",
    folder.at("policies"),
    "--host",
    "192.0.2.1",
  ]);
  failing("a wrong root key", "ERR_ROOT_KEY", /check the passphrase/, () => [
    "--data",
    folder.at("keys-2"),
    "--keystore-key",
    folder.write("other.key", bytesOf(32, 9)),
  ]);
  failing("a keystore that is a folder", "ERR_KEYSTORE", /no regular file/, () => [
    "--data",
    folder.path,
    "--keystore-key",
    folder.at("root.key"),
  ]);

  test("a port in use", async () => {
    const other = createServer().listen(0, "127.0.0.1");
    await once(other, "listening");
    const { port } = other.address() as { readonly port: number };
    const result = await run(["serve", "--port", String(port)]);
    other.close();
    expectFailure(result, 1, "ERR_LISTEN");
    expect(result.stderr).toContain(`cannot listen on 127.0.0.1, port ${port}: another program listens there`);
  });
});

// Starting several at once takes many seconds on a busy machine.
describe.concurrent("as a process", { timeout: 600_000 }, () => {
  async function started(...words: string[]): Promise<{ child: ChildProcess; endpoint: string }> {
    const child = start(["serve", "--json", ...words], folder.path);
    const [line] = await once(createInterface({ input: child.stdout as NonNullable<typeof child.stdout> }), "line");
    return { child, endpoint: json(line).endpoint };
  }

  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
    test(`${signal} ends it with exit code 0`, async () => {
      const { child } = await started();
      const result = ended(child);
      child.kill(signal);
      expect(await result).toMatchObject({ exitCode: 0, signal: null, stderr: "" });
    });
  }

  test.skipIf(!existsSync("/dev/full"))("a log that could not be written: exit code 1 after a signal too", async () => {
    const { child, endpoint } = await started("--audit", "/dev/full");
    const result = ended(child);
    await fetch(endpoint);
    while ((await fetch(`${endpoint}/_fengni/health`)).ok);
    child.kill("SIGTERM");
    expect(await result).toMatchObject({ exitCode: 1, signal: null });
  });

  test("what was accepted is finished first", async () => {
    const { child, endpoint } = await started();
    const socket = await halfRequest(endpoint);
    const result = ended(child);
    child.kill("SIGTERM");
    await refusesConnections(endpoint);
    socket.write("}");
    const [answer] = await once(socket, "data");
    expect(String(answer)).toMatch(/^HTTP\/1\.1 200 .*MissingParameter/s);
    expect(await result).toMatchObject({ exitCode: 0, signal: null });
  });

  test("a second signal ends it at once", async () => {
    const { child, endpoint } = await started();
    const socket = await halfRequest(endpoint);
    socket.on("error", () => {});
    const result = ended(child);
    child.kill("SIGTERM");
    await refusesConnections(endpoint);
    child.kill("SIGINT");
    expect((await result).signal).toBe("SIGINT");
  });

  test("standard output that nobody reads ends it: exit code 1", async () => {
    const child = start(["serve", "--json"], folder.path);
    child.stdout?.destroy();
    expect(await ended(child)).toMatchObject({ exitCode: 1, stderr: "" });
  });
});
