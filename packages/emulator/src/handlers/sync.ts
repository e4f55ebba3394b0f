// The actions that copy keys to other regions: translation only. Their form is this project's own.
import type { Handlers } from "../call.js";

type Names = "GetSyncSupportRegion" | "ModifySyncTask";

/** The handlers of the group. */
export const SYNC: Handlers<Names> = {
  async GetSyncSupportRegion(kms, _request, { options }) {
    return { Regions: (await kms.getSyncSupportRegion({}, options)).regions };
  },
  async ModifySyncTask(kms, { Destinations }, { options }) {
    const destinations = Destinations.map(({ DestinationRegion }) => DestinationRegion);
    await kms.modifySyncTask({ destinations }, options);
    return {};
  },
};
