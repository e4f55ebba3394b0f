// The packages of this project that stand in for a service's SDKs, as data. It must not know the operations, nor read a file.

/** A package of this project. */
export interface SdkVariant {
  /** The package's name. */
  readonly variant: string;
  readonly version: string;
  readonly language: "typescript";
}

// One version for all packages; a test compares it with theirs.
const VERSION = "0.1.0";

/** What uses keys. */
export const SDK_VARIANTS: readonly SdkVariant[] = /* @__PURE__ */ variants("@fengni/backend-local", "@fengni/cli");

/** What encrypts data under keys. */
export const ENCRYPTION_SDK_VARIANTS: readonly SdkVariant[] = /* @__PURE__ */ variants(
  "@fengni/core",
  "@fengni/crypto",
);

function variants(...names: readonly string[]): readonly SdkVariant[] {
  return names.map((variant) => ({ variant, version: VERSION, language: "typescript" }));
}
