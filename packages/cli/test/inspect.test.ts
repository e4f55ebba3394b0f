// What inspect shows of a header, that it reads no more than it needs, and that nothing in a message reaches a terminal raw.
import { Readable } from "node:stream";
import { Envelope, type WrappingKey } from "@fengni/core";
import { describe, expect, test } from "vitest";
import { bytesOf, expectFailure, Folder, run, runWell } from "./support.js";

const folder = new Folder();
folder.write("aes.key", bytesOf(32));
folder.write("root.key", bytesOf(32, 2));
const AES = ["--raw-aes-key", folder.at("aes.key"), "--namespace", "ns", "--name", "backup"];
const KEYSTORE = ["--keystore", folder.at("keys"), "--keystore-key", folder.at("root.key")];

/** A message whose header says what a test wants. */
async function messageOf(
  info: Uint8Array,
  options: { providerId?: string; context?: Record<string, string>; ciphertextBytes?: number; count?: number } = {},
): Promise<Uint8Array> {
  const encryptedDataKey = {
    providerId: options.providerId ?? "p",
    providerInfo: info,
    ciphertext: new Uint8Array(options.ciphertextBytes ?? 3),
  };
  const key: WrappingKey = {
    name: "fake",
    generateDataKey: async ({ dataKeyBytes }) => ({ dataKey: new Uint8Array(dataKeyBytes).fill(9), encryptedDataKey }),
    wrapDataKey: async () => encryptedDataKey,
    unwrapDataKey: async () => undefined,
  };
  const wrappingKeys = Array.from({ length: options.count ?? 1 }, () => ({ ...key }));
  const envelope = new Envelope({ wrappingKeys, maxHeaderLength: 4_000_000 });
  return envelope.encrypt("attack", { encryptionContext: options.context ?? {} });
}

async function shown(message: Uint8Array, ...options: string[]): Promise<string> {
  return (await runWell(["inspect", "-", ...options], { stdin: message })).stdout.toString();
}

async function json(message: Uint8Array): Promise<Record<string, unknown>> {
  return JSON.parse(await shown(message, "--json"));
}

describe("people", () => {
  test("everything of a message with several keys", async () => {
    await runWell(["key", "create", "--alias", "app", ...KEYSTORE]);
    const options = [...KEYSTORE, "--key", "app", ...AES, "--context", "b=2", "--context", "a=1", "--suite", "signed"];
    const { stdout: message } = await runWell(["encrypt", "-", "-o", "-", ...options], { stdin: "attack" });
    const text = (await shown(message))
      .replace(/[0-9a-f]{64}/, "<message id>")
      .replace(/"[0-9a-f-]{36}"/, "<key id>")
      .replace(/"aws-crypto-public-key" = ".{68}"/, "<verification key>")
      .replace(/(?<=header length {9})\d+/, "<n>");
    expect(text).toBe(
      [
        "Nothing of this is authenticated before the message is decrypted.",
        "version               2",
        "suite                 0x0578 AES_256_GCM_HKDF_SHA512_COMMIT_KEY_ECDSA_P384",
        "commits to its key    yes",
        "signed                yes",
        "message id            <message id>",
        "encryption context    3 pairs",
        '  "a" = "1"',
        "  <verification key>",
        '  "b" = "2"',
        "encrypted data keys   2",
        '  1. provider         "fengni-local"',
        "     key              <key id>",
        "     encrypted        123 bytes",
        '  2. provider         "ns"',
        '     key              "backup" (raw AES)',
        "     encrypted        48 bytes",
        "content               framed, 65,536 bytes a frame",
        "header length         <n> bytes",
        "",
      ].join("\n"),
    );
  });

  test("provider info that is no text is shown in hexadecimal digits", async () => {
    expect(await shown(await messageOf(Buffer.from("00ff10", "hex")))).toContain("key              hex 00ff10\n");
    expect(await shown(await messageOf(new Uint8Array(0)))).toContain('key              ""\n');
    expect(await shown(await messageOf(Buffer.from("plain text")))).toContain('key              "plain text"\n');
  });
});

describe("terminal escapes", () => {
  const HOSTILE = 'x\u001b[2J\u009b31m\u0000\r\n\u007f\u202e\u2028"\\\u{e0001}y';

  test("are escaped for people", async () => {
    const info = Buffer.from(`${HOSTILE}`);
    const text = await shown(await messageOf(info, { providerId: HOSTILE, context: { [HOSTILE]: HOSTILE } }));
    expect(text.replaceAll("\n", "")).not.toMatch(/[\p{C}\p{Zl}\p{Zp}]/u);
    expect(text).toContain('"x\\u001b[2J\\u{9b}31m\\u0000\\r\\n\\u{7f}\\u{202e}\\u{2028}\\"\\\\\\u{e0001}y"');
    expect(text).toContain(`key              hex ${info.toString("hex")}`);
  });

  test("are escaped in JSON, which means the same", async () => {
    const message = await messageOf(Buffer.from(HOSTILE), { providerId: HOSTILE, context: { [HOSTILE]: HOSTILE } });
    const text = await shown(message, "--json");
    expect(text).toMatch(/\n$/);
    expect(text.slice(0, -1)).not.toMatch(/[\p{C}\p{Zl}\p{Zp}]/u);
    expect(JSON.parse(text)).toMatchObject({
      encryptionContext: { [HOSTILE]: HOSTILE },
      encryptedDataKeys: [{ providerId: HOSTILE, providerInfo: Buffer.from(HOSTILE).toString("hex") }],
    });
  });
});

describe("programs", () => {
  test("--json: every field", async () => {
    const { stdout: message } = await runWell(["encrypt", "-", "-o", "-", ...AES, "--context", "a=1"], {
      stdin: "attack",
    });
    expect(await json(message)).toEqual({
      authenticated: false,
      version: 2,
      suite: { id: "0x0478", name: "AES_256_GCM_HKDF_SHA512_COMMIT_KEY", committing: true, signed: false },
      messageId: message.subarray(3, 35).toString("hex"),
      encryptionContext: { a: "1" },
      encryptedDataKeys: [
        {
          providerId: "ns",
          providerInfo: expect.stringMatching(/^6261636b7570000000800000000c[0-9a-f]{24}$/),
          rawAesKeyName: "backup",
          encryptedDataKeyLength: 48,
        },
      ],
      contentType: "framed",
      frameLength: 65_536,
      headerLength: 182,
    });
  });

  test("--json: providerInfoText for text", async () => {
    const { encryptedDataKeys } = await json(await messageOf(Buffer.from("clé")));
    expect(encryptedDataKeys).toEqual([
      { providerId: "p", providerInfo: "636cc3a9", providerInfoText: "clé", encryptedDataKeyLength: 3 },
    ]);
  });
});

describe("reading", () => {
  test("a header that comes byte by byte, and from an input that does not end", async () => {
    const message = await messageOf(Buffer.from("info"), { context: { a: "1" } });
    let pulled = 0;
    const stdin = new Readable({
      read() {
        const at = pulled++;
        this.push(Buffer.from([message[at] ?? 0]));
      },
    });
    const result = await runWell(["inspect", "-"], { stdin });
    expect(result.stdout.toString()).toContain('"a" = "1"');
    expect(pulled).toBeLessThan(message.length * 3 + 100);
  });

  test("a header of almost 1 MiB, and one of more", async () => {
    const big = { ciphertextBytes: 65_000, count: 16 };
    expect((await json(await messageOf(Buffer.from("i"), big)))["encryptedDataKeys"]).toHaveLength(16);
    const bigger = await messageOf(Buffer.from("i"), { ciphertextBytes: 65_000, count: 17 });
    const result = await run(["inspect", "-"], { stdin: bigger });
    expectFailure(result, 1, "ERR_LIMIT");
    expect(result.stderr).toContain("header length");
  });

  for (const [name, content, code] of [
    ["an empty file", "", "ERR_MESSAGE_TRUNCATED"],
    ["text", "attack at dawn", "ERR_MESSAGE_UNSUPPORTED"],
    ["zeros", new Uint8Array(3_000_000), "ERR_MESSAGE_UNSUPPORTED"],
  ] as const) {
    test(`${name} is no message`, async () => {
      expectFailure(await run(["inspect", folder.write("none", content)]), 1, code);
      expectFailure(await run(["inspect", "-"], { stdin: content }), 1, code);
    });
  }

  test("each prefix of a header is truncated", async () => {
    const message = await messageOf(Buffer.from("info"), { context: { a: "1" } });
    const { headerLength } = (await json(message)) as { headerLength: number };
    for (let length = 0; length < headerLength; length++) {
      expectFailure(await run(["inspect", "-"], { stdin: message.slice(0, length) }), 1, "ERR_MESSAGE_TRUNCATED");
    }
    await runWell(["inspect", "-"], { stdin: message.slice(0, headerLength) });
  });

  test("an abort ends it", async () => {
    const abort = new AbortController();
    const stdin = new Readable({ read: () => setImmediate(() => abort.abort(new Error("stop"))) });
    expect((await run(["inspect", "-"], { stdin, signal: abort.signal })).exitCode).toBe(1);
  });
});
