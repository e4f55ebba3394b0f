// What the KMS tells of itself: its state, regions, algorithms, the ids of what it holds, the packages that go with it. The forms are
// ours where no public one exists (docs/local-kms.md). It must not change anything, nor know material or stores.
import { FengniError, type KeySpec, type KeyUsage } from "@fengni/core";
import type { AccessResource, EmptyRequest, LocalCallOptions } from "./access.js";
import { checkFields, checkText } from "./checks.js";
import type { KmsOperation } from "./operations.js";
import type { RecordKinds } from "./records.js";
import { SYNC_TASK_ID } from "./replicas.js";
import type { Room } from "./room.js";
import { ENCRYPTION_SDK_VARIANTS, SDK_VARIANTS, type SdkVariant } from "./service-packages.js";
import { KEY_SPECS, specOf } from "./specs.js";
import type { RecordView } from "./store.js";

/** How the KMS stands in one region. */
export interface ServiceStatus {
  /** Always true: a KMS that was closed answers nothing. */
  readonly isEnabled: boolean;
  readonly region: string;
  /** Keys that users made, in every state, copies included. */
  readonly keyCount: number;
  readonly keyLimit: "unlimited";
  /** Hosted data keys, in every state. */
  readonly dataKeyCount: number;
  readonly dataKeyLimit: "unlimited";
  readonly whiteBoxKeyCount: number;
  readonly isDataKeyHostingAllowed: boolean;
  /** Whether there is another region that keys could be copied to. */
  readonly isSyncAllowed: boolean;
  /** To which regions the keys of this one are copied. */
  readonly syncDestinations: readonly string[];
  readonly requestsPerSecond: "unlimited";
}

/** An algorithm that keys can be made for. */
export interface AlgorithmDescription {
  readonly keyUsage: KeyUsage;
  readonly keySpec: KeySpec;
  /** The name that operations take, or the key spec's where they take none. */
  readonly algorithm: string;
}

/** Every algorithm, by what it is for. */
export interface ListAlgorithmsResult {
  readonly symmetric: readonly AlgorithmDescription[];
  /** Decryption of what was encrypted to a public key. */
  readonly asymmetric: readonly AlgorithmDescription[];
  readonly signVerify: readonly AlgorithmDescription[];
  readonly postQuantum: readonly AlgorithmDescription[];
}

/** The id of something in a region. */
export interface ResourceId {
  readonly kind: AccessResource["kind"];
  readonly id: string;
}

/** A service, which is this KMS. */
export interface ServiceDescription {
  readonly name: "kms";
  readonly state: "running";
  readonly regions: readonly string[];
}

/** Asks where to get a package. */
export interface SdkDownloadLinkRequest {
  /** The name of a package in the list that goes with the operation; default: the first. */
  readonly variant?: string;
}

/** Where to get a package. */
export interface SdkDownloadLinkResult extends SdkVariant {
  /** A package URL without a host: `npm:name@version`. */
  readonly link: string;
}

/** What the KMS tells of itself. Every operation rejects with `ERR_DENIED` for a caller that may not ask. */
export interface ServiceOperations {
  /** How the KMS stands in the region. */
  getServiceStatus(request?: EmptyRequest, options?: LocalCallOptions): Promise<ServiceStatus>;
  /** The regions that this KMS was made with, the default first. */
  getRegions(request?: EmptyRequest, options?: LocalCallOptions): Promise<{ readonly regions: readonly string[] }>;
  /** What keys can be made for, the same in every region. */
  listAlgorithms(request?: EmptyRequest, options?: LocalCallOptions): Promise<ListAlgorithmsResult>;
  /** The ids of all keys, then data keys, then white-box keys of the region, each oldest first. */
  describeResourceIds(
    request?: EmptyRequest,
    options?: LocalCallOptions,
  ): Promise<{ readonly resourceIds: readonly ResourceId[] }>;
  /** One service: this KMS. */
  describeServiceList(
    request?: EmptyRequest,
    options?: LocalCallOptions,
  ): Promise<{ readonly services: readonly ServiceDescription[] }>;
  /** None: whatever runs in a process has no instances to buy. */
  listKmsPremiumInstances(
    request?: EmptyRequest,
    options?: LocalCallOptions,
  ): Promise<{ readonly instances: readonly never[]; readonly total: number }>;
  /** The packages that use keys. */
  listSDKVariants(request?: EmptyRequest, options?: LocalCallOptions): Promise<SdkVariants>;
  /** The packages that encrypt data under keys. */
  listEncryptionSDKVariants(request?: EmptyRequest, options?: LocalCallOptions): Promise<SdkVariants>;
  /** @throws FengniError `ERR_NOT_SUPPORTED` with the reason `no-such-variant` */
  getSDKDownloadLink(request?: SdkDownloadLinkRequest, options?: LocalCallOptions): Promise<SdkDownloadLinkResult>;
  /** @throws FengniError `ERR_NOT_SUPPORTED` with the reason `no-such-variant` */
  getEncryptionSDKDownloadLink(
    request?: SdkDownloadLinkRequest,
    options?: LocalCallOptions,
  ): Promise<SdkDownloadLinkResult>;
}

/** Packages. */
export interface SdkVariants {
  readonly variants: readonly SdkVariant[];
}

/** Makes the group over what all operations share. */
export function serviceOperations(room: Room): ServiceOperations {
  return { ...stateOperations(room), ...packageOperations(room) };
}

type PackageOperations = Pick<
  ServiceOperations,
  "listSDKVariants" | "listEncryptionSDKVariants" | "getSDKDownloadLink" | "getEncryptionSDKDownloadLink"
>;

function stateOperations(room: Room): Omit<ServiceOperations, keyof PackageOperations> {
  return {
    async getServiceStatus(request, options) {
      await admit(room, "getServiceStatus", request, options);
      const region = room.region(options);
      const view = await room.settledView(options);
      return {
        isEnabled: true,
        region,
        keyCount: countOf(view, "key", region, { role: "user" }),
        keyLimit: "unlimited",
        dataKeyCount: countOf(view, "data-key", region),
        dataKeyLimit: "unlimited",
        whiteBoxKeyCount: countOf(view, "white-box-key", region),
        isDataKeyHostingAllowed: true,
        isSyncAllowed: room.regions.names.length > 1,
        syncDestinations: [...(view.get("sync", region, SYNC_TASK_ID)?.destinations ?? [])],
        requestsPerSecond: "unlimited",
      };
    },

    async getRegions(request, options) {
      await admit(room, "getRegions", request, options);
      return { regions: [...room.regions.names] };
    },

    async listAlgorithms(request, options) {
      await admit(room, "listAlgorithms", request, options);
      return algorithms();
    },

    async describeResourceIds(request, options) {
      await admit(room, "describeResourceIds", request, options);
      const region = room.region(options);
      const view = await room.settledView(options);
      return { resourceIds: RESOURCE_KINDS.flatMap((kind) => idsOf(view, kind, region)) };
    },

    async describeServiceList(request, options) {
      await admit(room, "describeServiceList", request, options);
      return { services: [{ name: "kms", state: "running", regions: [...room.regions.names] }] };
    },

    async listKmsPremiumInstances(request, options) {
      await admit(room, "listKmsPremiumInstances", request, options);
      return { instances: [], total: 0 };
    },
  };
}

function packageOperations(room: Room): PackageOperations {
  return {
    async listSDKVariants(request, options) {
      await admit(room, "listSDKVariants", request, options);
      return { variants: SDK_VARIANTS };
    },

    async listEncryptionSDKVariants(request, options) {
      await admit(room, "listEncryptionSDKVariants", request, options);
      return { variants: ENCRYPTION_SDK_VARIANTS };
    },

    async getSDKDownloadLink(request = {}, options) {
      const link = linkTo("getSDKDownloadLink", SDK_VARIANTS, request);
      await room.authorize("getSDKDownloadLink", options);
      return link;
    },

    async getEncryptionSDKDownloadLink(request = {}, options) {
      const link = linkTo("getEncryptionSDKDownloadLink", ENCRYPTION_SDK_VARIANTS, request);
      await room.authorize("getEncryptionSDKDownloadLink", options);
      return link;
    },
  };
}

const RESOURCE_KINDS: readonly AccessResource["kind"][] = ["key", "data-key", "white-box-key"];
/** Ids are read in pages, so that not every record is in memory at a time. */
const PAGE = 10_000;

async function admit(
  room: Room,
  operation: KmsOperation,
  request: EmptyRequest = {},
  options?: LocalCallOptions,
): Promise<void> {
  checkFields(operation, request, []);
  await room.authorize(operation, options);
}

function countOf(
  view: RecordView,
  kind: AccessResource["kind"],
  region: string,
  equals: Readonly<Record<string, string>> = {},
): number {
  return view.query({ kind, region, order: "oldest-first", offset: 0, limit: 0, equals }).total;
}

function idsOf(view: RecordView, kind: AccessResource["kind"], region: string): readonly ResourceId[] {
  const ids: ResourceId[] = [];
  for (let afterSequence = 0; ; ) {
    const { records } = view.query({ kind, region, order: "oldest-first", offset: 0, limit: PAGE, afterSequence });
    for (const { id } of records) ids.push({ kind, id });
    const last: RecordKinds[AccessResource["kind"]] | undefined = records.at(-1);
    if (last === undefined || records.length < PAGE) return ids;
    afterSequence = last.sequence;
  }
}

/** Every algorithm of the key specs, in their order. */
function algorithms(): ListAlgorithmsResult {
  const symmetric: AlgorithmDescription[] = [];
  const asymmetric: AlgorithmDescription[] = [];
  const signVerify: AlgorithmDescription[] = [];
  const postQuantum: AlgorithmDescription[] = [];
  for (const keySpec of KEY_SPECS) {
    const spec = specOf(keySpec);
    const rows = spec.asymmetric;
    for (const keyUsage of spec.usages) {
      if (rows === undefined) symmetric.push({ keyUsage, keySpec, algorithm: keySpec });
      else if (rows.isPostQuantum) postQuantum.push({ keyUsage, keySpec, algorithm: keySpec });
      else if (keyUsage === "sign-verify") {
        for (const { algorithm } of rows.signatures) signVerify.push({ keyUsage, keySpec, algorithm });
      } else {
        for (const { algorithm } of rows.encryptions) asymmetric.push({ keyUsage, keySpec, algorithm });
      }
    }
  }
  return { symmetric, asymmetric, signVerify, postQuantum };
}

function linkTo(
  operation: KmsOperation,
  variants: readonly SdkVariant[],
  request: SdkDownloadLinkRequest,
): SdkDownloadLinkResult {
  checkFields(operation, request, ["variant"]);
  const named =
    request.variant === undefined ? variants[0] : findVariant(variants, checkText("variant", request.variant));
  if (named === undefined) {
    const known = variants.map(({ variant }) => variant).join(", ");
    throw new FengniError("ERR_NOT_SUPPORTED", `there is no such package: there are ${known}`, {
      details: { operation, reason: "no-such-variant" },
    });
  }
  return { ...named, link: `npm:${named.variant}@${named.version}` };
}

function findVariant(variants: readonly SdkVariant[], name: string): SdkVariant | undefined {
  return variants.find(({ variant }) => variant === name);
}
