// Runs the conformance kit against the real service, for people who have an account. It says what it would create and delete, and
// does nothing without --yes. See docs/remote-kms.md, "Try it with your account".
import { randomBytes } from "node:crypto";
import { parseArgs } from "node:util";
import {
  defaultCredentials,
  listOffers,
  TencentKeyAdmin,
  TencentKeyProvider,
  TencentKmsClient,
} from "@fengni/backend-remote";
import { formatReport, runConformance } from "@fengni/testing";

const HELP = `usage: node scripts/smoke-remote.mjs --region REGION [options]

Runs the conformance kit against Tencent Cloud KMS. Credentials come from the environment
(TENCENTCLOUD_SECRET_ID, TENCENTCLOUD_SECRET_KEY, TENCENTCLOUD_SESSION_TOKEN), the profile file,
or the role of the machine.

  --region REGION    for example ap-guangzhou
  --key-id ID        an enabled symmetric key of yours to use beside the ones that are created;
                     default: the variable FENGNI_SMOKE_KEY_ID. It is used, and never changed.
  --all              also asymmetric and post-quantum keys, and the lifecycle of keys: creates many keys
  --endpoint URL     another endpoint, for example that of the emulator
  --per-second N     calls a second of each action, at most; default 10
  --yes              do it; without it the plan is printed and nothing is created

It ends with 0 when the service conforms, 1 when it does not, 2 when nothing was done, 3 for any other failure.
`;

/** Keys that the areas of the lifecycle make, about. */
const LIFECYCLE_KEYS = 35;
const PENDING_DAYS = 7;
const UNIQUE_DATA_KEYS = 200;

const KEY_KINDS = {
  ECDSA_P256_SHA_256: ["ECC_P256", "sign-verify"],
  ECDSA_P384_SHA_384: ["ECC_P384", "sign-verify"],
  RSA_PKCS1_SHA_256: ["RSA_2048", "sign-verify"],
  RSA_PSS_SHA_256: ["RSA_2048", "sign-verify"],
  SM2DSA: ["SM2", "sign-verify"],
  ML_DSA_65: ["ML_DSA_65", "sign-verify"],
  RSAES_OAEP_SHA_1: ["RSA_2048", "asymmetric-decrypt"],
  RSAES_OAEP_SHA_256: ["RSA_2048", "asymmetric-decrypt"],
  RSAES_PKCS1_V1_5: ["RSA_2048", "asymmetric-decrypt"],
  SM2_C1C3C2_ASN1: ["SM2", "asymmetric-decrypt"],
};
const SYMMETRIC_ONLY = { signatureAlgorithms: [], asymmetricEncryptionAlgorithms: [], postQuantumEncryption: false };

const say = (text) => process.stdout.write(`${text}\n`);
const warn = (text) => process.stderr.write(`${text}\n`);

function readOptions() {
  const { values } = parseArgs({
    options: {
      region: { type: "string" },
      "key-id": { type: "string", default: process.env.FENGNI_SMOKE_KEY_ID },
      all: { type: "boolean", default: false },
      endpoint: { type: "string" },
      "per-second": { type: "string", default: "10" },
      yes: { type: "boolean", default: false },
      help: { type: "boolean", short: "h", default: false },
    },
  });
  return values;
}

/** The kinds of keys that are needed in pairs. */
function kindsOf(offers) {
  const kinds = new Map();
  for (const algorithm of [...offers.signatureAlgorithms, ...offers.asymmetricEncryptionAlgorithms]) {
    kinds.set(KEY_KINDS[algorithm].join(" "), KEY_KINDS[algorithm]);
  }
  if (offers.postQuantumEncryption) kinds.set("post-quantum", ["ML_KEM_768", "post-quantum-encrypt-decrypt"]);
  return kinds;
}

function printPlan({ region, endpoint, all, "key-id": keyId, "per-second": perSecond }, offers, name) {
  const kinds = kindsOf(offers);
  const symmetric = keyId === undefined ? 2 : 1;
  const lines = [
    `region ${region}${endpoint === undefined ? "" : ` at ${endpoint}`}`,
    keyId === undefined
      ? "no key of yours is touched"
      : `uses your key ${keyId}: generate, encrypt, decrypt, re-encrypt; it is not changed`,
    `creates ${symmetric} symmetric ${symmetric === 1 ? "key" : "keys"} with an alias that begins with ${name}`,
    ...[...kinds.values()].map(([spec, usage]) => `creates 2 keys ${spec} for ${usage}, aliases ${name}-...`),
    ...(all
      ? [
          `creates about ${LIFECYCLE_KEYS} more keys for the lifecycle, rotation and import (aliases fengni-..., kit-...), ` +
            "and disables, enables, archives and rotates them",
        ]
      : ["makes no other keys: the lifecycle of keys is left out without --all"]),
    `makes some ${all ? "thirteen" : "six"} thousand calls, at most ${perSecond} a second of each action`,
    `at the end disables every key that it made and schedules its deletion in ${PENDING_DAYS} days, the shortest time there is;`,
    "  what it sealed is gone then. Keys and calls cost what your account pays for them, also while they wait.",
  ];
  say(`Plan:\n  ${lines.join("\n  ")}`);
}

/** Makes the keys of the plan; each is remembered before anything else can fail. */
async function createKeys(admin, offers, keyId, name, made) {
  const create = async (suffix, request) => {
    const alias = `${name}-${suffix}`;
    made.push(alias);
    await admin.createKey({ alias, description: "made by the smoke test of fengni", ...request });
    return alias;
  };
  const pairs = new Map();
  for (const [kind, [keySpec, keyUsage]] of kindsOf(offers)) {
    const suffix = `${keySpec}-${keyUsage.split("-")[0]}`.toLowerCase().replaceAll("_", "-");
    pairs.set(kind, [
      await create(`${suffix}-1`, { keySpec, keyUsage }),
      await create(`${suffix}-2`, { keySpec, keyUsage }),
    ]);
  }
  const pairOf = (algorithm) => [algorithm, pairs.get(KEY_KINDS[algorithm].join(" "))];
  const postQuantumEncryption = pairs.get("post-quantum");
  return {
    symmetric: [keyId ?? (await create("symmetric-1", {})), await create("symmetric-2", {})],
    sign: Object.fromEntries(offers.signatureAlgorithms.map(pairOf)),
    asymmetricDecrypt: Object.fromEntries(offers.asymmetricEncryptionAlgorithms.map(pairOf)),
    ...(postQuantumEncryption === undefined ? {} : { postQuantumEncryption }),
  };
}

/** Schedules the deletion of what was made, and says what could not be. */
async function removeKeys(admin, made) {
  for (const alias of made.splice(0)) {
    try {
      await admin.disableKey(alias);
      await admin.scheduleKeyDeletion(alias, PENDING_DAYS);
    } catch (error) {
      if (error?.code === "ERR_KEY_NOT_FOUND") continue;
      warn(`the key ${alias} was not scheduled for deletion: ${error?.message}`);
    }
  }
}

async function main() {
  const options = readOptions();
  if (options.help || options.region === undefined) {
    say(HELP);
    return options.help ? 0 : 2;
  }
  const { region, endpoint } = options;
  const connect = () =>
    new TencentKmsClient({
      credentials: defaultCredentials(),
      region,
      ...(endpoint === undefined ? {} : { endpoint }),
      timeoutMs: 120_000,
      maxAttempts: 8,
      rateLimit: { maxPerSecond: Number(options["per-second"]), maxQueued: 10_000 },
    });
  const client = connect();
  const name = `fengni-smoke-${randomBytes(4).toString("hex")}`;
  const offers = options.all ? await listOffers(client, region) : SYMMETRIC_ONLY;
  printPlan(options, offers, name);
  if (!options.yes) {
    say("Nothing was done. Say --yes to do it.");
    await client.close();
    return 2;
  }
  const ending = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM"]) {
    process.once(signal, () => {
      warn(`${signal}: ending; keys that were made are scheduled for deletion first`);
      ending.abort(new Error(`ended by ${signal}`));
    });
  }
  const report = await run({ client, connect, region, offers, name, options, signal: ending.signal });
  say(formatReport(report));
  return report.passed ? 0 : 1;
}

async function run({ client, connect, region, offers, name, options, signal }) {
  // The kit closes its admin with the subject, before the keys are taken away.
  const admin = new TencentKeyAdmin({ client, region });
  const made = [];
  try {
    return await runConformance(
      async () => {
        const keys = await createKeys(admin, offers, options["key-id"], name, made);
        return {
          provider: new TencentKeyProvider({ client, region, offers }),
          ...(options.all ? { admin: new TencentKeyAdmin({ client, region }) } : {}),
          keys,
          sibling: async () => new TencentKeyProvider({ client: connect(), region, offers, ownsClient: true }),
          cleanup: async () => {
            await removeKeys(admin, made);
            await client.close();
          },
        };
      },
      {
        uniqueDataKeys: UNIQUE_DATA_KEYS,
        callTimeoutMs: 150_000,
        checkTimeoutMs: 3_600_000,
        signal,
        onResult: ({ status, area, name: check, message }) =>
          say(`${status.padEnd(11)} ${area} / ${check}${message === undefined ? "" : ` (${message})`}`),
      },
    );
  } finally {
    // What is left when the keys could not all be made.
    if (made.length > 0) await removeKeys(admin, made);
    await client.close();
  }
}

main().then(
  (code) => {
    process.exitCode = code;
  },
  (error) => {
    warn(`failed: ${error?.message ?? error}`);
    process.exitCode = 3;
  },
);
