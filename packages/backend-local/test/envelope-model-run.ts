// Runs steps of the model test against the real envelopes: begins their calls at the same time, waits until nothing is under way,
// and has each outcome judged. It must not know what may be expected.
import type { EncryptionContext } from "@fengni/core";
import { expect } from "vitest";
import { ALONE_KEY, BoundsJudge } from "./envelope-model-bounds.js";
import { Judge, type ModelMessage, type Outcome } from "./envelope-model-judge.js";
import { turns } from "./envelope-model-provider.js";
import type {
  Action,
  CallAction,
  ChangeAction,
  Configuration,
  DecryptAction,
  EncryptAction,
  RewrapAction,
  Step,
} from "./envelope-model-steps.js";
import { TENANTS } from "./envelope-model-steps.js";
import { daysMs, type MovableClock, type Party, tenantName, World } from "./envelope-model-world.js";

/** Contexts that one `fill` needs data keys for: more than the smaller caches hold. */
const FILLERS = 4;
/** Room that a stream asks for beyond what it takes, in bytes. */
const SLACK = 1;

/** Judges an outcome once its burst is over. */
type Verdict = () => void;

export class Run {
  readonly #world: World;
  readonly #judge: Judge;
  readonly #bounds: BoundsJudge;
  readonly #messages: ModelMessage[] = [];
  readonly #encryptions = new Map<Party, number>();
  #sealed = 0;
  #isClosing = false;

  private constructor(world: World) {
    this.#world = world;
    this.#judge = new Judge(world);
    this.#bounds = new BoundsJudge(world, this.#judge);
  }

  static async make(configuration: Configuration, clock: MovableClock): Promise<Run> {
    return new Run(await World.make(configuration, clock));
  }

  async take(step: Step): Promise<void> {
    if ("days" in step) await this.#burst([{ do: "advance", ms: daysMs(step.days) }]);
    else await this.#burst(step);
  }

  /** Every message opens once its keys are back; after closing, no call is served and no secret is left. */
  async end(last: readonly Action[]): Promise<void> {
    this.#world.time.begin();
    await this.#world.restore();
    await this.#burst([{ do: "advance", ms: 10_000 }]);
    const every = this.#messages.map((_, message): DecryptAction => {
      return { do: "decrypt", by: "main", message, context: "right", isStream: false };
    });
    await this.#burst([...every, ...every.map((action): DecryptAction => ({ ...action, by: "other" }))]);
    this.#isClosing = true;
    await this.#burst(last);
    await this.#checkClosed();
    this.#bounds.checkAllWiped();
    await this.#world.close();
    expect(this.#judge.faults).toEqual([]);
  }

  async #burst(actions: readonly Action[]): Promise<void> {
    const changes = actions.filter(isChange);
    const calls = actions.filter((action) => !isChange(action)) as CallAction[];
    this.#world.time.begin(calls.length > 0);
    // What there is at the beginning is what calls may choose from.
    const count = this.#messages.length;
    const changing = this.#change(changes);
    const verdicts = await Promise.all(calls.map((call) => this.#call(call, count)));
    await changing;
    await this.#settle();
    for (const verdict of verdicts) verdict?.();
    if (!this.#isClosing) this.#bounds.check(this.#encryptions);
    if (this.#judge.faults.length > 0) expect(this.#judge.faults).toEqual([]);
  }

  async #change(changes: readonly ChangeAction[]): Promise<void> {
    for (const [index, change] of changes.entries()) {
      await turns(index % 3);
      await this.#world.change(change);
    }
    if (!this.#isClosing) return;
    await turns(2);
    for (const { envelope, keyring } of this.#world.parties) {
      envelope.close();
      keyring?.close();
    }
  }

  #call(action: CallAction, count: number): Promise<Verdict | undefined> {
    const { main, other, mover } = this.#world;
    if (action.do === "encrypt") return this.#encrypt(action.by === "main" ? main : other, action);
    if (action.do === "prewarm") return this.#prewarm(main, [{ tenant: tenantName(action.tenant) }]);
    if (action.do === "fill") {
      const contexts = Array.from({ length: FILLERS }, (_, n) => ({ tenant: tenantName(n % TENANTS), filler: `${n}` }));
      return this.#prewarm(main, contexts);
    }
    const message = this.#messages[action.message % Math.max(1, count)];
    if (message === undefined) return Promise.resolve(undefined);
    if (action.do === "rewrap") return this.#rewrap(action.how === "move" ? mover : main, action, message);
    return this.#decrypt(action.by === "main" ? main : other, action, message);
  }

  async #encrypt(party: Party, action: EncryptAction): Promise<Verdict> {
    const { tenant, length, how, isUnstored } = action;
    this.#sealed += 1;
    this.#encryptions.set(party, (this.#encryptions.get(party) ?? 0) + 1);
    const plaintext = new Uint8Array(length).fill(this.#sealed);
    const { maxBytes = Number.POSITIVE_INFINITY } = this.#world.configuration.cache ?? {};
    const announced = how === "sized" ? length + SLACK : length;
    const isAlone = how === "stream" || announced > maxBytes;
    const tenants = { tenant: tenantName(tenant) };
    const rest = { purpose: isUnstored ? "hidden tenant" : "model", ...(isAlone && { [ALONE_KEY]: "yes" }) };
    const options = {
      encryptionContext: { ...tenants, ...rest },
      ...(isUnstored && { unstoredContextKeys: ["tenant"] }),
      frameLength: 16,
    };
    const outcome = await outcomeOf(() =>
      how === "whole"
        ? party.envelope.encrypt(plaintext, options)
        : piped(
            plaintext,
            party.envelope.encryptStream({ ...options, ...(how === "sized" && { maxPlaintextLength: announced }) }),
          ),
    );
    return () => {
      const wrapped = this.#judge.encrypted(party, action, outcome, isAlone, this.#isClosing);
      if (wrapped === undefined || !("value" in outcome)) return;
      this.#messages.push({
        bytes: outcome.value,
        plaintext,
        tenant,
        stored: isUnstored ? rest : { ...tenants, ...rest },
        unstored: isUnstored ? tenants : {},
        wrapped,
      });
    };
  }

  async #prewarm(party: Party, contexts: readonly EncryptionContext[]): Promise<Verdict> {
    const orders = contexts.map((context) => ({ encryptionContext: { purpose: "model", ...context } }));
    const outcome = await outcomeOf(() => party.envelope.prewarm(orders));
    return () => {
      if (!this.#isClosing) this.#judge.prewarmed(party, outcome);
    };
  }

  async #decrypt(party: Party, action: DecryptAction, message: ModelMessage): Promise<Verdict> {
    const wrong = { tenant: tenantName((message.tenant + 1) % TENANTS) };
    const isUnstored = Object.keys(message.unstored).length > 0;
    const right = { encryptionContext: message.stored, reproducedContext: message.unstored };
    const options =
      action.context === "right"
        ? right
        : { ...right, ...(isUnstored ? { reproducedContext: wrong } : { encryptionContext: wrong }) };
    const { envelope } = party;
    const outcome = await outcomeOf(async () =>
      action.isStream
        ? piped(message.bytes, envelope.decryptStream(options))
        : (await envelope.decrypt(message.bytes, options)).plaintext,
    );
    return () => this.#judge.decrypted(party, action, message, outcome, this.#isClosing);
  }

  async #rewrap(party: Party, action: RewrapAction, message: ModelMessage): Promise<Verdict> {
    const context = { encryptionContext: message.stored, reproducedContext: message.unstored };
    const outcome = await outcomeOf(() =>
      party.envelope.rewrap(message.bytes, { ...context, heal: action.how === "heal" }),
    );
    return () => {
      if (this.#isClosing) return;
      const wrapped = this.#judge.rewrapped(party, action, message, outcome);
      if (wrapped === undefined || !("value" in outcome)) return;
      this.#messages.push({ ...message, bytes: outcome.value, wrapped });
    };
  }

  /** Waits until nothing is under way, in the background neither. */
  async #settle(): Promise<void> {
    const isBusy = (): boolean =>
      this.#world.parties.some(({ envelope, keyring }) => {
        const stats = [envelope.stats(), keyring?.stats()].flatMap((all) =>
          all === undefined ? [] : Object.values(all),
        );
        return stats.some(({ loading, waiting }) => loading + waiting > 0);
      }) || this.#world.providers.some(({ calls }) => calls.at(-1)?.answered === undefined && calls.length > 0);
    for (let quiet = 0, waited = 0; quiet < 2; waited++) {
      if (waited > 10_000) throw new Error("calls that never end");
      await turns(1);
      quiet = isBusy() ? 0 : quiet + 1;
    }
  }

  async #checkClosed(): Promise<void> {
    const calls = this.#world.providers.map((provider) => provider.calls.length);
    for (const { envelope } of this.#world.parties) {
      const bytes = this.#messages[0]?.bytes ?? new Uint8Array(100);
      for (const call of [
        () => envelope.encrypt("too late"),
        () => envelope.decrypt(bytes),
        () => envelope.decryptText(bytes),
        () => envelope.rewrap(bytes),
        () => envelope.explain(bytes),
        () => envelope.prewarm([{}]),
        async () => envelope.createEncryptor(),
        async () => envelope.encryptStream(),
        async () => envelope.decryptStream(),
        async () => envelope.rewrapStream(),
      ]) {
        await expect(call()).rejects.toMatchObject({ code: "ERR_CLOSED" });
      }
    }
    expect(this.#world.providers.map((provider) => provider.calls.length)).toEqual(calls);
  }
}

function isChange(action: Action): action is ChangeAction {
  return !["encrypt", "decrypt", "rewrap", "prewarm", "fill"].includes(action.do);
}

async function outcomeOf<Value>(call: () => Promise<Value>): Promise<Outcome<Value>> {
  try {
    return { value: await call() };
  } catch (error) {
    return { error };
  }
}

/** What comes out of a pair of streams for bytes in two chunks. */
async function piped(bytes: Uint8Array, pair: ReadableWritablePair<Uint8Array, Uint8Array>): Promise<Uint8Array> {
  const middle = bytes.length >> 1;
  const source = new ReadableStream<Uint8Array>({
    start(controller) {
      for (const chunk of [bytes.slice(0, middle), bytes.slice(middle)])
        if (chunk.length > 0) controller.enqueue(chunk);
      controller.close();
    },
  });
  const chunks: Uint8Array[] = [];
  for await (const chunk of source.pipeThrough(pair)) chunks.push(chunk);
  return Buffer.concat(chunks);
}
