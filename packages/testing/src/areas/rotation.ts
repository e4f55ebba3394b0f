// Area: rotation gives new ciphertexts new material, and takes nothing from old ones.
import { type SealedSample, sealUnder } from "../calls.js";
import type { Area, Kit } from "../kit.js";

const DAY_MS = 86_400_000;
const ROTATIONS = 4;
const CONTEXT = { tenant: "7" };

async function opensAll(kit: Kit, keyId: string, samples: readonly SealedSample[], what: string): Promise<void> {
  for (const [index, { ciphertext, plaintext }] of samples.entries()) {
    const call = kit.provider.decrypt({ ciphertext, keyId, encryptionContext: CONTEXT });
    const opened = await kit.check.resolves(call, `decrypt of ciphertext ${index + 1}, ${what}`);
    kit.check.sameBytes(opened.plaintext, plaintext, `ciphertext ${index + 1}, opened ${what}`);
    kit.check.equal(opened.keyId, keyId, `ciphertext ${index + 1}, opened ${what}: its keyId`);
  }
}

async function oldOpen(kit: Kit): Promise<void> {
  const { check, provider, admin } = kit;
  const { keyId } = await kit.createKey();
  const samples: SealedSample[] = [];
  for (let rotation = 0; rotation <= ROTATIONS; rotation++) {
    if (rotation > 0) await check.resolves(admin.rotateKey(keyId), "rotateKey");
    samples.push(await sealUnder(kit, keyId, CONTEXT));
    if (kit.claims("generateDataKey")) {
      const request = { keyId, numberOfBytes: 32, encryptionContext: CONTEXT };
      samples.push(await check.resolves(provider.generateDataKey(request), "generateDataKey"));
    }
    await opensAll(kit, keyId, samples, `after ${rotation} rotations`);
    const described = await check.resolves(admin.describeKey(keyId), "describeKey");
    check.tells(described.versions, rotation + 1, "describeKey: its versions");
    check.equal(described.state, "enabled", "describeKey: its state after rotation");
    check.equal(
      described.lastRotatedAtMs === undefined,
      rotation === 0,
      "describeKey: whether lastRotatedAtMs is absent",
    );
  }
  const lengths = new Set(samples.map(({ ciphertext }) => ciphertext.length));
  check.equal(lengths.size, 1, "lengths of the ciphertexts of one length of plaintext, before and after rotation");
  const wrong = provider.decrypt({ ciphertext: samples[0]?.ciphertext ?? new Uint8Array(1) });
  await check.rejects(wrong, ["ERR_AUTHENTICATION"], "decrypt of an old ciphertext under another context");
}

async function oldMoves(kit: Kit): Promise<void> {
  const { check, provider, admin } = kit;
  const { keyId } = await kit.createKey();
  const old = await sealUnder(kit, keyId, CONTEXT);
  await check.resolves(admin.rotateKey(keyId), "rotateKey");
  const request = { sourceEncryptionContext: CONTEXT, destinationEncryptionContext: CONTEXT };
  const moved = await check.resolves(provider.reEncrypt({ ciphertext: old.ciphertext, ...request }), "reEncrypt");
  check.equal(moved.keyId, keyId, "reEncrypt after rotation: its keyId");
  check.otherBytes(moved.ciphertext, old.ciphertext, "reEncrypt of an old version's ciphertext");
  await opensAll(kit, keyId, [old, { plaintext: old.plaintext, ciphertext: moved.ciphertext }], "after re-encryption");
}

async function stateKeepsVersions(kit: Kit): Promise<void> {
  const { check, admin } = kit;
  const { keyId } = await kit.createKey();
  const samples = [await sealUnder(kit, keyId, CONTEXT)];
  await check.resolves(admin.rotateKey(keyId), "rotateKey");
  samples.push(await sealUnder(kit, keyId, CONTEXT));
  await check.resolves(admin.disableKey(keyId), "disableKey");
  for (const { ciphertext } of samples) {
    const call = kit.provider.decrypt({ ciphertext, encryptionContext: CONTEXT });
    await check.rejects(call, ["ERR_KEY_STATE"], "decrypt of each version's ciphertext with a disabled key");
  }
  await check.resolves(admin.enableKey(keyId), "enableKey");
  await opensAll(kit, keyId, samples, "after disabling and enabling");
}

async function meanwhile(kit: Kit): Promise<void> {
  const { check, admin } = kit;
  const { keyId } = await kit.createKey();
  const sealing: Promise<SealedSample>[] = [];
  const rotating: Promise<void>[] = [];
  for (let i = 0; i < 40; i++) {
    sealing.push(sealUnder(kit, keyId, CONTEXT));
    if (i % 20 === 10) rotating.push(admin.rotateKey(keyId));
  }
  const samples = await check.resolves(Promise.all(sealing), "sealing while the key rotates");
  // Two rotations at once may be one conflict.
  const settled = await Promise.allSettled(rotating);
  check.isTrue(
    settled.some(({ status }) => status === "fulfilled"),
    "rotateKey: expected one of two at once to succeed",
  );
  await opensAll(kit, keyId, samples, "sealed while the key rotated");
}

async function seenBySiblings(kit: Kit): Promise<void> {
  const { check, admin } = kit;
  const { keyId } = await kit.createKey();
  const sibling = await kit.sibling();
  const samples = [await sealUnder(kit, keyId)];
  await check.resolves(
    sibling.decrypt({ ciphertext: samples[0]?.ciphertext ?? new Uint8Array(1) }),
    "a sibling's decrypt",
  );
  await check.resolves(admin.rotateKey(keyId), "rotateKey");
  samples.push(await sealUnder(kit, keyId));
  for (const { ciphertext, plaintext } of samples) {
    const opened = await check.resolves(sibling.decrypt({ ciphertext, keyId }), "a sibling's decrypt after rotation");
    check.sameBytes(opened.plaintext, plaintext, "each version's ciphertext, opened by a sibling");
  }
  await check.resolves(admin.disableKey(keyId), "disableKey");
  const call = sibling.decrypt({ ciphertext: samples[0]?.ciphertext ?? new Uint8Array(1) });
  await check.rejects(call, ["ERR_KEY_STATE"], "a sibling's decrypt with a disabled key");
}

async function asymmetric(kit: Kit): Promise<void> {
  const { check, provider, admin } = kit;
  const algorithm = provider.capabilities.signatureAlgorithms[0];
  if (algorithm === undefined) return;
  const call = admin.rotateKey(kit.signing(algorithm)[0]);
  await check.rejects(call, ["ERR_KEY_USAGE"], "rotateKey of a signing key");
}

async function scheduled(kit: Kit): Promise<void> {
  const { check, admin, subject } = kit;
  const { keyId } = await kit.createKey();
  for (const days of [0, 6, 366, 7.5]) await check.refuses(admin.enableKeyRotation(keyId, days), `every ${days} days`);
  await check.resolves(admin.enableKeyRotation(keyId, 7), "enableKeyRotation");
  const before = await check.resolves(admin.describeKey(keyId), "describeKey");
  check.equal(before.rotationPeriodDays, 7, "describeKey: its rotationPeriodDays");
  const waitDays = ((before.nextRotationAtMs ?? 0) - before.createdAtMs) / DAY_MS;
  check.isTrue(waitDays > 6 && waitDays < 8, "describeKey: expected nextRotationAtMs to be 7 days from now");
  const samples = [await sealUnder(kit, keyId, CONTEXT)];
  await subject.clock?.advance(7 * DAY_MS - 60_000);
  const early = await check.resolves(admin.describeKey(keyId), "describeKey");
  check.tells(early.versions, 1, "describeKey: its versions a minute before rotation");
  check.equal(early.lastRotatedAtMs, undefined, "describeKey: no lastRotatedAtMs a minute before rotation");
  await subject.clock?.advance(120_000);
  samples.push(await sealUnder(kit, keyId, CONTEXT));
  const after = await check.resolves(admin.describeKey(keyId), "describeKey");
  check.tells(after.versions, 2, "describeKey: its versions after scheduled rotation");
  check.isTrue(after.lastRotatedAtMs !== undefined, "describeKey: expected lastRotatedAtMs after scheduled rotation");
  check.isTrue(
    (after.nextRotationAtMs ?? 0) > (before.nextRotationAtMs ?? 0),
    "describeKey: expected a later nextRotationAtMs",
  );
  await opensAll(kit, keyId, samples, "after scheduled rotation");
  await check.resolves(admin.disableKeyRotation(keyId), "disableKeyRotation");
  await subject.clock?.advance(8 * DAY_MS);
  samples.push(await sealUnder(kit, keyId, CONTEXT));
  const ended = await check.resolves(admin.describeKey(keyId), "describeKey");
  check.tells(ended.versions, 2, "describeKey: its versions after disableKeyRotation");
  check.equal(
    ended.lastRotatedAtMs,
    after.lastRotatedAtMs,
    "describeKey: its lastRotatedAtMs after disableKeyRotation",
  );
  check.equal(ended.rotationPeriodDays, undefined, "describeKey: no rotationPeriodDays any more");
  await opensAll(kit, keyId, samples, "after the schedule ended");
}

const operations = ["decrypt"] as const;

/** Rotation. */
export const rotation: Area = {
  name: "rotation",
  checks: [
    {
      name: "old ciphertexts open for ever",
      needs: { operations, admin: ["createKey", "describeKey", "rotateKey"] },
      run: oldOpen,
    },
    {
      name: "re-encryption moves to the newest version",
      needs: { operations: ["decrypt", "reEncrypt"], admin: ["createKey", "rotateKey"] },
      run: oldMoves,
    },
    {
      name: "a disabled key opens no version, an enabled one every",
      needs: { operations, admin: ["createKey", "rotateKey", "disableKey", "enableKey"] },
      run: stateKeepsVersions,
    },
    { name: "sealing goes on meanwhile", needs: { operations, admin: ["createKey", "rotateKey"] }, run: meanwhile },
    {
      name: "other providers over the same keys see it",
      needs: { operations, admin: ["createKey", "rotateKey", "disableKey"], parts: ["sibling"] },
      run: seenBySiblings,
    },
    { name: "signing keys do not rotate", needs: { operations: ["sign"], admin: ["rotateKey"] }, run: asymmetric },
    {
      name: "it happens by itself when it is due",
      needs: {
        operations,
        admin: ["createKey", "describeKey", "enableKeyRotation", "disableKeyRotation"],
        parts: ["clock"],
      },
      run: scheduled,
    },
  ],
};
