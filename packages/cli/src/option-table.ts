// Every option of every command: its form, and its line in the help. Must not know what an option does.

/** Names of the options, without the dashes. */
export type OptionName =
  | "output"
  | "force"
  | "quiet"
  | "json"
  | "context"
  | "suite"
  | "frame-length"
  | "key"
  | "keystore"
  | "keystore-key"
  | "passphrase-file"
  | "raw-aes-key"
  | "raw-rsa-public-key"
  | "raw-rsa-private-key"
  | "namespace"
  | "name"
  | "padding"
  | "allow-uncommitted"
  | "max-encrypted-data-keys"
  | "max-frame-length"
  | "alias"
  | "spec"
  | "description"
  | "strict"
  | "policy"
  | "action"
  | "caller"
  | "owner"
  | "creator"
  | "region"
  | "ip"
  | "time"
  | "tag"
  | "request-tag"
  | "audit"
  | "uin"
  | "include-denied"
  | "port"
  | "host"
  | "data"
  | "credentials"
  | "policies"
  | "rate-limits"
  | "console"
  | "no-console"
  | "admin"
  | "only"
  | "data-keys"
  | "may-retire"
  | "heal"
  | "unless-current"
  | "dry-run"
  | "raw-opens-only"
  | "parallel"
  | "help";

/** One option. */
export interface OptionSpec {
  readonly short?: string;
  /** What stands for the value in the help; absent: the option takes none. */
  readonly value?: string;
  readonly isRepeatable?: boolean;
  readonly help: string;
}

/** The option table. */
export const OPTIONS: Readonly<Record<OptionName, OptionSpec>> = {
  output: { short: "o", value: "FILE", help: "where the result goes; - is standard output" },
  force: { help: "replace the output if it exists; let a message go to a terminal" },
  quiet: { short: "q", help: "no progress bar and no remarks on standard error; errors are still shown" },
  json: { help: "one JSON object on one line" },
  context: {
    value: "KEY=VALUE",
    isRepeatable: true,
    help: "a pair of the encryption context; may be given several times; the value may hold =",
  },
  suite: {
    value: "SUITE",
    help: "committed (default) or signed, which other readers of the format know; rewrappable, rewrappable-signed, signed-ml-dsa, sm4 or sm4-signed, which only Fengni reads; or the id or the full name of one",
  },
  "frame-length": { value: "N", help: "bytes of plaintext in a frame, 1 to 67108864 (default 65536)" },
  key: {
    value: "KEY",
    isRepeatable: true,
    help: "id or alias of a key of the keystore; may be given several times",
  },
  keystore: { value: "PATH", help: "the keystore file" },
  "keystore-key": { value: "FILE", help: "root key of the keystore: a file of 32 raw bytes" },
  "passphrase-file": { value: "FILE", help: "passphrase of the keystore: the first and only line of a file" },
  "raw-aes-key": { value: "FILE", help: "a wrapping key: a file of 16, 24 or 32 raw bytes" },
  "raw-rsa-public-key": { value: "FILE", help: "a wrapping key: an RSA public key in PEM or DER" },
  "raw-rsa-private-key": { value: "FILE", help: "opens what the public key wrapped: an RSA private key in PEM or DER" },
  namespace: { value: "TEXT", help: "namespace of the raw keys (key provider id in the message)" },
  name: { value: "TEXT", help: "name of the raw keys within the namespace" },
  padding: {
    value: "PADDING",
    help: "of the RSA key: oaep-sha256, oaep-sha384, oaep-sha512, oaep-sha1 or pkcs1",
  },
  "allow-uncommitted": { help: "also open messages whose suite does not commit to its data key" },
  "max-encrypted-data-keys": {
    value: "N",
    help: "refuse messages with more encrypted data keys, 1 to 65535; default 100",
  },
  "max-frame-length": { value: "N", help: "longest frame that is read, in bytes (default 67108864)" },
  alias: { value: "ALIAS", help: "another name of the key: 1 to 60 of letters, digits, - and _" },
  spec: { value: "SPEC", help: "AES_256 (default, for encrypt), ECC_P256 or ECC_P384 (for signatures)" },
  description: { value: "TEXT", help: "what the key is for, at most 1024 bytes" },
  strict: { help: "warnings are failures too" },
  policy: {
    value: "FILE",
    isRepeatable: true,
    help: "a policy in JSON; may be given several times, they count together",
  },
  action: { value: "ACTION", isRepeatable: true, help: "for example kms:Encrypt; kms: may be left out" },
  caller: { value: "UIN", help: "the number of the account that calls (default 100000000002)" },
  owner: { value: "UIN", help: "the number of the root account that owns the keys (default 100000000001)" },
  creator: { value: "UIN", help: "the number of the account that made the keys (default: the owner)" },
  region: { value: "REGION", help: "the region of the keys (default ap-guangzhou)" },
  ip: { value: "ADDRESS", help: "the caller's address" },
  time: { value: "TIME", help: "when, such as 2026-11-24T08:00:00Z (default: now)" },
  tag: { value: "KEY=VALUE", isRepeatable: true, help: "a tag of the key; may be given several times" },
  "request-tag": {
    value: "KEY=VALUE",
    isRepeatable: true,
    help: "a tag that the request passes; may be given several times",
  },
  audit: { value: "FILE", help: "the audit log of the emulator, JSON lines; - is standard input" },
  uin: { value: "UIN", help: "only the calls of this account" },
  "include-denied": { help: "also grant what was asked for and refused" },
  port: { value: "N", help: "the port to listen on, 0 to 65535 (default 0: a free one)" },
  host: {
    value: "ADDRESS",
    help: "the address to listen on (default 127.0.0.1); another than loopback needs --credentials",
  },
  data: { value: "PATH", help: "the keystore file; made when there is none (default: keys are in memory)" },
  credentials: { value: "FILE", help: "who may call, in JSON (default: a root account with a new secret)" },
  policies: { value: "DIR", help: "the policies that the credentials name: NAME.json is the policy NAME" },
  "rate-limits": { help: "refuse calls beyond the number a second that the service takes" },
  console: { help: "serve the console page; the default on loopback" },
  "no-console": { help: "serve no console page" },
  admin: { help: "let tests switch faults and skew the clock over HTTP; shows the token that this needs" },
  only: { value: "AREA", isRepeatable: true, help: "an area to run (default: all); may be given several times" },
  "data-keys": {
    value: "N",
    help: "data keys that are compared with each other, 1 to 100000 (default 10000); the report says when it is fewer",
  },
  "may-retire": {
    value: "KEY",
    help: "say whether a key is no message's only one: its id or name as messages have it, PROVIDER/KEY, or with --keystore its alias",
  },
  heal: { help: "keep the wrappings that are there, and add only those of keys that have none" },
  "unless-current": { help: "leave messages that exactly these keys wrap; not to be used after a rotation" },
  "dry-run": { help: "change nothing: say what would be done, as far as it can be told without opening" },
  "raw-opens-only": { help: "the raw AES key opens messages, and does not wrap them anew" },
  parallel: { help: "use several threads for a long file; takes more memory" },
  help: { short: "h", help: "show this help" },
};

/** Options that name the keystore and its root key. */
export const KEYSTORE_OPTIONS: readonly OptionName[] = ["keystore", "keystore-key", "passphrase-file"];

/** Options that say which keys open messages, and what is opened: of every command that opens, or says whether it could. */
export const OPENING_OPTIONS: readonly OptionName[] = [
  ...KEYSTORE_OPTIONS,
  "key",
  "raw-aes-key",
  "raw-rsa-private-key",
  "namespace",
  "name",
  "padding",
  "allow-uncommitted",
  "max-encrypted-data-keys",
  "max-frame-length",
];

/** Longest frame that `--max-frame-length` takes, in bytes: what the format can say. */
export const MAX_FRAME_LENGTH = 0xffffffff;
/** Most encrypted data keys that `--max-encrypted-data-keys` takes: what the format can say. */
export const MOST_ENCRYPTED_DATA_KEYS = 0xffff;
