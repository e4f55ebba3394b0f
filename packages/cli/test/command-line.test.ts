// Wrong command lines: one line that says what is wrong, exit code 2, nothing read and nothing written.
import { existsSync } from "node:fs";
import { afterEach, beforeAll, describe, expect, test } from "vitest";
import { bytesOf, expectFailure, Folder, run } from "./support.js";

const folder = new Folder();
const NAMES = ["--namespace", "ns", "--name", "k"];
const AES = ["--raw-aes-key", folder.at("aes.key"), ...NAMES];
const KEYSTORE = ["--keystore", folder.at("keys"), "--keystore-key", folder.at("root.key")];
const OUTPUT = folder.at("output");

beforeAll(() => {
  folder.write("aes.key", bytesOf(32));
  folder.write("plain", "attack");
});

afterEach(() => {
  expect(folder.names()).toEqual(["aes.key", "plain"]);
  expect(existsSync(OUTPUT)).toBe(false);
});

const encrypting = (...options: string[]): string[] => ["encrypt", folder.at("plain"), "-o", OUTPUT, ...options];
const decrypting = (...options: string[]): string[] => ["decrypt", folder.at("plain"), "-o", OUTPUT, ...options];

describe("command lines", () => {
  const usage = (name: string, says: RegExp, argv: () => string[]): void =>
    test(name, async () => {
      const result = await run(argv());
      expectFailure(result, 2, "ERR_USAGE");
      expect(result.stderr).toMatch(says);
      expect(result.stdout.length).toBe(0);
    });

  usage("an unknown command", /unknown command "seal"/, () => ["seal"]);
  usage("an option before the command", /the command comes first/, () => ["--quiet", "encrypt"]);
  usage("an unknown option", /unknown option --colour/, () => encrypting(...AES, "--colour"));
  usage("an unknown short option", /unknown option -x/, () => encrypting(...AES, "-x"));
  usage("an option of another command", /unknown option --allow-uncommitted/, () => encrypting("--allow-uncommitted"));
  usage("the private key to encrypt", /unknown option --raw-rsa-private-key/, () =>
    encrypting("--raw-rsa-private-key", "x"),
  );
  usage("a value for an option that takes none", /does not take an argument/, () => encrypting(...AES, "--quiet=1"));
  usage("an option without its value", /argument missing/, () => encrypting("--raw-aes-key"));
  usage("an option in place of a value", /ambiguous/, () => encrypting("--raw-aes-key", "--force"));
  usage("an option given twice", /--suite is given more than once/, () =>
    encrypting(...AES, "--suite", "signed", "--suite", "signed"),
  );
  usage("no FILE", /FILE is missing/, () => ["encrypt", "-o", OUTPUT, ...AES]);
  usage("an empty FILE", /FILE is empty/, () => ["encrypt", "", "-o", OUTPUT, ...AES]);
  usage("two FILEs", /one operand too many/, () => ["encrypt", "a", "b", "-o", OUTPUT, ...AES]);
  usage("no output", /--output is missing/, () => ["encrypt", folder.at("plain"), ...AES]);
  usage("an empty output", /--output is empty/, () => ["encrypt", folder.at("plain"), "-o", "", ...AES]);
  usage("no key to encrypt", /no key is named.*--raw-rsa-public-key/, () => encrypting());
  usage("no key to decrypt", /no key is named.*--raw-rsa-private-key/, () => decrypting());
  usage("a missing namespace", /--namespace is missing/, () =>
    encrypting("--raw-aes-key", folder.at("aes.key"), "--name", "k"),
  );
  usage("a missing name", /--name is missing/, () =>
    encrypting("--raw-aes-key", folder.at("aes.key"), "--namespace", "n"),
  );
  usage("the reserved namespace", /"aws-kms" is reserved/, () =>
    encrypting("--raw-aes-key", folder.at("aes.key"), "--namespace", "aws-kms", "--name", "k"),
  );
  usage("a namespace without a raw key", /--namespace needs a raw key/, () =>
    encrypting(...KEYSTORE, "--key", "app", "--namespace", "n"),
  );
  usage("no padding", /--padding is missing/, () => encrypting("--raw-rsa-public-key", folder.at("rsa.pub"), ...NAMES));
  usage("an unknown padding", /--padding expected one of/, () =>
    encrypting("--raw-rsa-public-key", folder.at("rsa.pub"), ...NAMES, "--padding", "none"),
  );
  usage("a padding without an RSA key", /--padding needs --raw-rsa-public-key/, () =>
    encrypting(...AES, "--padding", "pkcs1"),
  );
  usage("--key without a keystore", /--key needs --keystore/, () => encrypting(...AES, "--key", "app"));
  usage("a keystore without --key to encrypt", /--key is missing/, () => encrypting(...KEYSTORE));
  usage("an empty --key", /--key is empty/, () => encrypting(...KEYSTORE, "--key", ""));
  usage("the same --key twice", /--key names one key twice/, () =>
    encrypting(...KEYSTORE, "--key", "app", "--key", "app"),
  );
  usage("a root key without a keystore", /--keystore-key needs --keystore/, () =>
    encrypting(...AES, "--keystore-key", folder.at("root.key")),
  );
  usage("a passphrase file without a keystore", /--passphrase-file needs --keystore/, () =>
    encrypting(...AES, "--passphrase-file", folder.at("plain")),
  );
  usage("two root keys", /exclude each other/, () =>
    encrypting(...KEYSTORE, "--passphrase-file", folder.at("plain"), "--key", "app"),
  );
  usage("an unknown suite", /--suite expected/, () => encrypting(...AES, "--suite", "0x0178"));
  usage("a suite by a name of Object.prototype", /--suite expected/, () =>
    encrypting(...AES, "--suite", "constructor"),
  );
  for (const length of ["0", "-1", "1.5", "67108865", "1e3", "0x10", "many", "9".repeat(20)]) {
    usage(`frame length ${length}`, /--frame-length expected a whole number from 1 to 67108864/, () =>
      encrypting(...AES, `--frame-length=${length}`),
    );
  }
  for (const count of ["0", "65536"]) {
    usage(`at most ${count} encrypted data keys`, /--max-encrypted-data-keys expected/, () =>
      decrypting(...AES, "--max-encrypted-data-keys", count),
    );
  }
  usage("frames of at most 0 bytes", /--max-frame-length expected/, () =>
    decrypting(...AES, "--max-frame-length", "0"),
  );
  usage("a context without =", /expected KEY=VALUE, got "tenant"/, () => encrypting(...AES, "--context", "tenant"));
  usage("a context without a key", /a key that is not empty/, () => encrypting(...AES, "--context", "=7"));
  usage("a context key twice", /the key "a" more than once/, () =>
    encrypting(...AES, "--context", "a=1", "--context", "a=2"),
  );
  for (const key of ["aws-crypto-public-key", "fengni-x"]) {
    usage(`the reserved context key ${key}`, /are reserved/, () => encrypting(...AES, "--context", `${key}=1`));
  }
  usage("a terminal escape in an argument is shown escaped", /\\u\{1b\}\[2J/, () => encrypting(...AES, "\u001b[2J"));
  usage("an alias that cannot be", /--alias expected 1 to 60/, () => ["key", "create", ...KEYSTORE, "--alias", "a/b"]);
  usage("another alias that cannot be", /ALIAS expected 1 to 60/, () => ["key", "alias", "a", "-", ...KEYSTORE]);
  usage("a key spec that cannot be", /--spec expected one of AES_256/, () => [
    "key",
    "create",
    ...KEYSTORE,
    "--spec",
    "x",
  ]);
  usage("too long a description", /1026 bytes, more than the allowed 1024/, () => [
    "key",
    "create",
    ...KEYSTORE,
    "--description",
    "é".repeat(513),
  ]);
  usage("key list without a keystore", /--keystore is missing/, () => ["key", "list"]);
  usage("an operand for key list", /"app" is one operand too many/, () => ["key", "list", "app", ...KEYSTORE]);
  usage("no KEY", /KEY is missing/, () => ["key", "describe", ...KEYSTORE]);
  usage("no ALIAS", /ALIAS is missing/, () => ["key", "alias", "app", ...KEYSTORE]);
  usage("--alias for key list", /unknown option --alias/, () => ["key", "list", ...KEYSTORE, "--alias", "a"]);
  usage("--version with more", /stands alone/, () => ["--version", "x"]);
  usage("help on nothing known", /unknown command "seal"/, () => ["help", "seal"]);
  usage("key without a command", /key needs a command: one of create, list/, () => ["key"]);
  usage("an unknown key command", /unknown command "key destroy": one of create/, () => ["key", "destroy"]);
});

test("an empty passphrase in the environment", async () => {
  const result = await run(["key", "list", "--keystore", folder.at("keys")], { env: { FENGNI_PASSPHRASE: "" } });
  expectFailure(result, 2, "ERR_USAGE");
});
