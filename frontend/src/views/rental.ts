import type { Event, ProgressPoint, Rental } from "../bindings/marketplace";
import { fact, h } from "../dom";
import { moment, short } from "../format";
import { badge, simulatedMark } from "../parts/badges";
import { Curve } from "../parts/curve";
import { evidence } from "../parts/evidence";
import { history } from "../parts/history";
import { money } from "../parts/money";
import { countdown, OVER, phases } from "../parts/phases";
import { signInFirst } from "./rentals";
import type { Context, View } from "./view";

const ACTIVE_MS = 2_000;
const WAITING_MS = 5_000;

/** One rental, live: where it is, its loss curve, the evidence, the money, what happened. */
export class RentalView implements View {
  readonly title: string;
  readonly element = h("div", {});
  readonly #context: Context;
  readonly #id: bigint;
  readonly #curve = new Curve();
  readonly #head = h("div", {});
  readonly #details = h("div", { class: "details" });
  readonly #training = h("section", { class: "card", "aria-labelledby": "training" }, h("h2", { id: "training" }, "Training loss"), this.#curve.element);
  readonly #points: ProgressPoint[] = [];
  readonly #events: Event[] = [];
  #model = "";
  #status = "";
  #shown = "";

  constructor(context: Context, id: bigint) {
    this.#context = context;
    this.#id = id;
    this.title = `Rental ${id}`;
  }

  async refresh(): Promise<void> {
    const { market, session } = this.#context;
    if (!session.signedIn) {
      this.element.replaceChildren(h("h1", {}, this.title), signInFirst(this.#context));
      return;
    }
    const [rental, points, events] = await Promise.all([
      market.rental(this.#id),
      market.progress(this.#id, this.#points.length),
      market.events(this.#id, this.#events.length),
    ]);
    this.#points.push(...points);
    this.#events.push(...events);
    this.#status = rental.status;
    if (this.#model === "") this.#model = (await market.listing(rental.listing)).title;
    this.#show(rental);
  }

  interval(): number | undefined {
    if (!this.#context.session.signedIn || OVER.includes(this.#status)) return undefined;
    return this.#status === "running" || this.#status === "attesting" ? ACTIVE_MS : WAITING_MS;
  }

  leave(): void {
    this.#curve.destroy();
  }

  #show(rental: Rental): void {
    if (!this.#head.isConnected) this.element.replaceChildren(this.#head, this.#training, this.#details);
    this.#head.replaceChildren(...this.#heading(rental));
    this.#curve.show(this.#points);
    // What is folded out or scrolled stays so while nothing has changed.
    const state = `${rental.status} ${this.#events.length} ${rental.seconds_used}`;
    if (state === this.#shown) return;
    this.#shown = state;
    const opened = [...this.#details.querySelectorAll("details[open]")].length > 0;
    this.#details.replaceChildren(
      ...(rental.attestation ? [evidence(rental.attestation, rental.id)] : []),
      money(rental, this.#context.token),
      this.#settings(rental),
      history(this.#events),
    );
    if (opened) this.#details.querySelector("details")?.setAttribute("open", "");
  }

  #heading(rental: Rental): HTMLElement[] {
    const heading = h(
      "div",
      { class: "heading" },
      h("div", {}, h("a", { href: "#/rentals", class: "back" }, "My rentals"), h("h1", {}, `Rental ${rental.id}`, h("span", { class: "of" }, ` of ${this.#model}`))),
      h("p", { class: "marks" }, badge(rental.status), rental.attestation?.simulated && simulatedMark(), countdown(rental)),
    );
    const reason = rental.reason ? [h("p", { class: "reason" }, rental.reason)] : [];
    return [heading, phases(rental), ...reason];
  }

  #settings(rental: Rental): HTMLElement {
    const chosen = rental.hyperparameters;
    return h(
      "section",
      { class: "card", "aria-labelledby": "job" },
      h("h2", { id: "job" }, "Job"),
      h(
        "dl",
        { class: "facts" },
        fact("Task", chosen.task),
        fact("Epochs", chosen.epochs),
        fact("Learning rate", chosen.learning_rate),
        fact("Batch size", chosen.batch_size),
        fact("LoRA rank / alpha", `${chosen.lora_rank} / ${chosen.lora_alpha}`),
        fact("Policy", rental.policy),
        fact("Created", moment(rental.created_at)),
        rental.operator && fact("Operator", h("code", { title: rental.operator.toText() }, short(rental.operator.toText()))),
        fact("Attempts", rental.attempts + (rental.offer === undefined ? 0 : 1)),
      ),
    );
  }
}
