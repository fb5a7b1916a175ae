/**
 * The challenge's route: two generations of the service have different ones. The page stores the one that works, and the
 * module of the last challenge of version 2.
 */
import { NEWER_PATH, OLDER_PATH } from "../solver/flow.js";
import type { ModuleName } from "../kdf/challenge.js";
import type { ClientOptions } from "./client-options.js";
import type { SessionStore } from "./store.js";

/** The routes, in the order in which they are tried. The newer one names the app. */
const ROUTES = [NEWER_PATH, OLDER_PATH] as const;
/** How long a stored route is used, in milliseconds. */
const REMEMBER_MS = 86_400_000;
/** The stored route of a service that has neither: proof of work is off. */
const NONE = "";

const KEY_MODULES: readonly unknown[] = ["sha", "scrypt", "argon2id", null] satisfies Known["keyModule"][];

/** The route and the module of a service. */
interface Known {
  route: string;
  /** The module that its challenges of version 2 need; null: they are of version 1; undefined: not known. */
  keyModule?: ModuleName | null | undefined;
}

/** The known services of this page, by `baseUrl`. */
const known = new Map<string, Known>();

/** The route of one service's challenges. */
export class ChallengeRoute {
  readonly #baseUrl: string;
  readonly #query: string;
  readonly #fixed: string | undefined;
  readonly #version: 1 | 2 | undefined;
  readonly #store: SessionStore;
  /** The module of the last challenge of a fixed path. */
  #learned: ModuleName | null | undefined;

  /** With the caller's own `challengePath` no other is tried, and nothing is remembered. */
  constructor(
    baseUrl: string,
    appPath: string,
    { challengePath, challengeVersion }: Pick<ClientOptions, "challengePath" | "challengeVersion">,
    store: SessionStore,
  ) {
    this.#baseUrl = baseUrl;
    this.#query = `?appId=${appPath}`;
    this.#fixed = challengePath;
    this.#version = challengeVersion;
    this.#store = store;
  }

  /** Returns the paths to request, in order, while the service responds 404. */
  get paths(): string[] {
    if (this.#fixed !== undefined) return [this.#fixed];
    const [newer, older] = ROUTES;
    const first = newer + this.#query;
    const route = this.#route;
    if (route === older) return [older, first];
    // One request in each session, since proof of work may be switched on.
    return route === NONE ? [first] : [first, older];
  }

  /** Whether the service had neither route when it was last asked. */
  get isOff(): boolean {
    return this.#fixed === undefined && this.#route === NONE;
  }

  /**
   * The module that the next challenge will probably need, if it is of version 2: that of the last one, or that of the
   * reference server's default.
   */
  get keyModule(): ModuleName | undefined {
    if (this.#version === 1) return undefined;
    const last = this.#fixed === undefined ? this.#known?.keyModule : this.#learned;
    return last === undefined && this.#version === 2 ? "sha" : (last ?? undefined);
  }

  /** Stores which of `paths` responded with a challenge (undefined: none of them), and which module that needed. */
  learn(path: string | undefined, needed: ModuleName | undefined): void {
    if (this.#fixed !== undefined) {
      this.#learned = needed ?? null;
      return;
    }
    const route = path === undefined ? NONE : (ROUTES.find((route) => path.startsWith(route)) ?? NONE);
    // Where proof of work is off, nothing is learned of its version.
    const keyModule = route === NONE ? this.#known?.keyModule : (needed ?? null);
    if (route === this.#route && keyModule === this.#known?.keyModule) return;
    const now: Known = { route, keyModule };
    known.set(this.#baseUrl, now);
    // The first route is what is tried anyway, and version 1 what is expected.
    if (route === ROUTES[0] && !keyModule && this.#version !== 2) this.#store.remove(this.#key);
    else this.#store.put(this.#key, JSON.stringify({ ...now, until: Date.now() + REMEMBER_MS }));
  }

  /** Deletes the stored state that proof of work is off: the service requires one. Returns whether it was stored. */
  forget(): boolean {
    if (this.#fixed !== undefined || this.#route !== NONE) return false;
    known.delete(this.#baseUrl);
    this.#store.remove(this.#key);
    return true;
  }

  get #key(): string {
    return `saltmine_challenge_${this.#baseUrl}`;
  }

  get #route(): string | undefined {
    return this.#known?.route;
  }

  get #known(): Known | undefined {
    const remembered = known.get(this.#baseUrl);
    if (remembered !== undefined) return remembered;
    try {
      const { route, keyModule, until } = JSON.parse(this.#store.read(this.#key) as string);
      const leftMs = until - Date.now();
      // A clock that was set back prolongs nothing.
      if (!(leftMs > 0 && leftMs <= REMEMBER_MS)) return undefined;
      if (route !== NONE && !ROUTES.includes(route)) return undefined;
      const found: Known = { route, ...(KEY_MODULES.includes(keyModule) && { keyModule }) };
      known.set(this.#baseUrl, found);
      return found;
    } catch {
      return undefined;
    }
  }
}
