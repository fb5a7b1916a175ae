/** The version in package.json, put here by the build. */
declare const PACKAGE_VERSION: string;

/** The version of this package. */
export const VERSION: string = PACKAGE_VERSION;
