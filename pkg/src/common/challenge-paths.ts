/** The challenge's route, which names the app. */
export const NEWER_PATH = "/run/auth/challenge";
/** The challenge's route without the app's id. */
export const OLDER_PATH = "/run/auth/pow/challenge";
