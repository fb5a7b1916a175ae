/** The steps of one session request, each with its share of the time: a waterfall. */
import type { Progress, ProgressV2 } from "saltmine";
import { count, hashRate, ms } from "./page.js";

const STEPS = ["starting", "challenge", "solving", "session"] as const;
export type Step = (typeof STEPS)[number];

/** How a step that has not begun is shown when the request has ended. */
type Ending = "skipped" | "failed";

interface Span {
  from: number;
  to: number;
  /** Less than `to - from` if the step was repeated. */
  spent: number;
}

export class Timeline {
  readonly #items = new Map<Step, HTMLElement>();
  readonly #spans = new Map<Step, Span>();
  #began = 0;
  #current: Step | undefined;
  #currentBegan = 0;

  constructor(list: HTMLElement) {
    for (const step of STEPS)
      this.#items.set(step, list.querySelector(`[data-step="${step}"]`) as HTMLElement);
  }

  /** Begins anew. */
  begin(): void {
    this.#current = undefined;
    this.#spans.clear();
    for (const step of STEPS) {
      this.note(step, "");
      this.#mark(step, "todo");
    }
    this.#searchBar.hidden = true;
    this.#searchBar.value = 0;
    this.#draw();
  }

  /** The client has entered a state, which ends the step before it. */
  enter(state: string): void {
    this.#finish("done");
    const step = STEPS.find((candidate) => candidate === state);
    if (step) {
      this.#current = step;
      this.#currentBegan = performance.now();
      if (this.#spans.size === 0) this.#began = this.#currentBegan;
      this.#mark(step, "now");
    }
    this.#draw();
  }

  /** Marks the request as ended: its current step as done or failed, the steps that have not begun as skipped. */
  stop(ending: Ending): void {
    if (ending === "failed" && this.#current) this.note(this.#current, "This step failed");
    this.#finish(ending === "failed" ? "failed" : "done");
    for (const step of STEPS) if (!this.#spans.has(step)) this.#mark(step, "skipped");
    // A bar without a value moves for ever.
    if (!this.#searchBar.hasAttribute("value")) this.#searchBar.value = 1;
    this.#draw();
  }

  /**
   * Applies the engine's own measurement of the search. Its messages may have waited for a busy page and come all at once;
   * the time that is then missing here was counted as the fetch's.
   */
  searchTook(spent: number): void {
    const [fetch, search] = [this.#spans.get("challenge"), this.#spans.get("solving")];
    if (!fetch || !search || search.spent >= spent) return;
    const missing = Math.min(spent - search.spent, fetch.spent);
    search.spent += missing;
    search.from -= missing;
    fetch.spent -= missing;
    fetch.to -= missing;
    this.#draw();
  }

  progress(progress: Progress | ProgressV2): void {
    const { searched, total, share } = progress;
    this.#searchBar.hidden = false;
    // Without a value the bar only shows that the search is running: the range is the server's secret.
    if (share === null) this.#searchBar.removeAttribute("value");
    else this.#searchBar.value = share;
    const perSecond = "keysPerSecond" in progress ? progress.keysPerSecond : progress.hashesPerSecond;
    const rate = "keysPerSecond" in progress ? `${count(perSecond)} keys/s` : hashRate(perSecond);
    const tried =
      total === null ? `${count(searched)} keys tried` : `${count(searched)} of ${count(total)} tried`;
    this.note("solving", perSecond > 0 ? `${tried}, ${rate}` : tried);
  }

  note(step: Step, text: string): void {
    this.#find(step, ".step-note").textContent = text;
  }

  #finish(state: "done" | "failed"): void {
    const step = this.#current;
    if (!step) return;
    this.#current = undefined;
    const now = performance.now();
    const before = this.#spans.get(step);
    const spent = (before?.spent ?? 0) + now - this.#currentBegan;
    this.#spans.set(step, { from: before?.from ?? this.#currentBegan, to: now, spent });
    this.#mark(step, state);
  }

  #draw(): void {
    const last = Math.max(this.#began + 1, ...[...this.#spans.values()].map(({ to }) => to));
    const share = (time: number) => `${((time - this.#began) / (last - this.#began)) * 100}%`;
    for (const step of STEPS) {
      const span = this.#spans.get(step);
      const bar = this.#find(step, ".step-span");
      this.#find(step, ".step-ms").textContent = span ? `${ms(span.spent)} ms` : "";
      bar.hidden = !span;
      bar.style.setProperty("--from", span ? share(span.from) : "0%");
      bar.style.setProperty("--to", span ? share(span.to) : "0%");
    }
  }

  #mark(step: Step, state: "todo" | "now" | "done" | "failed" | "skipped"): void {
    (this.#items.get(step) as HTMLElement).dataset.state = state;
  }

  #find<E extends HTMLElement>(step: Step, selector: string): E {
    return (this.#items.get(step) as HTMLElement).querySelector(selector) as E;
  }

  get #searchBar(): HTMLProgressElement {
    return this.#find("solving", "progress");
  }
}
