import type { Status } from "./bindings/marketplace";
import { h } from "./dom";
import { short } from "./format";
import type { Market, Token } from "./market";
import { simulatedBanner } from "./parts/badges";
import { tick } from "./parts/phases";
import type { Session } from "./session";
import { ModelsView } from "./views/models";
import { RentalView } from "./views/rental";
import { RentalsView } from "./views/rentals";
import type { Context, View } from "./views/view";

const TICK_MS = 1_000;

/** The frame around the views: navigation, sign-in, refreshing, errors. */
export class Shell {
  readonly #root: HTMLElement;
  readonly #session: Session;
  readonly #connect: () => Market;
  readonly #header = h("header", {});
  readonly #notice = h("div", { class: "notice" });
  readonly #problem = h("div", { role: "alert" });
  readonly #main = h("main", { id: "main", tabindex: "-1" });
  #market: Market;
  #token: Token = { symbol: "", decimals: 0 };
  #view: View | null = null;
  #timer: number | undefined;
  #turn = 0;

  constructor(root: HTMLElement, session: Session, connect: () => Market) {
    this.#root = root;
    this.#session = session;
    this.#connect = connect;
    this.#market = connect();
  }

  async start(): Promise<void> {
    const [status, token] = await Promise.all([this.#market.status(), this.#market.token()]);
    this.#token = token;
    this.#root.replaceChildren(
      h("a", { href: "#main", class: "skip", onclick: (event: Event) => this.#skip(event) }, "Skip to content"),
      this.#header,
      this.#notice,
      this.#problem,
      this.#main,
    );
    this.#announce(status);
    window.addEventListener("hashchange", () => void this.#open());
    document.addEventListener("visibilitychange", () => document.hidden || void this.#refresh());
    window.setInterval(() => tick(this.#main), TICK_MS);
    await this.#open();
  }

  #announce(status: Status): void {
    if (!status.simulated) return;
    this.#notice.replaceChildren(simulatedBanner("This marketplace accepts simulated machines. Use it for development only."));
  }

  #context(): Context {
    return { market: this.#market, session: this.#session, token: this.#token, signIn: () => this.#signIn() };
  }

  async #open(): Promise<void> {
    this.#view?.leave?.();
    this.#view = viewOf(location.hash, this.#context());
    document.title = `${this.#view.title} · Leasehold`;
    this.#drawHeader();
    this.#main.replaceChildren(h("p", { class: "muted" }, "Loading…"));
    await this.#refresh();
    this.#main.replaceChildren(this.#view.element);
  }

  /** Renew the view now and plan the next time; whatever was planned before is dropped. */
  async #refresh(): Promise<void> {
    const view = this.#view;
    const turn = ++this.#turn;
    window.clearTimeout(this.#timer);
    if (view === null || document.hidden) return;
    try {
      await view.refresh();
      if (turn === this.#turn) this.#problem.replaceChildren();
    } catch (error) {
      if (turn === this.#turn) this.#explain(error);
    }
    const interval = view.interval();
    if (turn === this.#turn && interval !== undefined) {
      this.#timer = window.setTimeout(() => void this.#refresh(), interval);
    }
  }

  #drawHeader(): void {
    const place = location.hash || "#/models";
    const link = (href: string, text: string) =>
      h("a", { href, "aria-current": place.startsWith(href) ? "page" : undefined }, text);
    this.#header.replaceChildren(
      h("a", { href: "#/models", class: "brand" }, h("img", { src: "/icon.svg", alt: "", width: "28", height: "28" }), "Leasehold"),
      h("nav", { "aria-label": "Main" }, link("#/models", "Models"), link("#/rentals", "My rentals")),
      this.#account(),
    );
  }

  #account(): HTMLElement {
    if (!this.#session.signedIn) {
      return h("div", { class: "account" }, h("button", { type: "button", onclick: () => this.#signIn() }, "Sign in"));
    }
    const { principal } = this.#session;
    return h(
      "div",
      { class: "account" },
      h("code", { title: principal, "data-principal": principal }, short(principal, 5, 3)),
      h("button", { type: "button", class: "quiet", onclick: () => void this.#signOut() }, "Sign out"),
    );
  }

  // Called while the click is still being handled: only then may a window be opened.
  #signIn(): void {
    this.#session.signIn().then(
      () => this.#changePerson(),
      (error: unknown) => this.#explain(error),
    );
  }

  async #signOut(): Promise<void> {
    await this.#session.signOut();
    await this.#changePerson();
  }

  async #changePerson(): Promise<void> {
    this.#market = this.#connect();
    this.#problem.replaceChildren();
    await this.#open();
  }

  #explain(error: unknown): void {
    const message = error instanceof Error ? error.message : String(error);
    this.#problem.replaceChildren(
      h(
        "p",
        { class: "problem" },
        h("span", {}, message),
        h("button", { type: "button", class: "quiet", onclick: () => void this.#refresh() }, "Try again"),
      ),
    );
  }

  #skip(event: Event): void {
    event.preventDefault();
    this.#main.focus();
  }
}

function viewOf(hash: string, context: Context): View {
  const rental = /^#\/rentals\/(\d{1,19})$/.exec(hash);
  if (rental !== null) return new RentalView(context, BigInt(rental[1]!));
  return hash.startsWith("#/rentals") ? new RentalsView(context) : new ModelsView(context);
}
