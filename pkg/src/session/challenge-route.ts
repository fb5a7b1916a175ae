/** The challenge's route: two generations of the service have different ones. The page stores the one that works. */
import { NEWER_PATH, OLDER_PATH } from "../common/challenge-paths.js";
import type { SessionStore } from "./store.js";

/** The routes, in the order in which they are tried. The newer one names the app. */
const ROUTES = [NEWER_PATH, OLDER_PATH] as const;
/** How long a stored route is used, in milliseconds. */
const REMEMBER_MS = 86_400_000;
/** The stored route of a service that has neither: proof of work is off. */
const NONE = "";

/** The known routes of this page, by `baseUrl`. */
const known = new Map<string, string>();

/** The route of one service's challenges. */
export class ChallengeRoute {
  readonly #baseUrl: string;
  readonly #query: string;
  readonly #fixed: string | undefined;
  readonly #store: SessionStore;

  /** `fixed` is the caller's own path; no other is tried then, and nothing is remembered. */
  constructor(baseUrl: string, appPath: string, fixed: string | undefined, store: SessionStore) {
    this.#baseUrl = baseUrl;
    this.#query = `?appId=${appPath}`;
    this.#fixed = fixed;
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

  /** Stores which of `paths` responded with a challenge; undefined: none of them. */
  learn(path: string | undefined): void {
    if (this.#fixed !== undefined) return;
    const route = path === undefined ? NONE : (ROUTES.find((route) => path.startsWith(route)) ?? NONE);
    if (route === this.#route) return;
    known.set(this.#baseUrl, route);
    // The first route is what is tried anyway.
    if (route === ROUTES[0]) this.#store.remove(this.#key);
    else this.#store.put(this.#key, JSON.stringify({ route, until: Date.now() + REMEMBER_MS }));
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
    const remembered = known.get(this.#baseUrl);
    if (remembered !== undefined) return remembered;
    try {
      const { route, until } = JSON.parse(this.#store.read(this.#key) as string);
      const leftMs = until - Date.now();
      // A clock that was set back prolongs nothing.
      if (!(leftMs > 0 && leftMs <= REMEMBER_MS)) return undefined;
      if (route !== NONE && route !== ROUTES[1]) return undefined;
      known.set(this.#baseUrl, route);
      return route;
    } catch {
      return undefined;
    }
  }
}
