/** The chat: a launcher, a panel that is a sheet on phones, and the turns of the conversation. */
import { ChatError, type Conversation } from "./conversation.js";
import { make, part } from "./page.js";

const GREETING = "Hello! I am the echo agent: I repeat what you write, word by word, over your session.";

/** The window has space for the chat beside the page's text: the chat is open from the start. */
const WIDE = matchMedia("(min-width: 68rem)");
/** The chat covers the page. */
const SHEET = matchMedia("(max-width: 36rem)");

export interface ChatWidgetOptions {
  /** Begins a conversation. */
  converse(): Conversation;
  /** Discards the session and requests another. */
  newIdentity(): void;
}

export class ChatWidget {
  readonly #options: ChatWidgetOptions;
  readonly #page = part("page");
  readonly #launcher = part<HTMLButtonElement>("chat-launcher");
  readonly #panel = part("chat-panel");
  readonly #log = part("chat-log");
  readonly #input = part<HTMLTextAreaElement>("chat-input");
  readonly #send = part<HTMLButtonElement>("chat-send");
  #conversation: Conversation;
  #answering: AbortController | undefined;

  constructor(options: ChatWidgetOptions) {
    this.#options = options;
    this.#conversation = options.converse();
    this.#greet(GREETING);
    this.#listen();
    this.#show(WIDE.matches);
  }

  /** Begins a new conversation. */
  restart(greeting: string): void {
    this.#answering?.abort();
    this.#conversation = this.#options.converse();
    this.#log.replaceChildren();
    this.#greet(greeting);
  }

  #listen(): void {
    this.#launcher.addEventListener("click", () => {
      this.#show(true);
      this.#input.focus();
    });
    part("chat-close").addEventListener("click", () => this.#close());
    this.#panel.addEventListener("keydown", (event) => {
      if (event.key === "Escape") this.#close();
    });
    SHEET.addEventListener("change", () => this.#show(!this.#panel.hidden));
    // A phone's keyboard shrinks what can be seen, not the page.
    visualViewport?.addEventListener("resize", () => {
      this.#panel.style.setProperty("--seen", `${visualViewport?.height}px`);
    });

    this.#input.addEventListener("input", () => this.#fitInput());
    this.#input.addEventListener("keydown", (event) => {
      // While a word is being composed, Enter belongs to the input method.
      if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
      event.preventDefault();
      if (!this.#answering) this.#submit();
    });
    part("chat-form").addEventListener("submit", (event) => {
      event.preventDefault();
      if (this.#answering) this.#answering.abort();
      else this.#submit();
    });
  }

  #show(open: boolean): void {
    this.#panel.hidden = !open;
    this.#launcher.hidden = open;
    this.#launcher.setAttribute("aria-expanded", String(open));
    document.body.dataset.chat = open ? "open" : "closed";
    // A sheet covers the page, which can then be neither seen nor reached.
    const covers = open && SHEET.matches;
    this.#page.inert = covers;
    this.#panel.setAttribute("aria-modal", String(covers));
    if (open) this.#log.scrollTop = this.#log.scrollHeight;
  }

  #close(): void {
    this.#show(false);
    this.#launcher.focus();
  }

  #submit(): void {
    const content = this.#input.value.trim();
    if (content === "") return;
    this.#input.value = "";
    this.#fitInput();
    const turn = this.#addTurn("user", content);
    void this.#ask(content, turn);
  }

  /** Sends a question and shows the answer as it arrives. */
  async #ask(content: string, asked: HTMLElement): Promise<void> {
    this.#log.querySelector("[data-testid=chat-error]")?.remove();
    delete asked.dataset.state;
    const answer = this.#addTurn("assistant", "");
    answer.dataset.state = "waiting";
    const controller = new AbortController();
    this.#setAnswering(controller);
    try {
      for await (const delta of this.#conversation.say(content, controller.signal)) {
        answer.dataset.state = "streaming";
        this.#keepEndInView(() => answer.append(delta));
      }
      answer.dataset.state = "done";
    } catch (error) {
      const stopped = controller.signal.aborted;
      answer.dataset.state = stopped ? "stopped" : "failed";
      if (answer.textContent === "") answer.parentElement?.remove();
      if (!stopped) this.#addFailure(error, content, asked, answer);
    } finally {
      if (this.#answering === controller) this.#setAnswering(undefined);
    }
  }

  #setAnswering(controller: AbortController | undefined): void {
    this.#answering = controller;
    this.#send.dataset.state = controller ? "stop" : "send";
    this.#send.setAttribute("aria-label", controller ? "Stop the response" : "Send");
    // A whole answer is read out, not its pieces.
    this.#log.setAttribute("aria-busy", String(controller !== undefined));
  }

  #addFailure(error: unknown, content: string, asked: HTMLElement, answer: HTMLElement): void {
    const needsNewSession = error instanceof ChatError && error.needsNewSession;
    const failure = make("div", "chat-error");
    failure.dataset.testid = "chat-error";
    failure.setAttribute("role", "alert");
    const retry = make(
      "button",
      "button",
      needsNewSession ? "Get a new session and send again" : "Send again",
    );
    retry.type = "button";
    retry.dataset.testid = "chat-retry";
    retry.addEventListener("click", () => {
      answer.parentElement?.remove();
      // The server keeps conversations by visitor, and this is another one.
      if (needsNewSession) {
        this.#options.newIdentity();
        this.#conversation = this.#options.converse();
      }
      this.#input.focus();
      void this.#ask(content, asked);
    });
    failure.append(make("p", "", error instanceof Error ? error.message : String(error)), retry);
    asked.dataset.state = "unanswered";
    this.#keepEndInView(() => this.#log.append(failure));
  }

  #greet(text: string): void {
    this.#log.append(make("p", "chat-greeting", text));
  }

  #addTurn(role: "user" | "assistant", text: string): HTMLElement {
    const turn = make("div", "turn");
    const message = make("div", "message", text);
    message.dataset.testid = "chat-message";
    message.dataset.role = role;
    turn.append(make("span", "visually-hidden", role === "user" ? "You: " : "Echo: "), message);
    this.#log.append(turn);
    this.#log.scrollTop = this.#log.scrollHeight;
    return message;
  }

  /** Scrolls to the end, unless the visitor has scrolled back. */
  #keepEndInView(change: () => void): void {
    const log = this.#log;
    const atEnd = log.scrollHeight - log.scrollTop - log.clientHeight < 40;
    change();
    if (atEnd) log.scrollTop = log.scrollHeight;
  }

  #fitInput(): void {
    this.#input.style.height = "auto";
    this.#input.style.height = `${this.#input.scrollHeight}px`;
  }
}
