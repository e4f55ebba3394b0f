// What a deliberately wrong provider is, and ways to make one from the double by one small change. It must not know which
// changes there are.
import {
  type CallOptions,
  type Capabilities,
  type ErrorCode,
  FengniError,
  type KeyAdmin,
  type KeyProvider,
  type SignatureAlgorithm,
} from "@fengni/core";
import { type InMemoryMaterial, specRow } from "../../src/in-memory-material.js";
import { type InMemoryParts, RIGHT_PARTS } from "../../src/in-memory-parts.js";
import { type InMemoryDouble, inMemoryProviderOf } from "../../src/in-memory-provider.js";
import type { ConformanceSettings, ConformanceSubject } from "../../src/index.js";
import { wrapMethods } from "../../src/wrap-methods.js";

/** One small mistake. */
export interface Fault {
  /** What is wrong, as a sentence about the provider. */
  readonly name: string;
  /** The area of the contract that must catch it. */
  readonly area: string;
  /** Makes the wrong provider, of parts or around a right double. */
  readonly make: () => ConformanceSubject | Promise<ConformanceSubject>;
  readonly settings?: ConformanceSettings;
  /** Lets go of what the fault left open on purpose. */
  readonly after?: () => void | Promise<void>;
}

/** A fault whose area is still to be named. */
export type Mistake = Omit<Fault, "area">;

/** Has one area catch mistakes. */
export function caughtBy(area: string, mistakes: readonly Mistake[]): readonly Fault[] {
  return mistakes.map((mistake) => ({ ...mistake, area }));
}

/** Methods for some of an object's own; the others stay, on the object itself. */
export function overriding<Target extends object>(target: Target, overrides: Partial<Target>): Target {
  return new Proxy(target, {
    get(object, name) {
      if (Object.hasOwn(overrides, name)) return Reflect.get(overrides, name);
      const value: unknown = Reflect.get(object, name, object);
      return typeof value === "function" ? value.bind(object) : value;
    },
    ownKeys: () => [...new Set([...Reflect.ownKeys(target), ...Reflect.ownKeys(overrides)])],
    getOwnPropertyDescriptor: (object, name) =>
      Object.getOwnPropertyDescriptor(overrides, name) ?? Object.getOwnPropertyDescriptor(object, name),
  });
}

/** A double that claims less, or other things, than it does. */
export function claiming(provider: KeyProvider, claims: Partial<Capabilities>): KeyProvider {
  return overriding(provider, { capabilities: { ...provider.capabilities, ...claims } });
}

/** Claims for one signature algorithm, where the others would only take time. */
export const signingWith = (...signatureAlgorithms: readonly SignatureAlgorithm[]): Partial<Capabilities> => ({
  signatureAlgorithms,
});

let pool: readonly Promise<InMemoryMaterial>[] | undefined;

/** Parts whose RSA keys come from a few that all faults share: making them is most of the time otherwise. */
function sharedKeys(): Pick<InMemoryParts, "createMaterial"> {
  const { create } = specRow("RSA_2048");
  pool ??= Array.from({ length: 4 }, async () => create());
  const shared = pool;
  let next = 0;
  return {
    createMaterial(spec) {
      const rsa = spec === "RSA_2048" ? shared[next++ % shared.length] : undefined;
      return rsa ?? specRow(spec).create();
    },
  };
}

/** A mistake in the parts of the double. `make` is called for each provider, so that counters and caches are its own. */
export function inParts(
  name: string,
  make: (right: InMemoryParts) => Partial<InMemoryParts>,
  claims: Partial<Capabilities> = {},
): Mistake {
  return {
    name,
    make: () => {
      const double = doubleOf(make);
      return { ...double, provider: claiming(double.provider, claims) };
    },
  };
}

/** A right double, or one with parts changed. */
export function doubleOf(make: (right: InMemoryParts) => Partial<InMemoryParts> = () => ({})): InMemoryDouble {
  const right = { ...RIGHT_PARTS, ...sharedKeys() };
  return inMemoryProviderOf({ ...right, ...make(right) });
}

/** A mistake in the methods of the provider. */
export function inProvider(
  name: string,
  change: (right: KeyProvider, double: InMemoryDouble) => Partial<KeyProvider>,
  claims: Partial<Capabilities> = {},
  settings: ConformanceSettings = {},
): Mistake {
  return {
    name,
    settings,
    make: () => {
      const double = doubleOf();
      const provider = overriding(double.provider, change(overriding(double.provider, {}), double));
      return { ...double, provider: claiming(provider, claims) };
    },
  };
}

/** A mistake in the methods of the admin. */
export function inAdmin(name: string, change: (right: KeyAdmin, double: InMemoryDouble) => Partial<KeyAdmin>): Mistake {
  return {
    name,
    make: () => {
      const double = doubleOf();
      return { ...double, admin: overriding(double.admin, change(double.admin, double)) };
    },
  };
}

/** A mistake in anything else of the subject. */
export function inSubject(
  name: string,
  change: (double: InMemoryDouble) => Partial<ConformanceSubject> | Promise<Partial<ConformanceSubject>>,
  rest: Pick<Mistake, "settings" | "after"> = {},
): Mistake {
  return {
    name,
    ...rest,
    make: async () => {
      const double = doubleOf();
      return { ...double, ...(await change(double)) };
    },
  };
}

/** Answers in place of a rejection with a code. */
export async function unless<Value>(
  call: Promise<Value>,
  code: ErrorCode,
  answer: () => Value | Promise<Value>,
): Promise<Value> {
  try {
    return await call;
  } catch (error) {
    if (error instanceof FengniError && error.code === code) return answer();
    throw error;
  }
}

/** Rejects with another code in place of one. */
export function recoded<Value>(call: Promise<Value>, from: ErrorCode, to: () => Error): Promise<Value> {
  return unless(call, from, () => {
    throw to();
  });
}

/** Something that is rejected behind an answer. Vitest would fail its run for it, and so does not hear of it here. */
export function unhandled(
  name: string,
  behind: (answer: Promise<unknown>, signal: AbortSignal | undefined) => void,
): Mistake {
  let others: NodeJS.UnhandledRejectionListener[] = [];
  const ignore = (): void => {};
  return inSubject(
    name,
    ({ provider }) => {
      others = process.listeners("unhandledRejection");
      process.removeAllListeners("unhandledRejection");
      process.on("unhandledRejection", ignore);
      return {
        provider: wrapMethods(provider, (_method, args, call) => {
          const answer = call(args);
          if (answer instanceof Promise) behind(answer, (args[1] as CallOptions | undefined)?.signal);
          return answer;
        }),
      };
    },
    {
      after: async () => {
        await turn();
        process.off("unhandledRejection", ignore);
        for (const listener of others) process.on("unhandledRejection", listener);
      },
    },
  );
}

/** Lets the event loop turn once. */
export const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** A context as a text, whatever its order: for caches of faults. */
export const textOf = (context: Readonly<Record<string, string>> | undefined): string =>
  JSON.stringify(Object.entries(context ?? {}).sort());
