import { platformPackage } from "../../src/native/packages.ts";
import { PLATFORMS, type Platform } from "./platforms.ts";
import { packageName } from "./stage.ts";

/** The row of this machine. Throws where there is none. */
export function hostPlatform(): Platform {
  const wanted = platformPackage();
  const found = PLATFORMS.find((platform) => packageName(platform) === wanted);
  if (found !== undefined) return found;
  throw new Error(`there is no native package for ${process.platform} on ${process.arch}`);
}
